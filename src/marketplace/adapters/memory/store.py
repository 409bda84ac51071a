"""What the in-memory backend keeps, and the one lock that makes its units of work follow one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from threading import Lock, RLock
from typing import Any

from marketplace.application.ports.ids import IdSequence
from marketplace.domain.catalogue.standard import RESERVED_IDS
from marketplace.domain.shared.events import Event


@dataclass(slots=True)
class StoredEvent:
    """An outbox row."""

    id: int
    event: Event
    run_at: datetime
    attempts: int = 0
    locked_until: datetime | None = None
    last_error: str = ""
    done_at: datetime | None = None
    dead: bool = False


@dataclass(slots=True)
class InMemoryStore:
    """Committed state: one dict a table, keyed by identity, and the outbox.

    ``lock`` is held by a unit of work from its beginning to its end and by a query while it scans, so transactions are
    serial; a second unit in the same thread may begin inside the first, which is how a test stages a conflict.
    """

    tables: dict[str, dict[Any, Any]] = field(default_factory=dict)
    outbox: dict[int, StoredEvent] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock)
    event_ids: Iterator[int] = field(default_factory=lambda: count(1))

    def table(self, name: str) -> dict[Any, Any]:
        return self.tables.setdefault(name, {})

    @property
    def events(self) -> list[Event]:
        """Every event stored so far, oldest first."""
        with self.lock:
            return [row.event for row in self.outbox.values()]


class InMemoryIdSequence(IdSequence):
    def __init__(self, start: int = RESERVED_IDS + 1) -> None:
        self._count = count(start)
        self._lock = Lock()

    def next(self) -> int:
        with self._lock:
            return next(self._count)

    def take(self, count: int) -> Sequence[int]:
        with self._lock:
            return [next(self._count) for _ in range(count)]
