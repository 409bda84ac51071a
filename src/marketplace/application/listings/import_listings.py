"""A seller's stock from a file: new listings made, known ones brought up to date, the same file again nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from marketplace.application.access import Actor, acts_on_anothers, require_may_sell, require_own
from marketplace.application.listings.stock_file import BrokenRow, StockRow, read_stock_file
from marketplace.application.ports.catalogue import PrintKey
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.catalogue.attributes import Attributes, version_code
from marketplace.domain.catalogue.variants import VariantKey, variant_key
from marketplace.domain.listings import (
    Listing,
    ListingSource,
    checked_description,
    checked_stock,
)
from marketplace.domain.shared.errors import Invalid, MarketplaceError
from marketplace.domain.shared.ids import AccountId, ListingId, ProductId, VariantId

BATCH = 1_000
"""Rows a transaction: few enough that nobody waits long for the listings locked in it."""


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one row; ``reason`` says why it was refused."""

    row: int
    outcome: Outcome
    listing_id: ListingId | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportReport:
    rows: tuple[RowResult, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows had each outcome."""
        counted = Counter(result.outcome for result in self.rows)
        return {str(outcome): counted[outcome] for outcome in Outcome}


@dataclass(frozen=True, slots=True)
class _Offer:
    """A row whose variant is known by its parts."""

    row: StockRow
    key: VariantKey
    description: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportListings:
    """Bring the listings that imports made of a seller in line with a stock file, row by row."""

    unit_of_work: Callable[[], UnitOfWork]
    ids: IdSequence
    clock: Clock
    currency: str

    def __call__(
        self,
        *,
        actor: Actor,
        seller_id: AccountId,
        data: bytes,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> ImportReport:
        """``progress`` hears rows done and rows in all. Rows that are refused leave the others alone.

        Raises WrongStockFile when the file as a whole cannot be read, Forbidden when the seller may not sell.
        """
        require_own(actor, seller_id, f"seller {seller_id}")
        with self.unit_of_work() as uow:
            require_may_sell(actor, uow.sellers.find(seller_id))
        rows = read_stock_file(data, currency=self.currency)
        if acts_on_anothers(actor, seller_id):
            self._note(actor, seller_id, len(rows))
        results = [_refused(row.row, row.reason) for row in rows if isinstance(row, BrokenRow)]
        readable = [row for row in rows if isinstance(row, StockRow)]
        seen: dict[VariantKey, int] = {}
        progress(len(results), len(rows))
        for start in range(0, len(readable), BATCH):
            results += self._batch(seller_id, readable[start : start + BATCH], seen)
            progress(len(results), len(rows))
        return ImportReport(rows=tuple(sorted(results, key=lambda result: result.row)))

    def _note(self, actor: Actor, seller_id: AccountId, rows: int) -> None:
        """One entry for the file, before it: each of its batches is a transaction of its own."""
        with self.unit_of_work() as uow:
            uow.audit.add(
                actor.did("listings.imported", "seller", seller_id, now=self.clock.now(), after={"rows": rows})
            )
            uow.commit()

    def _batch(self, seller_id: AccountId, rows: Sequence[StockRow], seen: dict[VariantKey, int]) -> list[RowResult]:
        now = self.clock.now()
        results: list[RowResult] = []
        with self.unit_of_work() as uow:
            products = uow.catalogue.products_printed({row.card for row in rows})
            attributes = uow.catalogue.attributes()
            offers: list[_Offer] = []
            for row in rows:
                try:
                    offers.append(_offer(row, products, attributes, seen))
                except Invalid as error:
                    results.append(_refused(row.row, str(error)))
            variants = uow.catalogue.variants_of([offer.key for offer in offers])
            known = {
                listing.variant_id: listing
                for listing in uow.listings.lock_imported(seller_id, set(variants.values()), now)
            }
            new, changed = [], []
            ids = iter(self.ids.take(sum(variants[offer.key] not in known for offer in offers)))
            for offer in offers:
                listing = known.get(variants[offer.key])
                if listing is None:
                    made = _made(offer, ListingId(next(ids)), seller_id, variants[offer.key], now)
                    new.append(made)
                    results.append(RowResult(offer.row.row, Outcome.CREATED, made.id))
                    continue
                before = copy(listing)
                try:
                    _revise(listing, offer, now)
                except MarketplaceError as error:
                    results.append(_refused(offer.row.row, str(error), listing.id))
                    continue
                if listing == before:
                    results.append(RowResult(offer.row.row, Outcome.UNCHANGED, listing.id))
                else:
                    changed.append(listing)
                    results.append(RowResult(offer.row.row, Outcome.UPDATED, listing.id))
            uow.listings.add_all(new)
            uow.listings.save_all(changed)
            uow.commit()
        return results


def _offer(
    row: StockRow, products: Mapping[PrintKey, ProductId], attributes: Attributes, seen: dict[VariantKey, int]
) -> _Offer:
    """Raises Invalid on a row that names no card, no variant, no stock, or what an earlier row offers."""
    product_id = products.get(row.card)
    if product_id is None:
        raise Invalid(
            f"There is no {row.card.tcg_type} card {row.card.number!r} in the set {row.card.set_code!r} "
            f"(region {row.card.region})."
        )
    condition = next(c for c in attributes.conditions.values() if c.is_graded).id if row.grade else row.condition
    key = variant_key(
        attributes,
        product_id=product_id,
        language=row.language,
        version=version_code(row.finish, first_edition=row.first_edition, shadowless=row.shadowless),
        condition=condition,
        grade=row.grade or None,
    )
    if row.grade and row.condition:
        attributes.condition(row.condition)
    checked_stock(row.quantity)
    offer = _Offer(row, key, checked_description(row.description))
    if key in seen:
        raise Invalid(f"It offers the same as row {seen[key]}; put both into one row.")
    seen[key] = row.row
    return offer


def _made(offer: _Offer, id: ListingId, seller_id: AccountId, variant_id: VariantId, now: datetime) -> Listing:
    return Listing.offer(
        id,
        seller_id=seller_id,
        product_id=offer.key.product_id,
        variant_id=variant_id,
        price=offer.row.price,
        stock=offer.row.quantity,
        description=offer.description,
        source=ListingSource.IMPORT,
        now=now,
    )


def _revise(listing: Listing, offer: _Offer, now: datetime) -> None:
    # What can be refused comes first, so that a refused row changes nothing.
    listing.restock(offer.row.quantity, now=now)
    listing.reprice(offer.row.price, now=now)
    listing.describe(offer.description, now=now)


def _refused(row: int, reason: str, listing_id: ListingId | None = None) -> RowResult:
    return RowResult(row, Outcome.REFUSED, listing_id, reason)
