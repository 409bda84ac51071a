"""Counters of tries in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from marketplace.adapters.postgres.tables.attempts import attempt_counters as counters
from marketplace.adapters.postgres.tables.attempts import known_places as places
from marketplace.application.ports.attempts import AttemptRepository
from marketplace.domain.identity.attempts import AttemptCounter

if TYPE_CHECKING:
    from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork


class PostgresAttempts(AttemptRepository):
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    def of(self, key: str, *, now: datetime) -> AttemptCounter:
        # Writing the key over itself locks a row that is there, and waits for one that is just being made.
        fresh = insert(counters).values(key=key, failures=0, counted_at=now)
        locked = fresh.on_conflict_do_update(index_elements=[counters.c.key], set_={"key": fresh.excluded.key})
        row = self._uow.execute(locked.returning(counters)).one()
        return AttemptCounter(
            key=row.key, failures=row.failures, counted_at=row.counted_at, locked_until=row.locked_until
        )

    def save(self, counter: AttemptCounter) -> None:
        self._uow.execute(
            sa.update(counters)
            .where(counters.c.key == counter.key)
            .values(failures=counter.failures, counted_at=counter.counted_at, locked_until=counter.locked_until)
        )

    def forget(self, keys: Collection[str]) -> None:
        # In the order of their keys, so that no two that forget the same wait for one another.
        found = sa.select(counters.c.key).where(counters.c.key.in_(keys)).order_by(counters.c.key).with_for_update()
        self._uow.execute(sa.delete(counters).where(counters.c.key.in_(found)))

    def remember_places(self, keys: Collection[str], *, until: datetime) -> None:
        fresh = insert(places).values([{"key": key, "until": until} for key in sorted(set(keys))])
        self._uow.execute(
            fresh.on_conflict_do_update(index_elements=[places.c.key], set_={"until": fresh.excluded.until})
        )

    def knows_place(self, key: str, *, now: datetime) -> bool:
        known = sa.select(places.c.key).where(places.c.key == key, places.c.until > now)
        return self._uow.execute(known).first() is not None

    def purge(self, *, counted_before: datetime, now: datetime, limit: int) -> int:
        return self._delete(counters, counters.c.counted_at, counted_before, limit=limit) + self._delete(
            places, places.c.until, now, limit=limit
        )

    def _delete(self, table: sa.Table, column: sa.Column[datetime], before: datetime, *, limit: int) -> int:
        old = sa.select(table.c.key).where(column < before).order_by(column).limit(limit)
        skipping = old.with_for_update(skip_locked=True)
        return self._uow.execute(sa.delete(table).where(table.c.key.in_(skipping))).rowcount
