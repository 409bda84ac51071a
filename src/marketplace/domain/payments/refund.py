"""Refunds: money on its way back to a buyer, decided here first and sent by a worker afterwards.

decided ──> sending ──> succeeded | pending | failed
pending ──> succeeded | failed
succeeded ──> failed                       (the buyer's bank sent the money back)
failed ──> decided | settled_elsewhere     (an operator tries again, or has paid in another way)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from marketplace.domain.fees import Return
from marketplace.domain.payments.payment import KEY_LIFETIME, Payment, PaymentBusy, ProviderAlarm, backoff
from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.errors import Conflict, IllegalTransition
from marketplace.domain.shared.events import Event
from marketplace.domain.shared.ids import AccountId, OrderId, PaymentId, RefundId, SaleId, SaleLineId
from marketplace.domain.shared.money import Money
from marketplace.domain.shared.text import checked_text

POLL_REFUND = timedelta(hours=1)
"""How often a pending refund is read without an event."""
LACK_OF_FUNDS = "insufficient_funds"
"""Why the provider keeps a refund pending: it goes out by itself when our balance there suffices."""
MAX_REASON = 500
MAX_NOTE = 500


class RefundStatus(StrEnum):
    DECIDED = "decided"
    SENDING = "sending"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SETTLED_ELSEWHERE = "settled_elsewhere"


class PaidBy(StrEnum):
    """How a refund that failed at the provider was settled, which says what is booked.

    ``bank``: paid from our bank account; ``chargeback``: the buyer's bank has given the money back already.
    """

    BANK = "bank"
    CHARGEBACK = "chargeback"


class RefundCause(StrEnum):
    """Decides which fees go back: ``not_shipped`` and ``platform`` all three, the others the commission."""

    NOT_SHIPPED = "not_shipped"
    PLATFORM = "platform"
    SELLER = "seller"
    BUYER = "buyer"

    @property
    def gives_all_fees_back(self) -> bool:
        return self in (RefundCause.NOT_SHIPPED, RefundCause.PLATFORM)


class RefundNotFailed(IllegalTransition):
    code = "refund_not_failed"


class NotGivenBack(Conflict):
    """The buyer's bank has given nothing back that could settle a refund."""

    code = "not_given_back"


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundDecided(Event):
    """The buyer is owed money; it is sent by a worker. ``amount`` is in minor units of ``currency``."""

    refund_id: int
    order_id: int
    buyer_id: int
    amount: int
    currency: str
    cause: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundFailed(Event):
    """The provider could not give the money back: an operator pays it in another way."""

    refund_id: int
    order_id: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundPart:
    """What one sale's return moves, and the pieces that go back."""

    sale_id: SaleId
    seller_id: AccountId
    pieces: Mapping[SaleLineId, int]
    components: Return


