"""Accounts with a role, in their order: an index a role, since the one over all of them had no order to give."""

from __future__ import annotations

from alembic import op

revision = "0022_roles_in_order"
down_revision = "0021_reset_addresses"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create index accounts_sellers_idx on accounts (id) where roles @> array['seller'];
        create index accounts_verifiers_idx on accounts (id) where roles @> array['verifier'];
        create index accounts_admins_idx on accounts (id) where roles @> array['admin'];
        drop index accounts_roles_idx;
        """
    )


def downgrade() -> None:
    op.execute(
        """
        create index accounts_roles_idx on accounts using gin (roles);
        drop index accounts_admins_idx;
        drop index accounts_verifiers_idx;
        drop index accounts_sellers_idx;
        """
    )
