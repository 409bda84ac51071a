"""What Stripe's errors mean: every row of the table, through the SDK as it raises them."""

from __future__ import annotations

import json

import pytest
import stripe

from marketplace.adapters.stripe_gateway.client import StripeApi
from marketplace.adapters.stripe_gateway.errors import Subject, neutral_code
from marketplace.application.ports.payment_gateway import (
    ActionRequired,
    AlreadyInState,
    InProgress,
    InvalidRequest,
    KeyReused,
    Misconfigured,
    OutcomeUnknown,
    PaymentDeclined,
    ProviderFailed,
    ProviderObjectUnknown,
    RateLimited,
    RefundNotPossible,
    UnknownPaymentMethod,
)
from marketplace.application.ports.transfers import InsufficientBalance, SellerNotPayable

OURS, SELLER, ACCOUNT = Subject.OURS, Subject.SELLER, Subject.ACCOUNT


@pytest.fixture
def answered(monkeypatch):
    """Call it with an answer; gives what a POST then raises."""

    def meet(status, body, subject=OURS, headers=None):
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        monkeypatch.setattr(stripe.RequestsClient, "request", lambda *_, **__: (text, status, headers or {}))
        api = StripeApi("sk_test_secret", base="http://127.0.0.1:1", sleep=lambda _: None)
        with pytest.raises(Exception) as raised:  # noqa: PT011  # the tests say which
            api.send("try it", lambda client, options: client.v1.refunds.create({}, options), key="k", subject=subject)
        return raised.value

    return meet


def error(**facts):
    return {"error": {"type": "invalid_request_error", "message": "No.", **facts}}


ROWS = [
    (402, {"type": "card_error", "code": "card_declined", "decline_code": "do_not_honor"}, OURS, PaymentDeclined),
    (402, {"type": "card_error", "code": "authentication_required"}, OURS, ActionRequired),
    (402, {"code": "card_declined", "decline_code": "authentication_required"}, OURS, ActionRequired),
    (400, {"code": "resource_missing", "param": "intent"}, OURS, ProviderObjectUnknown),
    (404, {"code": "resource_missing"}, OURS, ProviderObjectUnknown),
    (404, {}, OURS, ProviderObjectUnknown),
    (404, {"code": "resource_missing", "param": "payment_method"}, OURS, UnknownPaymentMethod),
    (400, {"code": "resource_missing", "param": "destination"}, SELLER, SellerNotPayable),
    (400, {"code": "balance_insufficient"}, SELLER, InsufficientBalance),
    (400, {"code": "insufficient_funds"}, SELLER, InsufficientBalance),
    (400, {"type": "insufficient_funds"}, SELLER, InsufficientBalance),
    (400, {"code": "insufficient_capabilities_for_transfer"}, SELLER, SellerNotPayable),
    (400, {"code": "transfers_not_allowed"}, SELLER, SellerNotPayable),
    (400, {"code": "capability_not_active"}, SELLER, SellerNotPayable),
    (400, {"code": "account_invalid"}, SELLER, SellerNotPayable),
    (400, {"code": "account_closed"}, SELLER, SellerNotPayable),
    (403, {}, SELLER, SellerNotPayable),
    (403, {"code": "account_invalid"}, SELLER, SellerNotPayable),
    (403, {"code": "account_invalid"}, ACCOUNT, ProviderObjectUnknown),
    (400, {"code": "account_invalid"}, ACCOUNT, ProviderObjectUnknown),
    (403, {}, ACCOUNT, Misconfigured),
    (403, {}, OURS, Misconfigured),
    (403, {"code": "more_permissions_required"}, SELLER, Misconfigured),
    (400, {"code": "charge_already_refunded"}, OURS, AlreadyInState),
    (400, {"code": "payment_intent_unexpected_state"}, OURS, AlreadyInState),
    (400, {"code": "charge_disputed"}, OURS, RefundNotPossible),
    (400, {"code": "refund_disputed_payment"}, OURS, RefundNotPossible),
    (400, {"code": "charge_not_refundable"}, OURS, RefundNotPossible),
    (400, {"code": "amount_too_small"}, OURS, InvalidRequest),
    (400, {"code": "amount_too_large"}, OURS, InvalidRequest),
    (400, {"code": "parameter_unknown", "param": "amuont"}, OURS, InvalidRequest),
    (400, {"code": "a_code_of_next_year"}, OURS, InvalidRequest),
    (400, {}, OURS, InvalidRequest),
    (400, {"code": "livemode_mismatch"}, OURS, Misconfigured),
    (401, {"message": "Invalid API Key provided: sk_test_***cret"}, OURS, Misconfigured),
    (401, {"code": "api_key_expired"}, OURS, Misconfigured),
    (400, {"type": "idempotency_error"}, OURS, KeyReused),
    (409, {"code": "idempotency_key_in_use"}, OURS, InProgress),
    (409, {"code": "lock_timeout"}, OURS, InProgress),
    (409, {}, SELLER, InProgress),
    (429, {"code": "rate_limit"}, OURS, RateLimited),
    (429, {"code": "lock_timeout"}, OURS, RateLimited),
    (400, {"code": "rate_limit"}, OURS, RateLimited),
    (500, {"type": "api_error"}, OURS, ProviderFailed),
    (503, {"type": "api_error"}, SELLER, ProviderFailed),
    (405, {}, OURS, OutcomeUnknown),
]


