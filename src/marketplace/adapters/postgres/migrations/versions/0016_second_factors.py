"""Second factors of accounts."""

from __future__ import annotations

from alembic import op

revision = "0016_second_factors"
down_revision = "0015_accounts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table second_factors (
            account_id bigint not null,
            sealed_secret text not null,
            enrolled_at timestamptz not null,
            confirmed_at timestamptz,
            last_step bigint not null,
            recovery_hashes text[] not null,
            version integer not null,
            constraint second_factors_pkey primary key (account_id),
            constraint second_factors_account_id_fkey foreign key (account_id) references accounts (id),
            constraint ten_recovery_codes check (cardinality(recovery_hashes) <= 10)
        )
        """
    )


def downgrade() -> None:
    op.execute("drop table second_factors")
