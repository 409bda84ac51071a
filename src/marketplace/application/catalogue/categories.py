"""What admins do to the tree of categories."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from marketplace.application.access import Actor, require_role
from marketplace.application.catalogue.games import require_games
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.catalogue import text
from marketplace.domain.catalogue.categories import Category
from marketplace.domain.identity import Role
from marketplace.domain.shared.errors import PreconditionFailed
from marketplace.domain.shared.ids import CategoryId


@dataclass(frozen=True, kw_only=True, slots=True)
class AddCategory:
    """Make a category, a root or below another."""

    unit_of_work: Callable[[], UnitOfWork]
    ids: IdSequence
    clock: Clock

    def __call__(
        self,
        *,
        actor: Actor,
        name: str,
        slug: str | None = None,
        parent_id: CategoryId | None = None,
        tcg_type: str | None = None,
        position: int = 0,
    ) -> CategoryId:
        """Without a slug it gets one made of its name. Raises Forbidden, Invalid, DuplicateCode."""
        require_role(actor, Role.ADMIN)
        now = self.clock.now()
        category = Category(
            id=CategoryId(self.ids.next()),
            slug=slug or text.slug(name),
            name=name,
            tcg_type=tcg_type,
            position=position,
            created_at=now,
            updated_at=now,
        )
        with self.unit_of_work() as uow:
            _require_game(uow, tcg_type)
            category.place(parent_id, parents=uow.categories.parents_for_update(), now=now)
            uow.categories.add(category)
            uow.audit.add(actor.did("category.added", "category", category.id, now=now, after=_look(category)))
            uow.commit()
        return category.id


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeCategory:
    """Rename a category, or move it with everything below it."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(
        self,
        *,
        actor: Actor,
        category_id: CategoryId,
        changes: Mapping[str, Any],
        if_version: Collection[int] | None = None,
    ) -> None:
        """``changes``: ``name``, ``slug``, ``tcg_type``, ``position``, ``parent_id`` (None makes it a root).

        Raises Forbidden, NotFound, Invalid, CategoryCycle, DuplicateCode, PreconditionFailed.
        """
        require_role(actor, Role.ADMIN)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            parents = uow.categories.parents_for_update()
            category = uow.categories.get(category_id)
            if if_version is not None and category.version not in if_version:
                raise PreconditionFailed(f"Category {category_id} was changed meanwhile; read it again.")
            before = replace(category)
            _require_game(uow, changes.get("tcg_type"))
            if "parent_id" in changes:
                category.place(changes["parent_id"], parents=parents, now=now)
            category.describe(now=now, **{name: value for name, value in changes.items() if name != "parent_id"})
            if category != before:
                uow.categories.save(category)
                uow.audit.add(
                    actor.did(
                        "category.changed",
                        "category",
                        category_id,
                        now=now,
                        before=_look(before),
                        after=_look(category),
                    )
                )
                uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class DeleteCategory:
    """Remove a category that nothing is in."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, category_id: CategoryId) -> None:
        """Raises Forbidden, NotFound, CategoryInUse."""
        require_role(actor, Role.ADMIN)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            before = _look(uow.categories.get(category_id))
            uow.categories.remove(category_id)
            uow.audit.add(actor.did("category.deleted", "category", category_id, now=now, before=before))
            uow.commit()


def _look(category: Category) -> dict[str, Any]:
    """What the audit trail compares."""
    return {
        "name": category.name,
        "slug": category.slug,
        "parent_id": category.parent_id,
        "tcg_type": category.tcg_type,
        "position": category.position,
    }


def _require_game(uow: UnitOfWork, code: str | None) -> None:
    """A category need not belong to a game. Raises Invalid for one that is not there."""
    if code is not None:
        require_games(uow, code)
