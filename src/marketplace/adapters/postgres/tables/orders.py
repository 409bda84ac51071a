"""Orders, their sales and lines, and the history of both."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import conv

from marketplace.adapters.postgres.tables.metadata import metadata, moment

orders = sa.Table(
    "orders",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("buyer_id", sa.BigInteger, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    # What it came to, and by which rules: copies, those of the settings where no version was in force. Amounts in minor
    # units of `currency`.
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("fee_schedule_id", sa.BigInteger, sa.ForeignKey("fee_schedules.id")),
    sa.Column("fees", JSONB, nullable=False),
    sa.Column("base", sa.BigInteger, nullable=False),
    sa.Column("commission", sa.BigInteger, nullable=False),
    sa.Column("processing", sa.BigInteger, nullable=False),
    sa.Column("shipping", sa.BigInteger, nullable=False),
    sa.Column("shipping_address", JSONB, nullable=False),
    sa.Column("billing_address", JSONB),
    moment("created_at"),
    moment("payment_due_at"),
    moment("paid_at", nullable=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.CheckConstraint(
        "status in ('pending_payment', 'paid', 'cancelled', 'payment_failed', 'expired', 'completed',"
        " 'partially_refunded', 'refunded')",
        name=conv("known_order_status"),
    ),
    sa.CheckConstraint(
        "base > 0 and commission >= 0 and processing >= 0 and shipping >= 0", name=conv("orders_cost_something")
    ),
)
sa.Index("one_order_reference", orders.c.reference, unique=True)
sa.Index("orders_buyer_newest_idx", orders.c.buyer_id, orders.c.created_at, orders.c.id)

sales = sa.Table(
    "sales",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("order_id", sa.BigInteger, sa.ForeignKey("orders.id"), nullable=False),
    sa.Column("seller_id", sa.BigInteger, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("base", sa.BigInteger, nullable=False),
    sa.Column("commission", sa.BigInteger, nullable=False),
    sa.Column("seller_fees", sa.BigInteger, nullable=False),
    # Worth of the items that went back.
    sa.Column("returned", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    # As the order's: from then on the seller sees it.
    moment("paid_at", nullable=True),
    # The parcel, once there is one; the number may be corrected until it has arrived.
    sa.Column("carrier", sa.Text),
    sa.Column("tracking_number", sa.Text),
    moment("shipped_at", nullable=True),
    moment("delivered_at", nullable=True),
    sa.Column("tracking_corrections", sa.Integer, nullable=False, server_default=sa.text("0")),
    # When it completes by itself, or did complete.
    moment("completes_at", nullable=True),
    # The buyer would rather not have it.
    moment("cancellation_requested_at", nullable=True),
    sa.Column("cancellation_reason", sa.Text),
    sa.UniqueConstraint("order_id", "seller_id", name=conv("one_sale_a_seller_and_order")),
    sa.CheckConstraint(
        "status in ('awaiting_payment', 'awaiting_shipment', 'shipped', 'delivered', 'completed', 'cancelled',"
        " 'refunded')",
        name=conv("known_sale_status"),
    ),
    sa.CheckConstraint("returned >= 0 and returned <= base", name=conv("no_more_returned_than_sold")),
    sa.CheckConstraint(
        "num_nulls(carrier, tracking_number, shipped_at) in (0, 3)", name=conv("parcels_are_known_whole")
    ),
    sa.CheckConstraint(
        "status not in ('shipped', 'delivered', 'completed') or shipped_at is not null and completes_at is not null",
        name=conv("what_is_sent_has_a_parcel_and_an_end"),
    ),
    sa.CheckConstraint(
        "num_nulls(cancellation_requested_at, cancellation_reason) in (0, 2)", name=conv("wishes_have_a_reason")
    ),
)
sa.Index(
    "sales_seller_newest_idx",
    sales.c.seller_id,
    sales.c.paid_at,
    sales.c.id,
    postgresql_where=sa.text("paid_at is not null"),
)
# What a seller has to send, among everything they ever sold.
sa.Index(
    "sales_seller_status_idx",
    sales.c.seller_id,
    sales.c.status,
    sales.c.paid_at,
    sales.c.id,
    postgresql_where=sa.text("paid_at is not null"),
)
sa.Index(
    "sales_to_complete_idx",
    sales.c.completes_at,
    sales.c.id,
    postgresql_where=sa.text("status in ('shipped', 'delivered')"),
)

sale_lines = sa.Table(
    "sale_lines",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("sale_id", sa.BigInteger, sa.ForeignKey("sales.id"), nullable=False),
    sa.Column("listing_id", sa.BigInteger, sa.ForeignKey("listings.id"), nullable=False),
    sa.Column("product_id", sa.BigInteger, sa.ForeignKey("products.id"), nullable=False),
    sa.Column("variant_id", sa.BigInteger, sa.ForeignKey("variants.id"), nullable=False),
    # Copies: what they were when the order was placed.
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("variant", JSONB, nullable=False),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("unit_price", sa.BigInteger, nullable=False),
    sa.Column("returned", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.CheckConstraint("quantity > 0 and unit_price > 0", name=conv("lines_are_of_something")),
    sa.CheckConstraint("returned >= 0 and returned <= quantity", name=conv("no_more_pieces_returned_than_sold")),
)
sa.Index("sale_lines_sale_idx", sale_lines.c.sale_id, sale_lines.c.id)
# Its market price.
sa.Index("sale_lines_product_idx", sale_lines.c.product_id, sale_lines.c.sale_id)

order_transitions = sa.Table(
    "order_transitions",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("order_id", sa.BigInteger, sa.ForeignKey("orders.id"), nullable=False),
    # Null: the order itself moved.
    sa.Column("sale_id", sa.BigInteger, sa.ForeignKey("sales.id")),
    sa.Column("from_status", sa.Text, nullable=False),
    sa.Column("to_status", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    # Null: the system.
    sa.Column("actor_id", sa.BigInteger, sa.ForeignKey("accounts.id")),
    sa.Column("reason", sa.Text, nullable=False),
)
sa.Index("order_transitions_order_idx", order_transitions.c.order_id, order_transitions.c.id)
