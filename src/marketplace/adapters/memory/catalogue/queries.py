"""What is read of the catalogue, in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from marketplace.adapters.memory.catalogue.offers import market_price, offers_of
from marketplace.adapters.memory.catalogue.tables import attributes_in, seed
from marketplace.adapters.memory.pages import paged
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.catalogue import (
    CardSetFilters,
    CardSetView,
    CatalogueQueries,
    CategorySummary,
    CategoryView,
    ProductFilters,
    ProductView,
    Ref,
    SetSummary,
    VariantView,
)
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.catalogue.attributes import Attributes
from marketplace.domain.catalogue.card_sets import CardSet
from marketplace.domain.catalogue.categories import Category, in_tree_order
from marketplace.domain.catalogue.products import Product
from marketplace.domain.catalogue.text import matches, normalised, number_key, relevance, words
from marketplace.domain.catalogue.variants import Variant
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import CardSetId, ProductId, VariantId

_PRODUCT_KEYS: dict[str, Callable[[Product], Any]] = {
    "name": lambda product: normalised(product.details.name),
    "number": lambda product: number_key(product.details.number),
    "oldest": lambda product: product.created_at.isoformat(),
    "updated": lambda product: product.updated_at.isoformat(),
}
_PRICE_SIGNS = {"price": 1, "-price": -1}
_SET_KEYS: dict[str, Callable[[CardSet], Any]] = {
    "oldest": lambda card_set: (card_set.details.release_date or date.min).isoformat(),
    "name": lambda card_set: card_set.details.name,
    "code": lambda card_set: card_set.details.code,
}


class InMemoryCatalogueQueries(CatalogueQueries):
    def __init__(self, store: InMemoryStore) -> None:
        seed(store)
        self._store = store

    def products(self, filters: ProductFilters, request: PageRequest, *, now: datetime) -> Page[ProductView]:
        name, descending = _direction(request.ordering or "id")
        of = _PRODUCT_KEYS.get(name)
        return self._product_page(
            filters,
            request,
            lambda product: (product.id,) if of is None else (of(product), product.id),
            descending,
            now,
        )

    def search(self, filters: ProductFilters, request: PageRequest, *, now: datetime) -> Page[ProductView]:
        query = filters.q
        if (sign := _PRICE_SIGNS.get(request.ordering)) is not None:
            return self._product_page(filters, request, lambda product: self._price_key(product, sign, now), False, now)
        if request.ordering not in ("", "relevance") or query is None or not words(query):
            ordering = "" if request.ordering == "relevance" else request.ordering
            return self.products(filters, replace(request, ordering=ordering), now=now)
        return self._product_page(
            filters, request, lambda product: (relevance(self._haystack(product), query), product.id), False, now
        )

    def _price_key(self, product: Product, sign: int, now: datetime) -> tuple[int, int, int]:
        """What is offered by its lowest price, then its cheapest offer; then the rest by id."""
        offers = offers_of(self._store, product.id, now)
        if offers.lowest is None or offers.cheapest is None:
            return 1, 0, product.id
        return 0, sign * offers.lowest, sign * offers.cheapest

    def _product_page(
        self,
        filters: ProductFilters,
        request: PageRequest,
        key: Callable[[Product], tuple[Any, ...]],
        descending: bool,
        now: datetime,
    ) -> Page[ProductView]:
        with self._store.lock:
            inside = self._categories_below(filters.category)
            return paged(
                [each for each in self._store.table("products").values() if self._matches(filters, each, inside)],
                key=key,
                descending=descending,
                request=request,
                view=lambda product: self._view(product, now),
            )

    def _matches(self, filters: ProductFilters, product: Product, inside: set[int]) -> bool:
        details = product.details
        numbers = ((details.number or "").lower(), (details.printed_number or "").lower())
        checks: list[tuple[Any, Callable[[Any], bool]]] = [
            (filters.tcg_type, lambda code: product.tcg_type == code),
            (filters.series, lambda series: details.series == series),
            (filters.block, lambda block: (details.block or details.series) == block),
            (filters.rarity, lambda rarity: details.rarity == rarity),
            (filters.external_id, lambda id: product.external_id.lower() == id.lower()),
            (filters.number, lambda number: number.lower() in numbers),
            (filters.updated_since, lambda since: product.updated_at >= since),
            (filters.set, lambda ref: self._is_in_set(product, ref)),
            (filters.category, lambda _: not inside.isdisjoint(details.category_ids)),
            (filters.q, lambda query: matches(self._haystack(product), query)),
        ]
        return not product.is_archived and all(check(value) for value, check in checks if value is not None)

    def _is_in_set(self, product: Product, ref: Ref) -> bool:
        if product.set_id is None:
            return False
        details = self._store.table("card_sets")[product.set_id].details
        return _names(ref, product.set_id, details.external_id, details.code)

    def _categories_below(self, ref: Ref | None) -> set[int]:
        if ref is None:
            return set()
        categories: list[Category] = list(self._store.table("categories").values())
        inside: set[int] = {each.id for each in categories if _names(ref, each.id, each.slug)}
        while more := {each.id for each in categories if each.parent_id in inside and each.id not in inside}:
            inside |= more
        return inside

    def _haystack(self, product: Product) -> str:
        card_set = self._store.table("card_sets").get(product.set_id)
        return product.search_text([] if card_set is None else card_set.details.search_lines)

    def _view(self, product: Product, now: datetime) -> ProductView:
        details = deepcopy(product.details)
        offers = offers_of(self._store, product.id, now)
        categories = self._store.table("categories")
        return ProductView(
            id=product.id,
            external_id=product.external_id,
            name=details.name,
            names=details.names,
            slug=product.slug,
            tcg_type=product.tcg_type,
            block=details.block or details.series,
            series=details.series,
            set=self._set_summary(product.set_id),
            number=details.number,
            printed_number=details.printed_number,
            rarity=details.rarity,
            artist=details.artist,
            description=details.description,
            attributes=details.attributes,
            categories=[
                CategorySummary(id, categories[id].slug, categories[id].name) for id in sorted(details.category_ids)
            ],
            allowed_languages=list(details.allowed_languages),
            allowed_versions=list(details.allowed_versions),
            lowest_price=offers.lowest,
            average_price=offers.average,
            market_price=market_price(self._store, product.id, now),
            total_stock=offers.pieces,
            offer_count=offers.count,
            status=product.status.value,
            created_at=product.created_at,
            updated_at=product.updated_at,
            version=product.version,
        )

    def _set_summary(self, id: CardSetId | None) -> SetSummary | None:
        if id is None:
            return None
        details = self._store.table("card_sets")[id].details
        return SetSummary(id, details.external_id, details.region, details.code, details.name, details.release_date)

    def product(self, id: ProductId, *, now: datetime, archived_too: bool = False) -> ProductView:
        with self._store.lock:
            return self._view(self._product(id, archived_too=archived_too), now)

    def _product(self, id: ProductId, *, archived_too: bool = False) -> Product:
        found: Product | None = self._store.table("products").get(id)
        if found is None or (found.is_archived and not archived_too):
            raise NotFound(f"There is no product {id}.")
        return found

    def variants(self, product_id: ProductId, request: PageRequest) -> Page[VariantView]:
        with self._store.lock:
            self._product(product_id)
            return paged(
                [each for each in self._store.table("variants").values() if each.key.product_id == product_id],
                key=lambda variant: (variant.id,),
                descending=False,
                request=request,
                view=self._variant_view,
            )

    def variant(self, id: VariantId) -> VariantView:
        with self._store.lock:
            found: Variant | None = self._store.table("variants").get(id)
            if found is None:
                raise NotFound(f"There is no variant {id}.")
            return self._variant_view(found)

    def _variant_view(self, variant: Variant) -> VariantView:
        attributes, key = attributes_in(self._store), variant.key
        return VariantView(
            id=variant.id,
            product=key.product_id,
            language=deepcopy(attributes.language(key.language_id)),
            version=deepcopy(attributes.version(key.version_id)),
            condition=deepcopy(attributes.condition(key.condition_id)),
            grade=None if key.grade_id is None else deepcopy(attributes.grade(key.grade_id)),
        )

    def card_sets(self, filters: CardSetFilters, request: PageRequest) -> Page[CardSetView]:
        name, descending = _direction(request.ordering or "newest")
        of = _SET_KEYS[name]

        def wanted(card_set: CardSet) -> bool:
            details = card_set.details
            return (
                filters.tcg_type in (None, details.tcg_type)
                and filters.region in (None, details.region)
                and filters.series in (None, details.series)
                and (filters.q is None or matches(details.search_text, filters.q))
            )

        with self._store.lock:
            return paged(
                [each for each in self._store.table("card_sets").values() if wanted(each)],
                key=lambda card_set: (of(card_set), card_set.id),
                descending=descending,
                request=request,
                view=self._set_view,
            )

    def card_set(self, id: CardSetId) -> CardSetView:
        with self._store.lock:
            found: CardSet | None = self._store.table("card_sets").get(id)
            if found is None:
                raise NotFound(f"There is no set {id}.")
            return self._set_view(found)

    def _set_view(self, card_set: CardSet) -> CardSetView:
        details = deepcopy(card_set.details)
        products: list[Product] = list(self._store.table("products").values())
        return CardSetView(
            id=card_set.id,
            external_id=details.external_id,
            tcg_type=details.tcg_type,
            region=details.region,
            code=details.code,
            codes=details.codes,
            name=details.name,
            names=details.names,
            series=details.series,
            block=details.block or details.series,
            release_date=details.release_date,
            card_count_official=details.card_count_official,
            product_count=sum(each.set_id == card_set.id and not each.is_archived for each in products),
            version=card_set.version,
            updated_at=card_set.updated_at,
        )

    def categories(self) -> Sequence[CategoryView]:
        with self._store.lock:
            categories: list[Category] = list(self._store.table("categories").values())
            return in_tree_order(
                CategoryView(
                    each.id,
                    each.slug,
                    each.name,
                    each.parent_id,
                    each.tcg_type,
                    each.position,
                    each.version,
                    each.updated_at,
                )
                for each in categories
            )

    def attributes(self) -> Attributes:
        with self._store.lock:
            return deepcopy(attributes_in(self._store))


def _names(ref: Ref, id: int, *texts: str) -> bool:
    """Whether a reference is this id, or one of these texts without regard to case."""
    return str(ref) == str(id) or any(str(ref).lower() == text.lower() for text in texts)


def _direction(ordering: str) -> tuple[str, bool]:
    """The name of a key, and whether it descends."""
    if ordering == "newest":
        return "oldest", True
    return ordering.removeprefix("-"), ordering.startswith("-")
