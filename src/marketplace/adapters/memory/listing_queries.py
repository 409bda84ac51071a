"""What is read of listings, in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from marketplace.adapters.memory.catalogue.tables import attributes_in
from marketplace.adapters.memory.listings import available
from marketplace.adapters.memory.pages import paged
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.catalogue import Ref, VariantView
from marketplace.application.ports.listings import (
    ListingFilters,
    ListingQueries,
    ListingView,
    ProductSummary,
    SellerSummary,
    StockLine,
)
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.listings import Listing, ListingStatus
from marketplace.domain.sellers import SellerProfile
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId, ListingId

_ORDERINGS: dict[str, tuple[Callable[[Listing], tuple[Any, ...]], bool]] = {
    "": (lambda listing: (listing.created_at.isoformat(), listing.id), True),
    "newest": (lambda listing: (listing.created_at.isoformat(), listing.id), True),
    "oldest": (lambda listing: (listing.created_at.isoformat(), listing.id), False),
    "price": (lambda listing: (listing.price.amount, listing.id), False),
    "-price": (lambda listing: (listing.price.amount, listing.id), True),
}


class InMemoryListingQueries(ListingQueries):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def listing(self, id: ListingId, *, now: datetime) -> ListingView:
        with self._store.lock:
            found = self._store.table("listings").get(id)
            if found is None:
                raise NotFound(f"There is no listing {id}.")
            return listing_view(self._store, found, now)

    def listings(self, filters: ListingFilters, request: PageRequest, *, now: datetime) -> Page[ListingView]:
        key, descending = _ORDERINGS[request.ordering]
        with self._store.lock:
            return paged(
                [listing for listing in self._store.table("listings").values() if self._matches(filters, listing, now)],
                key=key,
                descending=descending,
                request=request,
                view=lambda listing: listing_view(self._store, listing, now),
            )

    def stock_lines(self, seller_id: AccountId) -> Sequence[StockLine]:
        with self._store.lock:
            lines = [
                self._stock_line(listing)
                for listing in self._store.table("listings").values()
                if listing.seller_id == seller_id and listing.status is not ListingStatus.ARCHIVED
            ]
        return sorted((line for line in lines if line is not None), key=lambda line: line.listing_id)

    def _stock_line(self, listing: Listing) -> StockLine | None:
        product = self._store.table("products")[listing.product_id]
        if product.set_id is None or product.details.number is None:
            return None
        variant = _variant_view(self._store, listing)
        return StockLine(
            listing.id,
            product.tcg_type,
            product.details.names.get(variant.language.code, product.details.name),
            self._store.table("card_sets")[product.set_id].details.code,
            product.details.number,
            variant.language.code,
            variant.condition.code,
            variant.version.code,
            None if variant.grade is None else variant.grade.code,
            listing.stock,
            listing.price.amount,
            listing.description,
            listing.source is not None,
        )

    def _matches(self, filters: ListingFilters, listing: Listing, now: datetime) -> bool:
        variant = _variant_view(self._store, listing)
        product = self._store.table("products")[listing.product_id]
        on_sale = listing.status is ListingStatus.ACTIVE and available(self._store, listing, now) > 0
        grade = variant.grade
        checks: list[tuple[Any, Callable[[Any], bool]]] = [
            (filters.product, lambda ref: _is_named(ref, listing.product_id, product.external_id)),
            (filters.variant_id, lambda id: listing.variant_id == id),
            (filters.seller_id, lambda id: listing.seller_id == id),
            (filters.language, lambda ref: _is_named(ref, variant.language.id, variant.language.code)),
            (filters.version, lambda ref: _is_named(ref, variant.version.id, variant.version.code)),
            (filters.condition, lambda ref: _is_named(ref, variant.condition.id, variant.condition.code)),
            (filters.grade, lambda ref: grade is not None and _is_named(ref, grade.id, grade.code)),
            (filters.graded, lambda graded: (grade is not None) == graded),
            (filters.min_price, lambda price: listing.price.amount >= price),
            (filters.max_price, lambda price: listing.price.amount <= price),
            (filters.verified, lambda verified: listing.is_verified == verified),
            (filters.in_stock, lambda in_stock: on_sale == in_stock),
            (filters.status, lambda status: listing.status is status),
        ]
        shown = filters.hidden or (listing.is_public and _seller(self._store, listing).is_selling(now))
        return shown and all(check(value) for value, check in checks if value is not None)


def listing_view(store: InMemoryStore, listing: Listing, now: datetime) -> ListingView:
    """What the lists show of it. Called under the store's lock."""
    product = store.table("products")[listing.product_id]
    seller = _seller(store, listing)
    return ListingView(
        listing.id,
        ProductSummary(
            product.id,
            product.external_id,
            product.details.name,
            product.slug,
            product.details.attributes.get("image_url"),
        ),
        _variant_view(store, listing),
        SellerSummary(seller.account_id, seller.shop_name, seller.rating),
        listing.price.amount,
        listing.price.currency,
        listing.stock,
        available(store, listing, now),
        listing.status,
        listing.description,
        listing.is_verified,
        listing.is_public and seller.is_selling(now),
        listing.created_at,
        listing.updated_at,
        listing.version,
    )


def _variant_view(store: InMemoryStore, listing: Listing) -> VariantView:
    key = store.table("variants")[listing.variant_id].key
    attributes = attributes_in(store)
    return VariantView(
        listing.variant_id,
        listing.product_id,
        attributes.language(key.language_id),
        attributes.version(key.version_id),
        attributes.condition(key.condition_id),
        None if key.grade_id is None else attributes.grade(key.grade_id),
    )


def _seller(store: InMemoryStore, listing: Listing) -> SellerProfile:
    seller: SellerProfile = store.table("sellers")[listing.seller_id]
    return seller


def _is_named(ref: Ref, id: int, code: str) -> bool:
    return ref == id if isinstance(ref, int) else " ".join(ref.lower().split()) == code.lower()
