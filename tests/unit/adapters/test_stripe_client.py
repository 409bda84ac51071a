"""How Stripe is spoken to: pauses, keys, processes, amounts and names, without a network."""

from __future__ import annotations

import logging
import os

import pytest
import stripe

from marketplace.adapters.stripe_gateway import client as module
from marketplace.adapters.stripe_gateway.client import API_VERSION, BUDGET_SECONDS, TIMEOUT, StripeApi, named
from marketplace.adapters.stripe_gateway.currencies import from_stripe, to_stripe
from marketplace.application.payments.checking import LEASE_FOR
from marketplace.application.ports.payment_gateway import (
    InProgress,
    InvalidRequest,
    OutcomeUnknown,
    ProviderObjectUnknown,
    RateLimited,
)
from marketplace.application.ports.unit_of_work import open_units
from marketplace.domain.shared.money import Money

BALANCE = b'{"object": "balance", "available": [], "pending": [], "livemode": false}'


class Wire:
    """Answers with each of ``answers`` in turn, the last one for ever, and remembers what was asked."""

    def __init__(self, monkeypatch, *answers):
        self.answers = list(answers)
        self.asked = []
        self.slept = []
        self.now = 0.0
        monkeypatch.setattr(stripe.RequestsClient, "request", self._request)

    def _request(self, method, url, headers, post_data=None):
        self.asked.append((method, url, dict(headers), post_data))
        status, *more = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        body = BALANCE if status == 200 else b'{"error": {"type": "api_error", "message": "No."}}'
        return body, status, more[0] if more else {}

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds

    def api(self, key="sk_test_x"):
        return StripeApi(key, sleep=self.sleep, monotonic=lambda: self.now)

    @property
    def keys(self):
        return [headers.get("Idempotency-Key") for _, _, headers, _ in self.asked]


def create(client, options):
    return client.v1.customers.create({}, options)


@pytest.mark.parametrize(("status", "raised"), [(409, InProgress), (429, RateLimited), (500, OutcomeUnknown)])
def test_repeats_a_few_times_with_the_same_key_and_longer_pauses(monkeypatch, status, raised):
    wire = Wire(monkeypatch, (status,))
    with pytest.raises(raised):
        wire.api().send("try it", create, key="cus:7:1")
    assert wire.keys == ["cus:7:1"] * 4
    assert [0.25 <= first <= 0.5 for first in wire.slept[:1]] == [True]
    assert [0.5 <= second <= 1.0 for second in wire.slept[1:2]] == [True]
    assert [1.0 <= third <= 2.0 for third in wire.slept[2:]] == [True]


@pytest.mark.parametrize("status", [409, 429, 503])
def test_goes_on_when_the_trouble_is_over(monkeypatch, status):
    wire = Wire(monkeypatch, (status,), (status,), (200,))
    assert wire.api().send("try it", create, key="cus:7:1")["object"] == "balance"
    assert wire.keys == ["cus:7:1"] * 3


@pytest.mark.parametrize(
    ("status", "advice", "calls"), [(500, "false", 1), (429, "false", 1), (400, "true", 4), (500, "perhaps", 4)]
)
def test_takes_the_advice_whether_to_repeat(monkeypatch, status, advice, calls):
    wire = Wire(monkeypatch, (status, {"stripe-should-retry": advice}))
    with pytest.raises((OutcomeUnknown, RateLimited, InvalidRequest)):
        wire.api().send("try it", create, key="k")
    assert len(wire.asked) == calls


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404])
def test_does_not_repeat_what_was_refused(monkeypatch, status):
    wire = Wire(monkeypatch, (status,))
    with pytest.raises(Exception):  # noqa: B017, PT011  # which one is told elsewhere
        wire.api().send("try it", create, key="k")
    assert len(wire.asked) == 1


def test_no_call_outlives_the_lease_of_what_it_is_about(monkeypatch):
    wire = Wire(monkeypatch, (500,))
    slow = wire._request

    def late(_, *args, **kwargs):
        wire.now += sum(TIMEOUT)
        return slow(*args, **kwargs)

    monkeypatch.setattr(stripe.RequestsClient, "request", late)
    with pytest.raises(OutcomeUnknown):
        wire.api().send("try it", create, key="k")
    assert len(wire.asked) == 1
    assert BUDGET_SECONDS + sum(TIMEOUT) < LEASE_FOR.total_seconds()


def test_a_call_without_a_key_gets_one_of_its_own_that_its_repetitions_share(monkeypatch):
    wire = Wire(monkeypatch, (500,), (200,))
    api = wire.api()
    for _ in range(2):
        api.send("try it", create)
    first, again, second = wire.keys
    assert first == again != second


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_that_stripe_would_not_take_is_not_sent(monkeypatch, key):
    wire = Wire(monkeypatch, (200,))
    with pytest.raises(InvalidRequest):
        wire.api().send("try it", create, key=key)
    assert wire.asked == []


