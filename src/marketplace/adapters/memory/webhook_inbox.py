"""The inbox of provider events, in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.payment_gateway import ProviderEvent
from marketplace.application.ports.payments import DeadEvent, InboxItem, InboxStatus, WebhookInbox

_OPEN = (InboxStatus.WAITING, InboxStatus.UNMATCHED)


@dataclass(slots=True)
class _Row:
    event: ProviderEvent
    received_at: datetime
    run_at: datetime
    status: InboxStatus
    attempts: int = 0
    locked_until: datetime | None = None
    last_error: str = ""
    closed_at: datetime | None = None


class InMemoryWebhookInbox(WebhookInbox):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def store(self, event: ProviderEvent, *, status: InboxStatus, now: datetime) -> bool:
        with self._store.lock:
            if event.id in self._rows:
                return False
            closed_at = None if status in _OPEN else now
            self._rows[event.id] = _Row(event, received_at=now, run_at=now, status=status, closed_at=closed_at)
            return True

    def lease(self, *, now: datetime, lease_for: timedelta, limit: int) -> Sequence[InboxItem]:
        with self._store.lock:
            due = sorted(
                (
                    row
                    for row in self._rows.values()
                    if row.status in _OPEN
                    and row.run_at <= now
                    and (row.locked_until is None or row.locked_until <= now)
                ),
                key=lambda row: (row.run_at, row.event.id),
            )[:limit]
            for row in due:
                row.locked_until = now + lease_for
                row.attempts += 1
            return [InboxItem(event=row.event, received_at=row.received_at, attempts=row.attempts) for row in due]

    def close(self, id: str, *, status: InboxStatus, error: str, now: datetime) -> None:
        with self._store.lock:
            row = self._rows[id]
            row.status, row.last_error, row.locked_until, row.closed_at = status, error, None, now

    def retry(self, id: str, *, status: InboxStatus, error: str, at: datetime) -> None:
        with self._store.lock:
            row = self._rows[id]
            row.status, row.last_error, row.locked_until, row.run_at = status, error, None, at

    def counts(self) -> Mapping[InboxStatus, int]:
        with self._store.lock:
            counted = Counter(row.status for row in self._rows.values())
        return {status: counted[status] for status in InboxStatus}

    def dead(self, *, limit: int) -> Sequence[DeadEvent]:
        with self._store.lock:
            found = [row for row in self._rows.values() if row.status is InboxStatus.DEAD]
            found.sort(key=lambda row: (row.received_at, row.event.id))
            return [
                DeadEvent(
                    id=row.event.id,
                    type=row.event.type,
                    object_id=row.event.object_id,
                    received_at=row.received_at,
                    attempts=row.attempts,
                    last_error=row.last_error,
                )
                for row in found[:limit]
            ]

    def purge(self, *, closed_before: datetime, limit: int) -> int:
        with self._store.lock:
            old = [
                row.event.id
                for row in self._rows.values()
                if row.status is not InboxStatus.DEAD and row.closed_at is not None and row.closed_at < closed_before
            ][:limit]
            for id in old:
                del self._rows[id]
            return len(old)

    def replay(self, ids: Sequence[str] | None, *, now: datetime) -> int:
        with self._store.lock:
            chosen = [
                row
                for row in self._rows.values()
                if row.status is InboxStatus.DEAD and (ids is None or row.event.id in ids)
            ]
            for row in chosen:
                # A second life, with the time to find its payment that a new event has.
                row.status, row.attempts, row.run_at, row.received_at = InboxStatus.WAITING, 0, now, now
                row.closed_at = None
            return len(chosen)

    @property
    def _rows(self) -> dict[str, _Row]:
        return self._store.table("webhook_inbox")
