"""Statements that each connection plans once: planning costs a short query several times what running it does.

For connections that commit by themselves, as ``engine.create_reader`` makes them: they plan for any values at once.
Behind a pooler that hands out another server connection for each transaction a prepared statement may not be there; it
is then run as it is.
"""

from __future__ import annotations

import hashlib
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import psycopg2
import sqlalchemy as sa
from psycopg2 import errorcodes
from sqlalchemy.dialects.postgresql.base import PGDialect

_NUMBERED = PGDialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]  # SQLAlchemy's own is not typed
_PLAIN = PGDialect(paramstyle="format")  # type: ignore[no-untyped-call]  # as above


class PreparedStatement:
    """A statement with named parameters; values come with each run.

    ``values_decide``: how it is run best depends on the values so much that it is planned for them each time.
    """

    def __init__(self, statement: sa.Select[Any], *, values_decide: bool = False) -> None:
        numbered, plain = statement.compile(dialect=_NUMBERED), statement.compile(dialect=_PLAIN)
        self._constants = {name: value for name, value in numbered.params.items() if value is not None}
        self._names = tuple(numbered.positiontup or ())
        self._plain, self._plain_names = str(plain), tuple(plain.positiontup or ())
        self._values_decide = values_decide
        # Per cent signs are doubled for the driver, which looks for parameters even where none are given.
        sql = str(numbered).replace("%", "%%")
        self._name = "s" + hashlib.blake2b(sql.encode(), digest_size=12).hexdigest()
        types = [numbered.binds[name].type for name in self._names]
        declared = ", ".join(map(_type_name, types))
        values = ", ".join(["%s"] * len(self._names))
        self._prepare = f"prepare {self._name}{f' ({declared})' if types else ''} as {sql}"
        self._execute = f"execute {self._name}{f' ({values})' if types else ''}"
        self._row: Callable[[Iterable[Any]], Any] | None = None

    def rows(self, connection: sa.Connection, parameters: Mapping[str, Any]) -> Sequence[Any]:
        """Tuples with names. JSON and arrays are decoded by the driver, as everywhere."""
        given = {**self._constants, **parameters}
        if not self._values_decide:
            prepared: set[str] = connection.info.setdefault("prepared", set())
            try:
                if self._name not in prepared:
                    self._fetched(connection, self._prepare, ())
                    prepared.add(self._name)
                return self._fetched(connection, self._execute, [given[name] for name in self._names])
            except sa.exc.DBAPIError as error:
                if getattr(error.orig, "pgcode", None) not in _NOT_PREPARED_HERE:
                    raise
                prepared.discard(self._name)
        return self._fetched(connection, self._plain, [given[name] for name in self._plain_names])

    def _fetched(self, connection: sa.Connection, sql: str, values: Sequence[Any]) -> Sequence[Any]:
        """Asks the driver itself: what SQLAlchemy makes of thirty columns costs more than the driver does."""
        driver = connection.connection.driver_connection
        assert driver is not None  # the pool has just handed it out
        try:
            with driver.cursor() as cursor:
                cursor.execute(sql, values)
                if cursor.description is None:
                    return ()
                if self._row is None:
                    names = [column.name for column in cursor.description]
                    self._row = _maker(names)
                return list(map(self._row, cursor.fetchall()))
        except psycopg2.Error as error:
            lost = driver.closed != 0
            if lost:
                connection.invalidate(error)
            raise sa.exc.DBAPIError.instance(
                sql, None, error, psycopg2.Error, hide_parameters=True, connection_invalidated=lost
            ) from error


def _maker(names: list[str]) -> Callable[[Iterable[Any]], Any]:
    """Names that a tuple cannot have, or that come twice, are left to the positions."""
    row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # the names are known when it runs
    make: Callable[[Iterable[Any]], Any] = row._make
    return make


def _type_name(of: sa.types.TypeEngine[Any]) -> str:
    if isinstance(of, sa.types.NullType):
        return "unknown"
    if isinstance(of, sa.JSON.JSONStrIndexType):
        return "text"  # the key in ->>
    # A parameter takes its collation from what it is compared with.
    return of.compile(_NUMBERED).partition(" COLLATE ")[0]


_NOT_PREPARED_HERE = (errorcodes.INVALID_SQL_STATEMENT_NAME, errorcodes.DUPLICATE_PREPARED_STATEMENT)
