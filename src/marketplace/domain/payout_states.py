"""Payouts' states, what keeps them back, and what happens to them that others react to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from marketplace.domain.shared.errors import Conflict
from marketplace.domain.shared.events import Event


class PayoutStatus(StrEnum):
    PENDING = "pending"
    DUE = "due"
    SENDING = "sending"
    PAID = "paid"
    ON_HOLD = "on_hold"
    REVERSED = "reversed"

    @property
    def is_open(self) -> bool:
        """Whether the seller may still be paid by it."""
        return self not in (PayoutStatus.PAID, PayoutStatus.REVERSED)


class HoldReason(StrEnum):
    """Why a payout is kept back. ``currency``: the order's money arrived in another currency than it can be sent in."""

    DISPUTE = "dispute"
    CHARGEBACK = "chargeback"
    SELLER_SUSPENDED = "seller_suspended"
    OPERATOR = "operator"
    CURRENCY = "currency"

    @property
    def is_claim(self) -> bool:
        """Whether somebody claims the money, so that the sale cannot complete meanwhile."""
        return self in (HoldReason.DISPUTE, HoldReason.CHARGEBACK)


class PayoutBusy(Conflict):
    """Somebody else is speaking to the provider about this payout right now."""

    code = "payout_busy"


@dataclass(frozen=True, kw_only=True, slots=True)
class PayoutSent(Event):
    """The seller has the money at the payment provider. ``amount``: what was transferred, in minor units."""

    payout_id: int
    sale_id: int
    order_id: int
    seller_id: int
    amount: int
    currency: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PayoutHeld(Event):
    """A payout that would have gone its way is kept back."""

    payout_id: int
    sale_id: int
    order_id: int
    seller_id: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PayoutFailed(Event):
    """The seller's account at the provider cannot receive what is due. Told once, however many payouts wait for it."""

    payout_id: int
    sale_id: int
    order_id: int
    seller_id: int
    reason: str


@dataclass(kw_only=True, slots=True)
class Hold:
    """One reason to keep a payout back, open until ``released_at``. ``count``: how often it was opened."""

    key: str
    reason: HoldReason
    opened_at: datetime
    released_at: datetime | None = None
    count: int = 1

    @property
    def is_open(self) -> bool:
        return self.released_at is None

    @property
    def journal_key(self) -> str:
        """Names one opening of the hold and its end in the ledger."""
        return self.key if self.count == 1 else f"{self.key}:{self.count}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sending:
    """What a transfer was asked for with: sent again word for word, as its key demands. ``amount`` in minor units."""

    amount: int
    destination: str
    source_charge: str | None
    first_sent_at: datetime
