"""Requests that are done once."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.adapters.postgres.tables.metadata import metadata, moment

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("account_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("attempt", sa.Integer, nullable=False, server_default=sa.text("0")),
    moment("running_until", nullable=True),
    sa.Column("status", sa.Integer, nullable=True),
    sa.Column("body", sa.Text, nullable=True),
    sa.Column("headers", JSONB, nullable=True),
    sa.Column("resource_id", sa.BigInteger, nullable=True),
    moment("created_at"),
)
sa.Index("idempotency_keys_created_at_idx", idempotency_keys.c.created_at)
