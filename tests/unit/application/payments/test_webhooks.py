"""The provider's events: taken once, refused when they are not its own, worked on until they are done."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from marketplace.adapters.simulated_gateway.signatures import sign
from marketplace.application.access import OPERATOR
from marketplace.application.payments.webhooks import PurgeWebhooks, ReplayWebhooks
from marketplace.application.ports.payment_gateway import (
    InvalidSignature,
    MalformedEvent,
    OutcomeUnknown,
    ProviderObjectUnknown,
    WebhookSource,
)
from marketplace.application.ports.payments import InboxStatus
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.payment import ProviderAlarm
from tests.till import SECRET, Till

SILENT = OutcomeUnknown("no answer")


def an_event(**changes: Any) -> dict[str, Any]:
    return {
        "id": "evt_1",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1_768_478_400,
        "data": {"object": {"id": "pi_1", "object": "payment_intent", "client_secret": "hush", "metadata": {}}},
        "livemode": False,
        "type": "payment_intent.succeeded",
        **changes,
    }


def receive(till: Till, event: Any, *, secret: str = SECRET, age: timedelta = timedelta(0), **headers: str) -> bool:
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    signature = sign(body, secret, now=till.market.clock.now() - age)
    return till.receive_webhook(raw=body, headers={"stripe-signature": signature, **headers})


def stored(till: Till) -> dict[str, int]:
    return {status.value: number for status, number in till.inbox.counts().items() if number}


class TestReceiving:
    def test_takes_a_signed_event_once(self, till):
        assert [receive(till, an_event()), receive(till, an_event())] == [True, False]
        assert stored(till) == {"waiting": 1}

    def test_never_keeps_the_secret_that_lets_a_buyer_pay(self, till, market):
        receive(till, an_event())
        (item,) = till.inbox.lease(now=market.clock.now(), lease_for=timedelta(minutes=1), limit=1)
        assert "hush" not in json.dumps(item.event.payload)
        assert item.event.payload["data"]["object"]["id"] == "pi_1"

    @pytest.mark.parametrize("age", [timedelta(seconds=300), timedelta(seconds=-300)])
    def test_takes_an_event_within_the_tolerance_on_either_side(self, till, age):
        assert receive(till, an_event(), age=age)

    @pytest.mark.parametrize("age", [timedelta(seconds=301), timedelta(seconds=-301), timedelta(days=3650)])
    def test_refuses_an_event_from_another_time(self, till, age):
        with pytest.raises(InvalidSignature):
            receive(till, an_event(), age=age)
        assert stored(till) == {}

    @pytest.mark.parametrize("secret", ["whsec_other", "", SECRET + " "])
    def test_refuses_another_s_signature(self, till, secret):
        with pytest.raises(InvalidSignature):
            receive(till, an_event(), secret=secret)
        assert stored(till) == {}

    @pytest.mark.parametrize(
        "header",
        [
            "",
            ",",
            "t=",
            "v1=00",
            "t=1",
            "t=1,v0=00",
            "t=x,v1=00",
            "t=-1,v1=00",
            "t=1,t=2,v1=00",
            "t=9999999999999999999999999,v1=00",
            "t=\u0661,v1=00",
            "t=1768478400,v1=\u00fc\u00e9",
            "t=1768478400,v1=" + "0" * 64,
            "t=1768478400,v1=" + "0" * 100_000,
        ],
    )
    def test_refuses_a_signature_that_is_none(self, till, header):
        with pytest.raises(InvalidSignature):
            till.receive_webhook(raw=json.dumps(an_event()).encode(), headers={"Stripe-Signature": header})
        assert stored(till) == {}

    def test_refuses_an_event_without_a_signature(self, till):
        with pytest.raises(InvalidSignature):
            till.receive_webhook(raw=json.dumps(an_event()).encode(), headers={})

    def test_refuses_a_signature_of_another_body(self, till, market):
        header = sign(b"{}", SECRET, now=market.clock.now())
        with pytest.raises(InvalidSignature):
            till.receive_webhook(raw=json.dumps(an_event()).encode(), headers={"Stripe-Signature": header})

    def test_takes_one_right_signature_among_several(self, till, market):
        body = json.dumps(an_event()).encode()
        seconds, _, right = sign(body, SECRET, now=market.clock.now()).partition(",")
        header = f"{seconds},v1={'0' * 64},{right},v0=abc"
        assert till.receive_webhook(raw=body, headers={"STRIPE-SIGNATURE": header})

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b"7",
            b'"x"',
            b"\xff\xfe",
            b"[" * 10_000,
            b'{"a":' * 2000 + b"1" + b"}" * 2000,
            b"{}",
            json.dumps(an_event(id="")).encode(),
            json.dumps(an_event(id=7)).encode(),
            json.dumps(an_event(id="x" * 256)).encode(),
            json.dumps(an_event(id="evt_\x00")).encode(),
            json.dumps(an_event(type=None)).encode(),
            json.dumps(an_event(livemode="false")).encode(),
            json.dumps(an_event(created="yesterday")).encode(),
            json.dumps(an_event(created=10**18)).encode(),
            json.dumps(an_event(account=7)).encode(),
            json.dumps(an_event(data=None)).encode(),
            json.dumps(an_event(data={"object": []})).encode(),
            json.dumps(an_event(data={"object": {"id": None}})).encode(),
            json.dumps(an_event(data={"object": {"id": "pi_1", "nested": "\ud800"}})).encode(),
            json.dumps(an_event(created=float("nan"))).encode(),
            b" " * (256 * 1024 + 1),
        ],
    )
    def test_refuses_what_is_signed_and_no_event(self, till, body):
        with pytest.raises(MalformedEvent):
            receive(till, body)
        assert stored(till) == {}

    def test_a_body_too_large_is_refused_by_whoever_reads_it(self, till, market):
        body = b" " * (256 * 1024 + 1)
        headers = {"Stripe-Signature": sign(body, SECRET, now=market.clock.now())}
        with pytest.raises(MalformedEvent):
            till.provider.parse_webhook(body, headers, source=WebhookSource.PLATFORM, now=market.clock.now())

    def test_sets_an_event_of_the_other_environment_aside(self, till):
        receive(till, an_event(livemode=True))
        receive(till, an_event(livemode=True))
        assert stored(till) == {"rejected": 1}
        assert len([event for event in till.events() if isinstance(event, ProviderAlarm)]) == 1
        assert till.process_webhooks() == 0

    def test_keeps_and_ignores_an_event_of_a_kind_it_has_no_use_for(self, till):
        receive(till, an_event(type="customer.created"))
        assert stored(till) == {"ignored": 1}
        assert till.process_webhooks() == 0

    @pytest.mark.parametrize("metadata", [None, [], {"order_id": 7}, {"order_id": "x"}, {"order_id": "9" * 16}])
    def test_takes_no_foreign_metadata_for_our_own(self, till, market, metadata):
        receive(till, an_event(data={"object": {"id": "ch_1", "payment_intent": 7, "metadata": metadata}}))
        (item,) = till.inbox.lease(now=market.clock.now(), lease_for=timedelta(minutes=1), limit=1)
        assert (item.event.intent_id, item.event.order_id, item.event.refund_id) == (None, None, None)


class TestProcessing:
    def test_is_done_at_once_for_a_payment_that_is_settled(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.pay(buyer, order_id)
        deliveries = till.outgoing()
        for delivery in deliveries[:3]:
            till.receive_webhook(raw=delivery.body, headers=delivery.headers)
        till.process_webhooks()
        till.gateway.calls.clear()
        for delivery in deliveries[3:]:
            till.receive_webhook(raw=delivery.body, headers=delivery.headers)
        till.process_webhooks()
        assert "get_payment" not in till.gateway.calls

    @pytest.mark.parametrize("type", ["payment_intent.succeeded", "refund.failed"])
    def test_keeps_an_event_about_something_unknown_for_a_day_then_raises_an_alarm(self, till, type):
        receive(till, an_event(type=type))
        till.work_for(hours=23.5)
        assert stored(till) == {"unmatched": 1}
        till.work_for(hours=1)
        assert stored(till) == {"dead": 1}
        assert [event.subject for event in till.events() if isinstance(event, ProviderAlarm)] == [f"{type} evt_1"]

    def test_takes_no_other_payment_for_that_of_an_order(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        foreign = {"id": "pi_other", "object": "payment_intent", "metadata": {"order_id": str(order_id)}}
        receive(till, an_event(data={"object": foreign}))
        till.process_webhooks()
        assert stored(till)["unmatched"] == 1
        assert till.order(order_id).status is OrderStatus.PENDING_PAYMENT

    def test_finds_a_payment_by_its_order_before_it_knows_its_name(self, till, buyer, card):
        order_id = till.placed(buyer, card)
        till.gateway.interrupt("create_payment", when="after", by=SILENT)
        till.start(order_id)
        intent = till.provider.find_payment(order_id, since=till.market.clock.now())
        till.provider.confirm_payment(intent.id, payment_method="pm_card_visa", return_url=None, key="browser")
        till.deliver()
        till.process_webhooks()
        assert till.order(order_id).status is OrderStatus.PAID

    def test_reads_a_payment_again_whose_creation_was_only_repeated(self, till, buyer, card):
        """Scenario 4 of the failure catalogue: a key is answered as it was the first time, whatever happened since."""
        order_id = till.placed(buyer, card)
        till.gateway.interrupt("create_payment", when="after", by=SILENT)
        till.start(order_id)
        as_it_was = till.provider.find_payment(order_id, since=till.market.clock.now())
        till.provider.confirm_payment(as_it_was.id, payment_method="pm_card_visa", return_url=None, key="browser")
        till.gateway.interrupt("create_payment", when="instead", by=lambda _: as_it_was)
        (told,) = [each for each in till.outgoing() if b"payment_intent.succeeded" in each.body]
        till.receive_webhook(raw=told.body, headers=told.headers)
        assert till.process_webhooks() == 1
        assert till.order(order_id).status is OrderStatus.PAID

    def test_tries_again_later_while_the_provider_is_silent(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.pay(buyer, order_id)
        for _ in range(6):
            till.gateway.interrupt("get_payment", when="before", by=SILENT)
        till.work()
        assert till.order(order_id).status is OrderStatus.PENDING_PAYMENT
        till.work_for(minutes=2)
        assert till.order(order_id).status is OrderStatus.PAID
        assert set(stored(till)) == {"done"}

    @pytest.mark.parametrize(("hours", "status"), [(23, "done"), (25, "dead")])
    def test_outlasts_a_provider_that_is_silent_for_a_day_and_no_longer(self, till, market, hours, status):
        silent_until = market.clock.now() + timedelta(hours=hours)

        def follow(_: str) -> bool:
            if market.clock.now() < silent_until:
                raise SILENT
            return True

        receive(till, an_event(type="transfer.created"))
        process = replace(till.process_webhooks, check_transfer=follow)
        for _ in range(26 * 3):
            process()
            market.later(minutes=20)
        assert stored(till) == {status: 1}

    def test_tells_in_our_own_words_what_went_wrong_with_an_event(self, till, market):
        def follow(_: str) -> bool:
            raise ProviderObjectUnknown("There is no such transfer.")

        receive(till, an_event(type="transfer.created"))
        process = replace(till.process_webhooks, check_transfer=follow)
        for _ in range(12):
            process()
            market.later(minutes=20)
        (dead,) = till.inbox.dead(limit=10)
        assert dead.last_error == "provider_object_unknown: There is no such transfer."

    @pytest.mark.parametrize("error", [ProviderObjectUnknown("what payment?"), ZeroDivisionError()])
    def test_sets_an_event_aside_that_fails_again_and_again_and_replays_it(self, till, market, buyer, card, error):
        order_id = till.ordered(buyer, card)
        till.work()
        till.pay(buyer, order_id)
        delivery = next(d for d in till.outgoing() if b'"type":"payment_intent.succeeded"' in d.body)
        till.receive_webhook(raw=delivery.body, headers=delivery.headers)
        for _ in range(12):
            till.gateway.interrupt("get_payment", when="before", by=error)
        for _ in range(12):
            till.process_webhooks()
            till.market.later(minutes=16)
        assert [dead.id for dead in till.inbox.dead(limit=10)] == [delivery.event_id]
        alarms = [event.subject for event in till.events() if isinstance(event, ProviderAlarm)]
        assert alarms[-1] == f"payment_intent.succeeded {delivery.event_id}"
        # That the provider has lost a payment is told of itself, ever more seldom.
        lost = 5 if isinstance(error, ProviderObjectUnknown) else 0
        assert alarms[:-1] == [f"payment of order {order_id}"] * lost
        replay = ReplayWebhooks(unit_of_work=market.unit_of_work, inbox=till.inbox, clock=market.clock)
        assert replay(actor=OPERATOR, ids=("evt_unknown",)) == 0
        assert replay(actor=OPERATOR) == 1
        till.process_webhooks()
        assert till.order(order_id).status is OrderStatus.PAID

    def test_leaves_what_it_has_no_time_for_to_others(self, till, market):
        for number in range(3):
            receive(till, an_event(id=f"evt_{number}"))
        slow = till.process_webhooks.unit_of_work

        def slowly() -> Any:
            market.later(seconds=70)
            return slow()

        object.__setattr__(till.process_webhooks, "unit_of_work", slowly)
        assert till.process_webhooks() == 1

    def test_is_forgotten_three_months_after_it_was_done(self, till, market, buyer, card):
        till.pay(buyer, till.ordered(buyer, card))
        till.work()
        purge = PurgeWebhooks(inbox=till.inbox, clock=market.clock)
        market.later(days=90)
        assert purge() == 0
        market.later(seconds=1)
        assert purge() == 4

    def test_comes_again_when_the_webhook_does_not_take_it(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.work()
        till.pay(buyer, order_id)
        for _ in range(2 * 4):
            till.gateway.interrupt("parse_webhook", when="before", by=InvalidSignature("the secret was changed"))
        till.work()
        assert till.order(order_id).status is OrderStatus.PENDING_PAYMENT
        till.work_for(minutes=1)
        assert till.order(order_id).status is OrderStatus.PAID

    def test_is_given_up_by_the_provider_in_the_end(self, till, buyer, card):
        till.ordered(buyer, card)
        for _ in range(1000):
            till.gateway.interrupt("parse_webhook", when="before", by=InvalidSignature("the secret was changed"))
        tried = 0
        for _ in range(20):
            tried += till.deliver()
            till.market.later(hours=8)
        assert tried == 12
        assert stored(till).get(InboxStatus.WAITING.value, 0) == 0
