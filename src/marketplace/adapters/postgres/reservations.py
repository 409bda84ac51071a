"""Claims on stock in PostgreSQL. The triggers of the table keep each listing's ``claimed``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from marketplace.application.ports.reservations import CheckoutItem, ReservationRepository
from marketplace.domain.listings import ListingStatus
from marketplace.domain.orders.order import Order, SaleLine
from marketplace.domain.reservations import (
    MAX_CART_ITEMS,
    HoldPolicy,
    InsufficientStock,
    Offer,
    Refusal,
    Refused,
    Reservation,
    ReservationStatus,
)
from marketplace.domain.shared.errors import MarketplaceError, NotFound
from marketplace.domain.shared.ids import AccountId, ListingId, OrderId, ReservationId, SaleLineId
from marketplace.domain.shared.money import Money

if TYPE_CHECKING:
    from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork

_COLUMNS = """r.id, r.buyer_id, r.listing_id, r.quantity, r.unit_price, r.currency, r.status, r.first_claimed_at,
    r.expires_at, r.order_id"""

_CLAIM = text("select * from claim_stock(:id, :buyer, :listing, null, :quantity, :now, :hold, :max_hold, :max_items)")
_LOCK_LISTING_OF = text(
    """
    select l.id from listings l
    where l.id = (
        select r.listing_id from reservations r where r.id = :id and r.buyer_id = :buyer and r.status <> 'released'
    )
    for no key update
    """
)
_ITEM = text(f"select {_COLUMNS} from reservations r where r.id = :id and r.status <> 'released' for update")
_LOCK_LISTINGS_OF_CART = text(
    """
    select l.id from listings l
    where l.id in (
        select r.listing_id from reservations r where r.buyer_id = :buyer and r.status in ('held', 'expired')
    )
    order by l.id for no key update of l
    """
)
_LOCK_CART = text("select * from lock_cart(:buyer, :ids, :now)")
_SWEEP_LISTINGS = text(
    """
    update reservations set status = 'expired'
    where listing_id = any(:listings) and status = 'held' and expires_at <= :now and buyer_id <> :buyer
    """
)
_SAVE = text(
    """
    update reservations r set
        status = x.status, unit_price = x.unit_price, first_claimed_at = x.first_claimed_at,
        expires_at = x.expires_at, order_id = x.order_id
    from unnest(
        cast(:ids as bigint[]), cast(:statuses as text[]), cast(:prices as bigint[]), cast(:firsts as timestamptz[]),
        cast(:ends as timestamptz[]), cast(:orders as bigint[])
    ) as x (id, status, unit_price, first_claimed_at, expires_at, order_id)
    where r.id = x.id
    """
)
_RELEASE_ALL = text(
    """
    update reservations set status = 'released', expires_at = least(expires_at, :now)
    where buyer_id = :buyer and listing_id = any(:listings) and status in ('held', 'expired')
    """
)
_LEAVE_CARTS = text(
    """
    update reservations set status = 'released', expires_at = least(expires_at, :now)
    where listing_id = :listing and status = 'expired'
    """
)
_LOCK_LISTINGS_OF_ORDER = text(
    """
    select l.id from listings l where l.id in (select r.listing_id from reservations r where r.order_id = :order)
    order by l.id for no key update of l
    """
)
_FREE = text(
    """
    update reservations set status = 'expired', expires_at = :now, order_id = null
    where order_id = :order and status = 'ordered'
    """
)
_LOCK_LISTINGS = text("select l.id from listings l where l.id = any(:listings) order by l.id for no key update")
_TAKE = text("delete from reservations where order_id = :order and status = 'ordered' returning listing_id, quantity")
_LATE = text(
    """
    select l.id, l.status, l.variant_id, l.stock - l.claimed as free, r.id as item, r.status as item_status, r.quantity
    from listings l
        left join reservations r
            on r.listing_id = l.id and r.buyer_id = :buyer and r.status in ('held', 'expired')
    where l.id = any(:listings)
    order by l.id
    """
)
_SHRINK = text("update reservations set quantity = :quantity where id = :id")
_REMOVE = text("delete from reservations where id = :id")
_SELL = text(
    """
    update listings l set
        stock = l.stock - x.quantity, version = l.version + 1, updated_at = :now,
        status = case when l.status = 'active' and l.stock = x.quantity then 'sold_out' else l.status end
    from unnest(cast(:listings as bigint[]), cast(:quantities as integer[])) as x (id, quantity)
    where l.id = x.id
    """
)
_SWEEP = text(
    """
    with due as (
        select r.listing_id from reservations r where r.status = 'held' and r.expires_at <= :now
        order by r.expires_at limit :limit
    ), locked as materialized (
        select l.id from listings l where l.id in (select d.listing_id from due d)
        order by l.id for no key update of l skip locked
    )
    update reservations r set status = 'expired' from locked
    where r.listing_id = locked.id and r.status = 'held' and r.expires_at <= :now
    """
)
_FORGET = text(
    """
    delete from reservations where id in (
        select r.id from reservations r where r.status = 'released' and r.expires_at < :before
        order by r.expires_at limit :limit for update skip locked
    )
    """
)


CONSTRAINTS: Mapping[str, tuple[type[MarketplaceError], str]] = {
    "claims_within_stock": (
        InsufficientStock,
        "Somebody else has just claimed what was left; look at the cart and try again.",
    ),
    "reservations_buyer_id_fkey": (NotFound, "There is no such account."),
}


class PostgresReservations(ReservationRepository):
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow
        uow.constraints.update(CONSTRAINTS)

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
        row = self._uow.execute(
            _CLAIM,
            {
                "id": id,
                "buyer": buyer_id,
                "listing": listing_id,
                "quantity": quantity,
                "now": now,
                "hold": policy.hold_for,
                "max_hold": policy.max_hold,
                "max_items": MAX_CART_ITEMS,
            },
        ).one()
        if row.outcome == "claimed":
            return claimed_of(row, buyer_id, row.listing_id)
        return refused_of(row, available=row.available)

    def release(self, *, id: ReservationId, buyer_id: AccountId, now: datetime) -> None:
        locked = self._uow.execute(_LOCK_LISTING_OF, {"id": id, "buyer": buyer_id}).first()
        row = None if locked is None else self._uow.execute(_ITEM, {"id": id}).first()
        if row is None:
            raise Refused(why=Refusal.UNKNOWN_ITEM).error()
        self.save_all([reservation_of(row).released(now)])

    def empty(self, *, buyer_id: AccountId, now: datetime) -> None:
        listings = list(self._uow.execute(_LOCK_LISTINGS_OF_CART, {"buyer": buyer_id}).scalars())
        self._uow.execute(_RELEASE_ALL, {"buyer": buyer_id, "listings": listings, "now": now})

    def leave_carts(self, listing_id: ListingId, *, now: datetime) -> None:
        self._uow.execute(_LEAVE_CARTS, {"listing": listing_id, "now": now})

    def for_checkout(
        self, *, buyer_id: AccountId, ids: Sequence[ReservationId] | None, now: datetime
    ) -> Sequence[CheckoutItem]:
        wanted = None if ids is None else list(ids)
        rows = self._uow.execute(_LOCK_CART, {"buyer": buyer_id, "ids": wanted, "now": now})
        items = [_checkout_item(row) for row in rows]
        anew = [i.offer.listing_id for i in items if i.reservation.status is ReservationStatus.EXPIRED]
        if anew:
            self._sweep_others(anew, buyer_id, now)
        return items

    def _sweep_others(self, listings: list[ListingId], buyer_id: AccountId, now: datetime) -> None:
        self._uow.execute(_SWEEP_LISTINGS, {"listings": listings, "buyer": buyer_id, "now": now})

    def save_all(self, reservations: Sequence[Reservation]) -> None:
        self._uow.execute(
            _SAVE,
            {
                "ids": [r.id for r in reservations],
                "statuses": [r.status.value for r in reservations],
                "prices": [r.unit_price.amount for r in reservations],
                "firsts": [r.first_claimed_at for r in reservations],
                "ends": [r.expires_at for r in reservations],
                "orders": [r.order_id for r in reservations],
            },
        )

    def free(self, order_id: OrderId, *, now: datetime) -> None:
        self._uow.execute(_LOCK_LISTINGS_OF_ORDER, {"order": order_id})
        self._uow.execute(_FREE, {"order": order_id, "now": now})

    def supply(self, order: Order, *, now: datetime) -> Mapping[SaleLineId, int]:
        lines = sorted((line for sale in order.sales for line in sale.lines), key=lambda line: line.listing_id)
        self._uow.execute(_LOCK_LISTINGS, {"listings": [line.listing_id for line in lines]})
        claimed = {row.listing_id: row.quantity for row in self._uow.execute(_TAKE, {"order": order.id})}
        taken = {line.listing_id: claimed.get(line.listing_id, 0) for line in lines}
        late = [line for line in lines if taken[line.listing_id] < line.quantity]
        if late:
            taken.update(self._take_late(late, order.buyer_id, now))
        sold = {listing: quantity for listing, quantity in taken.items() if quantity}
        if sold:
            self._uow.execute(_SELL, {"listings": list(sold), "quantities": list(sold.values()), "now": now})
        return {
            line.id: line.quantity - taken[line.listing_id] for line in lines if taken[line.listing_id] < line.quantity
        }

    def _take_late(self, lines: Sequence[SaleLine], buyer_id: AccountId, now: datetime) -> dict[ListingId, int]:
        """What this buyer can have of each listing now that the order's claims are gone; their cart shrinks by it."""
        listings = [line.listing_id for line in lines]
        self._sweep_others(listings, buyer_id, now)
        rows = {row.id: row for row in self._uow.execute(_LATE, {"listings": listings, "buyer": buyer_id})}
        taken: dict[ListingId, int] = {}
        for line in lines:
            row = rows[line.listing_id]
            held = row.quantity if row.item_status == ReservationStatus.HELD else 0
            is_gone = row.status == ListingStatus.ARCHIVED or row.variant_id != line.variant_id
            available = 0 if is_gone else row.free + held
            taken[line.listing_id] = got = min(line.quantity, available)
            if got and row.item is not None:
                left = row.quantity - got
                self._uow.execute(_SHRINK if left > 0 else _REMOVE, {"id": row.item, "quantity": left})
        return taken

    def sweep(self, *, now: datetime, limit: int) -> int:
        return self._uow.execute(_SWEEP, {"now": now, "limit": limit}).rowcount

    def forget(self, *, released_before: datetime, limit: int) -> int:
        return self._uow.execute(_FORGET, {"before": released_before, "limit": limit}).rowcount


