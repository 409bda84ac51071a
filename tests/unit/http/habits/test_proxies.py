"""Who is asking, through proxies that are trusted and others that are not."""

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import MemoryBackend
from marketplace.entrypoints.environment import Reader
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.http.proxies import TrustedProxies
from marketplace.entrypoints.settings import Settings
from tests.unit.http.conftest import ENVIRONMENT

PROXY, CDN, CLIENT = "10.0.0.7", "198.51.100.4", "203.0.113.9"
NETWORKS = Reader({"TRUSTED": f"10.0.0.0/8,{CDN},fd00::/8"}).networks("TRUSTED")


def seen(headers=None, *, peer=PROXY, base_url="http://shop.example"):
    """Address, scheme and host as the application behind sees them."""
    found = {}

    def application(environ, start_response):
        found.update(environ)
        start_response("200 OK", [])
        return [b""]

    builder = EnvironBuilder(base_url=base_url, headers=headers or {}, environ_base={"REMOTE_ADDR": peer})
    run_wsgi_app(TrustedProxies(application, NETWORKS), builder.get_environ(), buffered=True)
    assert not any(name.startswith(("HTTP_X_FORWARDED", "HTTP_FORWARDED")) for name in found)
    return found["REMOTE_ADDR"], found["wsgi.url_scheme"], found["HTTP_HOST"]


def address(headers=None, **options):
    return seen(headers, **options)[0]


def test_without_a_word_of_the_proxy_nothing_changes():
    assert seen() == (PROXY, "http", "shop.example")
    assert seen(peer=CLIENT) == (CLIENT, "http", "shop.example")


@pytest.mark.parametrize(
    ("forwarded_for", "client"),
    [
        (CLIENT, CLIENT),
        (f"{CLIENT}, {CDN}", CLIENT),
        (f"{CLIENT}, {CDN}, 10.1.1.1", CLIENT),
        # Whatever stands before the first stranger, the stranger wrote.
        (f"1.1.1.1, {CLIENT}", CLIENT),
        (f"127.0.0.1, 10.0.0.1, {CLIENT}, {CDN}", CLIENT),
        (f"{CLIENT}:51234", CLIENT),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        (f"::ffff:{CLIENT}", CLIENT),
        # All of them trusted: somebody inside.
        ("10.9.9.9, 10.1.1.1", "10.9.9.9"),
        # What cannot be read is nobody: the proxy that says so is the best that there is.
        ("unknown", PROXY),
        (f"{CLIENT}, unknown, {CDN}", CDN),
        (f"{CLIENT}, ", PROXY),
        ("'; drop table", PROXY),
        (",".join(["10.0.0.1"] * 5000), "10.0.0.1"),
    ],
)
def test_the_nearest_stranger_is_the_client(forwarded_for, client):
    assert address({"X-Forwarded-For": forwarded_for}) == client


@pytest.mark.parametrize("peer", [CLIENT, "2001:db8::5", "", "not an address"])
def test_a_stranger_is_believed_nothing(peer):
    headers = {
        "X-Forwarded-For": "1.1.1.1",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "for=1.1.1.1;proto=https;host=evil.example",
    }
    assert seen(headers, peer=peer) == (peer, "http", "shop.example")


@pytest.mark.parametrize("peer", ["fd00::1", f"::ffff:{PROXY}"])
def test_a_proxy_may_have_an_address_of_six(peer):
    assert address({"X-Forwarded-For": CLIENT}, peer=peer) == CLIENT


def test_scheme_and_host_are_those_that_the_client_used():
    headers = {"X-Forwarded-For": CLIENT, "X-Forwarded-Proto": "https", "X-Forwarded-Host": "cards.example"}
    assert seen(headers) == (CLIENT, "https", "cards.example")


def test_scheme_and_host_that_the_client_wrote_itself_are_not_believed():
    headers = {
        "X-Forwarded-For": f"1.1.1.1, {CLIENT}",
        "X-Forwarded-Proto": "https, http",
        "X-Forwarded-Host": "evil.example, cards.example",
    }
    assert seen(headers) == (CLIENT, "http", "cards.example")


def test_of_two_proxies_the_one_next_to_the_client_knows():
    headers = {"X-Forwarded-For": f"{CLIENT}, {CDN}", "X-Forwarded-Proto": "https, http"}
    assert seen(headers)[:2] == (CLIENT, "https")
    assert seen({**headers, "X-Forwarded-Proto": "https"})[:2] == (CLIENT, "https")


def test_a_scheme_that_is_none_is_left_alone():
    assert seen({"X-Forwarded-For": CLIENT, "X-Forwarded-Proto": "javascript"})[1] == "http"


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        (f"for={CLIENT}", (CLIENT, "http", "shop.example")),
        (f"For={CLIENT};Proto=HTTPS; host=cards.example", (CLIENT, "https", "cards.example")),
        ('for="[2001:db8::1]:4711"', ("2001:db8::1", "http", "shop.example")),
        (f"for=1.1.1.1, for={CLIENT};proto=https, for={CDN};proto=http", (CLIENT, "https", "shop.example")),
        ("for=_hidden", (PROXY, "http", "shop.example")),
        # Half of it cannot be read: nothing of it counts.
        (f'for={CLIENT}, for="', (PROXY, "http", "shop.example")),
        (f"for={CLIENT} nonsense", (PROXY, "http", "shop.example")),
        ("", (PROXY, "http", "shop.example")),
    ],
)
def test_forwarded_says_the_same_in_the_words_of_the_standard(forwarded, expected):
    assert seen({"Forwarded": forwarded}) == expected


def test_where_both_are_said_the_older_counts_which_proxies_set():
    assert address({"X-Forwarded-For": CLIENT, "Forwarded": "for=1.1.1.1"}) == CLIENT


def test_a_long_header_is_read_in_no_time():
    assert address({"Forwarded": "for=" + "a" * 60_000}) == PROXY
    assert address({"Forwarded": 'for="' + "\\a" * 30_000}) == PROXY


def client_with(**environment):
    settings = Settings.from_env({**ENVIRONMENT, **environment})
    return create_app(Container(settings=settings, backend=MemoryBackend())).test_client()


def test_the_application_believes_whom_the_setting_names():
    headers = {"X-Forwarded-For": CLIENT, "X-Forwarded-Host": "evil.example"}
    assert client_with(TRUSTED_PROXIES="127.0.0.1").get("/health/", headers=headers).status_code == 400
    assert client_with(TRUSTED_PROXIES="10.0.0.0/8").get("/health/", headers=headers).status_code == 200
    assert client_with().get("/health/", headers=headers).status_code == 200
