"""What the lock-out of guessers needs of the outside: counters that every process sees."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from marketplace.domain.identity.attempts import AttemptCounter


class AttemptRepository(Protocol):
    """Counters and places by their key, which is a keyed digest: neither name nor address is kept."""

    def of(self, key: str, *, now: datetime) -> AttemptCounter:
        """The counter, a fresh one where there is none; nobody else counts on it until the unit ends."""
        ...

    def save(self, counter: AttemptCounter) -> None:
        """Keep a counter that ``of`` gave in this unit."""
        ...

    def forget(self, keys: Collection[str]) -> None:
        """Begin to count afresh. Harmless for keys that there are not."""
        ...

    def remember_places(self, keys: Collection[str], *, until: datetime) -> None:
        """Know these places until then, whatever was known of them before."""
        ...

    def knows_place(self, key: str, *, now: datetime) -> bool:
        """Whether ``remember_places`` was told of this place, and its time is not over."""
        ...

    def purge(self, *, counted_before: datetime, now: datetime, limit: int) -> int:
        """Forget at most ``limit`` counters that nothing was counted on since then, and as many places whose time is
        over; gives the number of both."""
        ...
