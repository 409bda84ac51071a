"""One kind of page for every list: by key, so that deep pages cost what the first one costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")

COUNT_CAP = 10_000
"""Counts are exact up to here."""
MAX_PAGE_SIZE = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class PageRequest:
    """What part of a list is wanted.

    ``ordering`` is one of the names that the query documents, ``-`` in front for descending, empty for its default.
    ``number`` counts pages from 1. ``after`` and ``before`` are keys that an earlier page gave out: the sort values of
    its last or first item, the id last, JSON-ready. At most one of the three is used.
    """

    size: int = 20
    number: int = 1
    ordering: str = ""
    after: tuple[Any, ...] | None = None
    before: tuple[Any, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Page(Generic[T]):
    """``next`` and ``previous`` are keys for ``PageRequest.after`` and ``.before``, None at either end."""

    items: Sequence[T]
    next: tuple[Any, ...] | None
    previous: tuple[Any, ...] | None
    count: int
    count_is_exact: bool
