"""Money taken back from sellers: reversed at the provider, or kept from what they are paid next."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.application.access import OPERATOR
from marketplace.application.payouts import positions
from marketplace.application.payouts.recovering import LEASE_FOR, TURN, SendRecoveries, TooEarlyToWriteOff
from marketplace.application.ports.payment_gateway import (
    AlreadyInState,
    InvalidRequest,
    OutcomeUnknown,
    ProviderFailed,
    ProviderObjectUnknown,
)
from marketplace.application.ports.transfers import InsufficientBalance, SellerNotPayable
from marketplace.domain.payments.payment import KEY_LIFETIME, ProviderAlarm
from marketplace.domain.payout_states import HoldReason, PayoutStatus
from marketplace.domain.recoveries import RecoveryBusy, RecoveryRefused, RecoveryReversed, RecoveryStatus
from marketplace.domain.shared.errors import Forbidden, IllegalTransition, Invalid
from tests.builders import an_actor

SILENT = OutcomeUnknown("no answer")
FAILED = ProviderFailed("an error occurred")
EMPTY = InsufficientBalance("the seller has nothing left")


def reversals(till, payout):
    return till.provider.get_transfer(payout.transfer_id).amount_reversed


def alarms(till):
    return [event for event in till.events() if isinstance(event, ProviderAlarm)]


class TestARefundBeforeThePayout:
    def test_is_withheld_from_it(self, till, cashier):
        seller = cashier.seller()
        order_id = cashier.paid(seller)
        cashier.refund(order_id, "40.00")
        cashier.complete(order_id)
        till.work()
        payout = cashier.payout(order_id)
        assert (payout.status, payout.reversed_amount, payout.transferred_amount) == (PayoutStatus.PAID, 3_800, 5_700)
        assert (till.recoveries(payout), cashier.books(seller)) == ([], {})

    @pytest.mark.parametrize("is_held", [False, True])
    def test_of_everything_reverses_it(self, till, cashier, is_held):
        seller = cashier.seller()
        order_id = cashier.paid(seller)
        if is_held:
            cashier.hold(order_id)
        cashier.refund(order_id)
        assert cashier.payout(order_id).status is PayoutStatus.REVERSED
        cashier.complete(order_id)
        cashier.release(order_id)
        till.work()
        assert (cashier.payout(order_id).status, cashier.books(seller)) == (PayoutStatus.REVERSED, {})
        assert cashier.transfers(order_id) == 0


class TestARefundAfterThePayout:
    def test_reverses_the_transfer(self, till, cashier):
        """Scenario 31: the other seller's money is not touched."""
        seller, other = cashier.seller(), cashier.seller()
        order_id = cashier.sent(seller, other)
        cashier.refund(order_id, "40.00")
        payout = cashier.payout(order_id)
        owing = seller if payout.seller_id == seller.account_id else other
        assert cashier.books(owing) == {"receivable": 3_800}
        till.work()
        payout, untouched = till.payouts(order_id)
        assert (payout.status, payout.reversed_amount, reversals(till, payout)) == (PayoutStatus.PAID, 3_800, 3_800)
        assert reversals(till, untouched) == 0
        assert cashier.recovery(order_id).status is RecoveryStatus.REVERSED
        assert cashier.books(owing) == {}
        (told,) = [event for event in till.events() if isinstance(event, RecoveryReversed)]
        assert (told.seller_id, told.amount) == (owing.account_id, 3_800)

    def test_of_everything_reverses_the_payout(self, till, cashier):
        order_id = cashier.sent(cashier.seller())
        cashier.refund(order_id)
        till.work()
        payout = cashier.payout(order_id)
        assert (payout.status, reversals(till, payout)) == (PayoutStatus.REVERSED, 9_500)

    @pytest.mark.parametrize("refusal", [EMPTY, SellerNotPayable("closed"), AlreadyInState("more than is left")])
    def test_that_cannot_be_reversed_is_owed_and_netted(self, till, cashier, refusal):
        """Scenarios 35 and 40: from the next payouts, bit by bit."""
        seller = cashier.seller()
        order_id = cashier.sent(seller)
        cashier.refund(order_id)
        till.gateway.interrupt("reverse_transfer", when="before", by=refusal)
        till.work()
        debt = cashier.recovery(order_id)
        assert (debt.status, debt.left, cashier.books(seller)) == (RecoveryStatus.REFUSED, 9_500, {"receivable": 9_500})
        assert sum(isinstance(event, RecoveryRefused) for event in till.events()) == 1
        first, second = (cashier.payout(cashier.sent(seller)) for _ in range(2))
        assert cashier.books(seller) == {}
        assert (first.status, first.netted_amount, first.transferred_amount) == (PayoutStatus.PAID, 9_500, 0)
        assert (second.status, second.netted_amount, second.transferred_amount) == (PayoutStatus.PAID, 0, 9_500)
        assert cashier.recovery(order_id).status is RecoveryStatus.SETTLED

    def test_pays_the_oldest_debt_first(self, till, cashier):
        seller = cashier.seller()
        orders = [cashier.sent(seller) for _ in range(2)]
        for order_id in orders:
            cashier.refund(order_id)
            till.gateway.interrupt("reverse_transfer", when="before", by=EMPTY)
            till.work()
        assert cashier.payout(cashier.sent(seller, price=10_000)).netted_amount == 9_500
        left = [cashier.recovery(order_id).left for order_id in orders]
        assert left == [0, 9_500]

    def test_is_netted_in_part_when_the_next_payout_is_larger(self, till, cashier):
        seller = cashier.seller()
        order_id = cashier.sent(seller)
        cashier.refund(order_id, "40.00")
        till.gateway.interrupt("reverse_transfer", when="before", by=EMPTY)
        till.work()
        payout = cashier.payout(cashier.sent(seller))
        assert (payout.netted_amount, payout.transferred_amount) == (3_800, 5_700)
        assert cashier.books(seller) == {}

    def test_of_what_was_netted_is_owed_for_the_part_that_was_never_sent(self, till, cashier):
        seller = cashier.seller()
        first = cashier.sent(seller)
        cashier.refund(first, "40.00")
        till.gateway.interrupt("reverse_transfer", when="before", by=EMPTY)
        till.work()
        second = cashier.sent(seller)
        cashier.refund(second)
        till.work()
        debt = cashier.recovery(second)
        assert (debt.reversed_amount, debt.left, debt.status) == (5_700, 3_800, RecoveryStatus.REFUSED)
        assert cashier.books(seller) == {"receivable": 3_800}

    def test_finds_nothing_left_of_a_transfer_that_was_taken_back(self, till, cashier):
        seller = cashier.seller()
        first = cashier.sent(seller)
        cashier.refund(first)
        till.gateway.interrupt("reverse_transfer", when="before", by=EMPTY)
        till.work()
        netted = cashier.sent(seller)
        assert cashier.payout(netted).transferred_amount == 0
        cashier.refund(netted)
        assert cashier.recovery(netted).status is RecoveryStatus.REFUSED

    def test_of_a_second_part_counts_what_the_first_has_taken(self, till, cashier):
        seller = cashier.seller()
        first = cashier.sent(seller)
        cashier.refund(first, "40.00")
        till.gateway.interrupt("reverse_transfer", when="before", by=EMPTY)
        till.work()
        second = cashier.sent(seller)
        cashier.refund(second, "60.00")
        till.work()
        cashier.refund(second, "10.00")
        till.work()
        payout = cashier.payout(second)
        assert reversals(till, payout) == payout.transferred_amount == 5_700
        assert [debt.status for debt in till.recoveries(payout)] == [RecoveryStatus.REVERSED, RecoveryStatus.REFUSED]
        assert cashier.books(seller) == {"receivable": 950}


