"""Payouts that are kept back, before they are sent or meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from marketplace.application.ports.transfers import InsufficientBalance
from marketplace.domain.payments.payment import ProviderAlarm
from marketplace.domain.payout_states import HoldReason, PayoutStatus
from marketplace.domain.shared.errors import NotFound

NO_MONEY = InsufficientBalance("not enough available")


def alarms(till):
    return [event for event in till.events() if isinstance(event, ProviderAlarm)]


class TestHolds:
    def test_come_before_the_transfer_or_after_it(self, till, cashier):
        """Scenario 44."""
        seller = cashier.seller()
        order_id = cashier.due(seller)
        cashier.hold(order_id)
        cashier.hold(order_id)
        assert cashier.books(seller) == {"on_hold": 9_500}
        till.work_for(minutes=1)
        assert cashier.payout(order_id).status is PayoutStatus.ON_HOLD
        cashier.release(order_id)
        cashier.release(order_id)
        till.work()
        assert (cashier.payout(order_id).status, cashier.books(seller)) == (PayoutStatus.PAID, {})

    def test_of_what_is_pending_go_back_to_pending(self, till, cashier):
        seller = cashier.seller()
        order_id = cashier.paid(seller)
        cashier.hold(order_id)
        cashier.release(order_id)
        assert (cashier.payout(order_id).status, cashier.books(seller)) == (PayoutStatus.PENDING, {"pending": 9_500})

    def test_let_a_sale_complete_and_go_to_due_then(self, till, cashier):
        seller = cashier.seller()
        order_id = cashier.paid(seller)
        cashier.hold(order_id, key="restriction:1", reason=HoldReason.OPERATOR)
        cashier.complete(order_id)
        assert cashier.payout(order_id).status is PayoutStatus.ON_HOLD
        cashier.release(order_id, key="restriction:1")
        assert (cashier.payout(order_id).status, cashier.books(seller)) == (PayoutStatus.DUE, {"payable": 9_500})

    def test_that_come_while_it_is_sent_wait_for_the_outcome(self, till, cashier):
        """Scenario 39: executed, it is paid; not executed, it is on hold."""
        seller = cashier.seller()
        executed, refused = cashier.due_together(seller, seller)
        till.gateway.interrupt("create_transfer", when="before", by=lambda: cashier.hold(executed))

        def hold_and_refuse():
            cashier.hold(refused, key="dispute:2")
            raise NO_MONEY

        till.gateway.interrupt("create_transfer", when="before", by=hold_and_refuse)
        till.work()
        assert cashier.payout(executed).status is PayoutStatus.PAID
        assert cashier.payout(refused).status is PayoutStatus.ON_HOLD
        assert cashier.books(seller) == {"on_hold": 9_500}
        cashier.release(refused, key="dispute:2")
        till.work()
        assert cashier.payout(refused).status is PayoutStatus.PAID
        assert till.findings() == []

    def test_of_several_reasons_end_with_the_last(self, till, cashier):
        seller = cashier.seller()
        order_id = cashier.paid(seller)
        cashier.hold(order_id, key="dispute:1")
        cashier.hold(order_id, key="chargeback:2", reason=HoldReason.CHARGEBACK)
        cashier.release(order_id, key="dispute:1")
        assert cashier.books(seller) == {"on_hold": 9_500}
        cashier.hold(order_id, key="dispute:1")
        cashier.release(order_id, key="chargeback:2")
        cashier.release(order_id, key="dispute:1")
        assert cashier.books(seller) == {"pending": 9_500}
        cashier.hold(order_id, key="dispute:1")
        assert cashier.books(seller) == {"on_hold": 9_500}
        assert till.findings() == []

    def test_of_a_sale_that_was_not_paid_are_refused(self, till, cashier):
        order_id = till.ordered(till.market.buyer(), till.market.listing(cashier.seller()))
        with pytest.raises(NotFound):
            cashier.hold(order_id)


class TestMoneyInAnotherCurrency:
    def test_stops_the_payouts_of_its_order_and_raises_an_alarm(self, till, cashier):
        """Scenario 50."""
        seller = cashier.seller()
        buyer = till.market.buyer()
        order_id = till.ordered(buyer, till.market.listing(seller))
        till.pay(buyer, order_id)
        till.gateway.interrupt("get_payment", when="instead", by=lambda payment: replace(payment, settled_in="USD"))
        till.work()
        cashier.complete(order_id)
        till.work_for(minutes=10)
        payout = cashier.payout(order_id)
        assert (payout.status, payout.hold_reason) == (PayoutStatus.ON_HOLD, HoldReason.CURRENCY)
        assert len(alarms(till)) == 1


class TestAPayoutOfNothing:
    def test_is_held_without_a_journal(self, till, cashier):
        seller = cashier.seller()
        order_id = cashier.paid(seller)
        with till.market.unit_of_work() as uow:
            payout = uow.payouts.of_order_for_update(order_id)[0]
            payout.amount = payout.amount_of(0)
            uow.payouts.save(payout)
            uow.commit()
        cashier.hold(order_id)
        assert cashier.books(seller) == {"pending": 9_500}
        cashier.release(order_id)
        assert cashier.payout(order_id).status is PayoutStatus.PENDING
