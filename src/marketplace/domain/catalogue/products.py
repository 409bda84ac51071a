"""Products: one catalogue card or sealed item of one game.

published ──> archived   (nothing that was sold or listed is ever deleted)
    ^────────────┘
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from marketplace.domain.catalogue import text
from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.errors import Conflict, Invalid
from marketplace.domain.shared.ids import CardSetId, CategoryId, ProductId


class ProductStatus(StrEnum):
    PUBLISHED = "published"
    ARCHIVED = "archived"


class ProductArchived(Conflict):
    code = "product_archived"


def unknown_product(ref: int | str, *, several: bool = False) -> Invalid:
    """A reference that names no product, or one of each of several games."""
    message = (
        f"Products of several games have the external id {ref!r}; use the id of the one that is meant."
        if several
        else f"There is no product {ref!r}; GET /api/v1/products/ lists them with their ids and external ids."
    )
    return Invalid(message, errors={"product": [message]})


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductDetails:
    """What a product says of itself. ``names`` are by language; ``attributes`` hold what has no field of its own.

    ``series`` is the set's unless given, ``block`` the series unless given. The allowed languages and versions are
    codes that advise clients and refuse nothing.
    """

    name: str
    names: Mapping[str, str] = field(default_factory=dict)
    number: str | None = None
    printed_number: str | None = None
    series: str | None = None
    block: str | None = None
    rarity: str | None = None
    artist: str | None = None
    description: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    allowed_languages: tuple[str, ...] = ()
    allowed_versions: tuple[str, ...] = ()
    category_ids: tuple[CategoryId, ...] = ()

    def __post_init__(self) -> None:
        if not self.name.strip():
            message = "A product needs a name; give the one printed on the card."
            raise Invalid(message, errors={"name": [message]})


@dataclass(kw_only=True, slots=True)
class Product(Aggregate):
    id: ProductId
    tcg_type: str
    external_id: str
    slug: str
    details: ProductDetails
    created_at: datetime
    updated_at: datetime
    set_id: CardSetId | None = None
    status: ProductStatus = ProductStatus.PUBLISHED

    @classmethod
    def publish(
        cls,
        *,
        id: ProductId,
        tcg_type: str,
        details: ProductDetails,
        now: datetime,
        external_id: str | None = None,
        set_id: CardSetId | None = None,
    ) -> Self:
        """A new product. Without an ``external_id`` it gets one of its own, ``product-<id>``."""
        external_id = external_id or f"product-{id}"
        return cls(
            id=id,
            tcg_type=tcg_type,
            external_id=external_id,
            slug=text.slug(details.name, external_id),
            details=details,
            created_at=now,
            updated_at=now,
            set_id=set_id,
        )

    def search_text(self, set_lines: list[str]) -> str:
        """What a search looks through; ``set_lines`` come from the product's set."""
        details = self.details
        return text.search_text(
            names=[details.name, *details.names.values()],
            numbers=[details.number or "", details.printed_number or "", self.external_id],
            others=set_lines,
        )

    @property
    def is_archived(self) -> bool:
        return self.status is ProductStatus.ARCHIVED

    def require_published(self) -> None:
        """Raises ProductArchived unless it can be offered."""
        if self.is_archived:
            raise ProductArchived(f"Product {self.id} ({self.details.name}) is archived: it is not offered any more.")

    def revise(self, *, now: datetime, **changes: Any) -> None:
        """Say something else of it: fields of ProductDetails. The slug stays, so that addresses keep working."""
        revised = replace(self.details, **changes)
        if revised != self.details:
            self.details = revised
            self.updated_at = now

    def import_again(self, details: ProductDetails, *, now: datetime) -> None:
        """Take over what a changed line of an import says; a description and categories that it lacks stay."""
        self.revise(
            now=now,
            **{field.name: getattr(details, field.name) for field in fields(details)}
            | {
                "description": details.description or self.details.description,
                "category_ids": details.category_ids or self.details.category_ids,
            },
        )
        # The set may have changed, which is no part of the details.
        self.updated_at = now

    def archive(self, *, now: datetime) -> None:
        """Take it out of every public list; what refers to it keeps it. Harmless when repeated."""
        self._move_to(ProductStatus.ARCHIVED, now)

    def republish(self, *, now: datetime) -> None:
        """Bring it back. Harmless when repeated."""
        self._move_to(ProductStatus.PUBLISHED, now)

    def _move_to(self, status: ProductStatus, now: datetime) -> None:
        if self.status is not status:
            self.status = status
            self.updated_at = now
