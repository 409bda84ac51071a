"""Keyset pages over what is in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from marketplace.application.ports.pages import COUNT_CAP, Page, PageRequest

R = TypeVar("R")
T = TypeVar("T")


class _Sortable:
    """A key whose parts may be descending or None (last when ascending, first when descending, as PostgreSQL does)."""

    __slots__ = ("descending", "values")

    def __init__(self, values: tuple[Any, ...], descending: bool) -> None:
        self.values, self.descending = values, descending

    def __lt__(self, other: _Sortable) -> bool:
        for mine, theirs in zip(self.values, other.values, strict=True):
            if mine == theirs:
                continue
            if mine is None or theirs is None:
                return (theirs is None) != self.descending
            return bool(mine > theirs) if self.descending else bool(mine < theirs)
        return False


def paged(
    rows: Iterable[R],
    *,
    key: Callable[[R], tuple[Any, ...]],
    descending: bool,
    request: PageRequest,
    view: Callable[[R], T],
) -> Page[T]:
    """One page of ``rows`` sorted by ``key`` (JSON-ready values, the id last); ``view`` is called for its rows only."""
    ordered = sorted(rows, key=lambda row: _Sortable(key(row), descending))
    total = stop = len(ordered)
    if request.after is not None:
        pivot = _Sortable(tuple(request.after), descending)
        start = next((i for i, row in enumerate(ordered) if pivot < _Sortable(key(row), descending)), total)
    elif request.before is not None:
        pivot = _Sortable(tuple(request.before), descending)
        stop = next((i for i, row in enumerate(ordered) if not _Sortable(key(row), descending) < pivot), total)
        start = max(0, stop - request.size)
    else:
        start = (request.number - 1) * request.size
    window = ordered[start : min(stop, start + request.size)]
    return Page(
        items=[view(row) for row in window],
        next=key(window[-1]) if window and start + len(window) < total else None,
        previous=key(window[0]) if window and start > 0 else None,
        count=min(total, COUNT_CAP),
        count_is_exact=total <= COUNT_CAP,
    )
