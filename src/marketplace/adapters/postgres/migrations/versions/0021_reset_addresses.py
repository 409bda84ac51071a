"""Password resets of addresses that the door does not look up: the worker finds out whose they are."""

from __future__ import annotations

from alembic import op

revision = "0021_reset_addresses"
down_revision = "0020_erasure"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of the resets that there are it is known already.
    op.execute(
        """
        alter table password_resets add column sealed_address text not null default '';
        alter table password_resets alter column sealed_address drop default;
        """
    )


def downgrade() -> None:
    op.execute("alter table password_resets drop column sealed_address")
