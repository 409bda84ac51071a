"""Which bodies are believed at the three doors for Stripe's events, and what is kept of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import stripe

from marketplace.adapters.stripe_gateway.client import StripeApi
from marketplace.adapters.stripe_gateway.gateway import StripeGateway
from marketplace.application.ports.payment_gateway import InvalidSignature, MalformedEvent, WebhookSource

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
OLD, NEW = "whsec_older12345", "whsec_newer12345"
PLATFORM, CONNECT, THIN = WebhookSource.PLATFORM, WebhookSource.CONNECT, WebhookSource.THIN
INTENT = {
    "id": "pi_1",
    "object": "payment_intent",
    "client_secret": "pi_1_secret_x",
    "receipt_email": "misty@example.com",
    "metadata": {"order_id": "7", "refund_id": "8"},
}


def an_event(thing=None, **changes):
    event = {
        "id": "evt_1",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(NOW.timestamp()),
        "data": {"object": INTENT if thing is None else thing},
        "livemode": False,
        "type": "payment_intent.succeeded",
    }
    return {**event, **changes}


def a_notice(**changes):
    notice = {
        "id": "evt_2",
        "object": "v2.core.event",
        "type": "v2.core.account[requirements].updated",
        "livemode": False,
        "created": "2026-11-21T12:00:00.000Z",
        "context": None,
        "related_object": {"id": "acct_1", "type": "v2.core.account", "url": "/v2/core/accounts/acct_1"},
        "reason": None,
    }
    return {**notice, **changes}


@pytest.fixture
def gateway():
    secrets = {PLATFORM: [NEW, OLD], CONNECT: ["whsec_connect12"], THIN: ["whsec_thin12345"]}
    return StripeGateway(StripeApi("sk_test_x"), currency="EUR", secrets=secrets)


def header(body, secret=NEW, at=NOW):
    return stripe.WebhookSignature.generate_signature_header(body.decode(), secret, timestamp=int(at.timestamp()))


def parsed(gateway, event, source=PLATFORM, secret=NEW, at=NOW):
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    return gateway.parse_webhook(body, {"stripe-signature": header(body, secret, at)}, source=source, now=NOW)


def test_a_signed_event_says_what_it_is_about(gateway):
    event = parsed(gateway, an_event())
    assert (event.id, event.type, event.object_id, event.intent_id) == (
        "evt_1",
        "payment_intent.succeeded",
        "pi_1",
        "pi_1",
    )
    assert (event.order_id, event.refund_id, event.account, event.livemode) == (7, 8, None, False)
    assert (event.created_at, event.api_version) == (NOW, "2026-10-28.endive")


def test_what_lets_others_pay_or_tells_who_somebody_is_is_not_kept(gateway):
    charge = {
        "id": "ch_1",
        "object": "charge",
        "payment_intent": {**INTENT},
        "billing_details": {"email": "misty@example.com"},
        "receipt_url": "https://pay.example/receipt",
        "customer": {"id": "cus_1", "object": "customer", "email": "misty@example.com"},
        "description": "a\x00b",
    }
    event = parsed(gateway, an_event(charge))
    kept = json.dumps(dict(event.payload))
    assert not any(word in kept for word in ("misty", "secret", "receipt", "\\u0000"))
    assert event.payload["data"]["object"]["customer"] == {"id": "cus_1", "object": "customer"}
    assert event.intent_id == "pi_1"


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_each_of_several_secrets_counts_while_one_is_replaced(gateway, secret):
    assert parsed(gateway, an_event(), secret=secret).id == "evt_1"


def test_several_signatures_of_which_one_is_right(gateway):
    body = json.dumps(an_event()).encode()
    signed = header(body) + ",v1=" + "0" * 64 + ",v0=" + "1" * 64
    assert gateway.parse_webhook(body, {"Stripe-Signature": signed}, source=PLATFORM, now=NOW).id == "evt_1"


@pytest.mark.parametrize("seconds", [-300, 300, 0])
def test_the_clocks_may_differ_a_little(gateway, seconds):
    assert parsed(gateway, an_event(), at=NOW + timedelta(seconds=seconds)).id == "evt_1"


@pytest.mark.parametrize("seconds", [-301, 301, -86_400, 86_400 * 365 * 10])
def test_what_was_signed_long_ago_or_will_be_is_refused(gateway, seconds):
    with pytest.raises(InvalidSignature):
        parsed(gateway, an_event(), at=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("source", "secret"), [(PLATFORM, "whsec_connect12"), (CONNECT, NEW), (THIN, NEW), (PLATFORM, "whsec_thin12345")]
)
def test_the_secret_of_one_door_opens_no_other(gateway, source, secret):
    with pytest.raises(InvalidSignature):
        parsed(gateway, a_notice() if source is THIN else an_event(), source, secret)


SIGNED = header(json.dumps(an_event()).encode())
TIME, V1 = SIGNED.split(",")


@pytest.mark.parametrize(
    "written",
    [
        "",
        "nonsense",
        "t=,v1=",
        TIME,
        V1,
        f"{TIME},{V1.replace('v1', 'v0')}",
        f"{TIME},v1=é{V1[4:]}",
        f"{TIME},v1=" + "0" * 64,
        f"t=1{TIME[2:]},{V1}",
        f"{TIME},{TIME},{V1}",
        f"t=-5,{V1}",
        f"t=1e9,{V1}",
        "=" * 10_000,
    ],
)
def test_a_header_that_proves_nothing_is_refused(gateway, written):
    body = json.dumps(an_event()).encode()
    with pytest.raises(InvalidSignature):
        gateway.parse_webhook(body, {"Stripe-Signature": written}, source=PLATFORM, now=NOW)


def test_no_header_is_refused(gateway):
    with pytest.raises(InvalidSignature):
        gateway.parse_webhook(b"{}", {"X-Other": "1"}, source=PLATFORM, now=NOW)


def test_without_a_secret_nothing_is_believed():
    gateway = StripeGateway(StripeApi("sk_test_x"), currency="EUR", secrets={PLATFORM: [""]})
    body = json.dumps(an_event()).encode()
    for source in WebhookSource:
        with pytest.raises(InvalidSignature):
            gateway.parse_webhook(body, {"Stripe-Signature": header(body, "")}, source=source, now=NOW)


def test_a_body_that_is_not_utf8_is_refused(gateway):
    with pytest.raises(InvalidSignature):
        gateway.parse_webhook(b"\xff\xfe{}", {"Stripe-Signature": SIGNED}, source=PLATFORM, now=NOW)


def test_a_huge_body_is_not_even_looked_at(gateway):
    with pytest.raises(MalformedEvent):
        gateway.parse_webhook(b" " * (256 * 1024 + 1), {}, source=PLATFORM, now=NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b"[" * 5000,
        json.dumps(an_event(id=7)).encode(),
        json.dumps(an_event(id="")).encode(),
        json.dumps(an_event(id="evt\n1")).encode(),
        json.dumps(an_event(created="yesterday")).encode(),
        json.dumps(an_event(created=10**20)).encode(),
        json.dumps(an_event(livemode=0)).encode(),
        json.dumps(an_event(data=None)).encode(),
        json.dumps(an_event(data={})).encode(),
        json.dumps(an_event(thing="pi_1")).encode(),
        json.dumps(an_event(thing={"metadata": {}})).encode(),
        json.dumps(an_event(object="other")).encode(),
        json.dumps(an_event(account=7)).encode(),
        json.dumps(a_notice()).encode(),
    ],
)
def test_what_is_signed_and_no_event_is_malformed(gateway, body):
    with pytest.raises(MalformedEvent):
        parsed(gateway, body)


def test_an_event_at_a_sellers_account_names_it(gateway):
    account = {"id": "acct_1", "object": "account", "email": "misty@example.com", "metadata": {"seller_id": "7"}}
    event = parsed(gateway, an_event(account, type="account.updated", account="acct_1"), CONNECT, "whsec_connect12")
    assert (event.account, event.object_id) == ("acct_1", "acct_1")
    assert "misty" not in json.dumps(dict(event.payload))


def test_an_event_about_what_there_is_only_one_of_has_the_name_of_its_kind(gateway):
    assert parsed(gateway, an_event({"object": "balance"}, type="balance.available")).object_id == "balance"


def test_a_thin_notice_names_the_account_that_it_is_about(gateway):
    event = parsed(gateway, a_notice(), THIN, "whsec_thin12345")
    assert (event.id, event.account, event.object_id, event.created_at) == ("evt_2", "acct_1", "acct_1", NOW)
    assert (event.order_id, event.refund_id, event.intent_id, event.api_version) == (None, None, None, "")


def test_a_thin_notice_about_something_at_an_account_names_the_context(gateway):
    person = {"id": "person_1", "type": "v2.core.account_person"}
    event = parsed(gateway, a_notice(related_object=person, context="acct_9"), THIN, "whsec_thin12345")
    assert (event.account, event.object_id) == ("acct_9", "person_1")
    alone = parsed(gateway, a_notice(related_object=None), THIN, "whsec_thin12345")
    assert (alone.account, alone.object_id) == (None, "evt_2")


@pytest.mark.parametrize(
    "notice",
    [
        a_notice(created=5),
        a_notice(created="2026-11-21T12:00:00"),
        a_notice(livemode=None),
        an_event(),
        a_notice(id=""),
    ],
)
def test_what_is_no_notice_is_malformed(gateway, notice):
    with pytest.raises(MalformedEvent):
        parsed(gateway, notice, THIN, "whsec_thin12345")


@pytest.mark.parametrize("told", ["0", "-7", "seven", "\u0667", "9" * 17, str(2**53), "", None, 7, {}])
def test_an_identity_that_is_none_of_ours_is_none(gateway, told):
    assert parsed(gateway, an_event({**INTENT, "metadata": {"order_id": told}})).order_id is None
    assert parsed(gateway, an_event({**INTENT, "metadata": told})).order_id is None
