"""The catalogue's repositories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa

from marketplace.adapters.postgres.catalogue import attributes
from marketplace.adapters.postgres.catalogue.rows import card_set_row, product_from, product_row, set_details_from
from marketplace.adapters.postgres.repository import PostgresRepository
from marketplace.adapters.postgres.tables.catalogue import card_sets, categories, product_categories, products
from marketplace.application.ports.catalogue import (
    CardSetRepository,
    CatalogueRepository,
    CategoryRepository,
    PrintKey,
    ProductRepository,
    Ref,
)
from marketplace.domain.catalogue.attributes import Attributes, Condition, Grade, Language, Version
from marketplace.domain.catalogue.card_sets import CardSet
from marketplace.domain.catalogue.categories import Category
from marketplace.domain.catalogue.errors import CategoryInUse, DuplicateCode
from marketplace.domain.catalogue.products import Product, unknown_product
from marketplace.domain.catalogue.variants import Variant, VariantKey, variant_key
from marketplace.domain.shared.errors import MarketplaceError, NotFound
from marketplace.domain.shared.ids import CardSetId, CategoryId, ProductId, VariantId

if TYPE_CHECKING:
    from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork

_EXTERNAL_ID_TAKEN = "This game has a {} with this external id already; update that one or choose another id."


class PostgresCatalogue(CatalogueRepository):
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    def games(self) -> Mapping[str, str]:
        return attributes.read_games(self._uow.connection)

    def attributes(self) -> Attributes:
        return attributes.read_attributes(self._uow.connection)

    def variant_of(
        self, *, product: Ref, language: Ref, version: Ref, condition: Ref, grade: Ref | None = None
    ) -> Variant:
        product_id = self._published(product)
        key = variant_key(
            self.attributes(),
            product_id=product_id,
            language=language,
            version=version,
            condition=condition,
            grade=grade,
        )
        return Variant(id=self.variants_of([key])[key], key=key)

    def variants_of(self, keys: Iterable[VariantKey]) -> Mapping[VariantKey, VariantId]:
        return attributes.find_or_create_variants(self._uow.connection, keys)

    def variant(self, id: VariantId) -> Variant:
        key = attributes.read_variant_key(self._uow.connection, id)
        if key is None:
            raise NotFound(f"There is no variant {id}.")
        return Variant(id=id, key=key)

    def products_printed(self, keys: Iterable[PrintKey]) -> Mapping[PrintKey, ProductId]:
        return attributes.printed_products(self._uow.connection, keys)

    def add_language(self, language: Language) -> None:
        attributes.add_language(self._uow.connection, language)

    def add_version(self, version: Version) -> None:
        attributes.add_version(self._uow.connection, version)

    def add_condition(self, condition: Condition) -> None:
        attributes.add_condition(self._uow.connection, condition)

    def add_grade(self, grade: Grade) -> None:
        attributes.add_grade(self._uow.connection, grade)

    def save_version(self, version: Version) -> None:
        attributes.save_version(self._uow.connection, version)

    def _published(self, ref: Ref) -> ProductId:
        by = products.c.id == ref if isinstance(ref, int) else sa.func.lower(products.c.external_id) == ref.lower()
        found = self._uow.execute(sa.select(products).where(by).order_by(products.c.id).limit(2)).all()
        if len(found) != 1:
            raise unknown_product(ref, several=bool(found))
        product = product_from(found[0], ())
        product.require_published()
        return product.id


class PostgresProducts(PostgresRepository[Product], ProductRepository):
    table = products
    noun = "product"
    constraints: ClassVar[Mapping[str, tuple[type[MarketplaceError], str]]] = {
        "one_product_an_external_id": (DuplicateCode, _EXTERNAL_ID_TAKEN.format("product")),
        "one_product_a_slug": (DuplicateCode, "Another product has just taken this slug; try again."),
    }

    def add(self, entity: Product) -> None:
        taken = sa.select(products.c.id).where(products.c.slug == entity.slug)
        if self._execute(taken).first() is not None:
            entity.slug = f"{entity.slug}-{entity.id}"
        super().add(entity)
        self._put_into_categories(entity)

    def save(self, entity: Product) -> None:
        super().save(entity)
        self._execute(sa.delete(product_categories).where(product_categories.c.product_id == entity.id))
        self._put_into_categories(entity)

    def _put_into_categories(self, entity: Product) -> None:
        if entity.details.category_ids:
            rows = [{"product_id": entity.id, "category_id": id} for id in entity.details.category_ids]
            self._execute(sa.insert(product_categories), rows)

    def to_row(self, entity: Product) -> dict[str, Any]:
        return product_row(entity, self._set_lines(entity.set_id))

    def from_row(self, row: Any) -> Product:
        into = sa.select(product_categories.c.category_id).where(product_categories.c.product_id == row.id)
        ids = self._execute(into.order_by(product_categories.c.category_id)).scalars()
        return product_from(row, tuple(CategoryId(id) for id in ids))

    def _set_lines(self, set_id: CardSetId | None) -> list[str]:
        if set_id is None:
            return []
        row = self._execute(sa.select(card_sets).where(card_sets.c.id == set_id)).first()
        return [] if row is None else set_details_from(row).search_lines


class PostgresCardSets(PostgresRepository[CardSet], CardSetRepository):
    table = card_sets
    noun = "set"
    constraints: ClassVar[Mapping[str, tuple[type[MarketplaceError], str]]] = {
        "one_set_an_external_id": (DuplicateCode, _EXTERNAL_ID_TAKEN.format("set")),
        "one_set_a_code": (DuplicateCode, "This game has a set with this code in this region already."),
    }

    def to_row(self, entity: CardSet) -> dict[str, Any]:
        return card_set_row(entity)

    def from_row(self, row: Any) -> CardSet:
        return CardSet(
            id=CardSetId(row.id),
            details=set_details_from(row),
            created_at=row.created_at,
            updated_at=row.updated_at,
            version=row.version,
        )


class PostgresCategories(PostgresRepository[Category], CategoryRepository):
    table = categories
    noun = "category"
    constraints: ClassVar[Mapping[str, tuple[type[MarketplaceError], str]]] = {
        "one_category_a_slug": (DuplicateCode, "Another category has this slug already; choose another."),
        "category_has_children": (CategoryInUse, "This category has others below it; move or delete those first."),
        "category_has_products": (CategoryInUse, "This category has products; move those to another one first."),
    }

    def remove(self, id: CategoryId) -> None:
        if not self._execute(sa.delete(categories).where(categories.c.id == id)).rowcount:
            raise NotFound(f"There is no category {id}.")

    def parents_for_update(self) -> Mapping[CategoryId, CategoryId | None]:
        rows = sa.select(categories.c.id, categories.c.parent_id).order_by(categories.c.id).with_for_update()
        return {row.id: row.parent_id for row in self._execute(rows)}

    def to_row(self, entity: Category) -> dict[str, Any]:
        return {
            "id": entity.id,
            "parent_id": entity.parent_id,
            "slug": entity.slug,
            "name": entity.name,
            "tcg_type": entity.tcg_type,
            "position": entity.position,
            "created_at": entity.created_at,
            "updated_at": entity.updated_at,
        }

    def from_row(self, row: Any) -> Category:
        return Category(**self.to_row(row), version=row.version)
