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
    # The form in which two names are the same (``shop_name_key``): what is unique.
    sa.Column("shop_name_key", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("status_reason", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("email_verified", sa.Boolean, nullable=False, server_default=_NO),
    sa.Column("kyc_verified", sa.Boolean, nullable=False, server_default=_NO),
    sa.Column("payouts_ready", sa.Boolean, nullable=False, server_default=_NO),
    moment("holiday_from", nullable=True),
    moment("holiday_until", nullable=True),
    sa.Column("rating", sa.Numeric(3, 2)),
    # What the domain concludes from the four conditions, kept so that a list needs no rule of its own.
    sa.Column("may_sell", sa.Boolean, nullable=False),
    moment("created_at"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.CheckConstraint(
        "status in ('none', 'pending', 'approved', 'rejected', 'suspended')", name=conv("known_seller_status")
    ),
    sa.CheckConstraint("not may_sell or status = 'approved'", name=conv("only_approved_sellers_sell")),
    sa.CheckConstraint(
        "holiday_from < holiday_until and num_nonnulls(holiday_from, holiday_until) in (0, 2)",
        name=conv("holiday_has_a_length"),
    ),
)
sa.Index("one_shop_name", seller_profiles.c.shop_name_key, unique=True)
sa.Index("seller_profiles_oldest_idx", seller_profiles.c.created_at, seller_profiles.c.account_id)
sa.Index(
    "seller_profiles_status_idx",
    seller_profiles.c.status,
    seller_profiles.c.created_at,
    seller_profiles.c.account_id,
)
