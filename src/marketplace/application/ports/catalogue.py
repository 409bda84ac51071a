"""What the catalogue promises: its repositories, the import, and the reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.catalogue.attributes import Attributes, Condition, Grade, Language, Version
from marketplace.domain.catalogue.card_sets import CardSet, SetDetails
from marketplace.domain.catalogue.categories import Category
from marketplace.domain.catalogue.imported import ImportedCard
from marketplace.domain.catalogue.products import Product
from marketplace.domain.catalogue.variants import Variant, VariantKey
from marketplace.domain.shared.ids import CardSetId, CategoryId, ProductId, VariantId

Ref = int | str
"""An id or a code."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintKey:
    """How a collector names a card: what is printed on it, and where it was published. Codes without regard to case."""

    tcg_type: str
    region: str
    set_code: str
    number: str


class CatalogueRepository(Protocol):
    """Games, attributes and variants: what a listing is made of."""

    def games(self) -> Mapping[str, str]:
        """Games by code: their names."""
        ...

    def attributes(self) -> Attributes:
        """Every language, version, condition and grade."""
        ...

    def variant_of(
        self, *, product: Ref, language: Ref, version: Ref, condition: Ref, grade: Ref | None = None
    ) -> Variant:
        """The variant that ids or codes (for a product its external id) describe, made if it does not exist yet.

        Safe when several ask for the same new variant at once. Raises Invalid naming every field that refers to
        nothing, GradeRequired or GradeForbidden when the grade does not fit the condition, ProductArchived.
        """
        ...

    def variants_of(self, keys: Iterable[VariantKey]) -> Mapping[VariantKey, VariantId]:
        """As ``variant_of``, many at once, for keys that ``variant_key`` gave and products that exist."""
        ...

    def variant(self, id: VariantId) -> Variant:
        """Raises NotFound."""
        ...

    def products_printed(self, keys: Iterable[PrintKey]) -> Mapping[PrintKey, ProductId]:
        """The published products that the keys name; a key that names none is missing."""
        ...

    def add_language(self, language: Language) -> None:
        """Let cards be offered in it. Raises DuplicateCode when its code is taken, at the latest on commit."""
        ...

    def add_version(self, version: Version) -> None:
        """As ``add_language``, for a print."""
        ...

    def add_condition(self, condition: Condition) -> None:
        """As ``add_language``, for a state of preservation."""
        ...

    def add_grade(self, grade: Grade) -> None:
        """As ``add_language``, for a grader's mark; DuplicateCode when the grader has it."""
        ...

    def save_version(self, version: Version) -> None:
        """Store its name, games, description and whether it is displayed."""
        ...


class ProductRepository(Protocol):
    """Products with what they say of themselves, archived ones too."""

    def add(self, product: Product) -> None:
        """A slug that is taken gets the id appended. Raises DuplicateCode for an external id that its game has."""
        ...

    def get(self, id: ProductId) -> Product:
        """Raises NotFound."""
        ...

    def save(self, product: Product) -> None:
        """Raises ConcurrencyConflict if it changed since it was read."""
        ...


class CardSetRepository(Protocol):
    """The sets that cards were published in."""

    def add(self, card_set: CardSet) -> None:
        """Raises DuplicateCode for an external id that its game has, or a code that its region has."""
        ...

    def get(self, id: CardSetId) -> CardSet:
        """Raises NotFound."""
        ...


class CategoryRepository(Protocol):
    """The tree that products are sorted into."""

    def add(self, category: Category) -> None:
        """Raises DuplicateCode for a slug that is taken."""
        ...

    def get(self, id: CategoryId) -> Category:
        """Raises NotFound."""
        ...

    def save(self, category: Category) -> None:
        """Raises ConcurrencyConflict if it changed since it was read."""
        ...

    def remove(self, id: CategoryId) -> None:
        """Raises CategoryInUse, at the latest on commit, while it has children or products."""
        ...

    def parents_for_update(self) -> Mapping[CategoryId, CategoryId | None]:
        """The parent of every category; nobody else changes the tree until the unit ends."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What became of a batch."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0

    @property
    def wrote(self) -> bool:
        """Whether anything in the store is other than before."""
        return bool(self.added or self.changed)

    def __add__(self, other: Written) -> Written:
        return Written(
            added=self.added + other.added,
            changed=self.changed + other.changed,
            unchanged=self.unchanged + other.unchanged,
        )


class CatalogueImport(Protocol):
    """Imported sets and cards, stored in batches. Each call is one transaction; two imports wait for each other."""

    def sets(self) -> Mapping[tuple[str, str], SetDetails]:
        """Every set, by game and casefolded external id, as it stands now."""
        ...

    def put_sets(self, sets: Sequence[SetDetails], *, now: datetime) -> Written:
        """Add or update. A game that is not known is added, with a root category. No external id occurs twice.

        Raises DuplicateCode when a set's code belongs to another set of its region; nothing is stored then.
        """
        ...

    def put_cards(self, cards: Sequence[ImportedCard], *, now: datetime) -> Written:
        """Add or update, with the versions that occur in the cards. No external id occurs twice, every set exists.

        A card that is the same as at its last import is left alone, whatever an admin made of its product since.
        """
        ...

    def settle(self) -> None:
        """Called once after much was put, so that reading it is fast from the first request on."""
        ...

    def exported_sets(self) -> Iterable[SetDetails]:
        """Every set, ordered by game, release date and external id."""
        ...

    def exported_cards(self) -> Iterable[ImportedCard]:
        """Every published product that has a set and a number, ordered by its set as above, then number."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductFilters:
    """None does not filter. A category includes those below it; a set is its id, external id or code."""

    q: str | None = None
    tcg_type: str | None = None
    category: Ref | None = None
    series: str | None = None
    block: str | None = None
    set: Ref | None = None
    rarity: str | None = None
    number: str | None = None
    external_id: str | None = None
    updated_since: datetime | None = None


