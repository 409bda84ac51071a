"""Devices, as their owner tells them apart."""

import pytest

from marketplace.domain.identity.devices import MAX_DEVICE_NAME, UNKNOWN_DEVICE, Device, device_name

_MOZILLA = "Mozilla/5.0"
_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (f"{_MOZILLA} (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
        (f"{_MOZILLA} (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (f"{_MOZILLA} (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        (f"{_MOZILLA} (Linux; Android 15; Pixel 9) {_WEBKIT} Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        (
            f"{_MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) {_WEBKIT} Version/18.0 Safari/605.1.15",
            "Safari on macOS",
        ),
        (
            f"{_MOZILLA} (iPhone; CPU iPhone OS 18_0 like Mac OS X) {_WEBKIT} CriOS/140.0 Mobile Safari/604.1",
            "Chrome on iPhone",
        ),
        ("Safari/1.0", "Safari"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("python-requests/2.32 extra words", "python-requests/2.32"),
        ("MarketplaceApp/2.1 (Linux; Android 15)", "MarketplaceApp/2.1"),
        ("", ""),
        ("   ", ""),
        ("evil\x1b[31m\r\nname/1", "evil"),
        ("\u00e9\u0000caf\u00e9/1.0", "caf"),
    ],
)
def test_are_named_in_a_few_words(user_agent, name):
    assert device_name(user_agent) == name


def test_however_long_a_name_is_it_is_short():
    device = Device.seen(user_agent="x" * 10_000, address="1" * 1_000)
    assert len(device.name) == MAX_DEVICE_NAME
    assert len(device.address) == 45


def test_of_one_that_says_nothing_nothing_is_known():
    assert Device.seen(user_agent="", address="") == UNKNOWN_DEVICE
