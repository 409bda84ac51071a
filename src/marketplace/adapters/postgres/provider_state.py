"""The simulated provider's memory in PostgreSQL, in transactions of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.tables.simulated_provider import (
    simulated_events,
    simulated_movements,
    simulated_objects,
    simulated_requests,
)
from marketplace.application.ports.provider_state import (
    Funds,
    Movement,
    OutgoingEvent,
    ProviderState,
    ProviderTransaction,
    RememberedAnswer,
)

_object, _request, _event = simulated_objects.c, simulated_requests.c, simulated_events.c
_movement = simulated_movements.c
_KEY = sa.bindparam("key", type_=sa.Text)
_LOCK = sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(_KEY, 0)))
_ANSWERED = sa.select(simulated_requests).where(_request.key == _KEY)
_REMEMBER = sa.insert(simulated_requests)
_GET = sa.select(_object.data).where(_object.id == sa.bindparam("id")).with_for_update()
_READ = sa.select(_object.data).where(_object.id == sa.bindparam("id"))
_MOVE = sa.insert(simulated_movements)
_NEW = insert(simulated_objects)
_PUT = _NEW.on_conflict_do_update(index_elements=["id"], set_={"data": _NEW.excluded.data})
_EMIT = sa.insert(simulated_events)


class PostgresProviderState(ProviderState):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @contextmanager
    def begin(self) -> Iterator[ProviderTransaction]:
        with self._transaction() as connection:
            yield _PostgresProviderTransaction(connection)

    def lease_events(self, *, now: datetime, lease_for: timedelta, limit: int) -> Sequence[OutgoingEvent]:
        due = (
            sa.select(_event.id)
            .where(
                _event.delivered_at.is_(None),
                _event.deliver_at <= now,
                sa.func.coalesce(_event.locked_until <= now, sa.true()),
            )
            .order_by(_event.deliver_at, _event.number)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        statement = (
            sa.update(simulated_events)
            .where(_event.id == due.c.id)
            .values(locked_until=now + lease_for, attempts=_event.attempts + 1)
            .returning(_event.id, _event.type, _event.body, _event.attempts, _event.deliver_at, _event.number)
        )
        with self._transaction() as connection:
            rows = sorted(connection.execute(statement), key=lambda row: (row.deliver_at, row.number))
        return [OutgoingEvent(id=row.id, type=row.type, body=row.body, attempts=row.attempts) for row in rows]

    def delivered(self, event_id: str, *, now: datetime) -> None:
        self._update(event_id, delivered_at=now, locked_until=None)

    def refused(self, event_id: str, *, retry_at: datetime | None) -> None:
        over = _event.deliver_at if retry_at is None else sa.null()
        self._update(event_id, deliver_at=retry_at or _event.deliver_at, delivered_at=over, locked_until=None)

    def _update(self, event_id: str, **values: Any) -> None:
        with self._transaction() as connection:
            connection.execute(sa.update(simulated_events).where(_event.id == event_id).values(**values))

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        with translated({}), self._engine.begin() as connection:
            yield connection


class _PostgresProviderTransaction(ProviderTransaction):
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def answered(self, key: str) -> RememberedAnswer | None:
        # There may be no row to lock yet, so the lock is on the key itself.
        self._connection.execute(_LOCK, {"key": key})
        row = self._connection.execute(_ANSWERED, {"key": key}).first()
        return RememberedAnswer(fingerprint=row.fingerprint, answer=row.answer) if row else None

    def remember(self, key: str, answer: RememberedAnswer, *, at: datetime) -> None:
        self._connection.execute(
            _REMEMBER,
            {"key": key, "fingerprint": answer.fingerprint, "answer": dict(answer.answer), "created_at": at},
        )

    def get(self, id: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._connection.execute(_GET, {"id": id}).scalar_one_or_none()
        return found

    def read(self, id: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._connection.execute(_READ, {"id": id}).scalar_one_or_none()
        return found

    def latest(self, kind: str, *, limit: int) -> Sequence[dict[str, Any]]:
        newest = (_object.created_at.desc(), _object.number.desc())
        statement = sa.select(_object.data).where(_object.kind == kind).order_by(*newest).limit(limit)
        return list(self._connection.execute(statement).scalars())

    def move(self, movement: Movement) -> None:
        self._connection.execute(_MOVE, asdict(movement))

    def funds(self, account: str, *, now: datetime, currency: str | None = None) -> Sequence[Funds]:
        is_there = _movement.available_at <= now
        net = sa.func.sum(_movement.net)
        statement = (
            sa.select(
                _movement.currency,
                sa.func.coalesce(net.filter(is_there), 0).label("available"),
                sa.func.coalesce(net.filter(~is_there), 0).label("pending"),
            )
            .where(_movement.account == account)
            .group_by(_movement.currency)
            .order_by(_movement.currency)
        )
        if currency is not None:
            statement = statement.where(_movement.currency == currency)
        return [
            Funds(currency=row.currency, available=int(row.available), pending=int(row.pending))
            for row in self._connection.execute(statement)
        ]

    def lock_balance(self, account: str) -> None:
        self._connection.execute(_LOCK, {"key": f"simulated balance {account}"})

    def put(self, object: Mapping[str, Any], *, kind: str, parent: str, at: datetime) -> None:
        data = dict(object)
        row = {"id": data["id"], "kind": kind, "parent": parent, "data": data, "created_at": at}
        self._connection.execute(_PUT, row)

    def children(self, kind: str, parent: str) -> Sequence[dict[str, Any]]:
        of_parent = (_object.kind == kind, _object.parent == parent)
        statement = sa.select(_object.data).where(*of_parent).order_by(_object.number)
        return list(self._connection.execute(statement).scalars())

    def listing(self, kind: str, *, since: datetime, after: str | None, limit: int | None) -> Sequence[dict[str, Any]]:
        wanted = [_object.kind == kind, _object.created_at >= since]
        if after is not None:
            wanted.append(_follows(simulated_objects, after))
        statement = sa.select(_object.data).where(*wanted).order_by(_object.created_at, _object.number).limit(limit)
        return list(self._connection.execute(statement).scalars())

    def emit(self, event: OutgoingEvent, *, at: datetime) -> None:
        self._connection.execute(
            _EMIT, {"id": event.id, "type": event.type, "body": event.body, "created_at": at, "deliver_at": at}
        )

    def told(self, *, since: datetime, after: str | None, limit: int) -> Sequence[OutgoingEvent]:
        wanted = [_event.created_at >= since, ~_event.type.startswith("simulated.")]
        if after is not None:
            wanted.append(_follows(simulated_events, after))
        statement = sa.select(simulated_events).where(*wanted).order_by(_event.created_at, _event.number).limit(limit)
        rows = self._connection.execute(statement)
        return [OutgoingEvent(id=row.id, type=row.type, body=row.body, attempts=row.attempts) for row in rows]


def _follows(table: sa.Table, after: str) -> sa.ColumnElement[bool]:
    """Nothing follows what is not there."""
    place = sa.select(table.c.created_at, table.c.number).where(table.c.id == after).subquery()
    return sa.tuple_(table.c.created_at, table.c.number) > sa.select(place).scalar_subquery()