def claimed_of(row: Any, buyer_id: AccountId, listing_id: ListingId) -> Reservation:
    """What ``claim_stock`` tells of a claim that it made."""
    return Reservation(
        id=row.item_id,
        buyer_id=buyer_id,
        listing_id=listing_id,
        quantity=row.quantity,
        unit_price=Money(row.unit_price, row.currency),
        status=ReservationStatus.HELD,
        first_claimed_at=row.first_claimed_at,
        expires_at=row.expires_at,
    )


def refused_of(row: Any, *, available: int) -> Refused:
    """What ``claim_stock`` tells of a claim that it did not make."""
    return Refused(
        why=Refusal(row.outcome),
        available=available if row.outcome == Refusal.INSUFFICIENT else 0,
        retry_at=row.retry_at,
        order_id=row.order_id,
    )


def reservation_of(row: Any) -> Reservation:
    return Reservation(
        id=row.id,
        buyer_id=row.buyer_id,
        listing_id=row.listing_id,
        quantity=row.quantity,
        unit_price=Money(row.unit_price, row.currency),
        status=ReservationStatus(row.status),
        first_claimed_at=row.first_claimed_at,
        expires_at=row.expires_at,
        order_id=row.order_id,
    )


def _checkout_item(row: Any) -> CheckoutItem:
    return CheckoutItem(
        reservation=reservation_of(row),
        offer=Offer(
            listing_id=row.listing_id,
            seller_id=row.seller_id,
            price=Money(row.price, row.currency),
            is_public=row.is_public,
            seller_is_selling=row.is_selling,
            available=row.available,
        ),
        product_id=row.product_id,
        variant_id=row.variant_id,
        title=row.title,
        variant=row.variant,
    )
