"""Disputes: a claim on one sale, by its buyer or by the buyer's bank.

    open ──> awaiting_seller ──> under_review ──> resolved ──> closed
    any of the first three ──> withdrawn                       (by the buyer)

While a dispute is open the sale does not complete and its payout is held; however it ends, the hold ends with it. A
dispute with the reason ``chargeback`` follows the buyer's bank: nobody here withdraws or decides it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.errors import Conflict, IllegalTransition
from marketplace.domain.shared.events import Event
from marketplace.domain.shared.ids import AccountId, ChargebackId, DisputeId, OrderId, RefundId, SaleId
from marketplace.domain.shared.money import Money
from marketplace.domain.shared.text import checked_text

MAX_DESCRIPTION = 4_000
MAX_NOTE = 2_000


class DisputeStatus(StrEnum):
    OPEN = "open"
    AWAITING_SELLER = "awaiting_seller"
    UNDER_REVIEW = "under_review"
    RESOLVED = "resolved"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class DisputeReason(StrEnum):
    NOT_RECEIVED = "not_received"
    NOT_AS_DESCRIBED = "not_as_described"
    COUNTERFEIT = "counterfeit"
    WRONG_ITEM = "wrong_item"
    DAMAGED = "damaged"
    OTHER = "other"
    CHARGEBACK = "chargeback"
    """Opened by the buyer's bank, never by hand."""


class DisputeOutcome(StrEnum):
    """What a buyer asks for, and what comes of it; nobody asks for a dismissal."""

    REFUND = "refund"
    PARTIAL_REFUND = "partial_refund"
    REPLACEMENT = "replacement"
    DISMISSED = "dismissed"


_S = DisputeStatus
DISPUTE_MOVES: Mapping[DisputeStatus, frozenset[DisputeStatus]] = {
    _S.OPEN: frozenset({_S.AWAITING_SELLER, _S.UNDER_REVIEW, _S.RESOLVED, _S.WITHDRAWN}),
    _S.AWAITING_SELLER: frozenset({_S.UNDER_REVIEW, _S.RESOLVED, _S.WITHDRAWN}),
    _S.UNDER_REVIEW: frozenset({_S.RESOLVED, _S.WITHDRAWN}),
    _S.RESOLVED: frozenset({_S.CLOSED}),
    _S.CLOSED: frozenset(),
    _S.WITHDRAWN: frozenset(),
}
OPEN_STATUSES = frozenset({_S.OPEN, _S.AWAITING_SELLER, _S.UNDER_REVIEW})


class AlreadyDisputed(Conflict):
    code = "already_disputed"


class NotDisputable(Conflict):
    code = "not_disputable"


class DecidedByTheBank(Conflict):
    code = "decided_by_the_bank"


@dataclass(frozen=True, kw_only=True, slots=True)
class DisputeOpened(Event):
    dispute_id: int
    order_id: int
    sale_id: int
    buyer_id: int
    seller_id: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DisputeResolved(Event):
    """Decided, or withdrawn by the buyer: ``outcome`` is empty then."""

    dispute_id: int
    order_id: int
    sale_id: int
    buyer_id: int
    seller_id: int
    outcome: str


@dataclass(kw_only=True, slots=True)
class Dispute(Aggregate):
    """``amount`` is what went back to the buyer by its outcome, None when nothing did.

    ``respond_by`` is when the seller's silence ends the wait for them; None where nobody waits. ``resolved_by`` is None
    for the operator at the command line and for the bank.
    """

    id: DisputeId
    order_id: OrderId
    sale_id: SaleId
    buyer_id: AccountId
    seller_id: AccountId
    reason: DisputeReason
    description: str
    currency: str
    opened_at: datetime
    desired_outcome: DisputeOutcome | None = None
    respond_by: datetime | None = None
    status: DisputeStatus = DisputeStatus.OPEN
    outcome: DisputeOutcome | None = None
    amount: Money | None = None
    note: str = ""
    resolved_at: datetime | None = None
    resolved_by: AccountId | None = None
    refund_id: RefundId | None = None
    chargeback_id: ChargebackId | None = None

    @classmethod
    def open(
        cls,
        *,
        id: DisputeId,
        order_id: OrderId,
        sale_id: SaleId,
        buyer_id: AccountId,
        seller_id: AccountId,
        reason: DisputeReason,
        description: str,
        currency: str,
        now: datetime,
        desired_outcome: DisputeOutcome | None = None,
        respond_by: datetime | None = None,
        chargeback_id: ChargebackId | None = None,
    ) -> Self:
        """Raises Invalid on a description that cannot be kept."""
        dispute = cls(
            id=id,
            order_id=order_id,
            sale_id=sale_id,
            buyer_id=buyer_id,
            seller_id=seller_id,
            reason=reason,
            description=checked_text(description, field="description", maximum=MAX_DESCRIPTION, minimum=1, lines=True),
            currency=currency,
            opened_at=now,
            desired_outcome=desired_outcome,
            respond_by=respond_by,
            chargeback_id=chargeback_id,
        )
        dispute.events.append(
            DisputeOpened(
                occurred_at=now,
                dispute_id=id,
                order_id=order_id,
                sale_id=sale_id,
                buyer_id=buyer_id,
                seller_id=seller_id,
                reason=reason.value,
            )
        )
        return dispute

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES

    @property
    def hold_key(self) -> str:
        """Names its hold on the payout of its sale."""
        return f"dispute:{self.id}"

    def require_ours(self) -> None:
        """Raises DecidedByTheBank on a chargeback."""
        if self.reason is DisputeReason.CHARGEBACK:
            raise DecidedByTheBank(
                f"Dispute {self.id} follows a chargeback: the buyer's bank decides it. Answer the chargeback instead."
            )

    def require_open(self) -> None:
        """Raises IllegalTransition when it is over."""
        if not self.is_open:
            raise IllegalTransition(f"Dispute {self.id} is {self.status}: it is over.", current_status=str(self.status))

    def withdraw(self, *, now: datetime) -> None:
        """The buyer no longer claims anything. Raises IllegalTransition when it is over."""
        self._move(DisputeStatus.WITHDRAWN)
        self._end(None, now=now)

    def resolve(
        self,
        outcome: DisputeOutcome,
        *,
        note: str,
        now: datetime,
        by: AccountId | None,
        amount: Money | None = None,
        refund_id: RefundId | None = None,
    ) -> None:
        """Raises IllegalTransition when it is over, and Invalid on a note that cannot be kept."""
        self._move(DisputeStatus.RESOLVED)
        self.outcome = outcome
        self.amount = amount
        self.refund_id = refund_id
        self.note = checked_text(note, field="note", maximum=MAX_NOTE, lines=True)
        self.resolved_by = by
        self._end(outcome, now=now)

    def _end(self, outcome: DisputeOutcome | None, *, now: datetime) -> None:
        self.resolved_at = now
        self.respond_by = None
        self.events.append(
            DisputeResolved(
                occurred_at=now,
                dispute_id=self.id,
                order_id=self.order_id,
                sale_id=self.sale_id,
                buyer_id=self.buyer_id,
                seller_id=self.seller_id,
                outcome="" if outcome is None else outcome.value,
            )
        )

    def _move(self, to: DisputeStatus) -> None:
        if to not in DISPUTE_MOVES[self.status]:
            raise IllegalTransition(
                f"Dispute {self.id} is {self.status}; it cannot become {to}.", current_status=str(self.status)
            )
        self.status = to
