"""Payouts and recoveries by themselves: what they refuse, and what no use case leads to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.domain.payout_states import HoldReason, PayoutBusy, PayoutStatus
from marketplace.domain.payouts import Payout
from marketplace.domain.recoveries import Recovery, RecoveryBusy, RecoveryStatus
from marketplace.domain.shared.errors import IllegalTransition, Invalid
from tests.builders import NOW, euros

MINUTE = timedelta(minutes=1)


def a_payout(amount: int = 9_500) -> Payout:
    return Payout.open(id=1, order_id=2, sale_id=3, seller_id=7, amount=euros(amount), now=NOW)


def a_recovery(amount: int = 3_800) -> Recovery:
    return Recovery.decide(
        id=11, payout_id=1, order_id=2, sale_id=3, seller_id=7, amount=euros(amount), cause="refund:5", now=NOW
    )


class TestPayout:
    def test_is_of_nothing_or_more(self):
        assert a_payout(0).remaining == 0
        with pytest.raises(Invalid, match="fees are higher"):
            a_payout(-1)

    def test_is_sent_only_when_it_is_due(self):
        with pytest.raises(IllegalTransition):
            a_payout().begin(destination="acct_1", source_charge=None, now=NOW, until=NOW + MINUTE)

    def test_names_each_attempt_at_its_transfer(self):
        payout = a_payout()
        payout.fall_due(now=NOW)
        payout.begin(destination="acct_1", source_charge="ch_1", now=NOW, until=NOW + MINUTE)
        assert payout.key == "tr:1:1"
        with pytest.raises(PayoutBusy):
            payout.lease(now=NOW, until=NOW + MINUTE)
        payout.next_attempt(now=NOW + MINUTE)
        assert payout.key == "tr:1:2"
        payout.not_executed("no", now=NOW + MINUTE)
        assert payout.key == "tr:1:3"

    def test_that_is_over_can_be_held_for_the_record_only(self):
        payout = a_payout()
        payout.take(9_500)
        assert not payout.hold(key="dispute:1", reason=HoldReason.DISPUTE, now=NOW)
        assert (payout.status, payout.hold_reason) == (PayoutStatus.REVERSED, None)
        assert payout.release(key="dispute:1", now=NOW) is None
        assert not payout.fall_due(now=NOW)
        assert payout.due_at is None

    def test_waits_longer_after_each_refusal(self):
        payout = a_payout()
        payout.fall_due(now=NOW)
        pauses = []
        for _ in range(12):
            payout.put_off(now=NOW)
            pauses.append(payout.next_check_at - NOW)
        assert pauses[:3] == [timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=20)]
        assert max(pauses) == pauses[-1] == timedelta(hours=6)

    def test_names_each_opening_of_a_hold(self):
        payout = a_payout()
        for _ in range(2):
            payout.hold(key="dispute:1", reason=HoldReason.DISPUTE, now=NOW)
            ended = payout.release(key="dispute:1", now=NOW)
        assert ended.journal_key == "dispute:1:2"


class TestRecovery:
    def test_is_leased_once_at_a_time(self):
        recovery = a_recovery()
        recovery.lease(reversible=9_500, now=NOW, until=NOW + MINUTE)
        assert (recovery.status, recovery.sending_amount) == (RecoveryStatus.SENDING, 3_800)
        assert recovery.key == "trr:5:7:1"
        with pytest.raises(RecoveryBusy):
            recovery.lease(reversible=9_500, now=NOW, until=NOW + MINUTE)

    def test_that_is_over_is_not_leased(self):
        recovery = a_recovery()
        recovery.refuse("no", now=NOW)
        with pytest.raises(IllegalTransition):
            recovery.lease(reversible=9_500, now=NOW, until=NOW + MINUTE)

    def test_is_netted_only_when_it_is_owed(self):
        with pytest.raises(IllegalTransition, match="is owed"):
            a_recovery().net(100, now=NOW)