class TestARefundWhileThePayoutIsSent:
    def refund_while_sending(self, till, cashier, order_id, amount, outcome=None):
        def refund():
            cashier.refund(order_id, amount)
            debt = cashier.recovery(order_id)
            assert (debt.status, debt.next_check_at) == (RecoveryStatus.DECIDED, None)
            assert till.send_recoveries() == 0
            if outcome is not None:
                raise outcome

        till.gateway.interrupt("create_transfer", when="before", by=refund)
        till.work()

    def test_is_netted_once_however_often_it_is_refused(self, till, cashier):
        seller = cashier.seller()
        order_id = cashier.due(seller)
        self.refund_while_sending(till, cashier, order_id, "40.00", InsufficientBalance("not yet"))
        till.gateway.interrupt("create_transfer", when="before", by=InsufficientBalance("not yet"))
        till.work_for(minutes=30)
        payout = cashier.payout(order_id)
        assert (payout.status, payout.attempt, payout.transferred_amount) == (PayoutStatus.PAID, 3, 5_700)
        assert cashier.books(seller) == {}

    def test_is_taken_back_once_it_is_executed(self, till, cashier):
        seller = cashier.seller()
        order_id = cashier.due(seller)
        self.refund_while_sending(till, cashier, order_id, "40.00")
        payout = cashier.payout(order_id)
        assert (payout.transferred_amount, reversals(till, payout)) == (9_500, 3_800)
        assert cashier.books(seller) == {}

    @pytest.mark.parametrize(("amount", "status"), [("40.00", PayoutStatus.PAID), (None, PayoutStatus.REVERSED)])
    def test_is_netted_from_the_same_payout_when_it_is_not(self, till, cashier, amount, status):
        seller = cashier.seller()
        order_id = cashier.due(seller)
        self.refund_while_sending(till, cashier, order_id, amount, InsufficientBalance("not yet"))
        assert cashier.recovery(order_id).status is RecoveryStatus.REFUSED
        assert set(cashier.books(seller)) == {"payable", "receivable"}
        till.work_for(minutes=6)
        payout = cashier.payout(order_id)
        assert (payout.status, payout.netted_amount) == (status, payout.reversed_amount)
        assert cashier.recovery(order_id).status is RecoveryStatus.SETTLED
        assert cashier.books(seller) == {}

    @pytest.mark.parametrize("is_held", [False, True])
    def test_leaves_enough_of_it_to_pay_that_when_the_rest_goes_back_too(self, till, cashier, is_held):
        seller = cashier.seller()
        order_id = cashier.due(seller)
        self.refund_while_sending(till, cashier, order_id, "80.00", InsufficientBalance("not yet"))
        if is_held:
            cashier.hold(order_id)
        cashier.refund(order_id)
        assert till.findings() == []
        assert cashier.books(seller) == {"on_hold" if is_held else "payable": 7_600, "receivable": 7_600}
        cashier.release(order_id)
        till.work_for(minutes=6)
        assert (cashier.payout(order_id).status, cashier.books(seller)) == (PayoutStatus.REVERSED, {})
        assert cashier.recovery(order_id).status is RecoveryStatus.SETTLED
        assert cashier.transfers(order_id) == 0
        assert till.findings() == []

    def test_of_everything_reverses_it_once_it_is_executed(self, till, cashier):
        order_id = cashier.due(cashier.seller())
        self.refund_while_sending(till, cashier, order_id, None)
        assert cashier.payout(order_id).status is PayoutStatus.REVERSED


