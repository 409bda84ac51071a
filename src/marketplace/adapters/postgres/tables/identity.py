"""Accounts, their one-time codes, sessions and addresses."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.schema import conv

from marketplace.adapters.postgres.tables.metadata import metadata, moment

COMPANY_COLUMNS = ("company_name", "siret_number", "vat_number", "company_address")

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    # Each name as it was typed, and beside it the form in which two of them are the same.
    sa.Column("username", sa.Text, nullable=False),
    sa.Column("username_key", sa.Text, nullable=False),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("email_key", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("first_name", sa.Text, nullable=False),
    sa.Column("last_name", sa.Text, nullable=False),
    sa.Column("phone_number", sa.Text, nullable=False),
    sa.Column("account_type", sa.Text, nullable=False),
    sa.Column("roles", ARRAY(sa.Text), nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("is_email_verified", sa.Boolean, nullable=False),
    sa.Column("is_suspended", sa.Boolean, nullable=False),
    sa.Column("subscribed_to_newsletter", sa.Boolean, nullable=False),
    sa.Column("terms_version", sa.Text, nullable=False),
    # Null, and an empty version, for whoever was brought along from another shop and has accepted none.
    moment("terms_accepted_at", nullable=True),
    moment("created_at"),
    sa.Column("version", sa.Integer, nullable=False),
    # The address that is to take the place of the present one, once it is proven.
    sa.Column("pending_email", sa.Text, nullable=False, server_default=""),
    sa.Column("pending_email_key", sa.Text),
    moment("pending_email_at", nullable=True),
    # Of a professional who has told: all of them or none.
    sa.Column("company_name", sa.Text),
    sa.Column("siret_number", sa.Text),
    sa.Column("vat_number", sa.Text),
    sa.Column("company_address", JSONB(none_as_null=True)),
    # Nobody has the account any more.
    moment("erased_at", nullable=True),
    sa.CheckConstraint("account_type in ('individual', 'professional')", name=conv("known_account_type")),
    sa.CheckConstraint("roles <@ array['buyer', 'seller', 'verifier', 'admin']", name=conv("known_roles")),
    sa.CheckConstraint(
        "num_nonnulls(company_name, siret_number, vat_number, company_address) in (0, 4)",
        name=conv("company_is_whole"),
    ),
)
sa.Index("one_account_per_username", accounts.c.username_key, unique=True)
sa.Index("one_account_per_email", accounts.c.email_key, unique=True)
sa.Index(
    "accounts_pending_email_idx",
    accounts.c.pending_email_key,
    accounts.c.pending_email_at,
    postgresql_where=sa.text("pending_email_key is not null"),
)
sa.Index("accounts_username_prefix_idx", accounts.c.username_key, postgresql_ops={"username_key": "text_pattern_ops"})
sa.Index("accounts_email_prefix_idx", accounts.c.email_key, postgresql_ops={"email_key": "text_pattern_ops"})
sa.Index("accounts_suspended_idx", accounts.c.id, postgresql_where=accounts.c.is_suspended)
# Everybody is a buyer; whoever has another role is found in order.
sa.Index("accounts_sellers_idx", accounts.c.id, postgresql_where=sa.text("roles @> array['seller']"))
sa.Index("accounts_verifiers_idx", accounts.c.id, postgresql_where=sa.text("roles @> array['verifier']"))
sa.Index("accounts_admins_idx", accounts.c.id, postgresql_where=sa.text("roles @> array['admin']"))

one_time_codes = sa.Table(
    "one_time_codes",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("account_id", sa.BigInteger, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    moment("requested_at"),
    # Both null from the request to the moment at which the code is made and mailed.
    sa.Column("code_hash", sa.Text),
    moment("expires_at", nullable=True),
    sa.Column("tries", sa.Integer, nullable=False),
    moment("used_at", nullable=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.CheckConstraint("tries >= 0 and tries <= 5", name=conv("five_tries_a_code")),
)
sa.Index("one_code_per_purpose", one_time_codes.c.account_id, one_time_codes.c.purpose, unique=True)
sa.Index("one_time_codes_requested_at_idx", one_time_codes.c.requested_at)

# One for each address that somebody asked to reset the password of, whether an account has it or not.
password_resets = sa.Table(
    "password_resets",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("address_hash", sa.Text, nullable=False),
    # The address, encrypted, until the worker has found out whose it is.
    sa.Column("sealed_address", sa.Text, nullable=False),
    sa.Column("account_id", sa.BigInteger, sa.ForeignKey("accounts.id")),
    moment("requested_at"),
    sa.Column("code_hash", sa.Text),
    moment("expires_at", nullable=True),
    sa.Column("tries", sa.Integer, nullable=False),
    moment("used_at", nullable=True),
    sa.Column("token_hash", sa.Text),
    moment("token_expires_at", nullable=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.CheckConstraint("tries >= 0 and tries <= 5", name=conv("five_tries_a_reset")),
)
sa.Index("one_reset_per_address", password_resets.c.address_hash, unique=True)
sa.Index(
    "one_reset_per_token",
    password_resets.c.token_hash,
    unique=True,
    postgresql_where=sa.text("token_hash is not null"),
)
sa.Index("password_resets_account_id_idx", password_resets.c.account_id)
sa.Index("password_resets_requested_at_idx", password_resets.c.requested_at)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("account_id", sa.BigInteger, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("token_hash", sa.Text, nullable=False),
    moment("started_at"),
    moment("refreshed_at"),
    moment("expires_at"),
    moment("revoked_at", nullable=True),
    # The program and the network address that hold the newest token; empty when they are not known.
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("ip", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)
sa.Index("sessions_open_idx", sessions.c.account_id, sessions.c.id, postgresql_where=sa.text("revoked_at is null"))
sa.Index("sessions_account_idx", sessions.c.account_id, sessions.c.id)
sa.Index("sessions_expired_idx", sessions.c.expires_at)

# Every refresh token of every session, the spent ones included: whoever shows one of those has stolen it, or was
# robbed of the one that came after it.
session_tokens = sa.Table(
    "session_tokens",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("session_id", sa.BigInteger, sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    moment("expires_at"),
)
sa.Index("session_tokens_session_id_idx", session_tokens.c.session_id)
sa.Index("session_tokens_expired_idx", session_tokens.c.expires_at)

addresses = sa.Table(
    "addresses",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("account_id", sa.BigInteger, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("street_number", sa.Text, nullable=False),
    sa.Column("street", sa.Text, nullable=False),
    sa.Column("city", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("postal_code", sa.Text, nullable=False),
    sa.Column("country", sa.Text, nullable=False),
    sa.Column("phone_number", sa.Text, nullable=False),
    sa.Column("address_type", sa.Text, nullable=False),
    moment("created_at"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.CheckConstraint("address_type in ('billing', 'delivery', 'both', 'company')", name=conv("known_address_type")),
)
sa.Index("addresses_account_id_idx", addresses.c.account_id, addresses.c.id)
