"""Idempotency keys."""

from __future__ import annotations

from alembic import op

revision = "0009_idempotency"
down_revision = "0008_ledger"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table idempotency_keys (
            account_id bigint not null,
            key text not null,
            fingerprint text not null default '',
            attempt integer not null default 0,
            running_until timestamptz,
            status integer,
            body text,
            headers jsonb,
            resource_id bigint,
            created_at timestamptz not null,
            constraint idempotency_keys_pkey primary key (account_id, key)
        );
        create index idempotency_keys_created_at_idx on idempotency_keys (created_at);
        """
    )


def downgrade() -> None:
    op.execute("drop table idempotency_keys")
