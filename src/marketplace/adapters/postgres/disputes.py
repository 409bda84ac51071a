"""Disputes and chargebacks in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.pages import paged
from marketplace.adapters.postgres.repository import PostgresRepository
from marketplace.adapters.postgres.tables.disputes import chargeback_movements, chargebacks, disputes
from marketplace.adapters.postgres.tables.orders import orders, sales
from marketplace.application.ports.disputes import (
    ChargebackQueries,
    ChargebackRepository,
    ChargebackView,
    DisputeFilter,
    DisputeQueries,
    DisputeRepository,
    DisputeView,
)
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.disputes import (
    OPEN_STATUSES,
    AlreadyDisputed,
    Dispute,
    DisputeOutcome,
    DisputeReason,
    DisputeStatus,
)
from marketplace.domain.payments.chargebacks import Chargeback, ChargebackMovement, ChargebackStage
from marketplace.domain.shared.errors import Conflict, NotFound
from marketplace.domain.shared.ids import ChargebackId, DisputeId, OrderId, SaleId
from marketplace.domain.shared.money import Money

_dispute, _chargeback, _movement = disputes.c, chargebacks.c, chargeback_movements.c
_OPEN = [status.value for status in sorted(OPEN_STATUSES)]


class PostgresDisputes(PostgresRepository[Dispute], DisputeRepository):
    table = disputes
    noun = "dispute"
    constraints: ClassVar = {
        "one_open_dispute_a_sale": (AlreadyDisputed, "A dispute is open on this sale already."),
        "one_dispute_a_sale_and_chargeback": (Conflict, "This chargeback has opened a dispute on this sale already."),
    }

    def is_open(self, sale_id: SaleId) -> bool:
        found = sa.select(sa.literal(1)).where(_dispute.sale_id == sale_id, _dispute.status.in_(_OPEN)).limit(1)
        return self._execute(found).first() is not None

    def open_by_buyer_for_update(self, sale_id: SaleId) -> Dispute | None:
        by_buyer = _dispute.chargeback_id.is_(None)
        return self._first(_dispute.sale_id == sale_id, by_buyer, _dispute.status.in_(_OPEN), lock=True)

    def of_chargeback_for_update(self, chargeback_id: ChargebackId) -> Sequence[Dispute]:
        return self._all(_dispute.chargeback_id == chargeback_id, order_by=[_dispute.id], lock=True)

    def to_row(self, entity: Dispute) -> dict[str, Any]:
        return {
            "id": entity.id,
            "order_id": entity.order_id,
            "sale_id": entity.sale_id,
            "buyer_id": entity.buyer_id,
            "seller_id": entity.seller_id,
            "reason": entity.reason.value,
            "status": entity.status.value,
            "description": entity.description,
            "desired_outcome": None if entity.desired_outcome is None else entity.desired_outcome.value,
            "outcome": None if entity.outcome is None else entity.outcome.value,
            "amount": None if entity.amount is None else entity.amount.amount,
            "currency": entity.currency,
            "note": entity.note,
            "resolved_by": entity.resolved_by,
            "refund_id": entity.refund_id,
            "chargeback_id": entity.chargeback_id,
            "opened_at": entity.opened_at,
            "respond_by": entity.respond_by,
            "resolved_at": entity.resolved_at,
        }

    def from_row(self, row: Any) -> Dispute:
        return Dispute(
            id=row.id,
            order_id=row.order_id,
            sale_id=row.sale_id,
            buyer_id=row.buyer_id,
            seller_id=row.seller_id,
            version=row.version,
            **_said(row),
        )


class PostgresChargebacks(PostgresRepository[Chargeback], ChargebackRepository):
    table = chargebacks
    noun = "chargeback"
    constraints: ClassVar = {
        "one_chargeback_a_provider_dispute": (Conflict, "This chargeback is known already."),
        "chargeback_movements_pkey": (Conflict, "Another chargeback has moved this money."),
    }

    def add(self, entity: Chargeback) -> None:
        super().add(entity)
        self._keep_movements(entity)

    def save(self, entity: Chargeback) -> None:
        super().save(entity)
        self._keep_movements(entity)

    def find(self, provider_chargeback_id: str) -> Chargeback | None:
        return self._first(_chargeback.provider_chargeback_id == provider_chargeback_id)

    def of_order(self, order_id: OrderId) -> Sequence[Chargeback]:
        return self._all(_chargeback.order_id == order_id, order_by=[_chargeback.id])

    def next_due_for_update(self, *, now: datetime) -> Chargeback | None:
        free = sa.func.coalesce(_chargeback.locked_until <= now, sa.true())
        statement = (
            sa.select(chargebacks)
            .where(_chargeback.next_check_at <= now, free)
            .order_by(_chargeback.next_check_at, _chargeback.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = self._execute(statement).first()
        return None if row is None else self.from_row(row)

    def to_row(self, entity: Chargeback) -> dict[str, Any]:
        return {
            "id": entity.id,
            "provider_chargeback_id": entity.provider_chargeback_id,
            "order_id": entity.order_id,
            "payment_id": entity.payment_id,
            "amount": entity.amount.amount,
            "currency": entity.amount.currency,
            "reason": entity.reason,
            "status": entity.status,
            "stage": None if entity.stage is None else entity.stage.value,
            "lost": entity.lost,
            "evidence": dict(entity.evidence),
            "evidence_attempt": entity.evidence_attempt,
            "failures": entity.failures,
            "opened_at": entity.opened_at,
            "evidence_due_at": entity.evidence_due_at,
            "evidence_submitted_at": entity.evidence_submitted_at,
            "decided_at": entity.decided_at,
            "next_check_at": entity.next_check_at,
            "locked_until": entity.locked_until,
        }

    def from_row(self, row: Any) -> Chargeback:
        moved = self._execute(_movements_of([row.id]))
        return Chargeback(
            id=row.id,
            provider_chargeback_id=row.provider_chargeback_id,
            order_id=row.order_id,
            payment_id=row.payment_id,
            amount=Money(row.amount, row.currency),
            reason=row.reason,
            status=row.status,
            stage=_stage(row),
            movements=[_movement_of(each) for each in moved],
            lost=row.lost,
            evidence=row.evidence,
            evidence_attempt=row.evidence_attempt,
            failures=row.failures,
            opened_at=row.opened_at,
            evidence_due_at=row.evidence_due_at,
            evidence_submitted_at=row.evidence_submitted_at,
            decided_at=row.decided_at,
            next_check_at=row.next_check_at,
            locked_until=row.locked_until,
            version=row.version,
        )

    def _keep_movements(self, entity: Chargeback) -> None:
        if entity.movements:
            rows = [
                {
                    "balance_transaction_id": movement.balance_transaction_id,
                    "chargeback_id": entity.id,
                    "amount": movement.amount,
                    "fee": movement.fee,
                    "created_at": movement.created_at,
                }
                for movement in entity.movements
            ]
            self._execute(insert(chargeback_movements).on_conflict_do_nothing(), rows)


class PostgresDisputeQueries(DisputeQueries):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def dispute(self, id: DisputeId) -> DisputeView:
        with translated({}), self._engine.connect() as connection:
            found = connection.execute(_DISPUTES.where(_dispute.id == id)).first()
        if found is None:
            raise NotFound(f"There is no dispute {id}.")
        return _dispute_view(found)

    def disputes(self, request: PageRequest, wanted: DisputeFilter) -> Page[DisputeView]:
        with translated({}), self._engine.connect() as connection:
            return paged(
                connection,
                _DISPUTES.where(*_narrowed(wanted)),
                keys=[_dispute.opened_at, _dispute.id],
                descending=True,
                request=request,
                view=_dispute_view,
            )


class PostgresChargebackQueries(ChargebackQueries):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def chargeback(self, id: ChargebackId) -> ChargebackView:
        with translated({}), self._engine.connect() as connection:
            found = connection.execute(_CHARGEBACKS.where(_chargeback.id == id)).first()
            if found is None:
                raise NotFound(f"There is no chargeback {id}.")
            return _chargeback_view(found, _movements_by_chargeback(connection, [id]))

    def chargebacks(
        self, request: PageRequest, *, stages: Collection[ChargebackStage] = (), order: OrderId | None = None
    ) -> Page[ChargebackView]:
        statement = _CHARGEBACKS
        if stages:
            statement = statement.where(_chargeback.stage.in_([stage.value for stage in stages]))
        if order is not None:
            statement = statement.where(_chargeback.order_id == order)
        with translated({}), self._engine.connect() as connection:
            page = paged(
                connection,
                statement,
                keys=[_chargeback.opened_at, _chargeback.id],
                descending=True,
                request=request,
                view=lambda row: row,
            )
            moved = _movements_by_chargeback(connection, [row.id for row in page.items])
        return Page(
            items=[_chargeback_view(row, moved) for row in page.items],
            next=page.next,
            previous=page.previous,
            count=page.count,
            count_is_exact=page.count_is_exact,
        )


_DISPUTES = sa.select(disputes, sales.c.reference.label("sale_reference")).select_from(
    disputes.join(sales, sales.c.id == _dispute.sale_id)
)
_CHARGEBACKS = sa.select(chargebacks, orders.c.reference.label("order_reference")).select_from(
    chargebacks.join(orders, orders.c.id == _chargeback.order_id)
)


def _narrowed(wanted: DisputeFilter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.party is not None:
        conditions.append(sa.or_(_dispute.buyer_id == wanted.party, _dispute.seller_id == wanted.party))
    if wanted.statuses:
        conditions.append(_dispute.status.in_([status.value for status in wanted.statuses]))
    if wanted.reasons:
        conditions.append(_dispute.reason.in_([reason.value for reason in wanted.reasons]))
    if wanted.sale is not None:
        conditions.append(_dispute.sale_id == wanted.sale)
    if wanted.order is not None:
        conditions.append(_dispute.order_id == wanted.order)
    return conditions


def _said(row: Any) -> dict[str, Any]:
    """What a dispute and a view of it call the same."""
    return {
        "reason": DisputeReason(row.reason),
        "status": DisputeStatus(row.status),
        "description": row.description,
        "desired_outcome": None if row.desired_outcome is None else DisputeOutcome(row.desired_outcome),
        "outcome": None if row.outcome is None else DisputeOutcome(row.outcome),
        "amount": None if row.amount is None else Money(row.amount, row.currency),
        "currency": row.currency,
        "note": row.note,
        "resolved_by": row.resolved_by,
        "refund_id": row.refund_id,
        "chargeback_id": row.chargeback_id,
        "opened_at": row.opened_at,
        "respond_by": row.respond_by,
        "resolved_at": row.resolved_at,
    }


def _dispute_view(row: Any) -> DisputeView:
    return DisputeView(
        id=row.id,
        order=row.order_id,
        sale=row.sale_id,
        sale_reference=row.sale_reference,
        buyer_id=row.buyer_id,
        seller_id=row.seller_id,
        **_said(row),
    )


def _chargeback_view(row: Any, moved: Mapping[ChargebackId, Sequence[ChargebackMovement]]) -> ChargebackView:
    return ChargebackView(
        id=row.id,
        provider_chargeback_id=row.provider_chargeback_id,
        order=row.order_id,
        order_reference=row.order_reference,
        amount=Money(row.amount, row.currency),
        reason=row.reason,
        stage=_stage(row),
        status=row.status,
        movements=tuple(moved.get(row.id, ())),
        lost=row.lost,
        evidence=row.evidence,
        evidence_due_at=row.evidence_due_at,
        evidence_submitted_at=row.evidence_submitted_at,
        opened_at=row.opened_at,
        decided_at=row.decided_at,
    )


def _stage(row: Any) -> ChargebackStage | None:
    return None if row.stage is None else ChargebackStage(row.stage)


def _movements_of(ids: Iterable[ChargebackId]) -> sa.Select[Any]:
    return (
        sa.select(chargeback_movements)
        .where(_movement.chargeback_id.in_(list(ids)))
        .order_by(_movement.created_at, _movement.balance_transaction_id)
    )


def _movement_of(row: Any) -> ChargebackMovement:
    return ChargebackMovement(
        balance_transaction_id=row.balance_transaction_id, amount=row.amount, fee=row.fee, created_at=row.created_at
    )


def _movements_by_chargeback(
    connection: sa.Connection, ids: Sequence[ChargebackId]
) -> dict[ChargebackId, list[ChargebackMovement]]:
    moved: dict[ChargebackId, list[ChargebackMovement]] = {}
    for row in connection.execute(_movements_of(ids)) if ids else ():
        moved.setdefault(row.chargeback_id, []).append(_movement_of(row))
    return moved
