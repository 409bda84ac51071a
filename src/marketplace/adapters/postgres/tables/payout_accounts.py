"""Sellers' accounts at the payment provider: at most one each."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.schema import conv

from marketplace.adapters.postgres.tables.metadata import metadata, moment

payout_accounts = sa.Table(
    "payout_accounts",
    metadata,
    sa.Column("account_id", sa.BigInteger, sa.ForeignKey("accounts.id"), primary_key=True, autoincrement=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False, server_default=sa.text("1")),
    # What the account is asked for with, e-mail address and all; null as soon as it is made.
    sa.Column("request", JSONB(none_as_null=True)),
    sa.Column("provider_account_id", sa.Text),
    sa.Column("transfers", sa.Text, nullable=False),
    sa.Column("payouts_enabled", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Column("requirements_due", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    sa.Column("disabled_reason", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("failures", sa.Integer, nullable=False, server_default=sa.text("0")),
    moment("created_at"),
    moment("checked_at", nullable=True),
    moment("next_check_at", nullable=True),
    moment("locked_until", nullable=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.CheckConstraint("transfers in ('inactive', 'pending', 'active')", name=conv("known_transfers_state")),
    sa.CheckConstraint(
        "provider_account_id is not null or request is not null", name=conv("what_is_not_made_can_be_asked_for")
    ),
    sa.CheckConstraint("attempt > 0 and failures >= 0", name=conv("payout_attempts_counted")),
)
sa.Index("one_seller_a_payout_account", payout_accounts.c.provider_account_id, unique=True)
sa.Index(
    "payout_accounts_due_idx",
    payout_accounts.c.next_check_at,
    payout_accounts.c.account_id,
    postgresql_where=sa.text("next_check_at is not null"),
)
