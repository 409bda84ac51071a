"""The inbox of provider events in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.tables.payments import webhook_inbox
from marketplace.application.ports.payment_gateway import ProviderEvent
from marketplace.application.ports.payments import DeadEvent, InboxItem, InboxStatus, WebhookInbox

_column = webhook_inbox.c
# Word for word what the partial indexes say, so that they are used.
_OPEN = sa.text("status in ('waiting', 'unmatched')")
_DEAD = sa.text("status = 'dead'")


class PostgresWebhookInbox(WebhookInbox):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def store(self, event: ProviderEvent, *, status: InboxStatus, now: datetime) -> bool:
        statement = insert(webhook_inbox).values(
            id=event.id,
            type=event.type,
            object_id=event.object_id,
            intent_id=event.intent_id,
            order_id=event.order_id,
            refund_id=event.refund_id,
            account=event.account,
            livemode=event.livemode,
            api_version=event.api_version,
            payload=dict(event.payload),
            status=status.value,
            created_at=event.created_at,
            received_at=now,
            run_at=now,
            closed_at=None if status in (InboxStatus.WAITING, InboxStatus.UNMATCHED) else now,
        )
        with self._transaction() as connection:
            return connection.execute(statement.on_conflict_do_nothing()).rowcount > 0

    def lease(self, *, now: datetime, lease_for: timedelta, limit: int) -> Sequence[InboxItem]:
        due = (
            sa.select(_column.id)
            .where(_OPEN, _column.run_at <= now, sa.func.coalesce(_column.locked_until <= now, sa.true()))
            .order_by(_column.run_at, _column.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        statement = (
            sa.update(webhook_inbox)
            .where(_column.id == due.c.id)
            .values(locked_until=now + lease_for, attempts=_column.attempts + 1)
            .returning(*webhook_inbox.columns)
        )
        with self._transaction() as connection:
            rows = sorted(connection.execute(statement), key=lambda row: (row.run_at, row.id))
        return [InboxItem(event=_event(row), received_at=row.received_at, attempts=row.attempts) for row in rows]

    def close(self, id: str, *, status: InboxStatus, error: str, now: datetime) -> None:
        self._update(_column.id == id, status=status.value, last_error=error, locked_until=None, closed_at=now)

    def retry(self, id: str, *, status: InboxStatus, error: str, at: datetime) -> None:
        self._update(_column.id == id, status=status.value, last_error=error, locked_until=None, run_at=at)

    def counts(self) -> Mapping[InboxStatus, int]:
        statement = sa.select(_column.status, sa.func.count()).group_by(_column.status)
        with self._transaction() as connection:
            counted = {status: number for status, number in connection.execute(statement)}
        return {status: counted.get(status.value, 0) for status in InboxStatus}

    def dead(self, *, limit: int) -> Sequence[DeadEvent]:
        statement = (
            sa.select(
                _column.id,
                _column.type,
                _column.object_id,
                _column.received_at,
                _column.attempts,
                _column.last_error,
            )
            .where(_DEAD)
            .order_by(_column.received_at, _column.id)
            .limit(limit)
        )
        with self._transaction() as connection:
            return [DeadEvent(**row) for row in connection.execute(statement).mappings()]

    def purge(self, *, closed_before: datetime, limit: int) -> int:
        old = (
            sa.select(_column.id)
            .where(_column.closed_at < closed_before, _column.status != InboxStatus.DEAD.value)
            .order_by(_column.closed_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        with self._transaction() as connection:
            return connection.execute(sa.delete(webhook_inbox).where(_column.id.in_(old))).rowcount

    def replay(self, ids: Sequence[str] | None, *, now: datetime) -> int:
        chosen = sa.true() if ids is None else _column.id.in_(ids)
        # A second life, with the time to find its payment that a new event has.
        return self._update(
            chosen,
            _DEAD,
            status=InboxStatus.WAITING.value,
            attempts=0,
            run_at=now,
            received_at=now,
            closed_at=None,
        )

    def _update(self, *where: Any, **values: Any) -> int:
        with self._transaction() as connection:
            return connection.execute(sa.update(webhook_inbox).where(*where).values(**values)).rowcount

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        with translated({}), self._engine.begin() as connection:
            yield connection


def _event(row: Any) -> ProviderEvent:
    return ProviderEvent(
        id=row.id,
        type=row.type,
        object_id=row.object_id,
        intent_id=row.intent_id,
        order_id=row.order_id,
        refund_id=row.refund_id,
        account=row.account,
        livemode=row.livemode,
        api_version=row.api_version,
        created_at=row.created_at,
        payload=row.payload,
    )
