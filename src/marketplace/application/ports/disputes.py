"""Disputes and chargebacks: what the use cases need of a store, and what the parties see."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.disputes import Dispute, DisputeOutcome, DisputeReason, DisputeStatus
from marketplace.domain.payments.chargebacks import Chargeback, ChargebackMovement, ChargebackStage
from marketplace.domain.shared.ids import AccountId, ChargebackId, DisputeId, OrderId, RefundId, SaleId
from marketplace.domain.shared.money import Money


class DisputeRepository(Protocol):
    """Any number of disputes a sale, one by the buyer open at a time, and one for each chargeback of its order."""

    def add(self, dispute: Dispute) -> None:
        """Raises AlreadyDisputed when the buyer has one open on the sale, at the latest on commit."""
        ...

    def get(self, id: DisputeId) -> Dispute:
        """Raises NotFound."""
        ...

    def get_for_update(self, id: DisputeId) -> Dispute:
        """As ``get``, locked until the unit ends. Raises NotFound."""
        ...

    def is_open(self, sale_id: SaleId) -> bool:
        """Whether any dispute on the sale is undecided, a chargeback among them."""
        ...

    def open_by_buyer_for_update(self, sale_id: SaleId) -> Dispute | None:
        """The one that the buyer has opened on the sale and that is undecided, locked until the unit ends."""
        ...

    def of_chargeback_for_update(self, chargeback_id: ChargebackId) -> Sequence[Dispute]:
        """Those that it opened, by id, locked until the unit ends."""
        ...

    def save(self, dispute: Dispute) -> None:
        """Raises ConcurrencyConflict if it changed since it was read, at the latest on commit."""
        ...


class ChargebackRepository(Protocol):
    """Any number of chargebacks an order, each known to the provider by one name."""

    def add(self, chargeback: Chargeback) -> None:
        """Raises Conflict when there is one of that name at the provider, at the latest on commit."""
        ...

    def get(self, id: ChargebackId) -> Chargeback:
        """Raises NotFound."""
        ...

    def get_for_update(self, id: ChargebackId) -> Chargeback:
        """As ``get``, locked until the unit ends. Raises NotFound."""
        ...

    def find(self, provider_chargeback_id: str) -> Chargeback | None:
        """By the provider's name for it."""
        ...

    def of_order(self, order_id: OrderId) -> Sequence[Chargeback]:
        """By id."""
        ...

    def next_due_for_update(self, *, now: datetime) -> Chargeback | None:
        """The one whose check is the longest overdue, neither leased nor locked by anybody else; locked."""
        ...

    def save(self, chargeback: Chargeback) -> None:
        """Raises ConcurrencyConflict if it changed since it was read, at the latest on commit."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class DisputeView:
    """As its parties see it. ``amount`` is what went back by its outcome."""

    id: DisputeId
    order: OrderId
    sale: SaleId
    sale_reference: str
    buyer_id: AccountId
    seller_id: AccountId
    reason: DisputeReason
    status: DisputeStatus
    outcome: DisputeOutcome | None
    amount: Money | None
    currency: str
    description: str
    desired_outcome: DisputeOutcome | None
    note: str
    respond_by: datetime | None
    opened_at: datetime
    resolved_at: datetime | None
    resolved_by: AccountId | None
    refund_id: RefundId | None
    chargeback_id: ChargebackId | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DisputeFilter:
    """``party``: buyer or seller of it, None for everybody's. Empty collections narrow nothing."""

    party: AccountId | None = None
    statuses: Collection[DisputeStatus] = ()
    reasons: Collection[DisputeReason] = ()
    sale: SaleId | None = None
    order: OrderId | None = None


class DisputeQueries(Protocol):
    def dispute(self, id: DisputeId) -> DisputeView:
        """Anybody's: the caller asks ``access``. Raises NotFound."""
        ...

    def disputes(self, request: PageRequest, wanted: DisputeFilter) -> Page[DisputeView]:
        """The last opened first."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargebackView:
    """As operators see it. ``lost`` in minor units: what the sellers and the marketplace bore, None until then."""

    id: ChargebackId
    provider_chargeback_id: str
    order: OrderId
    order_reference: str
    amount: Money
    reason: str
    stage: ChargebackStage | None
    status: str
    movements: Sequence[ChargebackMovement]
    lost: int | None
    evidence: Mapping[str, str]
    evidence_due_at: datetime | None
    evidence_submitted_at: datetime | None
    opened_at: datetime
    decided_at: datetime | None


class ChargebackQueries(Protocol):
    def chargeback(self, id: ChargebackId) -> ChargebackView:
        """Raises NotFound."""
        ...

    def chargebacks(
        self, request: PageRequest, *, stages: Collection[ChargebackStage] = (), order: OrderId | None = None
    ) -> Page[ChargebackView]:
        """The last found first."""
        ...
