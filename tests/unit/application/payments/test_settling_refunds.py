"""Refunds that the provider could not send: tried again, or paid in another way; and those that wait for money."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from marketplace.application.access import OPERATOR
from marketplace.application.ports.payment_gateway import OutcomeUnknown, RefundNotPossible
from marketplace.domain import ledger
from marketplace.domain.identity import Role
from marketplace.domain.orders.returning import NothingToRefund
from marketplace.domain.payments.chargebacks import ChargebackOpen
from marketplace.domain.payments.payment import ProviderAlarm
from marketplace.domain.payments.refund import LACK_OF_FUNDS, NotGivenBack, PaidBy, RefundNotFailed, RefundStatus
from marketplace.domain.shared.errors import Forbidden, Invalid


@pytest.fixture
def paid(till, buyer, card):
    order_id = till.ordered(buyer, card)
    till.pay(buyer, order_id)
    till.work()
    return order_id


@pytest.fixture
def failed(till, paid):
    """Refused by the provider without ever having been there."""
    till.refund(paid)
    till.gateway.interrupt("refund", when="before", by=RefundNotPossible("no"))
    till.work()
    return till.refunds(paid)[0]


@pytest.fixture
def returned(till, paid):
    """Accepted by the provider, and sent back by the buyer's bank."""
    till.refund(paid)
    till.gateway.interrupt("refund", when="instead", by=_as_failed)
    till.work()
    return till.refunds(paid)[0]


def _as_failed(answer):
    return replace(answer, status=RefundStatus.FAILED, failure_reason="lost_or_stolen_card")


def retry(till, refund, actor=OPERATOR):
    till.retry_refund(actor=actor, refund_id=refund.id)


def settle(till, refund, *, actor=OPERATOR, paid_by=PaidBy.BANK, note="Transfer 42"):
    till.settle_refund(actor=actor, refund_id=refund.id, paid_by=paid_by, note=note)


def standing(till, account):
    with till.audit.snapshot() as facts:
        return sum(entry.balance.amount for entry in facts.balances() if entry.account == account)


class TestRetrying:
    def test_sends_it_under_another_key(self, till, paid, failed):
        retry(till, failed)
        (waiting,) = till.refunds(paid)
        assert (waiting.status, waiting.key, waiting.failure_reason) == (
            RefundStatus.DECIDED,
            f"re:{failed.id}:2",
            "",
        )
        till.work()
        assert till.refunds(paid)[0].status is RefundStatus.SUCCEEDED
        assert till.findings() == []

    def test_keeps_what_failed_before_apart(self, till, paid, returned):
        assert (returned.status, returned.failure_reason) == (RefundStatus.FAILED, "lost_or_stolen_card")
        retry(till, returned)
        (waiting,) = till.refunds(paid)
        assert waiting.earlier_provider_refund_ids == (returned.provider_refund_id,)
        # A look-up that finds the one that failed has found nothing of this attempt.
        assert not waiting.is_this(str(returned.provider_refund_id))
        assert waiting.is_this("re_another")

    def test_does_not_take_the_earlier_one_for_this_one(self, till, paid, returned):
        retry(till, returned)
        till.gateway.interrupt("refund", when="before", by=RefundNotPossible("no"))
        till.work()
        (refund,) = till.refunds(paid)
        assert (refund.status, refund.provider_refund_id) == (RefundStatus.FAILED, None)

    def test_is_for_what_failed(self, till, paid):
        refund = till.refund(paid)
        with pytest.raises(RefundNotFailed):
            retry(till, refund)

    def test_is_for_admins(self, till, market, failed):
        with pytest.raises(Forbidden):
            retry(till, failed, market.someone(roles=[Role.VERIFIER]))

    def test_waits_while_the_bank_may_give_it_back(self, till, paid, failed):
        till.provider.open_chargeback(till.payment(paid).intent_id)
        till.work()
        with pytest.raises(ChargebackOpen):
            retry(till, failed)


class TestNewsOfARefundThatWasGivenUp:
    """An event of the attempt before it may be days late."""

    @pytest.mark.parametrize("is_settled", [False, True])
    @pytest.mark.parametrize("later", [timedelta(0), timedelta(days=2)])
    def test_sends_nothing(self, till, paid, failed, is_settled, later):
        if is_settled:
            settle(till, failed)
        before = till.refunds(paid)[0]
        till.market.clock.advance(later)
        till.check_refund(failed.id)
        (after,) = till.refunds(paid)
        assert (after.status, after.key, after.provider_refund_id) == (before.status, before.key, None)
        assert after.failure_reason == "refund_not_possible"
        assert till.gateway.calls.count("refund") == 1
        assert till.findings() == []


