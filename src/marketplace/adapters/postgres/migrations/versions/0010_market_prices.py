"""What was sold of a product, which makes its market price."""

from __future__ import annotations

from alembic import op

revision = "0010_market_prices"
down_revision = "0009_idempotency"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create index sale_lines_product_idx on sale_lines (product_id, sale_id)")


def downgrade() -> None:
    op.execute("drop index sale_lines_product_idx")
