"""Counters of wrong tries at secrets, and the places from which owners got in."""

from __future__ import annotations

from alembic import op

revision = "0013_attempts"
down_revision = "0012_audit"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table attempt_counters (
            key text not null,
            failures integer not null,
            counted_at timestamptz not null,
            locked_until timestamptz,
            constraint attempt_counters_pkey primary key (key)
        );
        create index attempt_counters_counted_at_idx on attempt_counters (counted_at);
        create table known_places (
            key text not null,
            until timestamptz not null,
            constraint known_places_pkey primary key (key)
        );
        create index known_places_until_idx on known_places (until);
        """
    )


def downgrade() -> None:
    op.execute("drop table known_places")
    op.execute("drop table attempt_counters")
