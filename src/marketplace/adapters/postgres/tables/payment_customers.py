"""Buyers at the payment provider: at most one each, and nothing of what they save there."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import conv

from marketplace.adapters.postgres.tables.metadata import metadata, moment

payment_customers = sa.Table(
    "payment_customers",
    metadata,
    sa.Column("account_id", sa.BigInteger, sa.ForeignKey("accounts.id"), primary_key=True, autoincrement=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False, server_default=sa.text("1")),
    # What the provider is asked with, e-mail address and all; null as soon as it has answered.
    sa.Column("request", JSONB(none_as_null=True)),
    sa.Column("provider_customer_id", sa.Text),
    sa.Column("setups", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("setup_is_answered", sa.Boolean, nullable=False, server_default=sa.text("true")),
    moment("created_at"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.CheckConstraint("provider_customer_id is null or request is null", name=conv("who_is_known_is_not_asked_for")),
    sa.CheckConstraint("attempt > 0 and setups >= 0", name=conv("customer_attempts_counted")),
)
sa.Index("one_buyer_a_payment_customer", payment_customers.c.provider_customer_id, unique=True)
