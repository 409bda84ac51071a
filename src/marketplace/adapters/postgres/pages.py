"""Keyset pages: any depth costs what the first page costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

from marketplace.application.ports.pages import COUNT_CAP, Page, PageRequest

T = TypeVar("T")


def paged(
    connection: sa.Connection,
    statement: sa.Select[Any],
    *,
    keys: Sequence[sa.ColumnElement[Any]],
    descending: bool,
    request: PageRequest,
    view: Callable[[Any], T],
    count: Callable[[], tuple[int, bool]] | None = None,
) -> Page[T]:
    """One page of ``statement``, which is not ordered yet, sorted by ``keys``: not null, the id last.

    Reads one row more than asked for, to know whether there is a next page. ``count`` answers from elsewhere (a cache);
    by default the matches are counted up to the cap.
    """
    backwards = request.before is not None
    down = descending != backwards
    pivot = request.before if backwards else request.after
    ordered = statement.add_columns(*(key.label(f"_key{i}") for i, key in enumerate(keys)))
    if pivot is not None:
        values = [sa.literal(value, key.type) for value, key in zip(pivot, keys, strict=True)]
        row, bound = sa.tuple_(*keys), sa.tuple_(*values)
        ordered = ordered.where(row < bound if down else row > bound)
    ordered = ordered.order_by(*(key.desc() if down else key.asc() for key in keys)).limit(request.size + 1)
    if pivot is None:
        ordered = ordered.offset((request.number - 1) * request.size)
    rows = list(connection.execute(ordered))
    total = count() if count else counted(connection, statement)
    return assembled(rows, keys=len(keys), request=request, view=view, count=total)


def assembled(
    rows: Sequence[Any], *, keys: int, request: PageRequest, view: Callable[[Any], T], count: tuple[int, bool]
) -> Page[T]:
    """The page that ``rows`` make: one more than asked for, if there is one, with ``keys`` key columns at their end."""
    backwards = request.before is not None
    more = len(rows) > request.size
    rows = rows[: request.size]
    if backwards:
        rows = rows[::-1]

    def key_of(row: Any) -> tuple[Any, ...]:
        return tuple(_plain(value) for value in row[-keys:])

    has_next = bool(rows) and (backwards or more)
    has_previous = bool(rows) and (more if backwards else (request.after is not None or request.number > 1))
    return Page(
        items=[view(row) for row in rows],
        next=key_of(rows[-1]) if has_next else None,
        previous=key_of(rows[0]) if has_previous else None,
        count=count[0],
        count_is_exact=count[1],
    )


def counted(connection: sa.Connection, statement: sa.Select[Any]) -> tuple[int, bool]:
    """The number of matches up to the cap, and whether that is all of them."""
    capped = (
        statement.with_only_columns(sa.literal(1), maintain_column_froms=True)
        .order_by(None)
        .limit(COUNT_CAP + 1)
        .subquery()
    )
    total = connection.execute(sa.select(sa.func.count()).select_from(capped)).scalar_one()
    return min(total, COUNT_CAP), total <= COUNT_CAP


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
