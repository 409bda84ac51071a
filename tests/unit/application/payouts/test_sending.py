"""Payouts on their way: sent once, whatever goes wrong, and nobody waits for anybody else's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from marketplace.application.payouts.sending import LEASE_FOR, TURN, SendPayouts
from marketplace.application.ports.payment_gateway import (
    InvalidRequest,
    KeyReused,
    OutcomeUnknown,
    ProviderFailed,
    RateLimited,
)
from marketplace.application.ports.transfers import InsufficientBalance, SellerNotPayable
from marketplace.domain.payments.payment import KEY_LIFETIME, ProviderAlarm
from marketplace.domain.payout_states import PayoutBusy, PayoutFailed, PayoutSent, PayoutStatus

SILENT = OutcomeUnknown("no answer")
FAILED = ProviderFailed("an error occurred")
NO_MONEY = InsufficientBalance("not enough available")


def alarms(till):
    return [event for event in till.events() if isinstance(event, ProviderAlarm)]


class TestTheWayOfAPayout:
    def test_leads_from_the_payment_of_the_order_to_the_seller(self, till, cashier):
        seller = cashier.seller()
        order_id = cashier.paid(seller)
        assert (cashier.payout(order_id).status, cashier.books(seller)) == (PayoutStatus.PENDING, {"pending": 9_500})
        cashier.complete(order_id)
        assert (cashier.payout(order_id).status, cashier.books(seller)) == (PayoutStatus.DUE, {"payable": 9_500})
        till.work()
        payout = cashier.payout(order_id)
        assert (payout.status, payout.transferred_amount, cashier.books(seller)) == (PayoutStatus.PAID, 9_500, {})
        assert payout.paid_at == till.market.clock.now()
        assert payout.batch_id is not None
        assert till.provider.get_transfer(payout.transfer_id).amount == 9_500
        (sent,) = [event for event in till.events() if isinstance(event, PayoutSent)]
        assert (sent.seller_id, sent.amount) == (seller.account_id, 9_500)
        assert till.findings() == []

    def test_repeats_nothing(self, till, cashier):
        order_id = cashier.sent(cashier.seller())
        cashier.complete(order_id)
        till.work_for(minutes=2)
        assert cashier.payout(order_id).status is PayoutStatus.PAID
        assert cashier.transfers(order_id) == 1

    def test_pays_every_seller_of_an_order_by_a_transfer_of_their_own(self, till, cashier):
        red, blue = cashier.seller(), cashier.seller()
        order_id = cashier.due(red, blue)
        till.work()
        assert [payout.status for payout in till.payouts(order_id)] == [PayoutStatus.PAID] * 2
        batches = {payout.batch_id for payout in till.payouts(order_id)}
        assert len(batches) == 2

    def test_does_not_wait_for_an_account_that_was_never_opened(self, till, cashier, clock):
        vouched, seller = till.market.seller(), cashier.seller()
        order_id = cashier.due(vouched, seller)
        till.work()
        waiting, sent = sorted(till.payouts(order_id), key=lambda payout: payout.seller_id != vouched.account_id)
        assert (waiting.status, sent.status) == (PayoutStatus.DUE, PayoutStatus.PAID)
        assert "never opened" in waiting.last_error
        assert waiting.next_check_at > clock.now()
        assert cashier.books(vouched) == {"payable": 9_500}

    def test_of_nothing_ends_without_a_transfer(self, till, cashier):
        seller = cashier.seller()
        order_id = cashier.paid(seller)
        with till.market.unit_of_work() as uow:
            payout = uow.payouts.of_order_for_update(order_id)[0]
            payout.amount = payout.amount_of(0)
            uow.payouts.save(payout)
            uow.commit()
        cashier.complete(order_id)
        till.work()
        assert cashier.payout(order_id).status is PayoutStatus.PAID
        assert cashier.transfers(order_id) == 0


class TestBatches:
    def test_wait_until_they_come_to_the_minimum(self, till, cashier):
        seller = cashier.seller()
        send = SendPayouts(check=till.check_payout, ids=till.market.ids, minimum=15_000)
        till.send_payouts = send
        first = cashier.sent(seller)
        assert cashier.payout(first).status is PayoutStatus.DUE
        second = cashier.sent(seller)
        payouts = cashier.payout(first), cashier.payout(second)
        assert {payout.status for payout in payouts} == {PayoutStatus.PAID}
        assert payouts[0].batch_id == payouts[1].batch_id

    def test_are_sent_whole_although_a_turn_ends(self, till, cashier):
        seller = cashier.seller()
        orders = cashier.due_together(seller, seller, seller)
        send = SendPayouts(check=till.check_payout, ids=till.market.ids, minimum=25_000, limit=2)
        assert [send(), send(), send()] == [2, 1, 0]
        assert {cashier.payout(order_id).status for order_id in orders} == {PayoutStatus.PAID}

    def test_are_bounded_by_the_time_that_the_provider_takes(self, till, cashier, clock):
        seller = cashier.seller()
        cashier.due_together(seller, seller)
        till.gateway.interrupt("create_transfer", when="after", by=lambda: clock.advance(TURN))
        assert till.send_payouts() == 1

    def test_of_many_sellers_are_all_gathered(self, till, cashier):
        orders = cashier.due_together(*[cashier.seller() for _ in range(3)])
        send = SendPayouts(check=till.check_payout, ids=till.market.ids, minimum=0, limit=2)
        assert send.gather() == 3
        assert None not in {cashier.payout(order_id).batch_id for order_id in orders}

    def test_go_on_when_one_payout_cannot_be_applied(self, till, cashier):
        first, second = cashier.due_together(cashier.seller(), cashier.seller())
        till.gateway.interrupt("create_transfer", when="before", by=RuntimeError("a bug"))
        assert till.send_payouts() == 2
        assert [cashier.payout(o).status for o in (first, second)] == [PayoutStatus.SENDING, PayoutStatus.PAID]
        till.work_for(minutes=2)
        assert cashier.payout(first).status is PayoutStatus.PAID


class TestAnAnswerThatIsLost:
    @pytest.mark.parametrize("when", ["before", "after"])
    def test_is_asked_for_again_under_the_same_key(self, till, cashier, when):
        """Scenarios 7 and 30."""
        order_id = cashier.due(cashier.seller())
        till.gateway.interrupt("create_transfer", when=when, by=SILENT)
        till.send_payouts()
        payout = cashier.payout(order_id)
        assert (payout.status, payout.attempt) == (PayoutStatus.SENDING, 1)
        assert "provider_silent" in payout.last_error
        till.work_for(minutes=1)
        payout = cashier.payout(order_id)
        assert (payout.status, payout.attempt, payout.last_error) == (PayoutStatus.PAID, 1, "")
        assert cashier.transfers(order_id) == 1
        assert till.findings() == []

    @pytest.mark.parametrize(("when", "attempt"), [("before", 2), ("after", 1)])
    def test_is_looked_up_once_its_key_may_be_forgotten(self, till, cashier, clock, when, attempt):
        """Scenario 8."""
        order_id = cashier.due(cashier.seller())
        till.gateway.interrupt("create_transfer", when=when, by=SILENT)
        till.send_payouts()
        clock.advance(KEY_LIFETIME)
        till.send_payouts()
        payout = cashier.payout(order_id)
        assert (payout.status, payout.attempt) == (PayoutStatus.PAID, attempt)
        assert cashier.transfers(order_id) == 1

    @pytest.mark.parametrize(("when", "attempt"), [("before", 2), ("after", 1)])
    def test_that_stays_lost_is_looked_up_before_the_next_key(self, till, cashier, when, attempt):
        """Scenario 12: the provider keeps answering the key with its error."""
        order_id = cashier.due(cashier.seller())
        till.gateway.interrupt("create_transfer", when=when, by=SILENT)
        for _ in range(7):
            till.gateway.interrupt("create_transfer", when="before", by=FAILED)
        till.work_for(hours=1)
        payout = cashier.payout(order_id)
        assert (payout.status, payout.attempt) == (PayoutStatus.PAID, attempt)
        assert cashier.transfers(order_id) == 1

    def test_keeps_its_key_while_it_may_still_be_done(self, till, cashier):
        """Silence is no answer: a request that has timed out may be carried out after any look-up."""
        order_id = cashier.due(cashier.seller())
        for _ in range(12):
            till.gateway.interrupt("create_transfer", when="before", by=SILENT)
        till.work_for(hours=2)
        payout = cashier.payout(order_id)
        assert (payout.status, payout.attempt) == (PayoutStatus.PAID, 1)

    def test_holds_up_nobody_else(self, till, cashier):
        order_id = cashier.due(cashier.seller(), cashier.seller())
        till.gateway.interrupt("create_transfer", when="before", by=RateLimited("slow down"))
        till.send_payouts()
        assert sorted(payout.status for payout in till.payouts(order_id)) == [PayoutStatus.PAID, PayoutStatus.SENDING]

    def test_is_not_applied_by_a_worker_that_was_overtaken(self, till, cashier, clock):
        order_id = cashier.due(cashier.seller())

        def be_overtaken():
            clock.advance(LEASE_FOR)
            till.send_payouts()

        till.gateway.interrupt("create_transfer", when="after", by=be_overtaken)
        till.send_payouts.gather()
        payout, is_begun = till.check_payout.take_next()
        assert is_begun
        with pytest.raises(PayoutBusy):
            till.check_payout.go_on(payout)
        assert cashier.payout(order_id).status is PayoutStatus.PAID
        assert cashier.transfers(order_id) == 1

    def test_is_not_noted_by_a_worker_that_was_overtaken(self, till, cashier, clock):
        order_id = cashier.due(cashier.seller())

        def be_overtaken_and_hear_nothing():
            clock.advance(LEASE_FOR)
            till.send_payouts()
            raise SILENT

        till.gateway.interrupt("create_transfer", when="after", by=be_overtaken_and_hear_nothing)
        till.send_payouts()
        assert (cashier.payout(order_id).status, cashier.payout(order_id).last_error) == (PayoutStatus.PAID, "")

    def test_belongs_to_one_worker_at_a_time(self, till, cashier):
        order_id = cashier.due(cashier.seller())
        till.send_payouts.gather()
        assert till.check_payout.take_next() is not None
        assert till.check_payout.take_next() is None
        with pytest.raises(PayoutBusy):
            till.check_payout(cashier.payout(order_id).id)


class TestARefusal:
    def test_for_lack_of_money_is_tried_again_under_another_key(self, till, cashier):
        """Scenario 28: other sellers of the order are paid, and operators hear of the third refusal."""
        order_id = cashier.due(cashier.seller(), cashier.seller())
        for _ in range(3):
            till.gateway.interrupt("create_transfer", when="before", by=NO_MONEY)
        till.send_payouts()
        assert {payout.status for payout in till.payouts(order_id)} == {PayoutStatus.DUE}
        till.work_for(minutes=5)
        assert alarms(till) == []
        statuses = sorted(payout.status for payout in till.payouts(order_id))
        assert statuses == [PayoutStatus.DUE, PayoutStatus.PAID]
        till.work_for(hours=1)
        assert {payout.status for payout in till.payouts(order_id)} == {PayoutStatus.PAID}
        assert sorted(payout.attempt for payout in till.payouts(order_id)) == [2, 3]
        assert till.findings() == []

    def test_raises_an_alarm_when_it_is_the_third(self, till, cashier):
        cashier.due(cashier.seller())
        for _ in range(3):
            till.gateway.interrupt("create_transfer", when="before", by=NO_MONEY)
        till.work_for(hours=1)
        (alarm,) = alarms(till)
        assert "3 times in a row" in alarm.reason

    def test_by_the_seller_s_account_has_it_read_again_and_the_seller_told_once(self, till, cashier):
        """Scenario 29."""
        seller = cashier.seller()
        orders = cashier.due_together(seller, seller)
        cashier.onboard(seller, succeed=False, told=False)
        till.send_payouts()
        for order_id in orders:
            payout = cashier.payout(order_id)
            assert (payout.status, payout.blocked) == (PayoutStatus.DUE, True)
            assert "seller_not_payable" in payout.last_error
        assert sum(isinstance(event, PayoutFailed) for event in till.events()) == 1
        with till.market.unit_of_work() as uow:
            assert uow.payout_accounts.find(seller.account_id).next_check_at == till.market.clock.now()
        cashier.onboard(seller, succeed=True)
        assert till.try_blocked_payouts(seller_id=seller.account_id) == 2
        till.send_payouts()
        assert {cashier.payout(order_id).status for order_id in orders} == {PayoutStatus.PAID}
        assert sum(isinstance(event, PayoutFailed) for event in till.events()) == 1

    def test_is_foreseen_while_the_account_is_known_to_be_restricted(self, till, cashier):
        seller = cashier.seller(ready=False)
        order_id = cashier.sent(seller)
        assert "cannot receive" in cashier.payout(order_id).last_error
        assert "create_transfer" not in till.gateway.calls

    @pytest.mark.parametrize("fault", [InvalidRequest("too large"), KeyReused("other words")])
    def test_that_is_our_fault_waits_for_an_operator(self, till, cashier, fault):
        """Scenario 9."""
        order_id = cashier.due(cashier.seller())
        till.gateway.interrupt("create_transfer", when="before", by=fault)
        till.work_for(hours=12)
        payout = cashier.payout(order_id)
        assert (payout.status, payout.next_check_at) == (PayoutStatus.DUE, None)
        assert len(alarms(till)) == 1

    def test_of_a_key_that_had_executed_is_found_out(self, till, cashier):
        order_id = cashier.due(cashier.seller())
        till.gateway.interrupt("create_transfer", when="after", by=KeyReused("other words"))
        till.send_payouts()
        assert cashier.payout(order_id).status is PayoutStatus.PAID

    def test_by_an_account_that_is_gone_meanwhile_leaves_it_due(self, till, cashier):
        seller = cashier.seller()
        order_id = cashier.due(seller)

        def lose_the_account():
            with till.market.unit_of_work() as uow:
                uow.payout_accounts.remove(seller.account_id)
                uow.commit()
            raise SellerNotPayable("closed")

        till.gateway.interrupt("create_transfer", when="before", by=lose_the_account)
        till.send_payouts()
        assert cashier.payout(order_id).status is PayoutStatus.DUE


class TestATransferThatIsNotTheOneThatWasAskedFor:
    @pytest.mark.parametrize("other", [{"amount": 1}, {"currency": "USD"}, {"destination": "acct_other"}])
    def test_stops_the_payout_until_somebody_has_looked(self, till, cashier, other):
        order_id = cashier.due(cashier.seller())
        till.gateway.interrupt("create_transfer", when="instead", by=lambda transfer: replace(transfer, **other))
        till.work_for(minutes=30)
        payout = cashier.payout(order_id)
        assert (payout.status, payout.next_check_at) == (PayoutStatus.SENDING, None)
        assert len(alarms(till)) == 1


class TestAsked:
    def test_for_one_payout_it_is_sent_alone(self, till, cashier):
        order_id = cashier.due(cashier.seller())
        payout = till.check_payout(cashier.payout(order_id).id)
        assert payout.status is PayoutStatus.PAID
        assert till.check_payout(payout.id).status is PayoutStatus.PAID

    def test_a_lease_that_ran_out_is_taken_over(self, till, cashier, clock):
        order_id = cashier.due(cashier.seller())
        till.send_payouts.gather()
        till.check_payout.take_next()
        clock.advance(LEASE_FOR + timedelta(seconds=1))
        till.send_payouts()
        assert cashier.payout(order_id).status is PayoutStatus.PAID
