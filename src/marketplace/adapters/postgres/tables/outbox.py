"""The outbox: events on their way."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.adapters.postgres.tables.metadata import metadata, moment

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("payload", JSONB, nullable=False),
    moment("occurred_at"),
    moment("run_at"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
    moment("locked_until", nullable=True),
    sa.Column("last_error", sa.Text, nullable=False, server_default=sa.text("''")),
    moment("done_at", nullable=True),
    moment("dead_at", nullable=True),
)
sa.Index(
    "outbox_due_idx",
    outbox.c.run_at,
    outbox.c.id,
    postgresql_where=sa.text("done_at is null and dead_at is null"),
)
sa.Index("outbox_dead_idx", outbox.c.id, postgresql_where=sa.text("dead_at is not null"))
sa.Index("outbox_done_idx", outbox.c.done_at, postgresql_where=sa.text("done_at is not null"))
