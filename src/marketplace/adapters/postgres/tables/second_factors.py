"""Second factors: what authenticators were told, encrypted, and the digests of recovery codes."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.schema import conv

from marketplace.adapters.postgres.tables.metadata import metadata, moment

second_factors = sa.Table(
    "second_factors",
    metadata,
    sa.Column("account_id", sa.BigInteger, sa.ForeignKey("accounts.id"), primary_key=True, autoincrement=False),
    sa.Column("sealed_secret", sa.Text, nullable=False),
    moment("enrolled_at"),
    # Null until its owner has shown that the authenticator works; nothing is asked for before.
    moment("confirmed_at", nullable=True),
    # The last step of thirty seconds whose code was used: neither it nor an earlier one is good again.
    sa.Column("last_step", sa.BigInteger, nullable=False),
    sa.Column("recovery_hashes", ARRAY(sa.Text), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.CheckConstraint("cardinality(recovery_hashes) <= 10", name=conv("ten_recovery_codes")),
)
