"""The simulated payment provider's own memory. No table of the marketplace refers to it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import conv

from marketplace.adapters.postgres.tables.metadata import metadata, moment

simulated_objects = sa.Table(
    "simulated_objects",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    # What it belongs to: an order for a payment, a payment for a refund or a movement on the balance.
    sa.Column("parent", sa.Text, nullable=False),
    sa.Column("data", JSONB, nullable=False),
    sa.Column("number", sa.BigInteger, sa.Identity(always=True), nullable=False),
    moment("created_at"),
)
sa.Index("simulated_objects_parent_idx", simulated_objects.c.kind, simulated_objects.c.parent)
sa.Index(
    "simulated_objects_newest_idx",
    simulated_objects.c.kind,
    simulated_objects.c.created_at,
    simulated_objects.c.number,
)

simulated_movements = sa.Table(
    "simulated_movements",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    # A seller's; empty for our own.
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("net", sa.BigInteger, nullable=False),
    moment("available_at"),
)
sa.Index(
    "simulated_movements_sum_idx",
    simulated_movements.c.account,
    simulated_movements.c.currency,
    simulated_movements.c.available_at,
    postgresql_include=["net"],
)

simulated_requests = sa.Table(
    "simulated_requests",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("answer", JSONB, nullable=False),
    moment("created_at"),
)

simulated_events = sa.Table(
    "simulated_events",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, sa.Identity(always=True), nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    # The very text that is signed and delivered.
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
    moment("created_at"),
    moment("deliver_at"),
    moment("locked_until", nullable=True),
    moment("delivered_at", nullable=True),
    sa.CheckConstraint("attempts >= 0", name=conv("simulated_attempts_counted")),
)
sa.Index(
    "simulated_events_due_idx",
    simulated_events.c.deliver_at,
    simulated_events.c.number,
    postgresql_where=sa.text("delivered_at is null"),
)
sa.Index("simulated_events_told_idx", simulated_events.c.created_at, simulated_events.c.number)
