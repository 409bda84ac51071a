"""The transactional outbox: events stored with the change that caused them, delivered at least once afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from marketplace.domain.shared.events import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class UnreadableEvent(Event):
    """Stands for a stored event that this code cannot read; a newer process may. ``stored_as`` is its name."""

    stored_as: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One event under lease. ``attempts`` counts this one."""

    id: int
    event: Event
    attempts: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetter:
    id: int
    name: str
    occurred_at: datetime
    attempts: int
    last_error: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OutboxStatus:
    waiting: int
    in_flight: int
    dead: int
    oldest_waiting_at: datetime | None


class Outbox(Protocol):
    """Each method is a transaction of its own; any number of relays work side by side."""

    def lease(self, *, now: datetime, lease_for: timedelta, limit: int) -> Sequence[Delivery]:
        """Events that are due and held by no other relay, oldest first; each is this caller's until the lease ends."""
        ...

    def delivered(self, id: int, *, now: datetime) -> None:
        """The event has been handled. Harmless when repeated."""
        ...

    def failed(self, id: int, *, error: str, now: datetime, retry_at: datetime | None) -> None:
        """Give the event back, due at ``retry_at``; None makes it a dead letter. An event once delivered stays so."""
        ...

    def status(self, *, now: datetime) -> OutboxStatus:
        """How many wait, are leased, and are dead; an event that waits for its retry is a waiting one."""
        ...

    def dead_letters(self, *, limit: int) -> Sequence[DeadLetter]:
        """What was given up, oldest first."""
        ...

    def replay(self, ids: Sequence[int] | None, *, now: datetime) -> int:
        """Make dead letters due again, all of them when ``ids`` is None, their attempts forgotten; gives the number."""
        ...

    def purge(self, *, delivered_before: datetime, limit: int) -> int:
        """Forget at most ``limit`` events delivered before then; gives the number."""
        ...
