"""Whatever order the provider's events come in, how often and how late: the final state is the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.adapters.simulated_gateway.signatures import sign
from marketplace.application.ports.payment_gateway import PaymentDeclined
from marketplace.application.ports.provider_state import SignedDelivery
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.payment import PaymentStatus
from marketplace.domain.shared.ids import OrderId
from tests.till import SECRET, Till

Delivery = SignedDelivery


class Purchase:
    """A purchase after everything has happened at the provider, and before any of its events has arrived."""

    def __init__(self) -> None:
        self.till, self._snapshot = Till.remembering()
        market = self.till.market
        self.buyer = market.buyer()
        self.cards = [market.listing(market.seller(), price=5005, stock=1) for _ in range(2)]
        self.order_id: OrderId = self.till.ordered(self.buyer, *self.cards)
        self.deliveries: list[Delivery] = []

    def decline(self) -> Purchase:
        with pytest.raises(PaymentDeclined):
            self.till.pay(self.buyer, self.order_id, "pm_card_chargeDeclined")
        return self

    def authenticate(self) -> Purchase:
        self.till.pay(self.buyer, self.order_id, "pm_card_authenticationRequired")
        self.till.provider.answer(self.till.payment(self.order_id).intent_id or "", succeed=True)
        return self

    def cancel(self) -> Purchase:
        self.till.provider.cancel_payment(self.till.payment(self.order_id).intent_id or "", key="by hand")
        return self

    def late_money(self) -> Purchase:
        self.till.late_money(self.order_id)
        return self

    def end_and_lose_a_card(self) -> Purchase:
        """The order ends, nobody holds its cards any more, and one of them is gone."""
        self.till.cancel(self.buyer, self.order_id)
        self.till.market.archive(self.cards[0])
        return self

    def collected(self) -> Purchase:
        self.deliveries = [*self.till.outgoing(), self._processing()]
        self.rewind = self._snapshot()
        return self

    def deliver(self, deliveries: Iterable[Delivery], *, between: Callable[[], Any] | None = None) -> Purchase:
        for delivery in deliveries:
            self.till.receive_webhook(raw=delivery.body, headers=delivery.headers)
            self.till.process_webhooks()
            if between is not None:
                between()
        self.till.send_refunds()
        return self

    def kinds(self) -> list[str]:
        return [json.loads(delivery.body)["type"] for delivery in self.deliveries]

    def outcome(self) -> Mapping[str, Any]:
        return self.till.outcome(self.order_id)

    def _processing(self) -> Delivery:
        """Cards are never ``processing`` with the simulated provider; its event may come all the same."""
        now = self.till.market.clock.now()
        event = {
            "id": "evt_processing",
            "object": "event",
            "created": int(now.timestamp()),
            "livemode": False,
            "type": "payment_intent.processing",
            "data": {"object": {"id": self.till.payment(self.order_id).intent_id, "object": "payment_intent"}},
        }
        body = json.dumps(event).encode()
        headers = {"Stripe-Signature": sign(body, SECRET, now=now)}
        return Delivery(event_id="evt_processing", body=body, headers=headers, attempts=1)


def succeeded() -> Purchase:
    return Purchase().decline().authenticate().collected()


def failed() -> Purchase:
    return Purchase().decline().cancel().collected()


def abandoned() -> Purchase:
    return Purchase().cancel().collected()


def late() -> Purchase:
    return Purchase().decline().cancel().late_money().collected()


def late_and_gone() -> Purchase:
    return Purchase().end_and_lose_a_card().late_money().collected()


STORIES: Mapping[Callable[[], Purchase], OrderStatus] = {
    succeeded: OrderStatus.PAID,
    failed: OrderStatus.PAYMENT_FAILED,
    abandoned: OrderStatus.EXPIRED,
    late: OrderStatus.PAID,
}
STORY = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)


def outcome_of(purchase: Purchase, order: Sequence[int]) -> Mapping[str, Any]:
    """What comes of the events in this order, from the moment before the first of them arrived."""
    purchase.rewind()
    return purchase.deliver(purchase.deliveries[index] for index in order).outcome()


class TestAnyOrder:
    def test_a_purchase_has_events_of_every_kind(self):
        assert sorted(succeeded().kinds()) == [
            "charge.failed",
            "charge.succeeded",
            "charge.updated",
            "payment_intent.created",
            "payment_intent.payment_failed",
            "payment_intent.processing",
            "payment_intent.requires_action",
            "payment_intent.succeeded",
        ]

    @STORY
    def test_leads_to_the_end_that_the_provider_reports(self, story):
        purchase = story()
        outcome = purchase.deliver(purchase.deliveries).outcome()
        assert outcome["order"] is STORIES[story]
        assert outcome["books"] == []

    @pytest.mark.parametrize("story", [abandoned, failed], ids=lambda story: story.__name__)
    def test_every_permutation_of_the_events_of_an_unpaid_end(self, story):
        purchase = story()
        expected = outcome_of(purchase, range(len(purchase.deliveries)))
        for order in permutations(range(len(purchase.deliveries))):
            assert outcome_of(purchase, order) == expected, order

    def test_every_permutation_of_the_events_that_carry_a_success(self):
        """All 720 orders of six kinds; the others come first, or last."""
        purchase = succeeded()
        outer = [i for i, kind in enumerate(purchase.kinds()) if kind in ("charge.failed", "payment_intent.created")]
        inner = [i for i in range(len(purchase.deliveries)) if i not in outer]
        expected = outcome_of(purchase, range(len(purchase.deliveries)))
        for number, order in enumerate(permutations(inner)):
            whole = [*order, *outer] if number % 2 else [*outer, *order]
            assert outcome_of(purchase, whole) == expected, whole

    @STORY
    def test_any_order_any_number_of_times_and_as_late_as_may_be(self, story):
        purchase = story()
        expected = outcome_of(purchase, range(len(purchase.deliveries)))

        @given(data=st.data())
        def deliver_anyhow(data: st.DataObject) -> None:
            assert self._delivered_anyhow(purchase, data) == expected

        deliver_anyhow()

    def _delivered_anyhow(self, purchase: Purchase, data: st.DataObject) -> Mapping[str, Any]:
        purchase.rewind()
        every = list(range(len(purchase.deliveries)))
        repeated = data.draw(st.lists(st.sampled_from(every), max_size=8), label="again")
        order = data.draw(st.permutations([*every, *repeated]), label="order")
        pauses = data.draw(st.lists(st.sampled_from([0, 1, 30, 250]), min_size=len(order), max_size=len(order)))
        waits = iter(pauses)
        purchase.deliver(
            (purchase.deliveries[index] for index in order),
            between=lambda: purchase.till.market.later(seconds=min(next(waits), 290 // len(order))),
        )
        return purchase.outcome()

    def test_late_money_for_a_card_that_is_gone_goes_back_once(self):
        purchase = late_and_gone()
        every = range(len(purchase.deliveries))
        assert outcome_of(purchase, every)["order"] is OrderStatus.PARTIALLY_REFUNDED

        @given(order=st.permutations(every))
        def deliver_twice(order: Sequence[int]) -> None:
            outcome = outcome_of(purchase, [*order, *order])
            assert outcome["order"] is OrderStatus.PARTIALLY_REFUNDED
            assert len(outcome["refunds"]) == 1
            assert outcome["books"] == []

        deliver_twice()


class TestBeforeTheCommandReturns:
    @pytest.mark.parametrize("command", ["create_payment", "confirm_payment"])
    def test_events_that_are_quicker_than_the_answer_lead_to_the_same_end(self, command):
        till = Till.in_memory()
        market = till.market
        buyer, card = market.buyer(), market.listing(market.seller(), stock=1)
        order_id = till.placed(buyer, card)

        def deliver_at_once() -> None:
            till.deliver()
            till.process_webhooks()

        till.gateway.interrupt(command, when="after", by=deliver_at_once)
        till.start(order_id)
        till.pay(buyer, order_id)
        till.work_for(minutes=1)
        assert till.outcome(order_id) == {
            "order": OrderStatus.PAID,
            "sales": [sale.status for sale in till.order(order_id).sales],
            "payment": PaymentStatus.SUCCEEDED,
            "stock": [till.stock(card)],
            "refunds": [],
            "books": [],
        }

    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize("command", ["get_payment", "cancel_payment"])
    def test_events_during_a_cancellation_lead_to_the_same_end(self, command, when):
        till = Till.in_memory()
        market = till.market
        buyer, card = market.buyer(), market.listing(market.seller(), stock=1)
        order_id = till.ordered(buyer, card)

        def deliver_at_once() -> None:
            till.deliver()
            till.process_webhooks()

        till.gateway.interrupt(command, when=when, by=deliver_at_once)
        till.cancel(buyer, order_id)
        till.work_for(minutes=1)
        assert till.order(order_id).status is OrderStatus.CANCELLED
        assert till.stock(card)[:2] == (1, 0)
