"""Counters of tries in memory."""

from __future__ import annotations

from collections.abc import Collection
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.application.ports.attempts import AttemptRepository
from marketplace.domain.identity.attempts import AttemptCounter

if TYPE_CHECKING:
    from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork


@dataclass(frozen=True, slots=True)
class _Place:
    key: str
    until: datetime


class _InMemoryPlaces(InMemoryRepository[_Place]):
    name = "known_places"
    noun = "known place"

    def key(self, entity: _Place) -> str:
        return entity.key

    def until(self, key: str) -> datetime | None:
        found: _Place | None = self._find(key)
        return None if found is None else found.until

    def purge(self, *, now: datetime, limit: int) -> int:
        over = sorted(place.key for place in self._scan() if place.until < now)[:limit]
        for key in over:
            self.remove(key)
        return len(over)


class InMemoryAttempts(InMemoryRepository[AttemptCounter], AttemptRepository):
    name = "attempt_counters"
    noun = "counter"

    def __init__(self, uow: InMemoryUnitOfWork) -> None:
        super().__init__(uow)
        self._places = _InMemoryPlaces(uow)

    def key(self, entity: AttemptCounter) -> str:
        return entity.key

    def of(self, key: str, *, now: datetime) -> AttemptCounter:
        found: AttemptCounter | None = self._find(key)
        return AttemptCounter(key=key, counted_at=now) if found is None else copy(found)

    def forget(self, keys: Collection[str]) -> None:
        for key in keys:
            self.remove(key)

    def remember_places(self, keys: Collection[str], *, until: datetime) -> None:
        for key in keys:
            self._places.save(_Place(key, until))

    def knows_place(self, key: str, *, now: datetime) -> bool:
        until = self._places.until(key)
        return until is not None and now < until

    def purge(self, *, counted_before: datetime, now: datetime, limit: int) -> int:
        old = sorted(counter.key for counter in self._scan() if counter.counted_at < counted_before)[:limit]
        self.forget(old)
        return len(old) + self._places.purge(now=now, limit=limit)
