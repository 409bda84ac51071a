"""Payments, refunds and stored provider events: what the use cases need of a store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from marketplace.application.ports.pages import Page, PageRequest
from marketplace.application.ports.payment_gateway import ProviderEvent
from marketplace.domain.payments.payment import Payment, PaymentStatus
from marketplace.domain.payments.refund import Refund, RefundCause, RefundStatus
from marketplace.domain.shared.ids import OrderId, PaymentId, RefundId
from marketplace.domain.shared.money import Money


class PaymentRepository(Protocol):
    """One payment an order."""

    def add(self, payment: Payment) -> None:
        """Raises Conflict when the order has a payment, at the latest on commit."""
        ...

    def get(self, id: PaymentId) -> Payment:
        """Raises NotFound."""
        ...

    def get_for_update(self, id: PaymentId) -> Payment:
        """As ``get``, locked until the unit ends. Raises NotFound."""
        ...

    def of_order(self, order_id: OrderId) -> Payment:
        """Raises NotFound."""
        ...

    def of_order_for_update(self, order_id: OrderId) -> Payment:
        """As ``of_order``, locked until the unit ends. Raises NotFound."""
        ...

    def find(self, *, intent_id: str | None, order_id: OrderId | None) -> Payment | None:
        """By the provider's name for it, else by its order."""
        ...

    def next_due_for_update(self, *, now: datetime) -> Payment | None:
        """The payment whose check is the longest overdue, neither leased nor locked by anybody else; locked."""
        ...

    def save(self, payment: Payment) -> None:
        """Raises ConcurrencyConflict if it changed since it was read, at the latest on commit."""
        ...


class RefundRepository(Protocol):
    """Any number of refunds an order."""

    def add(self, refund: Refund) -> None:
        """Keep a new refund with its parts."""
        ...

    def get(self, id: RefundId) -> Refund:
        """Raises NotFound."""
        ...

    def get_for_update(self, id: RefundId) -> Refund:
        """As ``get``, locked until the unit ends. Raises NotFound."""
        ...

    def find(self, *, refund_id: RefundId | None, provider_refund_id: str | None) -> Refund | None:
        """By our name for it, else by the provider's."""
        ...

    def of_order(self, order_id: OrderId) -> Sequence[Refund]:
        """The oldest first."""
        ...

    def next_due_for_update(self, *, now: datetime) -> Refund | None:
        """The refund whose check is the longest overdue, neither leased nor locked by anybody else; locked."""
        ...

    def save(self, refund: Refund) -> None:
        """Raises ConcurrencyConflict if it changed since it was read, at the latest on commit."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentView:
    """``client_secret`` is not here: it is never stored, only read from the provider."""

    order_id: OrderId
    provider: str
    intent_id: str | None
    status: PaymentStatus
    amount: Money
    quarantine: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundView:
    """``failure_reason``: the provider's word for why it failed or is pending; ``settled_note``: how it was paid."""

    id: RefundId
    order_id: OrderId
    status: RefundStatus
    amount: Money
    cause: RefundCause
    reason: str
    decided_at: datetime
    provider_refund_id: str | None
    failure_reason: str
    settled_at: datetime | None
    settled_note: str


class PaymentQueries(Protocol):
    def of_orders(self, order_ids: Sequence[OrderId]) -> Mapping[OrderId, PaymentView]:
        """The payments of these orders."""
        ...

    def refunds(self, order_id: OrderId) -> Sequence[RefundView]:
        """The oldest first."""
        ...

    def refund(self, id: RefundId) -> RefundView:
        """Raises NotFound."""
        ...

    def refunds_page(
        self, request: PageRequest, *, statuses: Collection[RefundStatus] = (), order_id: OrderId | None = None
    ) -> Page[RefundView]:
        """Everybody's, the last decided first."""
        ...


class InboxStatus(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    IGNORED = "ignored"
    UNMATCHED = "unmatched"
    REJECTED = "rejected"
    DEAD = "dead"


@dataclass(frozen=True, kw_only=True, slots=True)
class InboxItem:
    """A stored event under lease. ``attempts`` counts this one."""

    event: ProviderEvent
    received_at: datetime
    attempts: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadEvent:
    id: str
    type: str
    object_id: str
    received_at: datetime
    attempts: int
    last_error: str


class WebhookInbox(Protocol):
    """Events of the provider, stored once each. Each method is a transaction of its own."""

    def store(self, event: ProviderEvent, *, status: InboxStatus, now: datetime) -> bool:
        """Keep an event under its id; False, and nothing changed, when it is there already."""
        ...

    def lease(self, *, now: datetime, lease_for: timedelta, limit: int) -> Sequence[InboxItem]:
        """Events that are due and not leased by another worker, oldest first; this caller's until the lease ends."""
        ...

    def close(self, id: str, *, status: InboxStatus, error: str, now: datetime) -> None:
        """No more tries: done, ignored or dead."""
        ...

    def retry(self, id: str, *, status: InboxStatus, error: str, at: datetime) -> None:
        """Give an event back, waiting or unmatched, due at ``at``."""
        ...

    def counts(self) -> Mapping[InboxStatus, int]:
        """How many events have each status; none is left out."""
        ...

    def dead(self, *, limit: int) -> Sequence[DeadEvent]:
        """The oldest first."""
        ...

    def purge(self, *, closed_before: datetime, limit: int) -> int:
        """Forget events that nothing is done about any more, dead ones excepted; gives the number."""
        ...

    def replay(self, ids: Sequence[str] | None, *, now: datetime) -> int:
        """Make dead events due again, all of them when ``ids`` is None; gives the number."""
        ...
