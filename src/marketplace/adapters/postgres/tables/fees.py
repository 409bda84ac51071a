"""Versions of the fees: append-only, by trigger."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import conv

from marketplace.adapters.postgres.tables.metadata import metadata, moment

fee_schedules = sa.Table(
    "fee_schedules",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("currency", sa.Text, nullable=False),
    # In force until the next one of its currency is: two of one instant would overlap.
    moment("effective_from"),
    # As the domain reads them; amounts in minor units of `currency`.
    sa.Column("rules", JSONB, nullable=False),
    sa.Column("note", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.UniqueConstraint("currency", "effective_from", name=conv("one_fee_schedule_an_instant")),
    sa.CheckConstraint("jsonb_array_length(rules) > 0", name=conv("fee_schedules_have_rules")),
)
sa.Index("fee_schedules_latest_idx", fee_schedules.c.effective_from, fee_schedules.c.id)
