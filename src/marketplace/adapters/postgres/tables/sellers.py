"""Seller profiles: one row for each account that sells or asked to."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.schema import conv

from marketplace.adapters.postgres.tables.metadata import metadata, moment

_NO = sa.text("false")

seller_profiles = sa.Table(
    "seller_profiles",
    metadata,
    sa.Column("account_id", sa.BigInteger, sa.ForeignKey("accounts.id"), primary_key=True, autoincrement=False),
    sa.Column("shop_name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("status_reason", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("email_verified", sa.Boolean, nullable=False, server_default=_NO),
    sa.Column("kyc_verified", sa.Boolean, nullable=False, server_default=_NO),
    sa.Column("payouts_ready", sa.Boolean, nullable=False, server_default=_NO),
    sa.Column("holiday", sa.Boolean, nullable=False, server_default=_NO),
    sa.Column("rating", sa.Numeric(3, 2)),
    # What the domain concludes from the columns above, kept so that a list needs no rule of its own.
    sa.Column("is_selling", sa.Boolean, nullable=False),
    moment("created_at"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.CheckConstraint(
        "status in ('none', 'pending', 'approved', 'rejected', 'suspended')", name=conv("known_seller_status")
    ),
    sa.CheckConstraint("not is_selling or status = 'approved'", name=conv("only_approved_sellers_sell")),
)
sa.Index("one_shop_name", sa.func.lower(seller_profiles.c.shop_name), unique=True)
