"""The expired items of a listing, which leave the carts when it becomes another card."""

from __future__ import annotations

from alembic import op

revision = "0011_expired_reservations"
down_revision = "0010_market_prices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create index reservations_expired_idx on reservations (listing_id) where status = 'expired'")


def downgrade() -> None:
    op.execute("drop index reservations_expired_idx")