class TestSettling:
    def test_books_what_our_bank_paid(self, till, paid, failed):
        assert standing(till, ledger.REFUNDS_PAYABLE) == -failed.amount.amount
        settle(till, failed)
        (refund,) = till.refunds(paid)
        assert (refund.status, refund.settled_note, refund.settled_by) == (
            RefundStatus.SETTLED_ELSEWHERE,
            "Transfer 42",
            None,
        )
        assert standing(till, ledger.REFUNDS_PAYABLE) == 0
        assert standing(till, ledger.BANK) == -failed.amount.amount
        assert till.findings() == []

    def test_by_a_chargeback_is_no_loss_a_second_time(self, till, market, paid):
        """The bank takes all of it, of which the refund that failed was booked already."""
        till.refund(paid, amount="40.00")
        till.gateway.interrupt("refund", when="before", by=RefundNotPossible("disputed"))
        till.send_refunds()
        (refund,) = till.refunds(paid)
        chargeback = till.provider.open_chargeback(till.payment(paid).intent_id)
        till.work()
        admin = market.someone(roles=[Role.ADMIN])
        with pytest.raises(NotGivenBack):
            settle(till, refund, actor=admin, paid_by=PaidBy.CHARGEBACK)
        till.provider.decide_chargeback(chargeback.id, is_won=False)
        till.work()
        lost = standing(till, ledger.CHARGEBACK_LOSSES)
        settle(till, refund, actor=admin, paid_by=PaidBy.CHARGEBACK)
        assert till.refunds(paid)[0].settled_by == admin.account_id
        assert standing(till, ledger.CHARGEBACK_LOSSES) == lost - 4_000
        assert standing(till, ledger.REFUNDS_PAYABLE) == 0
        assert till.findings() == []

    def test_by_a_chargeback_takes_one_that_was_lost(self, till, paid, returned):
        with pytest.raises(NotGivenBack):
            settle(till, returned, paid_by=PaidBy.CHARGEBACK)
        assert till.refunds(paid)[0].status is RefundStatus.FAILED
        assert standing(till, ledger.CHARGEBACK_LOSSES) == 0

    def test_needs_a_note_of_how(self, till, failed):
        with pytest.raises(Invalid):
            settle(till, failed, note=" ")

    def test_is_done_once(self, till, paid, failed):
        settle(till, failed)
        for act in (settle, retry):
            with pytest.raises(RefundNotFailed):
                act(till, failed)
        with pytest.raises(NothingToRefund):
            till.refund(paid)

    def test_is_for_admins(self, till, buyer, failed):
        with pytest.raises(Forbidden):
            settle(till, failed, actor=buyer)

    def test_stays_so_whatever_the_provider_says_later(self, till, paid, failed):
        settle(till, failed)
        till.check_refund(failed.id)
        assert till.refunds(paid)[0].status is RefundStatus.SETTLED_ELSEWHERE


class TestLackOfFunds:
    def test_is_told_once_and_waits_without_another_refund(self, till, paid):
        def waiting(answer):
            return replace(answer, status=RefundStatus.PENDING, failure_reason=LACK_OF_FUNDS)

        till.refund(paid)
        till.gateway.interrupt("refund", when="instead", by=waiting)
        till.send_refunds()
        (refund,) = till.refunds(paid)
        assert (refund.status, refund.failure_reason) == (RefundStatus.PENDING, LACK_OF_FUNDS)
        till.gateway.interrupt("find_refund", when="instead", by=waiting)
        till.check_refund(refund.id)
        alarms = [event for event in till.events() if isinstance(event, ProviderAlarm)]
        assert [(alarm.subject, "top it up" in alarm.reason) for alarm in alarms] == [(f"refund {refund.id}", True)]
        till.work_for(hours=1)
        assert till.refunds(paid)[0].status is RefundStatus.SUCCEEDED
        assert till.gateway.calls.count("refund") == 1


def test_an_unknown_outcome_is_looked_up_before_it_is_sent_again(till, paid):
    till.refund(paid)
    till.gateway.interrupt("refund", when="after", by=OutcomeUnknown("an answer that nobody can read"))
    till.send_refunds()
    assert till.refunds(paid)[0].status is RefundStatus.SENDING
    till.work_for(hours=25)
    assert till.refunds(paid)[0].status is RefundStatus.SUCCEEDED
    assert till.findings() == []
