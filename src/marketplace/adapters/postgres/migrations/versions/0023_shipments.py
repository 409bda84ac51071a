"""Parcels: what a seller sent and how, when a sale completes by itself, and the wish to cancel what is not sent."""

from __future__ import annotations

from alembic import op

revision = "0023_shipments"
down_revision = "0022_roles_in_order"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        alter table sales
            add column carrier text,
            add column tracking_number text,
            add column shipped_at timestamptz,
            add column delivered_at timestamptz,
            add column tracking_corrections integer not null default 0,
            add column completes_at timestamptz,
            add column cancellation_requested_at timestamptz,
            add column cancellation_reason text;
        -- Nothing could be sent until now; what was marked by hand is as if it were sent at this moment.
        update sales set
            carrier = 'unknown', tracking_number = 'unknown', shipped_at = now(),
            completes_at = now() + interval '14 days'
        where status in ('shipped', 'delivered', 'completed');
        alter table sales
            add constraint parcels_are_known_whole
                check (num_nulls(carrier, tracking_number, shipped_at) in (0, 3)),
            add constraint what_is_sent_has_a_parcel_and_an_end check (
                status not in ('shipped', 'delivered', 'completed')
                or shipped_at is not null and completes_at is not null
            ),
            add constraint wishes_have_a_reason
                check (num_nulls(cancellation_requested_at, cancellation_reason) in (0, 2));
        create index sales_seller_status_idx on sales (seller_id, status, paid_at, id) where paid_at is not null;
        create index sales_to_complete_idx on sales (completes_at, id) where status in ('shipped', 'delivered');
        """
    )


def downgrade() -> None:
    op.execute(
        """
        drop index sales_seller_status_idx;
        alter table sales
            drop column carrier,
            drop column tracking_number,
            drop column shipped_at,
            drop column delivered_at,
            drop column tracking_corrections,
            drop column completes_at,
            drop column cancellation_requested_at,
            drop column cancellation_reason;
        """
    )
