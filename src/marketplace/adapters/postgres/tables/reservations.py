"""Reservations: the carts, and the memory of what left them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.schema import conv

from marketplace.adapters.postgres.tables.metadata import metadata, moment

reservations = sa.Table(
    "reservations",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("buyer_id", sa.BigInteger, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("listing_id", sa.BigInteger, sa.ForeignKey("listings.id"), nullable=False),
    sa.Column("quantity", sa.Integer, nullable=False),
    # Minor units of `currency`; the price last answered to the buyer.
    sa.Column("unit_price", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    moment("first_claimed_at"),
    moment("expires_at"),
    sa.Column("order_id", sa.BigInteger, sa.ForeignKey("orders.id")),
    sa.UniqueConstraint("buyer_id", "listing_id", name=conv("one_reservation_a_buyer_and_listing")),
    sa.CheckConstraint("quantity > 0", name=conv("claims_are_of_something")),
    sa.CheckConstraint("status in ('held', 'ordered', 'expired', 'released')", name=conv("known_reservation_status")),
    sa.CheckConstraint("(status = 'ordered') = (order_id is not null)", name=conv("what_is_ordered_names_its_order")),
)

_columns = reservations.c
# What is overdue on one listing; what expired on it; what is overdue anywhere; what can be forgotten; what an order
# holds.
sa.Index(
    "reservations_held_idx",
    _columns.listing_id,
    _columns.expires_at,
    postgresql_where=sa.text("status = 'held'"),
)
sa.Index("reservations_expired_idx", _columns.listing_id, postgresql_where=sa.text("status = 'expired'"))
sa.Index("reservations_due_idx", _columns.expires_at, postgresql_where=sa.text("status = 'held'"))
sa.Index("reservations_memory_idx", _columns.expires_at, postgresql_where=sa.text("status = 'released'"))
sa.Index("reservations_order_idx", _columns.order_id, postgresql_where=sa.text("order_id is not null"))
