"""Counters of wrong tries, and the places from which owners got in. Keys are keyed digests: they name nobody."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.adapters.postgres.tables.metadata import metadata, moment

attempt_counters = sa.Table(
    "attempt_counters",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    moment("counted_at"),
    moment("locked_until", nullable=True),
)
sa.Index("attempt_counters_counted_at_idx", attempt_counters.c.counted_at)

known_places = sa.Table(
    "known_places",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    moment("until"),
)
sa.Index("known_places_until_idx", known_places.c.until)
