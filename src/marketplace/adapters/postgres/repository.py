"""The PostgreSQL base repository: insert, versioned update, events, and constraints turned into errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import sqlalchemy as sa

from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.errors import ConcurrencyConflict, MarketplaceError, NotFound

if TYPE_CHECKING:
    from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork

T = TypeVar("T", bound=Aggregate)


class PostgresRepository(Generic[T]):
    """Aggregates of one table (column ``key`` its identity, ``version`` its save count) within one unit of work.

    A subclass names its table, what one of its things is called (``noun``), the constraints that stand for an error
    (name -> error and sentence), and translates with ``to_row`` (every column but ``version``) and ``from_row``.
    """

    table: ClassVar[sa.Table]
    noun: ClassVar[str]
    key: ClassVar[str] = "id"
    constraints: ClassVar[Mapping[str, tuple[type[MarketplaceError], str]]] = {}

    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow
        uow.constraints.update(self.constraints)

    @property
    def _connection(self) -> sa.Connection:
        return self._uow.connection

    def to_row(self, entity: T) -> dict[str, Any]:
        """Every column but ``version``."""
        raise NotImplementedError

    def from_row(self, row: Any) -> T:
        raise NotImplementedError

    def add(self, entity: T) -> None:
        entity.version = 1
        self._execute(_insert(self.table), {**self.to_row(entity), "version": 1})
        self._record(entity)

    def get(self, id: Any) -> T:
        """Raises NotFound."""
        found = self._first(self.table.c[self.key] == id)
        if found is None:
            raise NotFound(f"There is no {self.noun} {id}.")
        return found

    def get_for_update(self, id: Any) -> T:
        """As ``get``, locked until the unit ends."""
        found = self._first(self.table.c[self.key] == id, lock=True)
        if found is None:
            raise NotFound(f"There is no {self.noun} {id}.")
        return found

    def save(self, entity: T) -> None:
        row = self.to_row(entity)
        before = {"saved_key": row[self.key], "saved_version": entity.version}
        done = self._execute(_update(self.table, self.key), {**row, "version": entity.version + 1, **before})
        if done.rowcount == 0:
            raise ConcurrencyConflict(
                f"The {self.noun} {row[self.key]} was changed meanwhile; read it again and repeat."
            )
        entity.version += 1
        self._record(entity)

    def _record(self, entity: T) -> None:
        for event in entity.events:
            self._uow.record(event)
        entity.events.clear()

    def _execute(self, statement: sa.Executable, parameters: Any = None) -> sa.CursorResult[Any]:
        return self._uow.execute(statement, parameters)

    def _first(self, *where: sa.ColumnElement[bool], lock: bool = False) -> T | None:
        statement = sa.select(self.table).where(*where).limit(1)
        row = self._execute(_locked(statement) if lock else statement).first()
        return None if row is None else self.from_row(row)

    def _all(self, *where: sa.ColumnElement[bool], order_by: Iterable[Any] = (), lock: bool = False) -> list[T]:
        statement = sa.select(self.table).where(*where).order_by(*order_by)
        return [self.from_row(row) for row in self._execute(_locked(statement) if lock else statement)]


# Made once: with the values in it, a statement of twenty columns takes longer to make than to run.
@cache
def _insert(table: sa.Table) -> sa.Insert:
    return sa.insert(table)


@cache
def _update(table: sa.Table, key: str) -> sa.Update:
    return sa.update(table).where(
        table.c[key] == sa.bindparam("saved_key"), table.c.version == sa.bindparam("saved_version")
    )


def _locked(statement: sa.Select[Any]) -> sa.Select[Any]:
    # FOR NO KEY UPDATE: whoever only refers to the row, as a new order does to its buyer, need not wait.
    return statement.with_for_update(key_share=True)