@pytest.mark.parametrize(("status", "facts", "subject", "meaning"), ROWS)
def test_each_row_of_the_table(answered, status, facts, subject, meaning):
    assert type(answered(status, error(**facts), subject)) is meaning


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b'{"id": '),
        (200, b"\xff\xfe"),
        (200, b"[1, 2]"),
        (200, b'"text"'),
        (200, b"null"),
        (500, b"<html>"),
        (502, b""),
        (400, b"<html>"),
        (402, b"<html>"),
        (403, b"<html>"),
        (404, b"<html>"),
        (400, {"error": "oauth_words"}),
        (400, {}),
    ],
)
def test_what_cannot_be_read_leaves_the_outcome_unknown(answered, status, body):
    assert type(answered(status, body)) is OutcomeUnknown


@pytest.mark.parametrize(
    "odd", [AttributeError("NoneType"), KeyError("id"), RecursionError(), MemoryError(), RuntimeError("sk_test_secret")]
)
def test_whatever_else_the_sdk_raises_leaves_it_unknown(odd):
    def call(client, options):
        raise odd

    with pytest.raises(OutcomeUnknown) as raised:
        StripeApi("sk_test_secret").send("try it", call, key="k")
    assert "secret" not in str(raised.value)


def test_a_connection_that_breaks_leaves_it_unknown(monkeypatch):
    calls = []

    def broken(*_, **__):
        calls.append(1)
        raise stripe.APIConnectionError("gone", should_retry=True)

    monkeypatch.setattr(stripe.RequestsClient, "request", broken)
    with pytest.raises(OutcomeUnknown):
        StripeApi("sk_test_x", sleep=lambda _: None).read("read it", lambda client: client.v1.balance.retrieve())
    assert len(calls) == 4


@pytest.mark.parametrize("code", ["fraudulent", "lost_card", "stolen_card", "pickup_card", "merchant_blacklist"])
def test_a_suspicion_looks_like_any_refusal(answered, code):
    refused = answered(402, error(type="card_error", code="card_declined", decline_code=code))
    assert refused.facts == {"decline_code": "generic_decline"}
    assert code not in str(refused)


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (None, ""),
        ("nonsense", ""),
        ({}, "generic_decline"),
        ({"code": "card_declined"}, "generic_decline"),
        ({"code": "expired_card"}, "expired_card"),
        ({"code": "card_declined", "decline_code": "insufficient_funds"}, "insufficient_funds"),
        ({"decline_code": "<b>Fraud</b>"}, "generic_decline"),
        ({"decline_code": "x" * 65}, "generic_decline"),
        ({"decline_code": 7}, "generic_decline"),
    ],
)
def test_a_decline_code_is_a_word_that_can_be_shown(told, shown):
    assert neutral_code(told) == shown


def test_no_secret_and_no_answer_is_handed_on(answered):
    told = "The key sk_test_51*****abc, whsec_abc and pi_1_secret_xyz are wrong of 'a@example.com'." + "x" * 1000
    refused = answered(400, error(message=told), headers={"request-id": "req_7"})
    assert "The key [secret], [secret] and pi_1[secret] are wrong of '[address]'." in str(refused)
    assert "req_7" in str(refused)
    assert len(str(refused)) < 500
    broken = answered(200, b'{"client_secret": "pi_1_secret_xyz"')
    for raised in (refused, broken):
        assert "secret_xyz" not in str(raised)
        assert raised.__cause__ is None
        assert raised.__context__ is None
