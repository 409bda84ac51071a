"""Listings: what each seller offers, its stock, and how much of that is claimed."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.schema import conv

from marketplace.adapters.postgres.tables.metadata import metadata, moment

listings = sa.Table(
    "listings",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("seller_id", sa.BigInteger, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("product_id", sa.BigInteger, sa.ForeignKey("products.id"), nullable=False),
    sa.Column("variant_id", sa.BigInteger, sa.ForeignKey("variants.id"), nullable=False),
    # Minor units of `currency`.
    sa.Column("price", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("stock", sa.Integer, nullable=False),
    # Kept by the triggers of the reservations: the sum of the claims that are held or ordered.
    sa.Column("claimed", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=sa.text("''")),
    # 'import' when a file made it: that file's next run finds it again.
    sa.Column("source", sa.Text),
    sa.Column("is_verified", sa.Boolean, nullable=False, server_default=sa.text("false")),
    moment("created_at"),
    moment("updated_at"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.CheckConstraint("price > 0", name=conv("price_above_zero")),
    sa.CheckConstraint("stock >= 0", name=conv("stock_not_negative")),
    sa.CheckConstraint("claimed >= 0 and claimed <= stock", name=conv("claims_within_stock")),
    sa.CheckConstraint("status in ('active', 'inactive', 'sold_out', 'archived')", name=conv("known_listing_status")),
    sa.CheckConstraint(
        "(status <> 'active' or stock > 0) and (status <> 'sold_out' or stock = 0)",
        name=conv("sold_out_is_the_stocks_fact"),
    ),
    sa.CheckConstraint("source = 'import'", name=conv("known_listing_source")),
)

PUBLIC = sa.text("status in ('active', 'sold_out')")
"""The statuses that the public may see, word for word what the partial indexes say."""

_columns = listings.c
# A page of each list is read from its index, in order: the filter first, then the sort keys, the id last.
sa.Index("listings_price_idx", _columns.price, _columns.id, postgresql_where=PUBLIC)
sa.Index("listings_newest_idx", _columns.created_at, _columns.id, postgresql_where=PUBLIC)
sa.Index("listings_product_price_idx", _columns.product_id, _columns.price, _columns.id, postgresql_where=PUBLIC)
sa.Index("listings_product_newest_idx", _columns.product_id, _columns.created_at, _columns.id)
sa.Index("listings_variant_price_idx", _columns.variant_id, _columns.price, _columns.id, postgresql_where=PUBLIC)
sa.Index("listings_variant_newest_idx", _columns.variant_id, _columns.created_at, _columns.id)
sa.Index("listings_seller_price_idx", _columns.seller_id, _columns.price, _columns.id, postgresql_where=PUBLIC)
sa.Index("listings_seller_newest_idx", _columns.seller_id, _columns.created_at, _columns.id)
sa.Index(
    "listings_verified_idx",
    _columns.created_at,
    _columns.id,
    postgresql_where=sa.text("is_verified and status in ('active', 'sold_out')"),
)
sa.Index(
    "one_import_listing",
    _columns.seller_id,
    _columns.variant_id,
    unique=True,
    postgresql_where=sa.text("source = 'import' and status <> 'archived'"),
)
