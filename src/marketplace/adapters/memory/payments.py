"""Payments and refunds in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from marketplace.adapters.memory.pages import paged
from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.application.ports.payments import (
    PaymentQueries,
    PaymentRepository,
    PaymentView,
    RefundRepository,
    RefundView,
)
from marketplace.domain.payments.payment import Payment
from marketplace.domain.payments.refund import Refund, RefundStatus
from marketplace.domain.shared.errors import Conflict, NotFound
from marketplace.domain.shared.ids import OrderId, PaymentId, RefundId


class InMemoryPayments(InMemoryRepository[Payment], PaymentRepository):
    name = "payments"
    noun = "payment"

    def check_constraints(self, entities: Collection[Payment]) -> None:
        if len({payment.order_id for payment in entities}) < len(entities):
            raise Conflict("This order has a payment already.")
        intents = Counter(payment.intent_id for payment in entities if payment.intent_id is not None)
        if any(count > 1 for count in intents.values()):
            raise Conflict("The provider's payment belongs to another order already.")

    def get_for_update(self, id: PaymentId) -> Payment:
        return self.get(id)

    def of_order(self, order_id: OrderId) -> Payment:
        found = self._first(lambda payment: payment.order_id == order_id)
        if found is None:
            raise NotFound(f"Order {order_id} has no payment.")
        return found

    def of_order_for_update(self, order_id: OrderId) -> Payment:
        return self.of_order(order_id)

    def find(self, *, intent_id: str | None, order_id: OrderId | None) -> Payment | None:
        named = self._first(lambda payment: intent_id is not None and payment.intent_id == intent_id)
        return named or self._first(lambda payment: payment.order_id == order_id)

    def next_due_for_update(self, *, now: datetime) -> Payment | None:
        return _next_due(self._all(lambda payment: _is_due(payment, now)))


class InMemoryRefunds(InMemoryRepository[Refund], RefundRepository):
    name = "refunds"
    noun = "refund"

    def get_for_update(self, id: RefundId) -> Refund:
        return self.get(id)

    def find(self, *, refund_id: RefundId | None, provider_refund_id: str | None) -> Refund | None:
        ours = self._first(lambda refund: refund.id == refund_id)
        return ours or self._first(
            lambda refund: provider_refund_id is not None and refund.provider_refund_id == provider_refund_id
        )

    def of_order(self, order_id: OrderId) -> Sequence[Refund]:
        return sorted(self._all(lambda refund: refund.order_id == order_id), key=lambda refund: refund.id)

    def next_due_for_update(self, *, now: datetime) -> Refund | None:
        return _next_due(self._all(lambda refund: _is_due(refund, now)))


class InMemoryPaymentQueries(PaymentQueries):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def of_orders(self, order_ids: Sequence[OrderId]) -> Mapping[OrderId, PaymentView]:
        with self._store.lock:
            return {
                payment.order_id: PaymentView(
                    order_id=payment.order_id,
                    provider=payment.provider,
                    intent_id=payment.intent_id,
                    status=payment.status,
                    amount=payment.amount,
                    quarantine=payment.quarantine,
                )
                for payment in self._store.table(InMemoryPayments.name).values()
                if payment.order_id in order_ids
            }

    def refunds(self, order_id: OrderId) -> Sequence[RefundView]:
        with self._store.lock:
            found = [r for r in self._store.table(InMemoryRefunds.name).values() if r.order_id == order_id]
            return [refund_view(refund) for refund in sorted(found, key=lambda refund: refund.id)]

    def refund(self, id: RefundId) -> RefundView:
        with self._store.lock:
            found: Refund | None = self._store.table(InMemoryRefunds.name).get(id)
        if found is None:
            raise NotFound(f"There is no refund {id}.")
        return refund_view(found)

    def refunds_page(
        self, request: PageRequest, *, statuses: Collection[RefundStatus] = (), order_id: OrderId | None = None
    ) -> Page[RefundView]:
        with self._store.lock:
            stored: list[Refund] = list(self._store.table(InMemoryRefunds.name).values())
        return paged(
            [r for r in stored if (not statuses or r.status in statuses) and order_id in (None, r.order_id)],
            key=lambda refund: (refund.decided_at.isoformat(), refund.id),
            descending=True,
            request=request,
            view=refund_view,
        )


def refund_view(refund: Refund) -> RefundView:
    """What is told of it."""
    return RefundView(
        id=refund.id,
        order_id=refund.order_id,
        status=refund.status,
        amount=refund.amount,
        cause=refund.cause,
        reason=refund.reason,
        decided_at=refund.decided_at,
        provider_refund_id=refund.provider_refund_id,
        failure_reason=refund.failure_reason,
        settled_at=refund.settled_at,
        settled_note=refund.settled_note,
    )


class _Checked(Protocol):
    next_check_at: datetime | None
    locked_until: datetime | None


def _is_due(thing: _Checked, now: datetime) -> bool:
    free = thing.locked_until is None or thing.locked_until <= now
    return free and thing.next_check_at is not None and thing.next_check_at <= now


T = TypeVar("T", bound=Payment | Refund)


def _next_due(things: Sequence[T]) -> T | None:
    return min(things, key=lambda thing: (thing.next_check_at, thing.id), default=None)
