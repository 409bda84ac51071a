"""What listings need of a store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from marketplace.application.ports.catalogue import Ref, VariantView
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.listings import Listing, ListingStatus
from marketplace.domain.shared.ids import AccountId, ListingId, VariantId


class ListingRepository(Protocol):
    """Listings without their claims: ``claimed`` is read, never written, by anything here."""

    def add(self, listing: Listing) -> None:
        """Raises Conflict when an import made another listing of that seller and variant."""
        ...

    def add_all(self, listings: Sequence[Listing]) -> None:
        """As ``add``, for many, in a number of statements that does not grow with them."""
        ...

    def get(self, id: ListingId) -> Listing:
        """Raises NotFound."""
        ...

    def lock_and_sweep(self, listing_id: ListingId, now: datetime) -> Listing:
        """The listing, locked until the unit ends, its overdue cart claims expired. Raises NotFound.

        Whoever changes a listing reads it this way: its stock may fall, by a payment, without a new version.
        """
        ...

    def lock_many(self, ids: Collection[ListingId], now: datetime) -> Sequence[Listing]:
        """As ``lock_and_sweep``, of all those that there are, by ascending id. One statement and a sweep."""
        ...

    def lock_imported(
        self, seller_id: AccountId, variant_ids: Collection[VariantId], now: datetime
    ) -> Sequence[Listing]:
        """What imports made of this seller and these variants and is not archived, locked by ascending id and swept."""
        ...

    def save(self, listing: Listing) -> None:
        """Raises ConcurrencyConflict if it changed since it was read, at the latest on commit."""
        ...

    def save_all(self, listings: Sequence[Listing]) -> None:
        """As ``save``, for many, in a number of statements that does not grow with them."""
        ...


LISTING_ORDERINGS = ("price", "-price", "newest", "oldest")
"""What ``PageRequest.ordering`` of a list of listings may be; empty means the newest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ListingFilters:
    """What a list is narrowed to; None does not narrow. Prices are minor units, both ends included.

    Only what the public may see is listed, unless ``hidden``: then everything that the other filters let through.
    A product is its id or external id, a grade its id or ``PSA 10``.
    """

    product: Ref | None = None
    variant_id: VariantId | None = None
    seller_id: AccountId | None = None
    language: Ref | None = None
    version: Ref | None = None
    condition: Ref | None = None
    grade: Ref | None = None
    graded: bool | None = None
    min_price: int | None = None
    max_price: int | None = None
    verified: bool | None = None
    in_stock: bool | None = None
    status: ListingStatus | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class ProductSummary:
    id: int
    external_id: str
    name: str
    slug: str
    image: str | None


@dataclass(frozen=True, slots=True)
class SellerSummary:
    id: int
    shop_name: str
    rating: Decimal | None


@dataclass(frozen=True, slots=True)
class ListingView:
    """``price`` in minor units of ``currency``; ``available`` is what a buyer could claim at the instant asked for.

    ``is_public``: whether the public may see it now, its status and its seller considered.
    """

    id: int
    product: ProductSummary
    variant: VariantView
    seller: SellerSummary
    price: int
    currency: str
    stock: int
    available: int
    status: ListingStatus
    description: str
    is_verified: bool
    is_public: bool
    created_at: datetime
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class StockLine:
    """A listing as a line of a stock file. ``grade`` is written as collectors do, ``PSA 10``; ``price`` in minor units.

    ``name`` is the card's in the language of the listing where the catalogue knows it.
    """

    listing_id: int
    tcg_type: str
    name: str
    set_code: str
    number: str
    language: str
    condition: str
    version: str
    grade: str | None
    stock: int
    price: int
    description: str
    imported: bool


class ListingQueries(Protocol):
    """Reads, one statement each. An overdue cart claim counts as free at once, whether or not anything swept it."""

    def listing(self, id: ListingId, *, now: datetime) -> ListingView:
        """Any listing, hidden ones included: the caller asks ``access``. Raises NotFound."""
        ...

    def listings(self, filters: ListingFilters, request: PageRequest, *, now: datetime) -> Page[ListingView]:
        """Listings that match every filter. Counts of what the public sees may be 30 s old."""
        ...

    def stock_lines(self, seller_id: AccountId) -> Sequence[StockLine]:
        """What a stock file can tell of a seller: listings not archived, of cards that belong to a set, by id."""
        ...
