"""Orders, sales and their history."""

from __future__ import annotations

from alembic import op

revision = "0006_orders"
down_revision = "0005_reservations"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table orders (
            id bigint not null,
            reference text not null,
            buyer_id bigint not null,
            status text not null,
            currency text not null,
            commission_rate numeric not null,
            processing_rate numeric not null,
            processing_minimum bigint not null,
            shipping_fee bigint not null,
            base bigint not null,
            commission bigint not null,
            processing bigint not null,
            shipping bigint not null,
            shipping_address jsonb not null,
            billing_address jsonb,
            created_at timestamptz not null,
            payment_due_at timestamptz not null,
            paid_at timestamptz,
            version integer not null,
            constraint orders_pkey primary key (id),
            constraint orders_buyer_id_fkey foreign key (buyer_id) references accounts (id),
            constraint known_order_status check (
                status in ('pending_payment', 'paid', 'cancelled', 'payment_failed', 'expired', 'completed',
                           'partially_refunded', 'refunded')
            ),
            constraint orders_cost_something
                check (base > 0 and commission >= 0 and processing >= 0 and shipping >= 0)
        );
        create unique index one_order_reference on orders (reference);
        create index orders_buyer_newest_idx on orders (buyer_id, created_at, id);
        alter table reservations
            add constraint reservations_order_id_fkey foreign key (order_id) references orders (id);
        """
    )
    op.execute(
        """
        create table sales (
            id bigint not null,
            order_id bigint not null,
            seller_id bigint not null,
            reference text not null,
            status text not null,
            base bigint not null,
            commission bigint not null,
            seller_fees bigint not null,
            returned bigint not null default 0,
            paid_at timestamptz,
            constraint sales_pkey primary key (id),
            constraint sales_order_id_fkey foreign key (order_id) references orders (id),
            constraint sales_seller_id_fkey foreign key (seller_id) references accounts (id),
            constraint one_sale_a_seller_and_order unique (order_id, seller_id),
            constraint known_sale_status check (
                status in ('awaiting_payment', 'awaiting_shipment', 'shipped', 'delivered', 'completed', 'cancelled',
                           'refunded')
            ),
            constraint no_more_returned_than_sold check (returned >= 0 and returned <= base)
        );
        create index sales_seller_newest_idx on sales (seller_id, paid_at, id) where paid_at is not null;
        """
    )
    op.execute(
        """
        create table sale_lines (
            id bigint not null,
            sale_id bigint not null,
            listing_id bigint not null,
            product_id bigint not null,
            variant_id bigint not null,
            title text not null,
            variant jsonb not null,
            quantity integer not null,
            unit_price bigint not null,
            returned integer not null default 0,
            constraint sale_lines_pkey primary key (id),
            constraint sale_lines_sale_id_fkey foreign key (sale_id) references sales (id),
            constraint sale_lines_listing_id_fkey foreign key (listing_id) references listings (id),
            constraint sale_lines_product_id_fkey foreign key (product_id) references products (id),
            constraint sale_lines_variant_id_fkey foreign key (variant_id) references variants (id),
            constraint lines_are_of_something check (quantity > 0 and unit_price > 0),
            constraint no_more_pieces_returned_than_sold check (returned >= 0 and returned <= quantity)
        );
        create index sale_lines_sale_idx on sale_lines (sale_id, id);
        """
    )
    op.execute(
        """
        create table order_transitions (
            id bigint generated always as identity,
            order_id bigint not null,
            sale_id bigint,
            from_status text not null,
            to_status text not null,
            at timestamptz not null,
            actor_id bigint,
            reason text not null,
            constraint order_transitions_pkey primary key (id),
            constraint order_transitions_order_id_fkey foreign key (order_id) references orders (id),
            constraint order_transitions_sale_id_fkey foreign key (sale_id) references sales (id),
            constraint order_transitions_actor_id_fkey foreign key (actor_id) references accounts (id)
        );
        create index order_transitions_order_idx on order_transitions (order_id, id);
        """
    )


def downgrade() -> None:
    op.execute(
        """
        alter table reservations drop constraint reservations_order_id_fkey;
        drop table order_transitions, sale_lines, sales, orders
        """
    )
