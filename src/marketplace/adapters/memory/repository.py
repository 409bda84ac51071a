"""The in-memory base repository: stages changes, checks them on commit, copies what it hands out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.errors import ConcurrencyConflict, Conflict, NotFound

if TYPE_CHECKING:
    from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork

T = TypeVar("T")

DELETED = object()


class InMemoryRepository(Generic[T]):
    """Entities of one table within one unit of work.

    A subclass names its table (``name``), what one of its things is called (``noun``), and overrides ``key`` when the
    identity is not ``entity.id`` and ``check_constraints`` for what the database would refuse.
    """

    name: ClassVar[str]
    noun: ClassVar[str]

    def __init__(self, uow: InMemoryUnitOfWork) -> None:
        self._uow = uow
        self._staged: dict[Any, Any] = {}
        uow.enlist(self)

    def key(self, entity: T) -> Any:
        return entity.id  # type: ignore[attr-defined]  # every entity without an override has one

    def check_constraints(self, entities: Collection[T]) -> None:
        """Raise what the database would raise, given all entities as they would be after the commit."""

    def add(self, entity: T) -> None:
        key = self.key(entity)
        if self._find(key) is not None:
            raise Conflict(f"There is a {self.noun} {key} already.")
        self._stage(key, entity, version=0)

    def get(self, key: Any) -> T:
        found = self._find(key)
        if found is None:
            raise NotFound(f"There is no {self.noun} {key}.")
        copy: T = deepcopy(found)
        return copy

    def save(self, entity: T) -> None:
        key = self.key(entity)
        if isinstance(entity, Aggregate):
            current = self._find(key)
            if current is None or current.version != entity.version:
                raise ConcurrencyConflict(f"The {self.noun} {key} was changed meanwhile; read it again and repeat.")
        self._stage(key, entity, version=entity.version if isinstance(entity, Aggregate) else 0)

    def remove(self, key: Any) -> None:
        self._staged[key] = DELETED

    def _stage(self, key: Any, entity: T, *, version: int) -> None:
        if isinstance(entity, Aggregate):
            for event in entity.events:
                self._uow.record(event)
            entity.events.clear()
            entity.version = version + 1
        self._staged[key] = deepcopy(entity)

    def _find(self, key: Any) -> Any:
        """The thing itself, not a copy: for reading only."""
        if key in self._staged:
            found = self._staged[key]
            return None if found is DELETED else found
        return self._uow.store.table(self.name).get(key)

    def _scan(self) -> Iterator[T]:
        """Every entity as this unit sees it, not copied: for reading only."""
        for key, entity in self._uow.store.table(self.name).items():
            if key not in self._staged:
                yield entity
        for entity in list(self._staged.values()):
            if entity is not DELETED:
                yield entity

    def _first(self, matches: Callable[[T], bool]) -> T | None:
        return next((deepcopy(entity) for entity in self._scan() if matches(entity)), None)

    def _all(self, matches: Callable[[T], bool]) -> list[T]:
        return [deepcopy(entity) for entity in self._scan() if matches(entity)]

    def check(self) -> None:
        """Called under the store's lock, before anything is applied."""
        if not self._staged:
            return
        committed = self._uow.store.table(self.name)
        for key, entity in self._staged.items():
            before = committed.get(key)
            if isinstance(entity, Aggregate) and entity.version - 1 > (before.version if before else 0):
                continue  # saved several times in this unit
            if isinstance(entity, Aggregate) and before is not None and before.version >= entity.version:
                raise ConcurrencyConflict(f"The {self.noun} {key} was changed meanwhile; read it again and repeat.")
        self.check_constraints(list(self._scan()))

    def apply(self) -> None:
        committed = self._uow.store.table(self.name)
        for key, entity in self._staged.items():
            if entity is DELETED:
                committed.pop(key, None)
            else:
                committed[key] = entity
        self._staged = {}
