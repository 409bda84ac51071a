"""The simulated provider's memory, in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import RLock
from typing import Any

from marketplace.application.ports.provider_state import (
    Funds,
    Movement,
    OutgoingEvent,
    ProviderState,
    ProviderTransaction,
    RememberedAnswer,
)


@dataclass(slots=True)
class _Object:
    kind: str
    parent: str
    created_at: datetime
    data: dict[str, Any]


@dataclass(slots=True)
class _Event:
    event: OutgoingEvent
    deliver_at: datetime
    created_at: datetime
    locked_until: datetime | None = None
    is_over: bool = False


@dataclass(slots=True)
class Contents:
    """Everything that the provider remembers. A transaction puts another one in its place."""

    objects: dict[str, _Object] = field(default_factory=dict)
    answers: dict[str, RememberedAnswer] = field(default_factory=dict)
    events: dict[str, _Event] = field(default_factory=dict)
    movements: dict[str, list[Movement]] = field(default_factory=dict)


class InMemoryProviderState(ProviderState):
    """Not part of the store of the marketplace: the provider is somewhere else, and so is its memory."""

    def __init__(self) -> None:
        self._lock = RLock()
        self.contents = Contents()

    @contextmanager
    def begin(self) -> Iterator[ProviderTransaction]:
        with self._lock:
            # What the dicts hold is replaced and never changed in a transaction, so the dicts are copied, not that.
            before = self.contents
            changed = Contents(dict(before.objects), dict(before.answers), dict(before.events), dict(before.movements))
            yield _InMemoryProviderTransaction(changed)
            self.contents = changed

    def lease_events(self, *, now: datetime, lease_for: timedelta, limit: int) -> Sequence[OutgoingEvent]:
        with self._lock:
            due = sorted(
                (
                    row
                    for row in self.contents.events.values()
                    if not row.is_over
                    and row.deliver_at <= now
                    and (row.locked_until is None or row.locked_until <= now)
                ),
                key=lambda row: row.deliver_at,
            )[:limit]
            for row in due:
                row.locked_until = now + lease_for
                row.event = replace(row.event, attempts=row.event.attempts + 1)
            return [row.event for row in due]

    def delivered(self, event_id: str, *, now: datetime) -> None:
        with self._lock:
            self.contents.events[event_id].is_over = True

    def refused(self, event_id: str, *, retry_at: datetime | None) -> None:
        with self._lock:
            row = self.contents.events[event_id]
            row.locked_until = None
            row.is_over = retry_at is None
            row.deliver_at = retry_at or row.deliver_at


class _InMemoryProviderTransaction(ProviderTransaction):
    def __init__(self, contents: Contents) -> None:
        self._contents = contents

    def answered(self, key: str) -> RememberedAnswer | None:
        return self._contents.answers.get(key)

    def remember(self, key: str, answer: RememberedAnswer, *, at: datetime) -> None:
        self._contents.answers[key] = answer

    def get(self, id: str) -> dict[str, Any] | None:
        found = self._contents.objects.get(id)
        return deepcopy(found.data) if found else None

    def read(self, id: str) -> dict[str, Any] | None:
        return self.get(id)

    def latest(self, kind: str, *, limit: int) -> Sequence[dict[str, Any]]:
        of_kind = [o for o in self._contents.objects.values() if o.kind == kind]
        return [deepcopy(o.data) for o in of_kind[: -limit - 1 : -1]]

    def move(self, movement: Movement) -> None:
        moved = self._contents.movements
        moved[movement.account] = [*moved.get(movement.account, []), movement]

    def funds(self, account: str, *, now: datetime, currency: str | None = None) -> Sequence[Funds]:
        moved = self._contents.movements.get(account, [])
        return [
            Funds(
                currency=each,
                available=sum(m.net for m in moved if m.currency == each and m.available_at <= now),
                pending=sum(m.net for m in moved if m.currency == each and m.available_at > now),
            )
            for each in sorted({m.currency for m in moved})
            if currency in (None, each)
        ]

    def lock_balance(self, account: str) -> None:
        """Nobody else has a transaction."""

    def put(self, object: Mapping[str, Any], *, kind: str, parent: str, at: datetime) -> None:
        known = self._contents.objects.get(object["id"])
        data = deepcopy(dict(object))
        self._contents.objects[object["id"]] = _Object(kind, parent, known.created_at if known else at, data)

    def children(self, kind: str, parent: str) -> Sequence[dict[str, Any]]:
        return [deepcopy(o.data) for o in self._contents.objects.values() if (o.kind, o.parent) == (kind, parent)]

    def listing(self, kind: str, *, since: datetime, after: str | None, limit: int | None) -> Sequence[dict[str, Any]]:
        of_kind = [id for id, o in self._contents.objects.items() if o.kind == kind]
        found = [self._contents.objects[id] for id in _following(of_kind, after)]
        return [deepcopy(o.data) for o in found if o.created_at >= since][:limit]

    def emit(self, event: OutgoingEvent, *, at: datetime) -> None:
        self._contents.events[event.id] = _Event(event, deliver_at=at, created_at=at)

    def told(self, *, since: datetime, after: str | None, limit: int) -> Sequence[OutgoingEvent]:
        events = self._contents.events
        told = [id for id, row in events.items() if not row.event.type.startswith("simulated.")]
        following = [events[id] for id in _following(told, after)]
        return [row.event for row in following if row.created_at >= since][:limit]


def _following(ids: list[str], after: str | None) -> list[str]:
    """Nothing follows what is not there."""
    if after is None:
        return ids
    return ids[ids.index(after) + 1 :] if after in ids else []
