"""The catalogue's tables in memory, with the reference data in them."""

from __future__ import annotations

from datetime import UTC, datetime

from marketplace.adapters.memory.store import InMemoryStore
from marketplace.domain.catalogue.attributes import Attributes
from marketplace.domain.catalogue.categories import Category
from marketplace.domain.catalogue.standard import GAMES, standard_attributes
from marketplace.domain.shared.ids import CategoryId

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def seed(store: InMemoryStore) -> None:
    """Put the reference data in, once."""
    with store.lock:
        if "games" in store.tables:
            return
        store.table("games").update(GAMES)
        standard = standard_attributes()
        for name, things in (
            ("languages", standard.languages),
            ("versions", standard.versions),
            ("conditions", standard.conditions),
            ("grades", standard.grades),
        ):
            store.table(name).update({thing.id: thing for thing in things.values()})
        for position, (code, name) in enumerate(GAMES.items(), 1):
            root = Category(
                id=CategoryId(position),
                slug=code,
                name=name,
                tcg_type=code,
                position=position,
                created_at=_EPOCH,
                updated_at=_EPOCH,
                version=1,
            )
            store.table("categories")[root.id] = root


def attributes_in(store: InMemoryStore) -> Attributes:
    return Attributes.of(
        languages=store.table("languages").values(),
        versions=store.table("versions").values(),
        conditions=store.table("conditions").values(),
        grades=store.table("grades").values(),
    )
