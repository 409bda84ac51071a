"""The audit trail. A trigger in its migration lets rows be added only."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from marketplace.adapters.postgres.tables.metadata import metadata, moment

audit_entries = sa.Table(
    "audit_entries",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    moment("occurred_at"),
    # No foreign keys: what is written here outlives everything else. Null for the operator and the program itself.
    sa.Column("actor_id", sa.BigInteger),
    sa.Column("roles", ARRAY(sa.Text), nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject_type", sa.Text, nullable=False),
    sa.Column("subject_id", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("before", JSONB, nullable=False),
    sa.Column("after", JSONB, nullable=False),
)
_NEWEST = (audit_entries.c.occurred_at, audit_entries.c.id)
sa.Index("audit_entries_newest_idx", *_NEWEST)
sa.Index("audit_entries_actor_idx", audit_entries.c.actor_id, *_NEWEST)
sa.Index("audit_entries_subject_idx", audit_entries.c.subject_type, audit_entries.c.subject_id, *_NEWEST)
sa.Index("audit_entries_subject_type_idx", audit_entries.c.subject_type, *_NEWEST)
sa.Index("audit_entries_action_idx", audit_entries.c.action, *_NEWEST)
