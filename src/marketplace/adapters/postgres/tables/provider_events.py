"""How many of the provider's events were refused, and how far its own list of them has been read."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.schema import conv

from marketplace.adapters.postgres.tables.metadata import metadata, moment

webhook_refusals = sa.Table(
    "webhook_refusals",
    metadata,
    # In UTC. At most nine rows a day: nothing that comes from outside is in one.
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("refusal", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    moment("last_at"),
    sa.Column("seconds_off", sa.BigInteger, nullable=False),
    sa.CheckConstraint("source in ('platform', 'connect', 'thin')", name=conv("known_webhook_source")),
    sa.CheckConstraint("refusal in ('signature', 'time', 'content')", name=conv("known_webhook_refusal")),
)

event_sweeps = sa.Table(
    "event_sweeps",
    metadata,
    # One row.
    sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
    moment("began_at"),
    moment("reached_at"),
    sa.CheckConstraint("id = 1", name=conv("one_event_sweep")),
)
