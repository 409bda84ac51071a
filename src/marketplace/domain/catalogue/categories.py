"""Categories: a tree, one root or more, without cycles; a category moves with its children."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import EllipsisType
from typing import Protocol, TypeVar

from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.errors import Conflict, Invalid
from marketplace.domain.shared.ids import CategoryId

MAX_DEPTH = 8
"""Levels of the tree, the root included."""


class CategoryCycle(Conflict):
    code = "category_cycle"


@dataclass(kw_only=True, slots=True)
class Category(Aggregate):
    """``tcg_type`` is the game it belongs to, None for a category of several."""

    id: CategoryId
    slug: str
    name: str
    created_at: datetime
    updated_at: datetime
    parent_id: CategoryId | None = None
    tcg_type: str | None = None
    position: int = 0

    def describe(
        self,
        *,
        now: datetime,
        name: str | None = None,
        slug: str | None = None,
        position: int | None = None,
        tcg_type: str | EllipsisType | None = ...,
    ) -> None:
        """Say something else of it; what is left out stays. ``tcg_type=None`` makes it one of several games."""
        before = replace(self)
        self.name = self.name if name is None else name
        self.slug = self.slug if slug is None else slug
        self.position = self.position if position is None else position
        self.tcg_type = self.tcg_type if isinstance(tcg_type, EllipsisType) else tcg_type
        if self != before:
            self.updated_at = now

    def place(
        self, parent_id: CategoryId | None, *, parents: Mapping[CategoryId, CategoryId | None], now: datetime
    ) -> None:
        """Put it, with its children, under another category, or make it a root.

        ``parents`` is the whole tree: the parent of each category. Raises Invalid for a parent that does not exist or
        a tree too deep, CategoryCycle for a place below itself.
        """
        above: list[CategoryId] = []
        ancestor = parent_id
        while ancestor is not None:
            if ancestor == self.id:
                raise CategoryCycle(f"Category {self.id} cannot be moved below itself; choose a parent outside of it.")
            if ancestor not in parents:
                message = f"There is no category {ancestor}; GET /api/v1/categories/ shows the tree."
                raise Invalid(message, errors={"parent": [message]})
            above.append(ancestor)
            ancestor = parents[ancestor]
        if len(above) + _height(self.id, parents) > MAX_DEPTH:
            message = f"That would make the tree deeper than {MAX_DEPTH} levels; choose a parent nearer to the root."
            raise Invalid(message, errors={"parent": [message]})
        if self.parent_id != parent_id:
            self.parent_id = parent_id
            self.updated_at = now


def _height(id: CategoryId, parents: Mapping[CategoryId, CategoryId | None]) -> int:
    children = [child for child, parent in parents.items() if parent == id]
    return 1 + max((_height(child, parents) for child in children), default=0)


class _Node(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def parent(self) -> int | None: ...
    @property
    def position(self) -> int: ...


N = TypeVar("N", bound=_Node)


def in_tree_order(categories: Iterable[N]) -> list[N]:
    """Parents before their children, and siblings by position, then name."""
    below: dict[int | None, list[N]] = {}
    for category in sorted(categories, key=lambda each: (each.position, each.name, each.id)):
        below.setdefault(category.parent, []).append(category)

    def under(parent: int | None) -> Iterator[N]:
        for category in below.get(parent, ()):
            yield category
            yield from under(category.id)

    return list(under(None))