@dataclass(kw_only=True, slots=True)
class Refund(Aggregate):
    """Money that goes back to the buyer of one order. ``provider_refund_id`` is None until the provider has it.

    ``earlier_provider_refund_ids`` failed before it was tried again. ``failure_reason`` is the provider's word for why
    it failed, or why it is pending.
    """

    id: RefundId
    order_id: OrderId
    payment_id: PaymentId
    amount: Money
    cause: RefundCause
    reason: str
    parts: tuple[RefundPart, ...]
    decided_at: datetime
    status: RefundStatus = RefundStatus.DECIDED
    provider_refund_id: str | None = None
    attempt: int = 1
    first_sent_at: datetime | None = None
    failure_reason: str = ""
    failures: int = 0
    next_check_at: datetime | None = None
    locked_until: datetime | None = None
    earlier_provider_refund_ids: tuple[str, ...] = ()
    settled_at: datetime | None = None
    settled_by: AccountId | None = None
    settled_note: str = ""

    @classmethod
    def decide(
        cls,
        *,
        id: RefundId,
        payment: Payment,
        cause: RefundCause,
        reason: str,
        parts: Sequence[RefundPart],
        now: datetime,
    ) -> Self:
        """Owe the buyer what the parts add up to. Raises Invalid on a reason that cannot be kept."""
        amount = Money(sum(part.components.refund for part in parts), payment.amount.currency)
        refund = cls(
            id=id,
            order_id=payment.order_id,
            payment_id=payment.id,
            amount=amount,
            cause=cause,
            reason=checked_text(reason, field="reason", maximum=MAX_REASON, lines=True),
            parts=tuple(parts),
            decided_at=now,
            next_check_at=now,
        )
        refund.events.append(
            RefundDecided(
                occurred_at=now,
                refund_id=id,
                order_id=payment.order_id,
                buyer_id=payment.buyer_id,
                amount=amount.amount,
                currency=amount.currency,
                cause=cause.value,
            )
        )
        return refund

    def amount_of(self, sale_id: SaleId) -> Money:
        """What of it goes back for one sale, fees included; nothing for a sale that it is not of."""
        parts = [part.components.refund for part in self.parts if part.sale_id == sale_id]
        return Money(sum(parts), self.amount.currency)

    @property
    def key(self) -> str:
        return f"re:{self.id}:{self.attempt}"

    @property
    def is_sent(self) -> bool:
        """Whether the provider has taken it on."""
        return self.provider_refund_id is not None

    @property
    def is_given_up(self) -> bool:
        """Whether it is only sent once an operator says so, if ever: the buyer may have the money in another way."""
        return self.status in (RefundStatus.FAILED, RefundStatus.SETTLED_ELSEWHERE)

    def key_is_remembered(self, now: datetime) -> bool:
        """Whether whatever was sent with this key, even if the books have lost it, is surely answered as it was."""
        return now < self.decided_at + KEY_LIFETIME

    def key_is_spent(self, now: datetime) -> bool:
        """Whether it was first sent so long ago that the provider may have forgotten the key."""
        return self.first_sent_at is not None and now >= self.first_sent_at + KEY_LIFETIME

    def lease(self, *, now: datetime, until: datetime) -> None:
        """Recorded before anything is sent. Raises PaymentBusy while somebody else's lease stands."""
        if self.locked_until is not None and now < self.locked_until:
            raise PaymentBusy("This refund is being worked on; try again in a moment.")
        self.locked_until = until
        if self.status is RefundStatus.DECIDED:
            self.status = RefundStatus.SENDING
            self.first_sent_at = now

    def next_attempt(self, *, now: datetime) -> None:
        """A look-up has shown that the provider has nothing, and it may have forgotten the key."""
        self.attempt += 1
        self.first_sent_at = now

    def accepted(self, provider_refund_id: str) -> None:
        """The provider has the refund under this name: the money has left."""
        self.provider_refund_id = provider_refund_id

    def settle(self, status: RefundStatus, *, reason: str, now: datetime) -> None:
        """Follow what the provider says. A failed refund stays failed."""
        self.locked_until = None
        self.failures = 0
        # A failed one is due again when the provider was silent about it; it has nothing more to wait for.
        self.next_check_at = None
        if not self.is_given_up:
            if status is RefundStatus.PENDING and reason == LACK_OF_FUNDS != self.failure_reason:
                self._ask_for_funds(now)
            self.status, self.failure_reason = status, reason
            self.next_check_at = now + POLL_REFUND if status is RefundStatus.PENDING else None
            if status is RefundStatus.FAILED:
                self.events.append(
                    RefundFailed(occurred_at=now, refund_id=self.id, order_id=self.order_id, reason=reason)
                )

    def retry(self, *, now: datetime) -> None:
        """Send it once more, as a new refund for the provider. Raises RefundNotFailed."""
        self._require_failed()
        if self.provider_refund_id is not None:
            self.earlier_provider_refund_ids = (*self.earlier_provider_refund_ids, self.provider_refund_id)
        self.status = RefundStatus.DECIDED
        self.provider_refund_id = None
        self.first_sent_at = None
        self.failure_reason = ""
        self.attempt += 1
        self.next_check_at = now

    def settle_elsewhere(self, *, note: str, by: AccountId | None, now: datetime) -> None:
        """The buyer has the money in another way. Raises RefundNotFailed, and Invalid without a note of how."""
        self._require_failed()
        self.settled_note = checked_text(note, field="note", maximum=MAX_NOTE, minimum=1, lines=True)
        self.status = RefundStatus.SETTLED_ELSEWHERE
        self.settled_at, self.settled_by = now, by
        self.next_check_at = None

    def is_this(self, provider_refund_id: str) -> bool:
        """Whether that is this attempt of it, and not one that failed earlier."""
        return provider_refund_id not in self.earlier_provider_refund_ids

    def _require_failed(self) -> None:
        if self.status is not RefundStatus.FAILED:
            raise RefundNotFailed(f"Refund {self.id} is {self.status}; only a failed one is tried again or settled.")

    def _ask_for_funds(self, now: datetime) -> None:
        reason = f"waits for {self.amount}: our balance there does not suffice; top it up"
        self.events.append(ProviderAlarm(occurred_at=now, subject=f"refund {self.id}", reason=reason))

    def failed_to_reach(self, *, now: datetime) -> None:
        self.locked_until = None
        self.next_check_at = now + backoff(self.failures)
        self.failures += 1
