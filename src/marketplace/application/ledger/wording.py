"""What a journal says, in plain words."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.application.ports.ledger import LedgerEntry
from marketplace.domain.ledger import JournalKind
from marketplace.domain.shared.money import Money

_SAID: Mapping[JournalKind, str] = {
    JournalKind.PAYMENT_CAPTURED: "the buyer paid {amount}; shared out as agreed",
    JournalKind.STRIPE_FEE: "the payment provider kept {amount} as its fee",
    JournalKind.ORDER_COMPLETED: "the sale was complete: {amount} may be paid to the seller",
    JournalKind.DISPUTE_HOLD: "a dispute or chargeback keeps {amount} of the seller back",
    JournalKind.DISPUTE_RELEASE: "no dispute or chargeback keeps {amount} of the seller back any more",
    JournalKind.PAYOUT_HOLD: "a restriction of the seller, or an operator, keeps {amount} back",
    JournalKind.PAYOUT_RELEASE: "no restriction keeps {amount} of the seller back any more",
    JournalKind.TRANSFER_CREATED: "{amount} were transferred to the seller",
    JournalKind.TRANSFER_REVERSED: "{amount} were taken back from the seller",
    JournalKind.REFUND_DECIDED: "a refund of {amount} was decided",
    JournalKind.REFUND_CREATED: "{amount} were sent back to the buyer",
    JournalKind.REFUND_FAILED: "a refund of {amount} came back to us, and is owed again",
    JournalKind.REFUND_SETTLED: "a refund of {amount} that had failed was paid in another way",
    JournalKind.RECEIVABLE_NETTED: "{amount} of the payout paid what the seller owed",
    JournalKind.SELLER_WRITEOFF: "{amount} that a seller owed were written off",
    JournalKind.CHARGEBACK_WITHDRAWN: "the buyer's bank took {amount} back, the provider's fee for that included",
    JournalKind.CHARGEBACK_WON: "the buyer's bank gave {amount} back to us",
    JournalKind.CHARGEBACK_LOST: "the chargeback was lost: {amount} were shared out among sellers and us",
    JournalKind.PAYOUT_CREATED: "{amount} left for our bank",
    JournalKind.PAYOUT_PAID: "{amount} reached our bank",
    JournalKind.PAYOUT_FAILED: "{amount} came back from our bank",
    JournalKind.TOPUP: "{amount} came from our bank",
    JournalKind.CARRIER_PAID: "{amount} were paid to a carrier",
    JournalKind.UNEXPLAINED: "{amount} that nobody could explain were put into suspense",
}


def said(entry: LedgerEntry) -> str:
    """``the buyer paid 121.12 EUR; shared out as agreed (charge:ch_1)``."""
    moved = sum(line.amount.amount for line in entry.lines if line.amount.amount > 0)
    return f"{_SAID[entry.kind].format(amount=Money(moved, entry.currency))} ({entry.source_key})"
