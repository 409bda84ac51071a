"""Claims, and what a buyer sees of the cart: one statement each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.listing_queries import listing_view, listing_views
from marketplace.adapters.postgres.prepared import PreparedStatement
from marketplace.adapters.postgres.reservations import CONSTRAINTS, claimed_of, refused_of
from marketplace.adapters.postgres.tables.listings import listings
from marketplace.adapters.postgres.tables.reservations import reservations
from marketplace.application.ports.reservations import CartItem, Claims, ReservationQueries
from marketplace.domain.reservations import (
    MAX_CART_ITEMS,
    HoldPolicy,
    Refusal,
    Refused,
    Reservation,
    ReservationStatus,
)
from marketplace.domain.shared.ids import AccountId, ListingId, ReservationId
from marketplace.domain.shared.money import Money

_item = reservations.c
_NOW = sa.bindparam("now", type_=sa.DateTime(timezone=True))
_ITEMS = (
    listing_views(_NOW)
    .add_columns(
        _item.id.label("item_id"),
        _item.buyer_id,
        _item.quantity,
        _item.unit_price,
        _item.status.label("item_status"),
        _item.first_claimed_at,
        _item.expires_at,
        _item.order_id,
    )
    .where(
        _item.listing_id == listings.c.id,
        _item.buyer_id == sa.bindparam("buyer", type_=sa.BigInteger),
        _item.status != ReservationStatus.RELEASED.value,
    )
)
_CART = PreparedStatement(_ITEMS.order_by(_item.first_claimed_at, _item.id))

_CLAIMED = (
    sa.func.claim_stock(
        sa.bindparam("id", type_=sa.BigInteger),
        sa.bindparam("buyer", type_=sa.BigInteger),
        sa.bindparam("listing", type_=sa.BigInteger),
        sa.bindparam("item", type_=sa.BigInteger),
        sa.bindparam("quantity", type_=sa.Integer),
        _NOW,
        sa.bindparam("hold", type_=sa.Interval),
        sa.bindparam("max_hold", type_=sa.Interval),
        sa.bindparam("max_items", type_=sa.Integer),
    )
    .table_valued(
        "outcome",
        "item_id",
        sa.column("listing_id", sa.BigInteger),
        "quantity",
        "unit_price",
        "currency",
        "first_claimed_at",
        "expires_at",
        "available",
        "retry_at",
        "order_id",
    )
    .alias("claimed")
)
# What the function tells is newer than what the statement sees of the listing beside it.
_CLAIM = PreparedStatement(
    listing_views(_NOW)
    .add_columns(
        _CLAIMED.c.outcome,
        _CLAIMED.c.item_id,
        _CLAIMED.c.quantity,
        _CLAIMED.c.unit_price,
        _CLAIMED.c.first_claimed_at,
        _CLAIMED.c.expires_at,
        _CLAIMED.c.available.label("left"),
        _CLAIMED.c.retry_at,
        _CLAIMED.c.order_id,
    )
    .where(listings.c.id == _CLAIMED.c.listing_id)
)


class PostgresClaims(Claims):
    """``engine`` commits by itself: a claim is one statement, hence one transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

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
        made = self._claim(
            {"id": id, "listing": listing_id, "item": None}, buyer_id, quantity=quantity, now=now, policy=policy
        )
        return made or Refused(why=Refusal.UNKNOWN_LISTING)

    def change(
        self, *, id: ReservationId, buyer_id: AccountId, quantity: int, now: datetime, policy: HoldPolicy
    ) -> CartItem | Refused:
        made = self._claim(
            {"id": None, "listing": None, "item": id}, buyer_id, quantity=quantity, now=now, policy=policy
        )
        return made or Refused(why=Refusal.UNKNOWN_ITEM)

    def _claim(
        self, what: dict[str, int | None], buyer_id: AccountId, *, quantity: int, now: datetime, policy: HoldPolicy
    ) -> CartItem | Refused | None:
        """None: there is no such listing, so that nothing stands beside the answer."""
        with translated(CONSTRAINTS), self._engine.connect() as connection:
            rows = _CLAIM.rows(
                connection,
                {
                    **what,
                    "buyer": buyer_id,
                    "quantity": quantity,
                    "now": now,
                    "hold": policy.hold_for,
                    "max_hold": policy.max_hold,
                    "max_items": MAX_CART_ITEMS,
                },
            )
        if not rows:
            return None
        row = rows[0]
        if row.outcome == "claimed":
            return _claimed_item(row, buyer_id)
        return refused_of(row, available=row.left)


class PostgresReservationQueries(ReservationQueries):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def cart(self, buyer_id: AccountId, *, now: datetime) -> Sequence[CartItem]:
        with translated({}), self._engine.connect() as connection:
            return [_cart_item(row) for row in _CART.rows(connection, {"buyer": buyer_id, "now": now})]


def _cart_item(row: Any) -> CartItem:
    return CartItem(
        reservation=Reservation(
            id=row.item_id,
            buyer_id=row.buyer_id,
            listing_id=row.id,
            quantity=row.quantity,
            # A listing's currency never changes.
            unit_price=Money(row.unit_price, row.currency),
            status=ReservationStatus(row.item_status),
            first_claimed_at=row.first_claimed_at,
            expires_at=row.expires_at,
            order_id=row.order_id,
        ),
        listing=listing_view(row),
    )


def _claimed_item(row: Any, buyer_id: AccountId) -> CartItem:
    return CartItem(
        reservation=claimed_of(row, buyer_id, ListingId(row.id)),
        listing=replace(listing_view(row), price=row.unit_price, available=row.left),
    )
