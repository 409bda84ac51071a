"""A backup is restored: the provider has done what our books have still before them, and has forgotten the keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from marketplace.application.ports.payment_gateway import OutcomeUnknown, ProviderObjectUnknown
from marketplace.domain.payments.refund import RefundStatus
from marketplace.domain.payout_states import PayoutStatus
from marketplace.domain.recoveries import RecoveryStatus
from marketplace.domain.shared.provider import KEY_LIFETIME, ProviderAlarm
from tests.cashier import Cashier
from tests.till import Till

SILENT = OutcomeUnknown("no answer")


class Backup:
    """``restore`` brings our books back to where they were when it was made, more than a day before."""

    def __init__(self, till: Till, snapshot) -> None:
        self.till, self._go_back = till, snapshot()

    def restore(self, *, after: timedelta = KEY_LIFETIME, forgotten: bool = True) -> None:
        state: Any = self.till.state
        provider, now = state.contents, self.till.market.clock.now() + after
        self._go_back()
        state.contents = replace(provider, answers={}) if forgotten else provider
        self.till.market.clock.set(now)
        self.till.gateway.calls.clear()


@pytest.fixture
def remembering():
    return Till.remembering()


@pytest.fixture
def till(remembering) -> Till:
    return remembering[0]


@pytest.fixture
def cashier(till) -> Cashier:
    return Cashier(till)


@pytest.fixture
def backup(remembering):
    """Call it to make one."""
    till, snapshot = remembering
    return lambda: Backup(till, snapshot)


def at_the_provider(till, kind, parent):
    with till.state.begin() as state:
        return [(each["amount"], each.get("amount_reversed")) for each in state.children(kind, str(parent))]


def alarms(till):
    return [event.reason for event in till.events() if isinstance(event, ProviderAlarm)]


class TestAPayout:
    @pytest.fixture
    def order_id(self, cashier):
        return cashier.due(cashier.seller())

    def test_that_was_sent_since_is_found_and_not_sent_again(self, till, cashier, order_id, backup):
        made = backup()
        till.work()
        sent = cashier.payout(order_id)
        made.restore()
        till.work()
        payout = cashier.payout(order_id)
        assert (payout.status, payout.transfer_id, payout.attempt) == (PayoutStatus.PAID, sent.transfer_id, 1)
        assert "create_transfer" not in till.gateway.calls
        assert cashier.transfers(order_id) == 1
        assert till.findings() == []

    def test_that_was_not_is_sent_under_its_first_key(self, till, cashier, order_id, clock):
        clock.advance(KEY_LIFETIME)
        till.work()
        payout = cashier.payout(order_id)
        assert (payout.status, payout.attempt, cashier.transfers(order_id)) == (PayoutStatus.PAID, 1, 1)
        assert [call for call in till.gateway.calls if "transfer" in call][:2] == ["find_transfer", "create_transfer"]

    def test_is_not_looked_for_while_the_provider_remembers_it(self, till, cashier, order_id, backup):
        made = backup()
        till.work()
        made.restore(after=timedelta(hours=1), forgotten=False)
        till.work()
        assert "find_transfer" not in till.gateway.calls
        assert (cashier.payout(order_id).status, cashier.transfers(order_id)) == (PayoutStatus.PAID, 1)

    def test_is_looked_for_again_when_the_look_up_was_not_answered(self, till, cashier, order_id, backup):
        """Its sending is on record since, but nothing was sent and nothing is known."""
        made = backup()
        till.work()
        made.restore()
        till.gateway.interrupt("find_transfer", when="before", by=SILENT)
        till.work()
        assert cashier.payout(order_id).status is PayoutStatus.SENDING
        till.work_for(minutes=1)
        assert (cashier.payout(order_id).status, cashier.transfers(order_id)) == (PayoutStatus.PAID, 1)

    def test_that_was_sent_with_another_amount_is_stopped_with_an_alarm(self, till, cashier, order_id, backup):
        made = backup()
        cashier.refund(order_id, "40.00")
        till.work()
        made.restore()
        till.work()
        payout = cashier.payout(order_id)
        assert (payout.status, payout.next_check_at) == (PayoutStatus.SENDING, None)
        assert at_the_provider(till, "transfer", order_id) == [(5_700, 0)]
        assert len([reason for reason in alarms(till) if "moved 5700" in reason]) == 1


class TestARecovery:
    @pytest.fixture
    def order_id(self, till, cashier):
        order_id = cashier.sent(cashier.seller())
        cashier.refund(order_id, "40.00")
        return order_id

    def test_that_was_taken_back_since_is_found_and_not_taken_again(self, till, cashier, order_id, backup):
        made = backup()
        till.work()
        known = cashier.recovery(order_id)
        made.restore()
        till.work()
        recovery = cashier.recovery(order_id)
        assert (recovery.status, recovery.reversal_id, recovery.attempt) == (
            RecoveryStatus.REVERSED,
            known.reversal_id,
            1,
        )
        assert "reverse_transfer" not in till.gateway.calls
        assert at_the_provider(till, "transfer", order_id) == [(9_500, 3_800)]
        assert till.findings() == []

    def test_that_was_not_is_taken_back_under_its_first_key(self, till, cashier, order_id, clock):
        clock.advance(KEY_LIFETIME)
        till.work()
        assert (cashier.recovery(order_id).status, cashier.recovery(order_id).attempt) == (RecoveryStatus.REVERSED, 1)
        assert [call for call in till.gateway.calls if "revers" in call][:2] == ["find_reversal", "reverse_transfer"]

    def test_is_found_although_it_was_told_as_a_reversal_of_nobody_s(self, till, cashier, backup):
        """News of the transfer came first, and of all that it brought nothing is left there."""
        seller = cashier.seller()
        order_id = cashier.sent(seller)
        cashier.refund(order_id)
        made = backup()
        till.work()
        made.restore()
        assert till.check_transfer(cashier.payout(order_id).transfer_id)
        till.work()
        assert (cashier.recovery(order_id).status, cashier.books(seller)) == (RecoveryStatus.REVERSED, {})
        assert at_the_provider(till, "transfer", order_id) == [(9_500, 9_500)]

    def test_of_which_another_part_was_taken_is_booked_as_it_was(self, till, cashier, order_id, backup):
        """Two recoveries of one transfer that came in another order: each has what the provider gave it."""
        made = backup()
        till.work()
        made.restore()
        till.gateway.interrupt("find_reversal", when="instead", by=lambda found: replace(found, amount=3_000))
        till.work()
        recovery = cashier.recovery(order_id)
        assert (recovery.reversed_amount, recovery.left, recovery.status) == (3_000, 800, RecoveryStatus.REFUSED)

    def test_of_a_transfer_that_the_provider_does_not_know_is_owed(self, till, cashier, order_id, clock):
        clock.advance(KEY_LIFETIME)
        for call in ("find_reversal", "reverse_transfer", "find_reversal"):
            till.gateway.interrupt(call, when="before", by=ProviderObjectUnknown("no such transfer"))
        till.work()
        assert cashier.recovery(order_id).status is RecoveryStatus.REFUSED
        assert len(alarms(till)) == 1


class TestARefund:
    @pytest.fixture
    def order_id(self, till, cashier):
        order_id = cashier.paid(cashier.seller())
        cashier.refund(order_id, "40.00")
        return order_id

    def test_that_was_sent_since_is_found_and_not_sent_again(self, till, order_id, backup):
        made = backup()
        till.work()
        (sent,) = till.refunds(order_id)
        made.restore()
        till.work()
        (refund,) = till.refunds(order_id)
        assert (refund.status, refund.provider_refund_id, refund.attempt) == (
            RefundStatus.SUCCEEDED,
            sent.provider_refund_id,
            1,
        )
        assert "refund" not in till.gateway.calls
        assert at_the_provider(till, "refund", till.payment(order_id).intent_id) == [(4_000, None)]
        assert till.findings() == []

    def test_that_was_not_is_sent_under_its_first_key(self, till, order_id, clock):
        clock.advance(KEY_LIFETIME)
        till.work()
        (refund,) = till.refunds(order_id)
        assert (refund.status, refund.attempt) == (RefundStatus.SUCCEEDED, 1)
        assert [call for call in till.gateway.calls if "refund" in call][:2] == ["find_refund", "refund"]


def test_of_all_that_was_sent_since_nothing_moves_twice(till, cashier, backup):
    """A payout, a refund and what is taken back of another payout: done at the provider, not in the backup."""
    first, second, third = (cashier.seller() for _ in range(3))
    due, refunded, taken = cashier.due(first), cashier.paid(second), cashier.sent(third)
    cashier.refund(refunded, "40.00")
    cashier.refund(taken, "40.00")
    made = backup()
    till.work()
    assert till.findings() == []
    orders = (due, refunded, taken)

    def everything():
        moved = [at_the_provider(till, "transfer", order_id) for order_id in orders]
        moved += [at_the_provider(till, "refund", till.payment(order_id).intent_id) for order_id in orders]
        return moved, [cashier.books(seller) for seller in (first, second, third)]

    done = everything()
    made.restore(after=timedelta(days=2))
    assert everything() != done
    till.work()
    assert everything() == done
    assert (till.findings(), alarms(till)) == ([], [])
