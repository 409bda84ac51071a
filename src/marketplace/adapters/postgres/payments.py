"""Payments and refunds in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa

from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.pages import paged
from marketplace.adapters.postgres.repository import PostgresRepository
from marketplace.adapters.postgres.tables.payments import payments, refund_parts, refunds
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.application.ports.payments import (
    PaymentQueries,
    PaymentRepository,
    PaymentView,
    RefundRepository,
    RefundView,
)
from marketplace.domain.fees import Return
from marketplace.domain.payments.payment import CancelWish, Payment, PaymentStatus
from marketplace.domain.payments.refund import Refund, RefundCause, RefundPart, RefundStatus
from marketplace.domain.shared.errors import Conflict, NotFound
from marketplace.domain.shared.ids import OrderId, RefundId, SaleLineId
from marketplace.domain.shared.money import Money

_payment, _refund = payments.c, refunds.c
_COMPONENTS = ("items", "commission", "processing", "shipping", "seller_commission", "seller_fees", "seller_net")


class PostgresPayments(PostgresRepository[Payment], PaymentRepository):
    table = payments
    noun = "payment"
    constraints: ClassVar = {"one_payment_an_order": (Conflict, "This order has a payment already.")}

    def of_order(self, order_id: OrderId) -> Payment:
        return self._of_order(order_id, lock=False)

    def of_order_for_update(self, order_id: OrderId) -> Payment:
        return self._of_order(order_id, lock=True)

    def find(self, *, intent_id: str | None, order_id: OrderId | None) -> Payment | None:
        found = self._first(_payment.intent_id == intent_id) if intent_id is not None else None
        if found is None and order_id is not None:
            found = self._first(_payment.order_id == order_id)
        return found

    def next_due_for_update(self, *, now: datetime) -> Payment | None:
        row = self._execute(_next_due(payments, now)).first()
        return None if row is None else self.from_row(row)

    def to_row(self, entity: Payment) -> dict[str, Any]:
        return {
            "id": entity.id,
            "order_id": entity.order_id,
            "buyer_id": entity.buyer_id,
            "amount": entity.amount.amount,
            "currency": entity.amount.currency,
            "provider": entity.provider,
            "status": entity.status.value,
            "customer_id": entity.customer_id,
            "create_attempt": entity.create_attempt,
            "intent_id": entity.intent_id,
            "charge_id": entity.charge_id,
            "balance_transaction_id": entity.balance_transaction_id,
            "confirm_attempts": entity.confirm_attempts,
            "cancel_refusals": entity.cancel_refusals,
            "last_decline_code": entity.last_decline_code,
            "cancel_wanted": entity.cancel_wanted.value,
            "cancel_wanted_by": entity.cancel_wanted_by,
            "quarantine": entity.quarantine,
            "failures": entity.failures,
            "created_at": entity.created_at,
            "due_at": entity.due_at,
            "next_check_at": entity.next_check_at,
            "locked_until": entity.locked_until,
            "succeeded_at": entity.succeeded_at,
        }

    def from_row(self, row: Any) -> Payment:
        return Payment(
            id=row.id,
            order_id=row.order_id,
            buyer_id=row.buyer_id,
            amount=Money(row.amount, row.currency),
            provider=row.provider,
            status=PaymentStatus(row.status),
            customer_id=row.customer_id,
            create_attempt=row.create_attempt,
            intent_id=row.intent_id,
            charge_id=row.charge_id,
            balance_transaction_id=row.balance_transaction_id,
            confirm_attempts=row.confirm_attempts,
            cancel_refusals=row.cancel_refusals,
            last_decline_code=row.last_decline_code,
            cancel_wanted=CancelWish(row.cancel_wanted),
            cancel_wanted_by=row.cancel_wanted_by,
            quarantine=row.quarantine,
            failures=row.failures,
            created_at=row.created_at,
            due_at=row.due_at,
            next_check_at=row.next_check_at,
            locked_until=row.locked_until,
            succeeded_at=row.succeeded_at,
            version=row.version,
        )

    def _of_order(self, order_id: OrderId, *, lock: bool) -> Payment:
        found = self._first(_payment.order_id == order_id, lock=lock)
        if found is None:
            raise NotFound(f"Order {order_id} has no payment.")
        return found


class PostgresRefunds(PostgresRepository[Refund], RefundRepository):
    table = refunds
    noun = "refund"

    def add(self, entity: Refund) -> None:
        super().add(entity)
        self._execute(sa.insert(refund_parts), [_part_row(entity.id, part) for part in entity.parts])

    def find(self, *, refund_id: RefundId | None, provider_refund_id: str | None) -> Refund | None:
        found = self._first(_refund.id == refund_id) if refund_id is not None else None
        if found is None and provider_refund_id is not None:
            found = self._first(_refund.provider_refund_id == provider_refund_id)
        return found

    def of_order(self, order_id: OrderId) -> Sequence[Refund]:
        return self._all(_refund.order_id == order_id, order_by=[_refund.id])

    def next_due_for_update(self, *, now: datetime) -> Refund | None:
        row = self._execute(_next_due(refunds, now)).first()
        return None if row is None else self.from_row(row)

    def to_row(self, entity: Refund) -> dict[str, Any]:
        return {
            "id": entity.id,
            "order_id": entity.order_id,
            "payment_id": entity.payment_id,
            "amount": entity.amount.amount,
            "currency": entity.amount.currency,
            "cause": entity.cause.value,
            "reason": entity.reason,
            "status": entity.status.value,
            "provider_refund_id": entity.provider_refund_id,
            "attempt": entity.attempt,
            "failure_reason": entity.failure_reason,
            "failures": entity.failures,
            "decided_at": entity.decided_at,
            "first_sent_at": entity.first_sent_at,
            "next_check_at": entity.next_check_at,
            "locked_until": entity.locked_until,
            "earlier_provider_refund_ids": list(entity.earlier_provider_refund_ids),
            "settled_at": entity.settled_at,
            "settled_by": entity.settled_by,
            "settled_note": entity.settled_note,
        }

    def from_row(self, row: Any) -> Refund:
        parts = self._execute(
            sa.select(refund_parts).where(refund_parts.c.refund_id == row.id).order_by(refund_parts.c.sale_id)
        )
        return Refund(
            id=row.id,
            order_id=row.order_id,
            payment_id=row.payment_id,
            amount=Money(row.amount, row.currency),
            cause=RefundCause(row.cause),
            reason=row.reason,
            parts=tuple(_part(part) for part in parts),
            status=RefundStatus(row.status),
            provider_refund_id=row.provider_refund_id,
            attempt=row.attempt,
            failure_reason=row.failure_reason,
            failures=row.failures,
            decided_at=row.decided_at,
            first_sent_at=row.first_sent_at,
            next_check_at=row.next_check_at,
            locked_until=row.locked_until,
            earlier_provider_refund_ids=tuple(row.earlier_provider_refund_ids),
            settled_at=row.settled_at,
            settled_by=row.settled_by,
            settled_note=row.settled_note,
            version=row.version,
        )


class PostgresPaymentQueries(PaymentQueries):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def of_orders(self, order_ids: Sequence[OrderId]) -> Mapping[OrderId, PaymentView]:
        statement = sa.select(
            _payment.order_id,
            _payment.provider,
            _payment.intent_id,
            _payment.status,
            _payment.amount,
            _payment.currency,
            _payment.quarantine,
        ).where(_payment.order_id.in_(order_ids))
        with translated({}), self._engine.connect() as connection:
            return {
                row.order_id: PaymentView(
                    order_id=row.order_id,
                    provider=row.provider,
                    intent_id=row.intent_id,
                    status=PaymentStatus(row.status),
                    amount=Money(row.amount, row.currency),
                    quarantine=row.quarantine,
                )
                for row in connection.execute(statement)
            }

    def refunds(self, order_id: OrderId) -> Sequence[RefundView]:
        statement = sa.select(refunds).where(_refund.order_id == order_id).order_by(_refund.id)
        with translated({}), self._engine.connect() as connection:
            return [refund_view(row) for row in connection.execute(statement)]

    def refund(self, id: RefundId) -> RefundView:
        with translated({}), self._engine.connect() as connection:
            found = connection.execute(sa.select(refunds).where(_refund.id == id)).first()
        if found is None:
            raise NotFound(f"There is no refund {id}.")
        return refund_view(found)

    def refunds_page(
        self, request: PageRequest, *, statuses: Collection[RefundStatus] = (), order_id: OrderId | None = None
    ) -> Page[RefundView]:
        statement = sa.select(refunds)
        if statuses:
            statement = statement.where(_refund.status.in_([status.value for status in statuses]))
        if order_id is not None:
            statement = statement.where(_refund.order_id == order_id)
        with translated({}), self._engine.connect() as connection:
            return paged(
                connection,
                statement,
                keys=[_refund.decided_at, _refund.id],
                descending=True,
                request=request,
                view=refund_view,
            )


def refund_view(row: Any) -> RefundView:
    """Of a row of ``refunds``."""
    return RefundView(
        id=row.id,
        order_id=row.order_id,
        status=RefundStatus(row.status),
        amount=Money(row.amount, row.currency),
        cause=RefundCause(row.cause),
        reason=row.reason,
        decided_at=row.decided_at,
        provider_refund_id=row.provider_refund_id,
        failure_reason=row.failure_reason,
        settled_at=row.settled_at,
        settled_note=row.settled_note,
    )


def _next_due(table: sa.Table, now: datetime) -> sa.Select[Any]:
    """The row that has waited longest, locked; those that somebody else has locked or leased are passed over."""
    free = sa.func.coalesce(table.c.locked_until <= now, sa.true())
    return (
        sa.select(table)
        .where(table.c.next_check_at <= now, free)
        .order_by(table.c.next_check_at, table.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def _part_row(refund_id: RefundId, part: RefundPart) -> dict[str, Any]:
    return {
        "refund_id": refund_id,
        "sale_id": part.sale_id,
        "seller_id": part.seller_id,
        "pieces": {str(line): quantity for line, quantity in part.pieces.items()},
        **{name: getattr(part.components, name) for name in _COMPONENTS},
    }


def _part(row: Any) -> RefundPart:
    return RefundPart(
        sale_id=row.sale_id,
        seller_id=row.seller_id,
        pieces={SaleLineId(int(line)): quantity for line, quantity in row.pieces.items()},
        # "items" is a method of a row, so the columns are read by name.
        components=Return(**{name: row._mapping[name] for name in _COMPONENTS}),
    )
