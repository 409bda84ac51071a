"""Recoveries: money taken back from a seller whose payout was sent, or is being sent.

    decided ──> sending ──> reversed             (the provider took it back from the seller's balance there)
                       └──> refused ──> settled  (kept from later payouts bit by bit, or written off)

A recovery waits, ``decided``, for as long as the transfer of its payout is under way. What of it cannot be reversed is
owed (``refused``): it is kept from what the seller is paid next.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.errors import Conflict, IllegalTransition
from marketplace.domain.shared.events import Event
from marketplace.domain.shared.ids import AccountId, OrderId, PayoutId, RecoveryId, SaleId
from marketplace.domain.shared.money import Money
from marketplace.domain.shared.provider import KEY_LIFETIME, backoff

MAX_ERROR = 500


class RecoveryStatus(StrEnum):
    DECIDED = "decided"
    SENDING = "sending"
    REVERSED = "reversed"
    REFUSED = "refused"
    SETTLED = "settled"


class RecoveryBusy(Conflict):
    """Somebody else is speaking to the provider about this recovery right now."""

    code = "recovery_busy"


@dataclass(frozen=True, kw_only=True, slots=True)
class RecoveryReversed(Event):
    """The provider took money back from the seller's balance. ``amount`` in minor units."""

    recovery_id: int
    payout_id: int
    sale_id: int
    order_id: int
    seller_id: int
    amount: int
    currency: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RecoveryRefused(Event):
    """What could not be taken back is owed, and kept from the next payouts. ``amount`` in minor units."""

    recovery_id: int
    payout_id: int
    sale_id: int
    order_id: int
    seller_id: int
    amount: int
    currency: str
    reason: str