def test_says_which_version_and_who_it_is_and_nothing_else(monkeypatch):
    wire = Wire(monkeypatch, (200,))
    api = wire.api()
    for _ in range(2):
        api.read("read it", lambda client: client.v1.balance.retrieve())
    _, url, headers, _ = wire.asked[1]
    assert url == "https://api.stripe.com/v1/balance"
    assert headers["Stripe-Version"] == API_VERSION
    assert headers["Authorization"] == "Bearer sk_test_x"
    assert "X-Stripe-Client-Telemetry" not in headers
    assert "Idempotency-Key" not in headers


def test_a_child_process_has_a_client_of_its_own(monkeypatch):
    api = Wire(monkeypatch, (200,)).api()
    first = api._connected()
    assert api._connected() is first
    monkeypatch.setattr(os, "getpid", lambda: 1)
    assert api._connected() is not first


def test_waits_no_longer_than_it_says(monkeypatch):
    client = Wire(monkeypatch, (200,)).api()._connected()
    assert client._requestor._get_http_client()._timeout == TIMEOUT == (3.05, 20.0)


def test_refuses_to_be_called_while_a_unit_of_work_is_open(monkeypatch):
    wire = Wire(monkeypatch, (200,))
    token = open_units.set(1)
    try:
        with pytest.raises(RuntimeError, match="unit of work is open"):
            wire.api().read("read it", lambda client: client.v1.balance.retrieve())
    finally:
        open_units.reset(token)
    assert wire.asked == []


@pytest.mark.parametrize(("key", "live"), [("sk_live_1", True), ("rk_live_1", True), ("sk_test_1", False)])
def test_the_key_says_whether_money_moves(key, live):
    assert StripeApi(key).livemode is live


def test_the_key_is_in_no_representation(monkeypatch, caplog):
    wire = Wire(monkeypatch, (500,))
    api = wire.api("sk_test_hidden")
    with caplog.at_level(logging.DEBUG), pytest.raises(OutcomeUnknown) as raised:
        api.send("try it", create, key="k")
    shown = [repr(api), str(vars(api).keys()), str(raised.value), repr(raised.value), caplog.text]
    assert not any("hidden" in each for each in shown)


@pytest.mark.parametrize("id", ["", "pi/1", "pi 1", "../x", "pi_é", "x" * 256, "pi?1", "pi_1\n"])
def test_what_cannot_be_a_name_is_not_asked_for(id):
    with pytest.raises(ProviderObjectUnknown):
        named(id)


def test_stops_looking_before_it_has_looked_for_ever(monkeypatch):
    wire = Wire(monkeypatch, (200,))
    monkeypatch.setattr(module, "MOST_PAGES", 3)
    page = {"data": [{"id": "pi_1"}], "has_more": True}

    class Page:
        def to_dict(self):
            return page

    with pytest.raises(OutcomeUnknown, match="more than 300"):
        list(wire.api().pages("look", lambda client, after: Page()))
    page = {"data": [], "has_more": True}
    assert list(wire.api().pages("look", lambda client, after: Page())) == []
    page = {"object": "customer"}
    with pytest.raises(OutcomeUnknown):
        list(wire.api().pages("look", lambda client, after: Page()))


@pytest.mark.parametrize(
    ("amount", "currency", "sent"), [(1, "EUR", 1), (99_999_999, "EUR", 99_999_999), (500, "JPY", 500), (10, "KWD", 10)]
)
def test_an_amount_is_sent_as_stripe_counts_it(amount, currency, sent):
    assert to_stripe(Money(amount, currency)) == sent
    assert from_stripe(sent, currency.lower()) == amount


class Krona:
    """ISK and UGX are no currencies of ours yet, but Stripe has its own way with them."""

    def __init__(self, amount, currency):
        self.amount, self.currency = amount, currency


@pytest.mark.parametrize("currency", ["ISK", "UGX"])
def test_what_has_no_hundredths_is_sent_in_hundredths(currency):
    assert to_stripe(Krona(5, currency)) == 500
    assert from_stripe(500, currency.lower()) == 5
    with pytest.raises(OutcomeUnknown):
        from_stripe(501, currency)


@pytest.mark.parametrize(
    "money", [Money(0, "EUR"), Money(-1, "EUR"), Money(100_000_000, "EUR"), Money(5, "KWD"), Krona(1.5, "EUR")]
)
def test_an_amount_that_cannot_move_is_not_sent(money):
    with pytest.raises(InvalidRequest):
        to_stripe(money)


@pytest.mark.parametrize("amount", [True, 1.0, "100", None])
def test_only_a_whole_number_is_an_amount(amount):
    with pytest.raises(InvalidRequest):
        to_stripe(Krona(amount, "EUR"))
    with pytest.raises(OutcomeUnknown):
        from_stripe(amount, "eur")
