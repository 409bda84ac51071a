"""How an order ends that is not paid."""

from __future__ import annotations

import pytest

from marketplace.application.access import OPERATOR
from marketplace.application.payments.cancelling import Cancellation
from marketplace.application.ports.payment_gateway import (
    OutcomeUnknown,
    PaymentDeclined,
    ProviderObjectUnknown,
)
from marketplace.domain.listings import ListingStatus
from marketplace.domain.orders.events import OrderEndedUnpaid
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.payment import (
    AlreadyPaid,
    OrderNotPayable,
    PaymentStatus,
    ProviderAlarm,
)
from marketplace.domain.shared.errors import NotFound

SILENT = OutcomeUnknown("no answer")
FREE = (1, 0, ListingStatus.ACTIVE)
CLAIMED = (1, 1, ListingStatus.ACTIVE)


class TestCancelling:
    def test_ends_the_order_and_frees_its_claims(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        assert till.cancel(buyer, order_id) is Cancellation.CANCELLED
        assert till.order(order_id).status is OrderStatus.CANCELLED
        assert till.payment(order_id).status is PaymentStatus.CANCELED
        assert till.stock(card) == FREE
        assert till.market.states(buyer) == {card: ("expired", 1)}

    def test_is_done_at_the_provider_first(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        stock = []
        till.gateway.interrupt("cancel_payment", when="before", by=lambda: stock.append(till.stock(card)))
        till.cancel(buyer, order_id)
        assert stock == [CLAIMED]

    def test_again_says_the_same(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        assert [till.cancel(buyer, order_id), till.cancel(buyer, order_id)] == [Cancellation.CANCELLED] * 2

    @pytest.mark.parametrize("method", ["get_payment", "cancel_payment"])
    @pytest.mark.parametrize("when", ["before", "after"])
    def test_goes_on_by_itself_while_the_provider_is_silent(self, till, buyer, card, method, when):
        order_id = till.ordered(buyer, card)
        till.gateway.interrupt(method, when=when, by=SILENT)
        assert till.cancel(buyer, order_id) is Cancellation.UNDER_WAY
        assert till.stock(card) == CLAIMED
        till.work_for(minutes=1)
        assert till.order(order_id).status is OrderStatus.CANCELLED
        assert till.stock(card) == FREE

    def test_is_over_even_when_the_provider_fell_silent_after_it(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.cancel(buyer, order_id)
        for _ in range(till.deliver()):
            till.gateway.interrupt("get_payment", when="before", by=SILENT)
        till.process_webhooks()
        till.market.later(minutes=1)
        assert [till.check_payments(), till.check_payments()] == [1, 0]
        assert till.payment(order_id).next_check_at is None

    def test_of_a_payment_never_started_leaves_none_alive(self, till, buyer, card):
        order_id = till.placed(buyer, card)
        till.gateway.interrupt("create_payment", when="after", by=SILENT)
        till.start(order_id)
        till.market.later(seconds=30)
        assert till.cancel(buyer, order_id) is Cancellation.CANCELLED
        assert till.provider.get_payment(till.payment(order_id).intent_id).status is PaymentStatus.CANCELED
        assert till.payments_at_the_provider(order_id) == 1

    def test_during_an_attempt_waits_for_it(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        answers = []
        till.gateway.interrupt(
            "confirm_payment", when="before", by=lambda: answers.append(till.cancel(buyer, order_id))
        )
        with pytest.raises(PaymentDeclined):
            till.pay(buyer, order_id, "pm_card_chargeDeclined")
        assert answers == [Cancellation.UNDER_WAY]
        till.work_for(minutes=1)
        assert till.order(order_id).status is OrderStatus.CANCELLED

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_that_crosses_a_success_loses(self, till, buyer, card, when):
        order_id = till.ordered(buyer, card)
        intent_id = till.payment(order_id).intent_id
        till.gateway.interrupt(
            "get_payment" if when == "after" else "cancel_payment",
            when=when,
            by=lambda: till.provider.confirm_payment(
                intent_id, payment_method="pm_card_visa", return_url=None, key="in the browser"
            ),
        )
        with pytest.raises(AlreadyPaid):
            till.cancel(buyer, order_id)
        assert till.order(order_id).status is OrderStatus.PAID
        till.work()
        assert till.findings() == []

    def test_of_a_paid_order_is_refused(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.pay(buyer, order_id)
        till.work()
        with pytest.raises(AlreadyPaid):
            till.cancel(buyer, order_id)

    def test_of_an_order_that_ended_otherwise_is_refused(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.work_for(minutes=31)
        with pytest.raises(OrderNotPayable):
            till.cancel(buyer, order_id)

    def test_is_for_the_buyer_and_for_operators(self, till, market, buyer, card):
        order_id = till.ordered(buyer, card)
        with pytest.raises(NotFound):
            till.cancel(market.buyer(), order_id)
        assert till.cancel(OPERATOR, order_id) is Cancellation.CANCELLED
        assert till.payment(order_id).cancel_wanted_by is None

    def test_of_a_payment_that_the_provider_still_works_on_is_tried_again_later(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.at_the_provider(order_id, status="processing")
        assert till.cancel(buyer, order_id) is Cancellation.UNDER_WAY
        till.work_for(minutes=1)
        refusals = till.payment(order_id).cancel_refusals
        assert refusals > 1
        till.at_the_provider(order_id, status="requires_payment_method")
        till.work_for(minutes=2)
        assert till.order(order_id).status is OrderStatus.CANCELLED

    def test_whose_lease_ran_out_is_finished_by_who_took_over(self, till, buyer, card):
        order_id = till.ordered(buyer, card)

        def dawdle() -> None:
            till.market.later(minutes=2)
            till.work()

        till.gateway.interrupt("cancel_payment", when="before", by=dawdle)
        till.cancel(buyer, order_id)
        assert till.order(order_id).status is OrderStatus.CANCELLED

    def test_silence_after_the_lease_ran_out_disturbs_nobody(self, till, buyer, card):
        order_id = till.ordered(buyer, card)

        def dawdle() -> None:
            till.market.later(minutes=2)
            till.work()
            raise SILENT

        till.gateway.interrupt("cancel_payment", when="before", by=dawdle)
        assert till.cancel(buyer, order_id) is Cancellation.UNDER_WAY
        assert till.order(order_id).status is OrderStatus.CANCELLED


class TestTheWindow:
    def test_over_without_an_attempt_the_order_expires(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.work_for(minutes=29)
        assert till.order(order_id).status is OrderStatus.PENDING_PAYMENT
        till.work_for(minutes=1)
        assert till.order(order_id).status is OrderStatus.EXPIRED
        assert till.stock(card) == FREE
        assert till.market.states(buyer) == {card: ("expired", 1)}
        assert [e.outcome for e in till.events() if isinstance(e, OrderEndedUnpaid)] == ["expired"]

    def test_over_after_a_decline_the_payment_has_failed(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        with pytest.raises(PaymentDeclined):
            till.pay(buyer, order_id, "pm_card_chargeDeclined")
        till.work_for(minutes=31)
        assert till.order(order_id).status is OrderStatus.PAYMENT_FAILED

    def test_over_while_the_buyer_was_asked_the_order_expires(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        with pytest.raises(PaymentDeclined):
            till.pay(buyer, order_id, "pm_card_chargeDeclined")
        till.pay(buyer, order_id, "pm_card_authenticationRequired")
        till.work_for(minutes=31)
        assert till.order(order_id).status is OrderStatus.EXPIRED
        assert till.provider.get_payment(till.payment(order_id).intent_id).status is PaymentStatus.CANCELED

    def test_over_after_a_success_that_nobody_told_of_the_order_is_paid(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.pay(buyer, order_id)
        till.outgoing()
        till.market.later(minutes=31)
        till.work()
        assert till.order(order_id).status is OrderStatus.PAID

    def test_over_while_the_provider_is_down_nothing_is_freed(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.work_for(minutes=29)
        for _ in range(8):
            till.gateway.interrupt("get_payment", when="before", by=SILENT)
        till.work_for(minutes=5)
        assert till.order(order_id).status is OrderStatus.PENDING_PAYMENT
        assert till.stock(card) == CLAIMED
        till.work_for(minutes=30)
        assert till.order(order_id).status is OrderStatus.EXPIRED

    def test_over_when_the_provider_has_lost_the_payment_frees_nothing_and_raises_an_alarm(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.work()
        for _ in range(2):
            till.gateway.interrupt("get_payment", when="before", by=ProviderObjectUnknown("what payment?"))
        till.market.later(minutes=31)
        till.check_payments()
        assert till.cancel(buyer, order_id) is Cancellation.UNDER_WAY
        assert till.stock(card) == CLAIMED
        alarms = {event.subject for event in till.events() if isinstance(event, ProviderAlarm)}
        assert alarms == {f"payment of order {order_id}"}
        till.work_for(minutes=1)
        assert till.order(order_id).status is OrderStatus.EXPIRED
        assert till.stock(card) == FREE

    def test_an_operator_can_end_the_order_of_a_payment_that_the_provider_has_lost(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.work()
        till.gateway.interrupt("get_payment", when="before", by=ProviderObjectUnknown("what payment?"))
        assert till.cancel(OPERATOR, order_id) is Cancellation.CANCELLED
        assert till.order(order_id).status is OrderStatus.CANCELLED
        assert till.stock(card) == FREE
        till.market.later(hours=1)
        assert till.check_payments() == 0
        # It was not lost after all, and somebody pays.
        till.provider.confirm_payment(
            till.payment(order_id).intent_id, payment_method="pm_card_visa", return_url=None, key="browser"
        )
        till.work()
        assert till.order(order_id).status is OrderStatus.PAID
        assert till.findings() == []

    def test_over_before_the_provider_ever_answered_ends_what_it_has(self, till, buyer, card):
        order_id = till.placed(buyer, card)
        till.market.later(minutes=31)
        till.work()
        assert till.order(order_id).status is OrderStatus.EXPIRED
        assert till.payments_at_the_provider(order_id) == 1
        assert till.provider.get_payment(till.payment(order_id).intent_id).status is PaymentStatus.CANCELED

    @pytest.mark.parametrize("executed", [True, False])
    def test_a_key_that_is_answered_with_errors_for_ever_does_not_hold_the_stock(self, till, buyer, card, executed):
        order_id = till.placed(buyer, card)
        till.gateway.interrupt("create_payment", when="after" if executed else "before", by=SILENT)
        for _ in range(60):
            till.gateway.interrupt("create_payment", when="before", by=SILENT)
        till.start(order_id)
        till.work_for(minutes=39)
        assert till.order(order_id).status is OrderStatus.PENDING_PAYMENT
        till.work_for(minutes=16)
        assert till.order(order_id).status is OrderStatus.EXPIRED
        assert till.stock(card) == FREE
        assert till.payments_at_the_provider(order_id) == int(executed)

    def test_after_a_day_a_payment_is_looked_up_and_not_made_anew(self, till, buyer, card):
        order_id = till.placed(buyer, card)
        till.gateway.interrupt("create_payment", when="after", by=SILENT)
        till.start(order_id)
        till.market.later(hours=24)
        till.gateway.calls.clear()
        till.work()
        assert "create_payment" not in till.gateway.calls
        assert till.order(order_id).status is OrderStatus.EXPIRED
        assert till.provider.get_payment(till.payment(order_id).intent_id).status is PaymentStatus.CANCELED

    def test_after_a_day_it_is_found_although_the_clock_was_put_back_before_it_was_made(self, till, buyer, card):
        order_id = till.placed(buyer, card)
        till.market.later(seconds=-30)
        till.gateway.interrupt("create_payment", when="after", by=SILENT)
        till.start(order_id)
        intent = till.provider.find_payment(order_id, since=till.market.clock.now())
        till.provider.confirm_payment(intent.id, payment_method="pm_card_visa", return_url=None, key="browser")
        assert till.outgoing()  # and nobody delivers them
        till.market.later(days=1, minutes=1)
        till.work()
        assert till.order(order_id).status is OrderStatus.PAID
        assert till.findings() == []

    def test_a_cancellation_at_the_provider_ends_the_order_too(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.provider.cancel_payment(till.payment(order_id).intent_id, key="by hand")
        till.work()
        assert till.order(order_id).status is OrderStatus.EXPIRED
        assert till.stock(card) == FREE
