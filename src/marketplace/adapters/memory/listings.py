"""Listings in memory: what is written. Claims are counted from the reservations whenever a listing is handed out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import datetime

from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.listings import ListingRepository
from marketplace.domain.listings import Listing, ListingSource, ListingStatus
from marketplace.domain.reservations import ReservationStatus
from marketplace.domain.shared.errors import Conflict, NotFound
from marketplace.domain.shared.ids import AccountId, ListingId, VariantId

_COUNTED = (ReservationStatus.HELD, ReservationStatus.ORDERED)


class InMemoryListings(InMemoryRepository[Listing], ListingRepository):
    name = "listings"
    noun = "listing"

    def check_constraints(self, entities: Collection[Listing]) -> None:
        imported = [(listing.seller_id, listing.variant_id) for listing in entities if _is_imported(listing)]
        if len(set(imported)) < len(imported):
            raise Conflict("An import of this seller made a listing of this variant meanwhile; repeat.")

    def add_all(self, listings: Sequence[Listing]) -> None:
        for listing in listings:
            self.add(listing)

    def get(self, key: ListingId) -> Listing:
        found = self._counted(lambda listing: listing.id == key)
        if not found:
            raise NotFound(f"There is no listing {key}.")
        return found[0]

    def lock_and_sweep(self, listing_id: ListingId, now: datetime) -> Listing:
        self._sweep({listing_id}, now)
        return self.get(listing_id)

    def lock_many(self, ids: Collection[ListingId], now: datetime) -> Sequence[Listing]:
        self._sweep(set(ids), now)
        return sorted(self._counted(lambda listing: listing.id in ids), key=lambda listing: listing.id)

    def lock_imported(
        self, seller_id: AccountId, variant_ids: Collection[VariantId], now: datetime
    ) -> Sequence[Listing]:
        def wanted(listing: Listing) -> bool:
            return _is_imported(listing) and listing.seller_id == seller_id and listing.variant_id in variant_ids

        self._sweep({listing.id for listing in self._scan() if wanted(listing)}, now)
        return sorted(self._counted(wanted), key=lambda listing: listing.id)

    def save_all(self, listings: Sequence[Listing]) -> None:
        for listing in listings:
            self.save(listing)

    def _stage(self, key: ListingId, entity: Listing, *, version: int) -> None:
        """``claimed`` is read, never written: what a listing had when it was read may be over by now."""
        super()._stage(key, entity, version=version)
        self._staged[key].claimed = 0

    def _counted(self, matches: Callable[[Listing], bool]) -> list[Listing]:
        found = {listing.id: deepcopy(listing) for listing in self._scan() if matches(listing)}
        for listing in found.values():
            listing.claimed = 0
        for reservation in self._uow.reservations._scan():
            if reservation.listing_id in found and reservation.status in _COUNTED:
                found[reservation.listing_id].claimed += reservation.quantity
        return list(found.values())

    def _sweep(self, listing_ids: Collection[ListingId], now: datetime) -> None:
        reservations = self._uow.reservations
        for reservation in list(reservations._scan()):
            if (
                reservation.listing_id in listing_ids
                and reservation.status is ReservationStatus.HELD
                and reservation.expires_at <= now
            ):
                reservations._stage(reservation.id, replace(reservation, status=ReservationStatus.EXPIRED), version=0)


def available(store: InMemoryStore, listing: Listing, now: datetime) -> int:
    """Stock without the claims that count at ``now``. Called under the store's lock."""
    claimed: int = sum(
        reservation.quantity
        for reservation in store.table("reservations").values()
        if reservation.listing_id == listing.id and reservation.holds_stock(now)
    )
    return listing.stock - claimed


def _is_imported(listing: Listing) -> bool:
    return listing.source is ListingSource.IMPORT and listing.status is not ListingStatus.ARCHIVED
