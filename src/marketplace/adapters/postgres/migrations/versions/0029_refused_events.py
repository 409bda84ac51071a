"""Counters of refused events, and how far the provider's own list of events has been read."""

from __future__ import annotations

from alembic import op

revision = "0029_refused_events"
down_revision = "0028_simulated_balances"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table webhook_refusals (
            day date not null,
            source text not null,
            refusal text not null,
            number bigint not null,
            last_at timestamptz not null,
            seconds_off bigint not null,
            constraint webhook_refusals_pkey primary key (day, source, refusal),
            constraint known_webhook_source check (source in ('platform', 'connect', 'thin')),
            constraint known_webhook_refusal check (refusal in ('signature', 'time', 'content'))
        );
        create table event_sweeps (
            id smallint not null,
            began_at timestamptz not null,
            reached_at timestamptz not null,
            constraint event_sweeps_pkey primary key (id),
            constraint one_event_sweep check (id = 1)
        );
        """
    )


def downgrade() -> None:
    op.execute("drop table event_sweeps; drop table webhook_refusals;")
