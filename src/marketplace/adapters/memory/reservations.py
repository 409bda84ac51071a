"""Claims on stock in memory, decided by the domain's own function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from marketplace.adapters.memory.catalogue.tables import attributes_in
from marketplace.adapters.memory.listing_queries import listing_view
from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.reservations import (
    CartItem,
    CheckoutItem,
    Claims,
    ReservationQueries,
    ReservationRepository,
)
from marketplace.domain.listings import Listing, ListingStatus
from marketplace.domain.orders.order import Order, SaleLine
from marketplace.domain.reservations import (
    HoldPolicy,
    InsufficientStock,
    Offer,
    Refusal,
    Refused,
    Reservation,
    ReservationStatus,
    claim,
)
from marketplace.domain.shared.ids import AccountId, ListingId, OrderId, ReservationId, SaleLineId, VariantId

if TYPE_CHECKING:
    from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork


class InMemoryReservations(InMemoryRepository[Reservation], ReservationRepository):
    name = "reservations"
    noun = "reservation"

    def check_constraints(self, entities: Collection[Reservation]) -> None:
        claimed: Counter[ListingId] = Counter()
        for reservation in entities:
            if reservation.counts():
                claimed[reservation.listing_id] += reservation.quantity
        for listing_id, pieces in claimed.items():
            if pieces > self._listing(listing_id).stock:
                raise InsufficientStock("Somebody else has just claimed what was left; look at the cart and try again.")

    def claim_more(
        self,
        *,
        id: ReservationId,
        buyer_id: AccountId,
        listing_id: ListingId,
        quantity: int,
        now: datetime,
        policy: HoldPolicy,
    ) -> Reservation | Refused:
        if self._uow.listings._find(listing_id) is None:
            return Refused(why=Refusal.UNKNOWN_LISTING)
        previous = self._one(lambda r: r.buyer_id == buyer_id and r.listing_id == listing_id)
        return self._claim(previous, id, buyer_id, listing_id, quantity=quantity, adding=True, now=now, policy=policy)

    def claim_instead(
        self, *, id: ReservationId, buyer_id: AccountId, quantity: int, now: datetime, policy: HoldPolicy
    ) -> Reservation | Refused:
        item = self._in_cart(id, buyer_id)
        if item is None:
            return Refused(why=Refusal.UNKNOWN_ITEM)
        return self._claim(item, id, buyer_id, item.listing_id, quantity=quantity, adding=False, now=now, policy=policy)

    def _claim(
        self,
        previous: Reservation | None,
        id: ReservationId,
        buyer_id: AccountId,
        listing_id: ListingId,
        *,
        quantity: int,
        adding: bool,
        now: datetime,
        policy: HoldPolicy,
    ) -> Reservation | Refused:
        claimed = claim(
            previous,
            id=id,
            buyer_id=buyer_id,
            offer=self._offer(listing_id, buyer_id, now),
            quantity=quantity,
            adding=adding,
            items_in_cart=sum(1 for r in self._scan() if r.buyer_id == buyer_id and r.is_in_cart()),
            now=now,
            policy=policy,
        )
        if isinstance(claimed, Reservation):
            self._sweep_others([listing_id], buyer_id, now)
            self._put(claimed)
        return claimed

    def release(self, *, id: ReservationId, buyer_id: AccountId, now: datetime) -> None:
        item = self._in_cart(id, buyer_id)
        if item is None:
            raise Refused(why=Refusal.UNKNOWN_ITEM).error()
        self._put(item.released(now))

    def empty(self, *, buyer_id: AccountId, now: datetime) -> None:
        for item in self._those(lambda r: r.buyer_id == buyer_id and r.is_in_cart() and r.order_id is None):
            self._put(item.released(now))

    def leave_carts(self, listing_id: ListingId, *, now: datetime) -> None:
        for item in self._those(lambda r: r.listing_id == listing_id and r.status is ReservationStatus.EXPIRED):
            self._put(item.released(now))

    def for_checkout(
        self, *, buyer_id: AccountId, ids: Sequence[ReservationId] | None, now: datetime
    ) -> Sequence[CheckoutItem]:
        chosen = self._those(lambda r: r.buyer_id == buyer_id and r.is_in_cart() and (ids is None or r.id in ids))
        items = [self._checkout_item(reservation, now) for reservation in sorted(chosen, key=lambda r: r.listing_id)]
        anew = [r.listing_id for r in chosen if r.status is ReservationStatus.EXPIRED]
        self._sweep_others(anew, buyer_id, now)
        return items

    def save_all(self, reservations: Sequence[Reservation]) -> None:
        for reservation in reservations:
            self._put(reservation)

    def free(self, order_id: OrderId, *, now: datetime) -> None:
        for claimed in self._those(lambda r: r.order_id == order_id):
            self._put(claimed.freed(now))

    def supply(self, order: Order, *, now: datetime) -> Mapping[SaleLineId, int]:
        own = {r.listing_id: r for r in self._those(lambda r: r.order_id == order.id)}
        missing: dict[SaleLineId, int] = {}
        for line in (line for sale in order.sales for line in sale.lines):
            claimed = own.get(line.listing_id)
            if claimed is not None:
                self.remove(claimed.id)
                taken = claimed.quantity
            else:
                taken = self._take_late(line, order.buyer_id, now)
            if taken:
                listing = self._uow.listings.get(line.listing_id)
                listing.sell(taken, now=now)
                self._uow.listings.save(listing)
            if taken < line.quantity:
                missing[line.id] = line.quantity - taken
        return missing

    def _take_late(self, line: SaleLine, buyer_id: AccountId, now: datetime) -> int:
        self._sweep_others([line.listing_id], buyer_id, now)
        item = self._one(
            lambda r: (
                r.buyer_id == buyer_id and r.listing_id == line.listing_id and r.is_in_cart() and r.order_id is None
            )
        )
        listing = self._listing(line.listing_id)
        is_gone = listing.status is ListingStatus.ARCHIVED or listing.variant_id != line.variant_id
        taken = 0 if is_gone else min(line.quantity, self._available(line.listing_id, now, but_for=item))
        if taken and item is not None:
            if item.quantity > taken:
                self._put(replace(item, quantity=item.quantity - taken))
            else:
                self.remove(item.id)
        return taken

    def sweep(self, *, now: datetime, limit: int) -> int:
        overdue = sorted(self._those(lambda r: r.is_overdue(now)), key=lambda r: r.expires_at)
        listings = set({r.listing_id: None for r in overdue[:limit]})
        return self._expire(r for r in overdue if r.listing_id in listings)

    def forget(self, *, released_before: datetime, limit: int) -> int:
        forgotten = self._those(lambda r: r.status is ReservationStatus.RELEASED and r.expires_at < released_before)[
            :limit
        ]
        for reservation in forgotten:
            self.remove(reservation.id)
        return len(forgotten)

    def _sweep_others(self, listings: Collection[ListingId], buyer_id: AccountId, now: datetime) -> None:
        self._expire(self._those(lambda r: r.listing_id in listings and r.buyer_id != buyer_id and r.is_overdue(now)))

    def _expire(self, overdue: Iterable[Reservation]) -> int:
        expired = [reservation.expired() for reservation in overdue]
        self.save_all(expired)
        return len(expired)

    def _checkout_item(self, reservation: Reservation, now: datetime) -> CheckoutItem:
        listing = self._listing(reservation.listing_id)
        store = self._uow.store
        return CheckoutItem(
            reservation=reservation,
            offer=self._offer(listing.id, reservation.buyer_id, now),
            product_id=listing.product_id,
            variant_id=listing.variant_id,
            title=store.table("products")[listing.product_id].details.name,
            variant=_variant_copy(store, listing.variant_id),
        )

    def _offer(self, listing_id: ListingId, buyer_id: AccountId, now: datetime) -> Offer:
        listing = self._listing(listing_id)
        seller = self._uow.sellers._find(listing.seller_id)
        own = self._one(lambda r: r.buyer_id == buyer_id and r.listing_id == listing_id)
        return Offer(
            listing_id=listing_id,
            seller_id=listing.seller_id,
            price=listing.price,
            is_public=listing.is_public,
            seller_is_selling=seller is not None and seller.is_selling(now),
            available=self._available(listing_id, now, but_for=own),
        )

    def _available(self, listing_id: ListingId, now: datetime, *, but_for: Reservation | None) -> int:
        """The stock without the claims that count now; that of ``but_for`` is no obstacle."""
        claimed = (
            r.quantity for r in self._scan() if r.listing_id == listing_id and r.holds_stock(now) and r != but_for
        )
        return self._listing(listing_id).stock - sum(claimed)

    def _listing(self, listing_id: ListingId) -> Listing:
        listing: Listing = self._uow.listings._find(listing_id)
        return listing

    def _in_cart(self, id: ReservationId, buyer_id: AccountId) -> Reservation | None:
        return self._one(lambda r: r.id == id and r.buyer_id == buyer_id and r.is_in_cart())

    # Reservations are frozen: they need no copies.
    def _one(self, matches: Callable[[Reservation], bool]) -> Reservation | None:
        return next((r for r in self._scan() if matches(r)), None)

    def _those(self, matches: Callable[[Reservation], bool]) -> list[Reservation]:
        return [r for r in self._scan() if matches(r)]

    def _put(self, reservation: Reservation) -> None:
        self._staged[reservation.id] = reservation


class InMemoryClaims(Claims):
    def __init__(self, unit_of_work: Callable[[], InMemoryUnitOfWork]) -> None:
        self._unit_of_work = unit_of_work

    def claim(
        self,
        *,
        id: ReservationId,
        buyer_id: AccountId,
        listing_id: ListingId,
        quantity: int,
        now: datetime,
        policy: HoldPolicy,
    ) -> CartItem | Refused:
        with self._unit_of_work() as uow:
            return _committed(
                uow,
                uow.reservations.claim_more(
                    id=id, buyer_id=buyer_id, listing_id=listing_id, quantity=quantity, now=now, policy=policy
                ),
                now,
            )

    def change(
        self, *, id: ReservationId, buyer_id: AccountId, quantity: int, now: datetime, policy: HoldPolicy
    ) -> CartItem | Refused:
        with self._unit_of_work() as uow:
            return _committed(
                uow,
                uow.reservations.claim_instead(id=id, buyer_id=buyer_id, quantity=quantity, now=now, policy=policy),
                now,
            )


def _committed(uow: InMemoryUnitOfWork, claimed: Reservation | Refused, now: datetime) -> CartItem | Refused:
    if isinstance(claimed, Refused):
        return claimed
    uow.commit()
    return _cart_item(uow.store, claimed, now)


class InMemoryReservationQueries(ReservationQueries):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def cart(self, buyer_id: AccountId, *, now: datetime) -> Sequence[CartItem]:
        with self._store.lock:
            rows = [r for r in self._store.table("reservations").values() if r.buyer_id == buyer_id and r.is_in_cart()]
            rows.sort(key=lambda r: (r.first_claimed_at, r.id))
            return [_cart_item(self._store, row, now) for row in rows]


def _cart_item(store: InMemoryStore, row: Reservation, now: datetime) -> CartItem:
    listing = store.table("listings")[row.listing_id]
    return CartItem(reservation=row, listing=listing_view(store, listing, now))


def _variant_copy(store: InMemoryStore, variant_id: VariantId) -> dict[str, Any]:
    variant = store.table("variants")[variant_id]
    attributes = attributes_in(store)
    language = attributes.language(variant.key.language_id)
    version = attributes.version(variant.key.version_id)
    condition = attributes.condition(variant.key.condition_id)
    grade = None if variant.key.grade_id is None else attributes.grade(variant.key.grade_id)
    return {
        "id": variant_id,
        "product": variant.key.product_id,
        "language": {"id": language.id, "code": language.code, "name": language.name},
        "version": {
            "id": version.id,
            "code": version.code,
            "name": version.name,
            "tcg_types": sorted(version.tcg_types),
            "description": version.description,
            "displayable": version.displayable,
        },
        "condition": {
            "id": condition.id,
            "code": condition.code,
            "label": condition.label,
            "is_graded": condition.is_graded,
        },
        "grade": None if grade is None else {"id": grade.id, "value": grade.value, "grader": grade.grader},
    }
