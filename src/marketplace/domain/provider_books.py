"""The payment provider's own books, and which of our journals each of its movements should have.

The provider's types of movement (its reference, "balance transaction types") are an open set: one that is not known
here has no journal and is for an operator.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from marketplace.domain import journals
from marketplace.domain.ledger import Journal, JournalKind

_BY_SOURCE = {
    "charge": (JournalKind.PAYMENT_CAPTURED, "charge:{}"),
    "payment": (JournalKind.PAYMENT_CAPTURED, "charge:{}"),
    "refund": (JournalKind.REFUND_CREATED, "refund_sent:{}"),
    "payment_refund": (JournalKind.REFUND_CREATED, "refund_sent:{}"),
    "refund_failure": (JournalKind.REFUND_FAILED, "refund_failed:{}"),
    "payment_failure_refund": (JournalKind.REFUND_FAILED, "refund_failed:{}"),
    "transfer": (JournalKind.TRANSFER_CREATED, "transfer:{}"),
    "transfer_refund": (JournalKind.TRANSFER_REVERSED, "reversal:{}"),
    "transfer_cancel": (JournalKind.TRANSFER_REVERSED, "reversal:{}"),
    "transfer_failure": (JournalKind.TRANSFER_REVERSED, "reversal:{}"),
    "payout": (JournalKind.PAYOUT_CREATED, "payout:{}"),
    "payout_cancel": (JournalKind.PAYOUT_FAILED, "payout_failed:{}"),
    "payout_failure": (JournalKind.PAYOUT_FAILED, "payout_failed:{}"),
}
_DISPUTES = {
    "dispute": (JournalKind.CHARGEBACK_WITHDRAWN, "dispute:{}:withdrawn"),
    "dispute_reversal": (JournalKind.CHARGEBACK_WON, "dispute:{}:reinstated"),
}
_FEES = frozenset({"stripe_fee", "stripe_fx_fee", "tax_fee"})
_TOPUPS = frozenset({"topup", "topup_reversal"})
_PAYOUTS = frozenset({"payout", "payout_cancel", "payout_failure"})
_RESERVES = ("reserve", "payout_minimum_balance_")


@dataclass(frozen=True, kw_only=True, slots=True)
class Booking:
    """A journal that a movement should have; ``amount`` is what that moves on our balance at the provider."""

    kind: JournalKind
    source_key: str
    amount: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Movement:
    """One movement on our balance at the provider, in its words; ``net`` = ``amount`` - ``fee``, in minor units."""

    id: str
    type: str
    reporting_category: str
    source: str
    amount: int
    fee: int
    net: int
    currency: str
    created_at: datetime
    available_at: datetime

    @property
    def is_reserve(self) -> bool:
        """Money that the provider keeps aside, or no longer does: still ours, so that there is nothing to book."""
        return self.type.startswith(_RESERVES)

    @property
    def is_of_payout(self) -> bool:
        """On its way to our bank, or back from there."""
        return self.type in _PAYOUTS

    @property
    def is_known(self) -> bool:
        """Whether it is clear what it should be booked as."""
        return self.is_reserve or bool(self.bookings())

    def bookings(self) -> tuple[Booking, ...]:
        """The journals it should have, that of its fee last; none when nobody knows, or when there is nothing to book.

        A chargeback and its fee are one journal, any other fee is one of its own.
        """
        if self.type in _FEES:
            return (Booking(kind=JournalKind.STRIPE_FEE, source_key=f"fee:{self.id}", amount=self.net),)
        if self.type in _TOPUPS:
            kind, key, amount = JournalKind.TOPUP, f"topup:{self.id}", self.amount
        elif self.type == "adjustment" and self.reporting_category in _DISPUTES:
            kind, template = _DISPUTES[self.reporting_category]
            return (Booking(kind=kind, source_key=template.format(self.id), amount=self.net),)
        elif self.type in _BY_SOURCE:
            kind, template = _BY_SOURCE[self.type]
            key, amount = template.format(self.source), self.amount
        else:
            return ()
        main = Booking(kind=kind, source_key=key, amount=amount)
        fee = Booking(kind=JournalKind.STRIPE_FEE, source_key=f"fee:{self.id}", amount=-self.fee)
        return (main, fee) if self.fee else (main,)

    def own_journals(self) -> tuple[Journal, ...]:
        """What is booked on the word of this movement alone: fees that are for no purchase, and top-ups.

        The fee of a purchase is booked with its payment, under its order.
        """
        found = []
        for booking in self.bookings():
            if booking.kind is JournalKind.TOPUP and booking.amount:
                found.append(
                    journals.topup(
                        balance_transaction_id=self.id,
                        currency=self.currency,
                        amount=booking.amount,
                        at=self.created_at,
                    )
                )
            elif booking.kind is JournalKind.STRIPE_FEE and not self._is_purchase and booking.amount:
                found.append(
                    journals.stripe_fee(
                        balance_transaction_id=self.id,
                        order_id=None,
                        currency=self.currency,
                        fee=-booking.amount,
                        at=self.created_at,
                    )
                )
        return tuple(found)

    @property
    def _is_purchase(self) -> bool:
        return self.type in ("charge", "payment")
