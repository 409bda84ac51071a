"""Finding accounts by the beginning of a name or an address, and those that are suspended."""

from __future__ import annotations

from alembic import op

revision = "0018_account_search"
down_revision = "0017_password_resets"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create index accounts_username_prefix_idx on accounts (username_key text_pattern_ops);
        create index accounts_email_prefix_idx on accounts (email_key text_pattern_ops);
        create index accounts_suspended_idx on accounts (id) where is_suspended;
        """
    )


def downgrade() -> None:
    op.execute(
        """
        drop index accounts_suspended_idx;
        drop index accounts_email_prefix_idx;
        drop index accounts_username_prefix_idx;
        """
    )