class TestAPayoutThatPaidADebtAndWasNotSent:
    def test_owes_what_is_refunded_beyond_what_is_left_of_it(self, till, cashier):
        seller = cashier.seller()
        first = cashier.sent(seller)
        cashier.refund(first, "40.00")
        till.gateway.interrupt("reverse_transfer", when="before", by=EMPTY)
        till.work()
        second = cashier.due(seller)
        till.gateway.interrupt("create_transfer", when="before", by=InsufficientBalance("not yet"))
        till.send_payouts()
        cashier.refund(second)
        assert cashier.recovery(second).status is RecoveryStatus.REFUSED
        assert cashier.books(seller) == {"payable": 5_700, "receivable": 9_500}
        till.work_for(minutes=6)
        assert (cashier.payout(second).status, cashier.books(seller)) == (PayoutStatus.REVERSED, {"receivable": 3_800})


class TestAnAnswerThatIsLost:
    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize(("pause", "silences"), [(timedelta(minutes=1), 1), (KEY_LIFETIME, 1)])
    def test_takes_back_once(self, till, cashier, clock, when, pause, silences):
        order_id = cashier.sent(cashier.seller())
        cashier.refund(order_id, "40.00")
        till.gateway.interrupt("reverse_transfer", when=when, by=SILENT)
        till.work()
        assert cashier.recovery(order_id).status is RecoveryStatus.SENDING
        clock.advance(pause)
        till.work()
        assert cashier.recovery(order_id).status is RecoveryStatus.REVERSED
        assert reversals(till, cashier.payout(order_id)) == 3_800

    @pytest.mark.parametrize(("when", "attempt"), [("before", 2), ("after", 1)])
    def test_that_stays_lost_is_looked_up_before_the_next_key(self, till, cashier, when, attempt):
        order_id = cashier.sent(cashier.seller())
        cashier.refund(order_id, "40.00")
        till.gateway.interrupt("reverse_transfer", when=when, by=SILENT)
        for _ in range(7):
            till.gateway.interrupt("reverse_transfer", when="before", by=FAILED)
        till.work_for(hours=1)
        assert (cashier.recovery(order_id).status, cashier.recovery(order_id).attempt) == (
            RecoveryStatus.REVERSED,
            attempt,
        )
        assert reversals(till, cashier.payout(order_id)) == 3_800

    def test_keeps_its_key_while_it_may_still_be_done(self, till, cashier):
        """Silence is no answer: a request that has timed out may be carried out after any look-up."""
        order_id = cashier.sent(cashier.seller())
        cashier.refund(order_id, "40.00")
        for _ in range(12):
            till.gateway.interrupt("reverse_transfer", when="before", by=SILENT)
        till.work_for(hours=2)
        assert (cashier.recovery(order_id).status, cashier.recovery(order_id).attempt) == (RecoveryStatus.REVERSED, 1)

    @pytest.mark.parametrize("silent", [False, True])
    def test_is_not_applied_by_a_worker_that_was_overtaken(self, till, cashier, clock, silent):
        order_id = cashier.sent(cashier.seller())
        cashier.refund(order_id, "40.00")

        def be_overtaken():
            clock.advance(LEASE_FOR)
            till.send_recoveries()
            if silent:
                raise SILENT

        till.gateway.interrupt("reverse_transfer", when="after", by=be_overtaken)
        _, leased = till.check_recovery.take_next()
        assert till.check_recovery.take_next() is None
        with pytest.raises((RecoveryBusy, OutcomeUnknown)):
            till.check_recovery.go_on(leased)
        assert (cashier.recovery(order_id).status, cashier.recovery(order_id).failures) == (RecoveryStatus.REVERSED, 0)

    def test_that_cannot_be_applied_holds_up_nobody_else(self, till, cashier):
        orders = [cashier.sent(cashier.seller()) for _ in range(2)]
        for order_id in orders:
            cashier.refund(order_id, "40.00")
        till.gateway.interrupt("reverse_transfer", when="before", by=RuntimeError("a bug"))
        assert till.send_recoveries() == 2
        statuses = [cashier.recovery(order_id).status for order_id in orders]
        assert statuses == [RecoveryStatus.SENDING, RecoveryStatus.REVERSED]

    def test_is_waited_for_within_bounds(self, till, cashier, clock):
        for _ in range(2):
            cashier.refund(cashier.sent(cashier.seller()), "40.00")
        till.gateway.interrupt("reverse_transfer", when="after", by=lambda: clock.advance(TURN))
        assert till.send_recoveries() == 1
        assert SendRecoveries(check=till.check_recovery, limit=0)() == 0


