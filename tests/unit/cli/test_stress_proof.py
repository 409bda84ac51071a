"""What `marketplace stress money` would notice: money that moved twice, never, or otherwise than is booked."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from marketplace.application.ports.payment_gateway import BalanceTransaction
from marketplace.application.ports.transfers import ProviderTransfer
from marketplace.domain.payments.refund import Refund, RefundCause, RefundStatus
from marketplace.domain.payout_states import PayoutStatus
from marketplace.domain.payouts import Payout
from marketplace.domain.recoveries import Recovery
from marketplace.domain.shared.ids import AccountId, OrderId, PaymentId, PayoutId, RecoveryId, RefundId, SaleId
from marketplace.domain.shared.money import Money
from marketplace.entrypoints.cli.stress.proof import Ours, payout_faults, refund_faults, reversal_faults

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


def moved(category, source, amount):
    return BalanceTransaction(
        id=f"txn_{source}",
        type=category,
        reporting_category=category,
        source=source,
        amount=amount,
        fee=0,
        net=amount,
        currency="EUR",
        created_at=NOW,
        available_at=NOW,
    )


@pytest.fixture
def payout():
    payout = Payout.open(
        id=PayoutId(1),
        order_id=OrderId(2),
        sale_id=SaleId(3),
        seller_id=AccountId(4),
        amount=Money(950, "EUR"),
        now=NOW,
    )
    payout.fall_due(now=NOW)
    payout.begin(destination="acct_1", source_charge="ch_1", now=NOW, until=NOW)
    payout.executed("tr_1", now=NOW)
    return payout


@pytest.fixture
def transfer():
    return ProviderTransfer(
        id="tr_1",
        amount=950,
        amount_reversed=0,
        currency="EUR",
        destination="acct_1",
        payout_id=PayoutId(1),
        balance_transaction_id="txn_1",
        created_at=NOW,
    )


@pytest.fixture
def recovery(payout):
    recovery = Recovery.decide(
        id=RecoveryId(5),
        payout_id=payout.id,
        order_id=payout.order_id,
        sale_id=payout.sale_id,
        seller_id=payout.seller_id,
        amount=Money(100, "EUR"),
        cause="refund:6",
        now=NOW,
    )
    recovery.lease(reversible=950, now=NOW, until=NOW)
    recovery.reversed("trr_1", recovery.sending_amount, now=NOW)
    return recovery


@pytest.fixture
def refund():
    return Refund(
        id=RefundId(6),
        order_id=OrderId(2),
        payment_id=PaymentId(7),
        amount=Money(105, "EUR"),
        cause=RefundCause.SELLER,
        reason="a test",
        parts=(),
        decided_at=NOW,
        status=RefundStatus.SUCCEEDED,
        provider_refund_id="re_1",
    )


class TestPayouts:
    def test_one_transfer_of_what_is_due_is_right(self, payout, transfer):
        assert list(payout_faults(Ours(payouts=[payout]), [transfer])) == []

    @pytest.mark.parametrize("change", [{"id": "tr_2"}, {"amount": 951}])
    def test_a_transfer_that_differs_is_not(self, payout, transfer, change):
        assert list(payout_faults(Ours(payouts=[payout]), [replace(transfer, **change)]))

    def test_nor_are_none_two_and_one_of_a_payout_that_is_not_there(self, payout, transfer):
        assert list(payout_faults(Ours(payouts=[payout]), []))
        assert list(payout_faults(Ours(payouts=[payout]), [transfer, replace(transfer, id="tr_2")]))
        assert list(payout_faults(Ours(), [transfer]))

    def test_nor_is_less_than_was_due_or_a_debt_that_nobody_collects(self, payout, transfer):
        payout.netted_amount = 1
        assert list(payout_faults(Ours(payouts=[payout]), [transfer]))
        payout.netted_amount, payout.reclaimed_amount = 0, 100
        assert list(payout_faults(Ours(payouts=[payout]), [transfer]))

    def test_what_was_taken_back_before_is_not_sent(self, payout):
        never_sent = Payout.open(
            id=PayoutId(1),
            order_id=OrderId(2),
            sale_id=SaleId(3),
            seller_id=AccountId(4),
            amount=Money(950, "EUR"),
            now=NOW,
        )
        never_sent.take(950)
        assert never_sent.status is PayoutStatus.REVERSED
        assert list(payout_faults(Ours(payouts=[never_sent]), [])) == []


class TestReversals:
    def test_each_once(self, recovery):
        reversal = moved("transfer_reversal", "trr_1", 100)
        ours = Ours(recoveries=[recovery])
        assert list(reversal_faults(ours, [reversal])) == []
        assert list(reversal_faults(ours, []))
        assert list(reversal_faults(ours, [reversal, replace(reversal, source="trr_2")]))
        assert list(reversal_faults(ours, [replace(reversal, amount=99)]))


class TestRefunds:
    def test_each_once_and_come_to_stay(self, refund):
        sent, ours = moved("refund", "re_1", -105), Ours(refunds=[refund])
        assert list(refund_faults(ours, [sent])) == []
        assert list(refund_faults(ours, []))
        assert list(refund_faults(ours, [sent, replace(sent, source="re_2")]))
        assert list(refund_faults(ours, [sent, moved("refund_failure", "re_1", 105)]))
