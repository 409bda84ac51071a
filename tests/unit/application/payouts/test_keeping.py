"""Payouts that are kept back by what happens elsewhere, by operators, or for too long; and news of transfers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.application.access import OPERATOR
from marketplace.application.payouts.keeping import KEPT_LONG, FollowSuspensions, WatchKeptMoney
from marketplace.application.ports.payment_gateway import OutcomeUnknown
from marketplace.domain.payments.payment import ProviderAlarm
from marketplace.domain.payout_states import HoldReason, PayoutStatus
from marketplace.domain.shared.errors import Forbidden, IllegalTransition, Invalid, NotFound
from marketplace.domain.shared.ids import PayoutId, RecoveryId
from tests.builders import an_actor


def alarms(till):
    return [event for event in till.events() if isinstance(event, ProviderAlarm)]


class TestASuspension:
    def test_holds_what_is_owed_until_it_is_over(self, till, cashier):
        seller, other = cashier.seller(), cashier.seller()
        pending, due = cashier.paid(seller, other), cashier.due(seller)
        cashier.suspend(seller)
        till.work()
        payouts = [cashier.payout(due), *till.payouts(pending)]
        held = {payout.hold_reason for payout in payouts if payout.seller_id == seller.account_id}
        assert held == {HoldReason.SELLER_SUSPENDED}
        assert cashier.books(seller) == {"on_hold": 19_000}
        assert {p.status for p in payouts if p.seller_id == other.account_id} == {PayoutStatus.PENDING}
        cashier.reinstate(seller)
        till.work()
        assert cashier.payout(due).status is PayoutStatus.PAID
        assert cashier.books(seller) == {"pending": 9_500}

    def test_is_seen_before_anything_is_sent(self, till, cashier):
        seller = cashier.seller()
        order_id = cashier.due(seller)
        cashier.suspend(seller)
        till.send_payouts()
        assert cashier.payout(order_id).hold_reason is HoldReason.SELLER_SUSPENDED

    def test_is_followed_a_bounded_number_at_a_time(self, till, cashier):
        seller = cashier.seller()
        cashier.due_together(seller, seller)
        cashier.suspend(seller)
        follow = FollowSuspensions(unit_of_work=till.market.unit_of_work, clock=till.market.clock, limit=1)
        assert [follow(), follow(), follow()] == [1, 1, 0]

    def test_does_not_release_what_is_disputed(self, till, cashier):
        seller = cashier.seller()
        order_id = cashier.due(seller)
        cashier.suspend(seller)
        till.work()
        cashier.hold(order_id)
        cashier.reinstate(seller)
        till.work()
        assert cashier.payout(order_id).hold_reason is HoldReason.DISPUTE
        assert cashier.payout(order_id).has_claim()


class TestMoneyThatIsKeptForLong:
    def test_is_told_of_once(self, till, cashier, clock):
        cashier.paid(cashier.seller())
        sent = cashier.sent(cashier.seller())
        clock.advance(KEPT_LONG)
        assert till.watch_kept_money() == 0
        clock.advance(timedelta(seconds=1))
        assert [till.watch_kept_money(), till.watch_kept_money()] == [1, 0]
        (alarm,) = alarms(till)
        assert "80 days" in alarm.reason
        assert cashier.payout(sent).kept_long_told is False

    def test_is_told_of_a_bounded_number_at_a_time(self, till, cashier, clock):
        for _ in range(2):
            cashier.paid(cashier.seller())
        clock.advance(KEPT_LONG * 2)
        watch = WatchKeptMoney(unit_of_work=till.market.unit_of_work, clock=clock, limit=1)
        assert [watch(), watch(), watch()] == [1, 1, 0]


class TestOperators:
    def test_hold_and_release(self, till, cashier):
        order_id = cashier.due(cashier.seller())
        id = cashier.payout(order_id).id
        held = till.hold_payout(actor=OPERATOR, payout_id=id, reason="odd buyer")
        assert (held.status, held.hold_reason) == (PayoutStatus.ON_HOLD, HoldReason.OPERATOR)
        till.work()
        assert cashier.payout(order_id).status is PayoutStatus.ON_HOLD
        assert till.release_payout(actor=OPERATOR, payout_id=id, reason="fine").status is PayoutStatus.DUE
        with pytest.raises(IllegalTransition, match="it is due, and nothing keeps it back"):
            till.release_payout(actor=OPERATOR, payout_id=id, reason="fine")

    def test_cannot_release_what_others_hold(self, till, cashier):
        order_id = cashier.due(cashier.seller())
        cashier.hold(order_id)
        with pytest.raises(IllegalTransition, match="dispute"):
            till.release_payout(actor=OPERATOR, payout_id=cashier.payout(order_id).id, reason="please")

    def test_cannot_hold_what_is_paid(self, till, cashier):
        order_id = cashier.sent(cashier.seller())
        with pytest.raises(IllegalTransition, match="paid"):
            till.hold_payout(actor=OPERATOR, payout_id=cashier.payout(order_id).id, reason="too late")

    def test_have_a_payout_tried_again(self, till, cashier):
        seller = till.market.seller()
        order_id = cashier.sent(seller)
        id = cashier.payout(order_id).id
        assert till.retry_payout(actor=OPERATOR, payout_id=id).next_check_at == till.market.clock.now()
        assert till.send_payouts() == 1
        with pytest.raises(IllegalTransition):
            till.retry_payout(actor=OPERATOR, payout_id=cashier.payout(cashier.paid(seller)).id)

    def test_are_admins_who_say_why(self, till, cashier):
        id = cashier.payout(cashier.paid(cashier.seller())).id
        for act in (till.hold_payout, till.release_payout, till.retry_payout):
            with pytest.raises(Forbidden):
                act(actor=an_actor(7), payout_id=id, reason="mine")
            with pytest.raises(NotFound):
                act(actor=OPERATOR, payout_id=PayoutId(9), reason="whose")
        for act in (till.hold_payout, till.release_payout):
            with pytest.raises(Invalid):
                act(actor=OPERATOR, payout_id=id, reason="")


class TestNewsOfATransfer:
    def test_of_a_payout_that_is_being_sent_has_it_gone_on_with(self, till, cashier, clock):
        order_id = cashier.due(cashier.seller())
        till.gateway.interrupt("create_transfer", when="after", by=OutcomeUnknown("no answer"))
        till.send_payouts()
        assert cashier.payout(order_id).next_check_at > clock.now()
        with till.state.begin() as state:
            (transfer,) = state.children("transfer", str(order_id))
        assert till.check_transfer(transfer["id"])
        assert cashier.payout(order_id).next_check_at == clock.now()
        till.send_payouts()
        assert cashier.payout(order_id).status is PayoutStatus.PAID

    def test_that_was_reversed_elsewhere_raises_an_alarm_once(self, till, cashier):
        order_id = cashier.sent(cashier.seller())
        payout = cashier.payout(order_id)
        cashier.refund(order_id, "40.00")
        till.work()
        assert till.check_transfer(payout.transfer_id)
        assert alarms(till) == []
        till.provider.reverse_transfer(
            payout.transfer_id,
            amount=payout.amount_of(100),
            recovery_id=RecoveryId(1),
            description="by hand",
            key="by-hand",
        )
        assert till.check_transfer(payout.transfer_id)
        assert till.check_transfer(payout.transfer_id)
        (alarm,) = alarms(till)
        assert "1.00 EUR" in alarm.reason

    def test_of_nobody_s_is_told_to_be_nobody_s(self, till, cashier):
        assert not till.check_transfer("tr_unknown")
        order_id = cashier.sent(cashier.seller())
        name = cashier.payout(order_id).transfer_id
        with till.market.unit_of_work() as uow:
            uow.payouts.remove(cashier.payout(order_id).id)
            uow.commit()
        assert not till.check_transfer(name)
        with till.state.begin() as state:
            (transfer,) = state.children("transfer", str(order_id))
        transfer["metadata"] = {**transfer["metadata"], "payout_id": str(9)}
        assert not till.check_transfer(name)
