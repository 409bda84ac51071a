"""Refunds: decided by an operator, sent once, followed until the provider is done with them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.application.access import OPERATOR
from marketplace.application.ports.payment_gateway import (
    AlreadyInState,
    InvalidRequest,
    KeyReused,
    OutcomeUnknown,
    ProviderFailed,
    ProviderObjectUnknown,
    RefundNotPossible,
)
from marketplace.domain.orders.returning import NothingToRefund
from marketplace.domain.orders.status import OrderStatus, SaleStatus
from marketplace.domain.payments.payment import PaymentBusy
from marketplace.domain.payments.refund import RefundCause, RefundDecided, RefundFailed, RefundStatus
from marketplace.domain.shared.errors import Forbidden, Invalid, NotFound
from marketplace.domain.shared.ids import OrderId
from marketplace.domain.shared.money import Money

SILENT = OutcomeUnknown("no answer")
FAILED = ProviderFailed("an error occurred")


@pytest.fixture
def paid(till, buyer, card, other_card):
    """The worked example: 100.10 EUR of two sellers, 121.12 with all fees."""
    order_id = till.ordered(buyer, card, other_card)
    till.pay(buyer, order_id)
    till.work()
    return order_id


class TestDeciding:
    def test_of_a_whole_order_gives_everything_back(self, till, paid):
        refund = till.refund(paid)
        assert refund.amount == Money(12112, "EUR")
        order = till.order(paid)
        assert order.status is OrderStatus.REFUNDED
        assert [sale.status for sale in order.sales] == [SaleStatus.REFUNDED] * 2
        till.work()
        assert till.refunds(paid)[0].status is RefundStatus.SUCCEEDED
        assert till.findings() == []

    @pytest.mark.parametrize(
        ("cause", "amount"),
        [
            (RefundCause.BUYER, 5005 + 251),
            (RefundCause.SELLER, 5005 + 251),
            (RefundCause.PLATFORM, 5005 + 251 + 301 + 500),
            (RefundCause.NOT_SHIPPED, 5005 + 251 + 301 + 500),
        ],
    )
    def test_of_one_sale_gives_the_fees_back_that_its_cause_says(self, till, paid, cause, amount):
        first, second = till.order(paid).sales
        refund = till.refund(paid, first.id, cause)
        assert refund.amount == Money(amount, "EUR")
        order = till.order(paid)
        assert order.status is OrderStatus.PARTIALLY_REFUNDED
        assert (order.sale(first.id).status, order.sale(second.id).status) == (
            SaleStatus.REFUNDED,
            SaleStatus.AWAITING_SHIPMENT,
        )
        till.work()
        assert till.findings() == []

    def test_sale_by_sale_lands_exactly_on_what_was_paid(self, till, paid):
        first, second = till.order(paid).sales
        parts = [till.refund(paid, first.id), till.refund(paid, second.id)]
        assert parts[0].amount + parts[1].amount == Money(12112, "EUR")
        till.work()
        assert till.order(paid).status is OrderStatus.REFUNDED
        assert till.findings() == []

    def test_twice_is_refused(self, till, paid):
        till.refund(paid)
        with pytest.raises(NothingToRefund):
            till.refund(paid)
        assert len(till.refunds(paid)) == 1

    def test_of_an_unpaid_order_is_refused(self, till, buyer, card):
        with pytest.raises(NothingToRefund):
            till.refund(till.ordered(buyer, card))

    def test_of_an_unknown_order_or_of_another_s_sale_is_refused(self, till, market, buyer, other_card, paid):
        with pytest.raises(NotFound):
            till.refund(OrderId(1))
        other = till.ordered(buyer, other_card)
        till.pay(buyer, other)
        till.work()
        with pytest.raises(Invalid):
            till.refund(paid, till.order(other).sales[0].id)

    def test_is_for_admins(self, till, buyer, paid):
        with pytest.raises(Forbidden):
            till.refund_order(actor=buyer, order_id=paid, reason="", cause=RefundCause.PLATFORM)

    def test_is_told_of_once(self, till, paid):
        refund = till.refund(paid)
        till.work()
        (told,) = [event for event in till.events() if isinstance(event, RefundDecided)]
        assert (told.refund_id, told.order_id, told.amount, told.currency) == (refund.id, paid, 12112, "EUR")


class TestSending:
    def test_is_recorded_before_it_is_sent(self, till, paid):
        refund_id = till.refund(paid).id
        seen = []
        till.gateway.interrupt("refund", when="before", by=lambda: seen.append(till.refunds(paid)[0].status))
        till.send_refunds()
        assert seen == [RefundStatus.SENDING]
        assert till.refunds(paid)[0].key == f"re:{refund_id}:1"

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_to_a_silent_provider_is_repeated_and_done_once(self, till, paid, when):
        till.refund(paid)
        till.gateway.interrupt("refund", when=when, by=SILENT)
        till.work_for(minutes=2)
        assert till.refunds(paid)[0].status is RefundStatus.SUCCEEDED
        assert till.provider.balance("EUR").pending == -207
        assert till.findings() == []

    @pytest.mark.parametrize("error", [RefundNotPossible, AlreadyInState, InvalidRequest, KeyReused])
    def test_refused_for_good_is_owed_in_another_way(self, till, paid, error):
        till.refund(paid)
        till.gateway.interrupt("refund", when="before", by=error("no"))
        till.work_for(hours=1)
        (refund,) = till.refunds(paid)
        assert (refund.status, refund.failure_reason, refund.provider_refund_id) == (
            RefundStatus.FAILED,
            error.code,
            None,
        )
        assert [event.reason for event in till.events() if isinstance(event, RefundFailed)] == [error.code]
        assert till.findings() == []

    def test_refused_although_it_was_done_counts_as_done(self, till, paid):
        till.refund(paid)
        till.gateway.interrupt("refund", when="after", by=ProviderObjectUnknown("what payment?"))
        till.work()
        assert till.refunds(paid)[0].status is RefundStatus.SUCCEEDED
        assert till.findings() == []

    @pytest.mark.parametrize("executed", [True, False])
    def test_after_a_day_is_looked_up_before_another_attempt(self, till, paid, executed):
        till.refund(paid)
        till.gateway.interrupt("refund", when="after" if executed else "before", by=SILENT)
        till.send_refunds()
        till.market.clock.advance(timedelta(hours=24))
        till.work()
        (refund,) = till.refunds(paid)
        assert refund.status is RefundStatus.SUCCEEDED
        assert refund.attempt == (1 if executed else 2)
        assert till.findings() == []

    @pytest.mark.parametrize(("when", "attempt"), [("before", 2), ("after", 1)])
    def test_that_the_provider_keeps_failing_at_is_looked_up_before_the_next_key(self, till, paid, when, attempt):
        """Scenario 12 of the failure catalogue."""
        till.refund(paid)
        till.gateway.interrupt("refund", when=when, by=SILENT)
        for _ in range(7):
            till.gateway.interrupt("refund", when="before", by=FAILED)
        till.work_for(hours=1)
        (refund,) = till.refunds(paid)
        assert (refund.status, refund.attempt) == (RefundStatus.SUCCEEDED, attempt)
        assert till.provider.balance("EUR").pending == -207
        assert till.findings() == []

    def test_that_the_provider_fails_at_although_it_was_done_is_found(self, till, paid):
        """Nobody told us: the events of it are lost."""
        till.refund(paid)
        till.gateway.interrupt("refund", when="after", by=SILENT)
        till.send_refunds()
        till.market.later(minutes=11)
        till.gateway.interrupt("refund", when="before", by=FAILED)
        till.send_refunds()
        (refund,) = till.refunds(paid)
        assert (refund.status, refund.attempt) == (RefundStatus.SUCCEEDED, 1)
        assert till.findings() == []

    def test_that_cannot_be_applied_holds_up_no_other(self, till, paid, caplog):
        first, second = till.order(paid).sales
        broken, other = till.refund(paid, first.id), till.refund(paid, second.id)
        till.gateway.interrupt("refund", when="before", by=ZeroDivisionError())
        assert till.send_refunds() == 2
        assert f"the check of refund {broken.id} failed" in caplog.text
        assert {r.id: r.status for r in till.refunds(paid)}[other.id] is RefundStatus.SUCCEEDED
        till.work_for(minutes=2)
        assert [refund.status for refund in till.refunds(paid)] == [RefundStatus.SUCCEEDED] * 2
        assert till.findings() == []

    def test_that_was_overtaken_changes_nothing(self, till, paid):
        refund = till.refund(paid)

        def dawdle() -> None:
            till.market.later(minutes=2)
            till.send_refunds()

        till.gateway.interrupt("refund", when="before", by=dawdle)
        with pytest.raises(PaymentBusy):
            till.check_refund(refund.id)
        assert till.refunds(paid)[0].status is RefundStatus.SUCCEEDED
        assert till.findings() == []

    def test_silence_after_being_overtaken_disturbs_nobody(self, till, paid):
        till.refund(paid)

        def dawdle() -> None:
            till.market.later(minutes=2)
            till.send_refunds()
            raise SILENT

        till.gateway.interrupt("refund", when="before", by=dawdle)
        till.send_refunds()
        assert till.refunds(paid)[0].status is RefundStatus.SUCCEEDED

    def test_leaves_a_refund_alone_that_somebody_else_sends(self, till, paid):
        refund = till.refund(paid)
        busy = []

        def meanwhile() -> None:
            with pytest.raises(PaymentBusy):
                till.check_refund(refund.id)
            busy.append(True)

        till.gateway.interrupt("refund", when="before", by=meanwhile)
        till.send_refunds()
        assert busy == [True]


class TestFollowing:
    @pytest.fixture
    def refunded(self, till, buyer, card):
        """Pay with a card that does something to refunds, and refund."""

        def go(payment_method: str) -> OrderId:
            order_id = till.ordered(buyer, card)
            till.pay(buyer, order_id, payment_method)
            till.work()
            till.refund(order_id)
            till.work()
            return order_id

        return go

    def test_a_pending_refund_succeeds_when_the_event_says_so(self, till, refunded):
        order_id = refunded("pm_card_pendingRefund")
        assert till.refunds(order_id)[0].status is RefundStatus.PENDING
        till.work_for(minutes=2)
        assert till.refunds(order_id)[0].status is RefundStatus.SUCCEEDED
        assert till.findings() == []

    def test_a_pending_refund_is_read_again_when_the_event_is_lost(self, till, refunded):
        order_id = refunded("pm_card_pendingRefund")
        till.market.later(minutes=2)
        till.outgoing()
        till.outgoing()
        till.work_for(hours=1)
        assert till.refunds(order_id)[0].status is RefundStatus.SUCCEEDED

    def test_a_refund_that_fails_later_is_owed_again(self, till, refunded):
        order_id = refunded("pm_card_refundFail")
        assert till.refunds(order_id)[0].status is RefundStatus.SUCCEEDED
        till.work_for(minutes=2)
        (refund,) = till.refunds(order_id)
        assert (refund.status, refund.failure_reason) == (RefundStatus.FAILED, "expired_or_canceled_card")
        assert len([event for event in till.events() if isinstance(event, RefundFailed)]) == 1
        assert till.findings() == []

    def test_a_failed_refund_stays_failed(self, till, refunded):
        order_id = refunded("pm_card_refundFail")
        till.work_for(minutes=2)
        till.check_refund(till.refunds(order_id)[0].id)
        assert len([event for event in till.events() if isinstance(event, RefundFailed)]) == 1

    def test_a_refund_that_the_provider_does_not_show_is_asked_for_again(self, till, refunded):
        order_id = refunded("pm_card_pendingRefund")
        till.gateway.interrupt("find_refund", when="instead", by=lambda found: None)
        till.market.later(hours=2)
        till.send_refunds()
        assert till.refunds(order_id)[0].status is RefundStatus.PENDING
        till.work_for(minutes=1)
        assert till.refunds(order_id)[0].status is RefundStatus.SUCCEEDED

    def test_the_operator_is_nobody_in_particular(self, till, paid):
        till.refund_order(actor=OPERATOR, order_id=paid, reason="test", cause=RefundCause.BUYER)
        # Of a whole order everything goes back, whatever the cause.
        assert till.refunds(paid)[0].amount == Money(12112, "EUR")
