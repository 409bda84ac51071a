"""The outbox in PostgreSQL: a lease is an UPDATE of rows that nobody else has locked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.tables.outbox import outbox
from marketplace.application.ports.outbox import DeadLetter, Delivery, Outbox, OutboxStatus, UnreadableEvent
from marketplace.domain.shared.events import Event

_WAITING = sa.and_(outbox.c.done_at.is_(None), outbox.c.dead_at.is_(None))


class PostgresOutbox(Outbox):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def lease(self, *, now: datetime, lease_for: timedelta, limit: int) -> Sequence[Delivery]:
        # SKIP LOCKED passes over what another relay is leasing at this moment; what it leased earlier is seen by its
        # locked_until, which PostgreSQL checks again on the locked row.
        due = (
            sa.select(outbox.c.id)
            .where(_WAITING, outbox.c.run_at <= now, ~_is_leased(now))
            .order_by(outbox.c.run_at, outbox.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        statement = (
            sa.update(outbox)
            .where(outbox.c.id == due.c.id)
            .values(locked_until=now + lease_for, attempts=outbox.c.attempts + 1)
            .returning(
                outbox.c.id, outbox.c.name, outbox.c.payload, outbox.c.occurred_at, outbox.c.attempts, outbox.c.run_at
            )
        )
        with self._transaction() as connection:
            rows = connection.execute(statement).all()
        rows = sorted(rows, key=lambda row: (row.run_at, row.id))
        return [Delivery(id=row.id, event=_event(row), attempts=row.attempts) for row in rows]

    def delivered(self, id: int, *, now: datetime) -> None:
        self._update(outbox.c.id == id, done_at=now, dead_at=None, locked_until=None)

    def failed(self, id: int, *, error: str, now: datetime, retry_at: datetime | None) -> None:
        self._update(
            outbox.c.id == id,
            outbox.c.done_at.is_(None),
            last_error=error,
            locked_until=None,
            run_at=outbox.c.run_at if retry_at is None else retry_at,
            dead_at=now if retry_at is None else None,
        )

    def status(self, *, now: datetime) -> OutboxStatus:
        leased = _is_leased(now)
        statement = sa.select(
            sa.func.count().filter(_WAITING, ~leased).label("waiting"),
            sa.func.count().filter(_WAITING, leased).label("in_flight"),
            sa.func.count().filter(outbox.c.dead_at.is_not(None)).label("dead"),
            sa.func.min(outbox.c.occurred_at).filter(_WAITING, ~leased).label("oldest_waiting_at"),
        ).where(sa.or_(_WAITING, outbox.c.dead_at.is_not(None)))
        with self._transaction() as connection:
            row = connection.execute(statement).one()
        return OutboxStatus(
            waiting=row.waiting, in_flight=row.in_flight, dead=row.dead, oldest_waiting_at=row.oldest_waiting_at
        )

    def dead_letters(self, *, limit: int) -> Sequence[DeadLetter]:
        columns = (outbox.c.id, outbox.c.name, outbox.c.occurred_at, outbox.c.attempts, outbox.c.last_error)
        statement = sa.select(*columns).where(outbox.c.dead_at.is_not(None)).order_by(outbox.c.id).limit(limit)
        with self._transaction() as connection:
            return [DeadLetter(**row) for row in connection.execute(statement).mappings()]

    def replay(self, ids: Sequence[int] | None, *, now: datetime) -> int:
        chosen = sa.true() if ids is None else outbox.c.id.in_(ids)
        return self._update(chosen, outbox.c.dead_at.is_not(None), dead_at=None, attempts=0, run_at=now)

    def purge(self, *, delivered_before: datetime, limit: int) -> int:
        old = (
            sa.select(outbox.c.id)
            .where(outbox.c.done_at < delivered_before)
            .order_by(outbox.c.done_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        with self._transaction() as connection:
            return connection.execute(sa.delete(outbox).where(outbox.c.id.in_(old))).rowcount

    def _update(self, *where: sa.ColumnElement[bool], **values: Any) -> int:
        with self._transaction() as connection:
            return connection.execute(sa.update(outbox).where(*where).values(**values)).rowcount

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        with translated({}), self._engine.begin() as connection:
            yield connection


def _is_leased(now: datetime) -> sa.ColumnElement[bool]:
    return sa.func.coalesce(outbox.c.locked_until > now, False)


def _event(row: Any) -> Event:
    try:
        return Event.restore(row.name, row.payload)
    except (KeyError, TypeError, ValueError):
        return UnreadableEvent(occurred_at=row.occurred_at, stored_as=row.name)