@dataclass(kw_only=True, slots=True)
class Recovery(Aggregate):
    """What a seller has to give back of one payout. Amounts other than ``amount`` are minor units of its currency.

    ``cause`` is ``refund:<id>`` or ``chargeback:<id>``. ``sending_amount`` is what the reversal asks for, frozen.
    """

    id: RecoveryId
    payout_id: PayoutId
    order_id: OrderId
    sale_id: SaleId
    seller_id: AccountId
    amount: Money
    cause: str
    decided_at: datetime
    status: RecoveryStatus = RecoveryStatus.DECIDED
    reversed_amount: int = 0
    netted_amount: int = 0
    written_off_amount: int = 0
    sending_amount: int = 0
    attempt: int = 1
    first_sent_at: datetime | None = None
    reversal_id: str | None = None
    last_error: str = ""
    failures: int = 0
    ended_at: datetime | None = None
    next_check_at: datetime | None = None
    locked_until: datetime | None = None

    @classmethod
    def decide(
        cls,
        *,
        id: RecoveryId,
        payout_id: PayoutId,
        order_id: OrderId,
        sale_id: SaleId,
        seller_id: AccountId,
        amount: Money,
        cause: str,
        now: datetime,
    ) -> Self:
        """The seller has to give this back. It waits until it is known whether the payout went out."""
        return cls(
            id=id,
            payout_id=payout_id,
            order_id=order_id,
            sale_id=sale_id,
            seller_id=seller_id,
            amount=amount,
            cause=cause,
            decided_at=now,
        )

    @property
    def left(self) -> int:
        """What is still owed."""
        return self.amount.amount - self.reversed_amount - self.netted_amount - self.written_off_amount

    @property
    def at_the_provider(self) -> int:
        """What of the transfer it has taken, or may be taking just now."""
        return self.sending_amount if self.status is RecoveryStatus.SENDING else self.reversed_amount

    @property
    def key(self) -> str:
        """The idempotency key of the reversal."""
        return f"trr:{self.cause.partition(':')[2]}:{self.seller_id}:{self.attempt}"

    def key_is_remembered(self, now: datetime) -> bool:
        """Whether whatever was sent with this key, even if the books have lost it, is surely answered as it was."""
        return now < self.decided_at + KEY_LIFETIME

    def key_is_spent(self, now: datetime) -> bool:
        """Whether it was first sent so long ago that the provider may have forgotten the key."""
        return self.first_sent_at is not None and now >= self.first_sent_at + KEY_LIFETIME

    def is_leased(self, now: datetime) -> bool:
        return self.locked_until is not None and now < self.locked_until

    def is_to_be_tried(self, now: datetime) -> bool:
        return self.next_check_at is not None and self.next_check_at <= now and not self.is_leased(now)

    @property
    def waits_for_transfer(self) -> bool:
        """Whether it is not known yet whether there is a transfer to take it from."""
        return self.status is RecoveryStatus.DECIDED and self.next_check_at is None

    def transfer_is_done(self, *, now: datetime) -> None:
        """The payout went out, so that there is something to reverse."""
        self.next_check_at = now

    def lease(self, *, reversible: int, now: datetime, until: datetime) -> None:
        """Recorded before anything is sent. ``reversible``: what is left of the transfer, in minor units.

        Raises RecoveryBusy while somebody else's lease stands, and IllegalTransition when it is over.
        """
        if self.is_leased(now):
            raise RecoveryBusy("This recovery is being worked on; try again in a moment.")
        if self.status is RecoveryStatus.DECIDED:
            self.status = RecoveryStatus.SENDING
            self.sending_amount = min(self.amount.amount, reversible)
            self.first_sent_at = now
        elif self.status is not RecoveryStatus.SENDING:
            raise IllegalTransition(f"Recovery {self.id} is {self.status}; nothing is taken back any more.")
        self.locked_until = until

    def next_attempt(self, *, now: datetime) -> None:
        """A look-up has shown that nothing was reversed, and the provider may have forgotten the key."""
        self.attempt += 1
        self.first_sent_at = now

    def reversed(self, reversal_id: str, amount: int, *, now: datetime) -> None:
        """The provider took so many minor units back. What is more than that is owed."""
        self.reversal_id = reversal_id
        self.reversed_amount = amount
        self._rest()
        self.events.append(
            RecoveryReversed(
                occurred_at=now,
                recovery_id=self.id,
                payout_id=self.payout_id,
                sale_id=self.sale_id,
                order_id=self.order_id,
                seller_id=self.seller_id,
                amount=self.reversed_amount,
                currency=self.amount.currency,
            )
        )
        if self.left:
            self.refuse("more was to be taken back than was left of the transfer", now=now)
        else:
            self.status = RecoveryStatus.REVERSED
            self.ended_at = now

    def refuse(self, reason: str, *, now: datetime) -> None:
        """What is left of it cannot be reversed at the provider: it is owed."""
        self.status = RecoveryStatus.REFUSED
        self.last_error = reason[:MAX_ERROR]
        self._rest()
        self.events.append(
            RecoveryRefused(
                occurred_at=now,
                recovery_id=self.id,
                payout_id=self.payout_id,
                sale_id=self.sale_id,
                order_id=self.order_id,
                seller_id=self.seller_id,
                amount=self.left,
                currency=self.amount.currency,
                reason=self.last_error,
            )
        )

    def net(self, available: int, *, now: datetime) -> int:
        """Take what is owed out of a payout of so much; gives how much. Raises IllegalTransition unless it is owed."""
        self._require_owed()
        amount = min(self.left, available)
        self.netted_amount += amount
        self._settle(now)
        return amount

    def write_off(self, *, now: datetime) -> int:
        """Give up what is left; gives how much. Raises IllegalTransition unless it is owed."""
        self._require_owed()
        amount = self.left
        self.written_off_amount += amount
        self._settle(now)
        return amount

    def failed_to_reach(self, reason: str, *, now: datetime) -> None:
        """The provider gave no usable answer: it is tried again, later each time."""
        self.locked_until = None
        self.last_error = reason[:MAX_ERROR]
        self.next_check_at = now + backoff(self.failures)
        self.failures += 1

    def _require_owed(self) -> None:
        if self.status is not RecoveryStatus.REFUSED:
            raise IllegalTransition(
                f"Recovery {self.id} is {self.status}: only what the provider could not take back is owed.",
                current_status=self.status.value,
            )

    def _settle(self, now: datetime) -> None:
        if not self.left:
            self.status = RecoveryStatus.SETTLED
            self.ended_at = now

    def _rest(self) -> None:
        self.locked_until = self.next_check_at = None
        self.failures = 0