PRODUCT_ORDERINGS = ("name", "-name", "number", "-number", "newest", "oldest", "updated", "-updated")
"""What ``PageRequest.ordering`` of the product list may be; empty means by id."""
SEARCH_ORDERINGS = ("relevance", "price", "-price", *PRODUCT_ORDERINGS)
"""Of the search; empty means by relevance. The price is the lowest; what has none comes last in both directions."""


@dataclass(frozen=True, slots=True)
class SetSummary:
    id: int
    external_id: str
    region: str
    code: str
    name: str
    release_date: date | None


@dataclass(frozen=True, slots=True)
class CategorySummary:
    id: int
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class ProductView:
    """A product with its offers. Prices are minor units of the settlement currency, None without data.

    Offers are the active listings of sellers who may sell; ``total_stock`` adds what is available of them.
    The market price is the mean price of a piece sold in the last 90 days.
    """

    id: int
    external_id: str
    name: str
    names: Mapping[str, str]
    slug: str
    tcg_type: str
    block: str | None
    series: str | None
    set: SetSummary | None
    number: str | None
    printed_number: str | None
    rarity: str | None
    artist: str | None
    description: str
    attributes: Mapping[str, Any]
    categories: Sequence[CategorySummary]
    allowed_languages: Sequence[str]
    allowed_versions: Sequence[str]
    lowest_price: int | None
    average_price: int | None
    market_price: int | None
    total_stock: int
    offer_count: int
    status: str
    created_at: datetime
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class VariantView:
    id: int
    product: int
    language: Language
    version: Version
    condition: Condition
    grade: Grade | None


@dataclass(frozen=True, slots=True)
class CategoryView:
    id: int
    slug: str
    name: str
    parent: int | None
    tcg_type: str | None
    position: int
    version: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class CardSetView:
    id: int
    external_id: str
    tcg_type: str
    region: str
    code: str
    codes: Mapping[str, str]
    name: str
    names: Mapping[str, str]
    series: str | None
    block: str | None
    release_date: date | None
    card_count_official: int
    product_count: int
    version: int
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class CardSetFilters:
    """None does not filter; ``q`` looks through names and codes."""

    q: str | None = None
    tcg_type: str | None = None
    region: str | None = None
    series: str | None = None


CARD_SET_ORDERINGS = ("newest", "oldest", "name", "-name", "code", "-code")
"""What ``PageRequest.ordering`` of the list of sets may be; empty means the newest first."""


class CatalogueQueries(Protocol):
    """Public reads. Archived products are not there, except in ``product`` for who may see all."""

    def products(self, filters: ProductFilters, request: PageRequest, *, now: datetime) -> Page[ProductView]:
        """Products that match every filter. The count may be 30 s old."""
        ...

    def search(self, filters: ProductFilters, request: PageRequest, *, now: datetime) -> Page[ProductView]:
        """The same products; by relevance a whole name or number comes first, then a beginning, then whole words."""
        ...

    def product(self, id: ProductId, *, now: datetime, archived_too: bool = False) -> ProductView:
        """Raises NotFound."""
        ...

    def variants(self, product_id: ProductId, request: PageRequest) -> Page[VariantView]:
        """The variants of a product that exist so far, by id. Raises NotFound."""
        ...

    def variant(self, id: VariantId) -> VariantView:
        """Raises NotFound."""
        ...

    def card_sets(self, filters: CardSetFilters, request: PageRequest) -> Page[CardSetView]:
        """Sets that match every filter."""
        ...

    def card_set(self, id: CardSetId) -> CardSetView:
        """Raises NotFound."""
        ...

    def categories(self) -> Sequence[CategoryView]:
        """All of them, parents before their children, siblings by position and name."""
        ...

    def attributes(self) -> Attributes:
        """Every language, version, condition and grade."""
        ...
