"""Each kind of event goes to who follows what it is about, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from marketplace.application.payments.event_topics import (
    ACCOUNT_EVENTS,
    CARD_EVENTS,
    CHARGEBACK_EVENTS,
    PAYMENT_EVENTS,
    PAYOUT_EVENTS,
    TRANSFER_EVENTS,
    Topic,
    topic_of,
)
from marketplace.application.payments.webhooks import ProcessWebhooks
from marketplace.application.ports.payment_gateway import ProviderEvent
from marketplace.domain.payments.payment import ProviderAlarm
from marketplace.domain.payments.refund import RefundStatus
from marketplace.domain.payouts import PayoutBusy
from tests.till import Till


@pytest.fixture
def keep(till):
    """Store an event as it came in, of this type and about this object."""

    def keep(type: str, about: str = "xx_1", *, id: str = "evt_1", payload: Any = None, **facts: Any) -> ProviderEvent:
        now = till.market.clock.now()
        values: dict[str, Any] = {"intent_id": None, "order_id": None, "refund_id": None, "account": None, **facts}
        event = ProviderEvent(
            id=id,
            type=type,
            object_id=about,
            livemode=facts.pop("livemode", False),
            api_version="2026-10-28.endive",
            created_at=now,
            payload=payload or {},
            **{name: value for name, value in values.items() if name != "livemode"},
        )
        till.keep_event(event, now=now)
        return event

    return keep


def stored(till: Till) -> dict[str, int]:
    return {status.value: number for status, number in till.inbox.counts().items() if number}


def followed(till: Till, **checks: Any) -> ProcessWebhooks:
    return replace(till.process_webhooks, **checks)


BY_NAME = {
    "check_chargeback": CHARGEBACK_EVENTS,
    "check_transfer": TRANSFER_EVENTS,
    "check_platform_payout": PAYOUT_EVENTS,
    "check_account": ACCOUNT_EVENTS,
}


class TestDispatch:
    @pytest.mark.parametrize(
        ("check", "type"), [(name, type) for name, types in BY_NAME.items() for type in sorted(types)]
    )
    @pytest.mark.parametrize(("is_ours", "status"), [(True, "done"), (False, "unmatched")])
    def test_names_the_object_to_who_follows_it(self, till, keep, check, type, is_ours, status):
        asked: list[str] = []

        def follow(name: str) -> bool:
            asked.append(name)
            return is_ours

        keep(type, "xx_7")
        assert followed(till, **{check: follow})() == 1
        assert (asked, stored(till)) == (["xx_7"], {status: 1})

    @pytest.mark.parametrize("type", sorted(CARD_EVENTS))
    def test_shows_the_whole_event_to_who_follows_cards(self, till, keep, type):
        asked: list[str] = []
        keep(type, "pm_7")
        followed(till, check_card=lambda event: asked.append(event.object_id) or True)()
        assert (asked, stored(till)) == (["pm_7"], {"done": 1})

    @pytest.mark.parametrize("check", ["check_chargeback", "check_transfer", "check_platform_payout", "check_card"])
    def test_leaves_alone_what_nobody_follows(self, till, keep, check):
        types = {**BY_NAME, "check_card": CARD_EVENTS}[check]
        keep(min(types))
        followed(till, **{check: None})()
        assert stored(till) == {"ignored": 1}

    @pytest.mark.parametrize("type", ["payout.paid", "payout.failed", "capability.updated"])
    def test_what_happens_at_a_seller_s_account_is_about_that_account(self, till, keep, type):
        asked: list[str] = []
        keep(type, "po_7", account="acct_7")
        followed(till, check_account=lambda account: asked.append(account) or True, check_platform_payout=None)()
        assert asked == ["acct_7"]

    @pytest.mark.parametrize("type", sorted(PAYMENT_EVENTS | TRANSFER_EVENTS | CHARGEBACK_EVENTS | CARD_EVENTS))
    def test_what_sellers_do_elsewhere_with_their_account_is_nothing_of_ours(self, till, keep, type):
        assert topic_of(keep(type, account="acct_7")) is None
        assert stored(till) == {"ignored": 1}

    def test_one_kept_before_it_was_known_to_be_nobody_s_is_left_alone(self, till, keep, market):
        keep("payment_intent.succeeded")
        (item,) = till.inbox.lease(now=market.clock.now(), lease_for=timedelta(0), limit=1)
        till.inbox._rows["evt_1"].event = replace(item.event, type="customer.created")
        till.process_webhooks()
        assert stored(till) == {"ignored": 1}

    def test_what_somebody_else_works_on_comes_again_and_is_no_failure(self, till, keep, market):
        def busy(_: str) -> bool:
            raise PayoutBusy("somebody is at it")

        keep("transfer.created")
        for _ in range(20):
            followed(till, check_transfer=busy)()
            market.later(minutes=16)
        assert stored(till) == {"waiting": 1}

    def test_every_topic_has_events(self):
        types = PAYMENT_EVENTS | CHARGEBACK_EVENTS | TRANSFER_EVENTS | PAYOUT_EVENTS | ACCOUNT_EVENTS | CARD_EVENTS
        types |= {"charge.refunded", "refund.created", "radar.early_fraud_warning.created"}
        found = {topic_of(ProviderEvent(**{**_NOBODY, "type": type})) for type in types}
        assert found == set(Topic)


class TestRefundsOfACharge:
    @pytest.fixture
    def refund(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.pay(buyer, order_id, "pm_card_pendingRefund")
        till.work()
        refund = till.refund(order_id)
        till.send_refunds()
        till.outgoing()
        return refund

    def test_reads_each_that_is_under_way(self, till, keep, refund, buyer):
        intent = till.payment(refund.order_id).intent_id
        till.market.later(minutes=2)
        till.provider.due_deliveries(lease_for=timedelta(minutes=1), limit=100)
        assert till.refunds(refund.order_id)[0].status is RefundStatus.PENDING
        keep("charge.refunded", "ch_1", intent_id=intent)
        till.process_webhooks()
        assert till.refunds(refund.order_id)[0].status is RefundStatus.SUCCEEDED
        till.gateway.calls.clear()
        keep("charge.refunded", "ch_1", id="evt_2", intent_id=intent)
        till.process_webhooks()
        assert till.gateway.calls == []
        assert stored(till)["done"] >= 2

    def test_of_a_charge_that_is_not_ours_wait_for_an_owner(self, till, keep):
        keep("charge.refunded", "ch_1", intent_id="pi_unknown")
        till.process_webhooks()
        assert stored(till) == {"unmatched": 1}


class TestFraudWarnings:
    def test_tell_the_operators_of_the_order(self, till, keep, buyer, card):
        order_id = till.ordered(buyer, card)
        keep("radar.early_fraud_warning.created", "issfr_1", intent_id=till.payment(order_id).intent_id)
        till.process_webhooks()
        (alarm,) = [event for event in till.events() if isinstance(event, ProviderAlarm)]
        assert alarm.subject == "radar.early_fraud_warning.created evt_1"
        assert f"order {order_id}" in alarm.reason

    def test_of_payments_that_are_not_ours_wait_for_an_owner(self, till, keep):
        keep("radar.early_fraud_warning.created", "issfr_1", intent_id="pi_unknown")
        till.process_webhooks()
        assert stored(till) == {"unmatched": 1}


class TestEnvironments:
    @pytest.mark.parametrize("told", [True, False, None, "yes"])
    def test_an_object_of_the_other_environment_is_set_aside_as_its_event_is(self, till, keep, told):
        keep("payment_intent.succeeded", payload={"data": {"object": {"livemode": told}}})
        assert stored(till) == {"rejected" if told is True else "waiting": 1}

    @pytest.mark.parametrize("payload", [{"data": None}, {"data": {"object": "pi_1"}}])
    def test_one_that_says_nothing_is_taken_as_its_event(self, till, keep, payload):
        keep("payment_intent.succeeded", payload=payload)
        assert stored(till) == {"waiting": 1}


_NOBODY: dict[str, Any] = {
    "id": "evt_1",
    "object_id": "xx_1",
    "intent_id": None,
    "order_id": None,
    "refund_id": None,
    "account": None,
    "livemode": False,
    "api_version": "",
    "created_at": None,
    "payload": {},
}
