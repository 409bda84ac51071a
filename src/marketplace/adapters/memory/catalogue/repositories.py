"""The catalogue's repositories in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from marketplace.adapters.memory.catalogue.tables import seed
from marketplace.adapters.memory.repository import InMemoryRepository
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
from marketplace.domain.shared.ids import CategoryId, ProductId, VariantId

if TYPE_CHECKING:
    from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork

T = TypeVar("T", Language, Version, Condition, Grade)


class _Coded(InMemoryRepository[T]):
    """One kind of attribute."""

    def all(self) -> list[T]:
        return self._all(lambda _: True)

    def check_constraints(self, entities: Collection[T]) -> None:
        if len({thing.code for thing in entities}) < len(entities):
            raise DuplicateCode(
                f"There is a {self.noun} with this code already; change that one or choose another code."
            )


class _Languages(_Coded[Language]):
    name, noun = "languages", "language"


class _Versions(_Coded[Version]):
    name, noun = "versions", "version"


class _Conditions(_Coded[Condition]):
    name, noun = "conditions", "condition"


class _Grades(_Coded[Grade]):
    name, noun = "grades", "grade"


class _Variants(InMemoryRepository[Variant]):
    name, noun = "variants", "variant"

    def find_or_create(self, key: VariantKey) -> VariantId:
        if key not in self._ids:
            id = VariantId(max(self._ids.values(), default=0) + 1)
            self.add(Variant(id=id, key=key))
            self._ids[key] = id
        return self._ids[key]

    @cached_property
    def _ids(self) -> dict[VariantKey, VariantId]:
        return {variant.key: variant.id for variant in self._scan()}


class InMemoryCatalogue(CatalogueRepository):
    def __init__(self, uow: InMemoryUnitOfWork) -> None:
        seed(uow.store)
        self._uow = uow
        self._languages, self._versions = _Languages(uow), _Versions(uow)
        self._conditions, self._grades = _Conditions(uow), _Grades(uow)
        self._variants = _Variants(uow)

    def games(self) -> Mapping[str, str]:
        return dict(sorted(self._uow.store.table("games").items()))

    def attributes(self) -> Attributes:
        return Attributes.of(
            languages=self._languages.all(),
            versions=self._versions.all(),
            conditions=self._conditions.all(),
            grades=self._grades.all(),
        )

    def variant_of(
        self, *, product: Ref, language: Ref, version: Ref, condition: Ref, grade: Ref | None = None
    ) -> Variant:
        found = self._uow.products.referred_to(product)
        if len(found) != 1:
            raise unknown_product(product, several=bool(found))
        found[0].require_published()
        key = variant_key(
            self.attributes(),
            product_id=found[0].id,
            language=language,
            version=version,
            condition=condition,
            grade=grade,
        )
        return Variant(id=self._variants.find_or_create(key), key=key)

    def variants_of(self, keys: Iterable[VariantKey]) -> Mapping[VariantKey, VariantId]:
        return {key: self._variants.find_or_create(key) for key in keys}

    def variant(self, id: VariantId) -> Variant:
        return self._variants.get(id)

    def products_printed(self, keys: Iterable[PrintKey]) -> Mapping[PrintKey, ProductId]:
        found: dict[PrintKey, ProductId] = {}
        for key in keys:
            set_id = self._uow.card_sets.coded(key.tcg_type, key.region, key.set_code)
            products = self._uow.products.numbered(set_id, key.number)
            if len(products) == 1:
                found[key] = products[0].id
        return found

    def add_language(self, language: Language) -> None:
        self._languages.add(language)

    def add_version(self, version: Version) -> None:
        self._versions.add(version)

    def add_condition(self, condition: Condition) -> None:
        self._conditions.add(condition)

    def add_grade(self, grade: Grade) -> None:
        self._grades.add(grade)

    def save_version(self, version: Version) -> None:
        self._versions.save(version)


class InMemoryProducts(InMemoryRepository[Product], ProductRepository):
    name = "products"
    noun = "product"

    def add(self, entity: Product) -> None:
        if any(product.slug == entity.slug for product in self._scan()):
            entity.slug = f"{entity.slug}-{entity.id}"
        super().add(entity)

    def check_constraints(self, entities: Collection[Product]) -> None:
        if len({(product.tcg_type, product.external_id.lower()) for product in entities}) < len(entities):
            raise DuplicateCode(
                "This game has a product with this external id already; update that one or choose another id."
            )

    def referred_to(self, ref: Ref) -> list[Product]:
        return self._all(
            lambda product: product.id == ref if isinstance(ref, int) else product.external_id.lower() == ref.lower()
        )

    def numbered(self, set_id: int | None, number: str) -> list[Product]:
        return self._all(
            lambda product: (
                set_id is not None
                and product.set_id == set_id
                and product.details.number == number
                and not product.is_archived
            )
        )

    def in_category(self, id: CategoryId) -> bool:
        return any(id in product.details.category_ids for product in self._scan())


class InMemoryCardSets(InMemoryRepository[CardSet], CardSetRepository):
    name = "card_sets"
    noun = "set"

    def check_constraints(self, entities: Collection[CardSet]) -> None:
        for message, keys in (
            (
                "This game has a set with this external id already; update that one or choose another id.",
                Counter(card_set.details.key for card_set in entities),
            ),
            (
                "This game has a set with this code in this region already.",
                Counter(card_set.details.code_key for card_set in entities),
            ),
        ):
            if len(keys) < len(entities):
                raise DuplicateCode(message)

    def coded(self, tcg_type: str, region: str, code: str) -> int | None:
        found = self._first(lambda card_set: card_set.details.code_key == (tcg_type, region, code.casefold()))
        return None if found is None else found.id


class InMemoryCategories(InMemoryRepository[Category], CategoryRepository):
    name = "categories"
    noun = "category"

    def __init__(self, uow: InMemoryUnitOfWork) -> None:
        seed(uow.store)
        super().__init__(uow)

    def check_constraints(self, entities: Collection[Category]) -> None:
        if len({category.slug for category in entities}) < len(entities):
            raise DuplicateCode("Another category has this slug already; choose another.")
        ids = {category.id for category in entities}
        if any(category.parent_id not in ids for category in entities if category.parent_id is not None):
            raise CategoryInUse("This category has others below it; move or delete those first.")

    def remove(self, id: CategoryId) -> None:
        self.get(id)
        if self._uow.products.in_category(id):
            raise CategoryInUse("This category has products; move those to another one first.")
        super().remove(id)

    def parents_for_update(self) -> Mapping[CategoryId, CategoryId | None]:
        return {category.id: category.parent_id for category in self._scan()}

    def roots(self) -> list[Category]:
        return self._all(lambda category: category.parent_id is None)