class TestAFaultOfOurs:
    @pytest.mark.parametrize("fault", [InvalidRequest("no"), ProviderObjectUnknown("no such transfer")])
    def test_raises_an_alarm_and_leaves_a_debt(self, till, cashier, fault):
        order_id = cashier.sent(cashier.seller())
        cashier.refund(order_id, "40.00")
        till.gateway.interrupt("reverse_transfer", when="before", by=fault)
        till.gateway.interrupt("find_reversal", when="before", by=ProviderObjectUnknown("no such transfer"))
        till.work()
        assert cashier.recovery(order_id).status is RecoveryStatus.REFUSED
        assert len(alarms(till)) == 1


class TestWritingOff:
    @pytest.fixture
    def debt(self, till, cashier):
        order_id = cashier.sent(cashier.seller())
        cashier.refund(order_id, "40.00")
        till.gateway.interrupt("reverse_transfer", when="before", by=EMPTY)
        till.work()
        return cashier.recovery(order_id)

    def write_off(self, till, debt, **changes):
        return till.write_off(**{"actor": OPERATOR, "recovery_id": debt.id, "reason": "gone for good", **changes})

    def test_gives_up_what_was_owed_for_long(self, till, cashier, debt, clock):
        clock.advance(timedelta(days=180))
        assert self.write_off(till, debt).amount == 3_800
        assert till.recoveries(cashier.payout(debt.order_id))[0].status is RecoveryStatus.SETTLED
        with till.audit.snapshot() as facts:
            balances = {entry.account: entry.balance.amount for entry in facts.balances()}
        assert balances["expenses:bad_debt"] == 3_800
        with pytest.raises(IllegalTransition):
            self.write_off(till, debt)

    def test_is_refused_before_that(self, till, debt, clock):
        clock.advance(timedelta(days=179))
        with pytest.raises(TooEarlyToWriteOff):
            self.write_off(till, debt)

    def test_takes_an_admin_and_a_reason(self, till, debt):
        with pytest.raises(Forbidden):
            self.write_off(till, debt, actor=an_actor(7))
        with pytest.raises(Invalid):
            self.write_off(till, debt, reason="")


