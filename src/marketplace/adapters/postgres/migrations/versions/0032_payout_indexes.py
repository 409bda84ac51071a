"""Indexes by which workers find the few payouts that are to be sent, gathered or held among the many that are not."""

from __future__ import annotations

from alembic import op

revision = "0032_payout_indexes"
down_revision = "0031_payment_customers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create index payouts_to_send_idx on payouts (next_check_at, id)
            where next_check_at is not null and (status = 'sending' or status = 'due' and batch_id is not null);
        create index payouts_to_gather_idx on payouts (seller_id, id) where status = 'due' and batch_id is null;
        create index payouts_to_hold_idx on payouts (seller_id, id) where status in ('pending', 'due');
        drop index payouts_due_idx;
        """
    )


def downgrade() -> None:
    op.execute(
        """
        create index payouts_due_idx on payouts (next_check_at, id) where next_check_at is not null;
        drop index payouts_to_hold_idx;
        drop index payouts_to_gather_idx;
        drop index payouts_to_send_idx;
        """
    )
