"""The sequence of identities and the outbox."""

from __future__ import annotations

from alembic import op

revision = "0001_kernel"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create sequence identities start with 1 increment by 100")
    op.execute(
        """
        create table outbox (
            id bigint generated always as identity,
            name text not null,
            payload jsonb not null,
            occurred_at timestamptz not null,
            run_at timestamptz not null,
            attempts integer not null default 0,
            locked_until timestamptz,
            last_error text not null default '',
            done_at timestamptz,
            dead_at timestamptz,
            constraint outbox_pkey primary key (id)
        );
        create index outbox_due_idx on outbox (run_at, id) where done_at is null and dead_at is null;
        create index outbox_dead_idx on outbox (id) where dead_at is not null;
        create index outbox_done_idx on outbox (done_at) where done_at is not null;
        """
    )


def downgrade() -> None:
    op.execute("drop table outbox; drop sequence identities")