class TestTaking:
    def take(self, till, order_id, amount, cause="refund:1"):
        with till.market.unit_of_work() as uow:
            order = uow.orders.get_for_update(order_id)
            now = till.market.clock.now()
            account = positions.take_from_seller(
                uow, order, order.sales[0].id, amount, cause=cause, ids=till.market.ids, now=now
            )
            uow.commit()
        return account

    @pytest.mark.parametrize("amount", [-1, 9_501])
    def test_more_than_a_sale_brought_is_refused(self, till, cashier, amount):
        order_id = cashier.paid(cashier.seller())
        with pytest.raises(Invalid):
            self.take(till, order_id, amount)

    def test_nothing_leaves_no_trace(self, till, cashier):
        order_id = cashier.sent(cashier.seller())
        assert self.take(till, order_id, 0).startswith("assets:seller_receivable:")
        assert till.recoveries(cashier.payout(order_id)) == []

    def test_a_chargeback_from_a_payout_on_hold_comes_out_of_it(self, till, cashier):
        """Scenario 38."""
        seller = cashier.seller()
        order_id = cashier.paid(seller)
        cashier.hold(order_id, key="chargeback:9", reason=HoldReason.CHARGEBACK)
        account = self.take(till, order_id, 9_500, cause="chargeback:9")
        assert account == f"liabilities:seller:{seller.account_id}:on_hold"
        assert cashier.payout(order_id).status is PayoutStatus.REVERSED
