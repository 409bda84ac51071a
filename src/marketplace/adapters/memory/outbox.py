"""The outbox of the in-memory backend."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from marketplace.adapters.memory.store import InMemoryStore, StoredEvent
from marketplace.application.ports.outbox import DeadLetter, Delivery, Outbox, OutboxStatus


class InMemoryOutbox(Outbox):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def lease(self, *, now: datetime, lease_for: timedelta, limit: int) -> Sequence[Delivery]:
        with self._store.lock:
            due = [row for row in self._waiting() if row.run_at <= now and not _is_leased(row, now)]
            due.sort(key=lambda row: (row.run_at, row.id))
            for row in due[:limit]:
                row.locked_until = now + lease_for
                row.attempts += 1
            return [Delivery(id=row.id, event=row.event, attempts=row.attempts) for row in due[:limit]]

    def delivered(self, id: int, *, now: datetime) -> None:
        with self._store.lock:
            row = self._store.outbox[id]
            row.done_at, row.locked_until, row.dead = now, None, False

    def failed(self, id: int, *, error: str, now: datetime, retry_at: datetime | None) -> None:
        with self._store.lock:
            row = self._store.outbox[id]
            if row.done_at is not None:
                return
            row.last_error, row.locked_until = error, None
            row.dead = retry_at is None
            row.run_at = retry_at or row.run_at

    def status(self, *, now: datetime) -> OutboxStatus:
        with self._store.lock:
            waiting = [row for row in self._waiting() if not _is_leased(row, now)]
            return OutboxStatus(
                waiting=len(waiting),
                in_flight=sum(_is_leased(row, now) for row in self._waiting()),
                dead=len(self._dead()),
                oldest_waiting_at=min((row.event.occurred_at for row in waiting), default=None),
            )

    def dead_letters(self, *, limit: int) -> Sequence[DeadLetter]:
        with self._store.lock:
            return [
                DeadLetter(
                    id=row.id,
                    name=row.event.name,
                    occurred_at=row.event.occurred_at,
                    attempts=row.attempts,
                    last_error=row.last_error,
                )
                for row in self._dead()[:limit]
            ]

    def replay(self, ids: Sequence[int] | None, *, now: datetime) -> int:
        with self._store.lock:
            chosen = [row for row in self._dead() if ids is None or row.id in ids]
            for row in chosen:
                row.dead, row.attempts, row.run_at = False, 0, now
            return len(chosen)

    def purge(self, *, delivered_before: datetime, limit: int) -> int:
        with self._store.lock:
            old = [row for row in self._store.outbox.values() if row.done_at and row.done_at < delivered_before]
            for row in old[:limit]:
                del self._store.outbox[row.id]
            return len(old[:limit])

    def _waiting(self) -> list[StoredEvent]:
        return [row for row in self._store.outbox.values() if row.done_at is None and not row.dead]

    def _dead(self) -> list[StoredEvent]:
        return sorted((row for row in self._store.outbox.values() if row.dead), key=lambda row: row.id)


def _is_leased(row: StoredEvent, now: datetime) -> bool:
    return row.locked_until is not None and row.locked_until > now
