"""Sellers and listings."""

from __future__ import annotations

from alembic import op

revision = "0004_listings"
down_revision = "0003_catalogue"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table seller_profiles (
            account_id bigint not null,
            shop_name text not null,
            description text not null default '',
            status text not null,
            status_reason text not null default '',
            email_verified boolean not null default false,
            kyc_verified boolean not null default false,
            payouts_ready boolean not null default false,
            holiday boolean not null default false,
            rating numeric(3, 2),
            is_selling boolean not null,
            created_at timestamptz not null,
            version integer not null,
            constraint seller_profiles_pkey primary key (account_id),
            constraint seller_profiles_account_id_fkey foreign key (account_id) references accounts (id),
            constraint known_seller_status
                check (status in ('none', 'pending', 'approved', 'rejected', 'suspended')),
            constraint only_approved_sellers_sell check (not is_selling or status = 'approved')
        );
        create unique index one_shop_name on seller_profiles (lower(shop_name));
        """
    )
    op.execute(
        """
        create table listings (
            id bigint not null,
            seller_id bigint not null,
            product_id bigint not null,
            variant_id bigint not null,
            price bigint not null,
            currency text not null,
            stock integer not null,
            claimed integer not null default 0,
            status text not null,
            description text not null default '',
            source text,
            is_verified boolean not null default false,
            created_at timestamptz not null,
            updated_at timestamptz not null,
            version integer not null,
            constraint listings_pkey primary key (id),
            constraint listings_seller_id_fkey foreign key (seller_id) references accounts (id),
            constraint listings_product_id_fkey foreign key (product_id) references products (id),
            constraint listings_variant_id_fkey foreign key (variant_id) references variants (id),
            constraint price_above_zero check (price > 0),
            constraint stock_not_negative check (stock >= 0),
            constraint claims_within_stock check (claimed >= 0 and claimed <= stock),
            constraint known_listing_status check (status in ('active', 'inactive', 'sold_out', 'archived')),
            constraint sold_out_is_the_stocks_fact
                check ((status <> 'active' or stock > 0) and (status <> 'sold_out' or stock = 0)),
            constraint known_listing_source check (source = 'import')
        );
        create index listings_price_idx on listings (price, id) where status in ('active', 'sold_out');
        create index listings_newest_idx on listings (created_at, id) where status in ('active', 'sold_out');
        create index listings_product_price_idx on listings (product_id, price, id)
            where status in ('active', 'sold_out');
        create index listings_product_newest_idx on listings (product_id, created_at, id);
        create index listings_variant_price_idx on listings (variant_id, price, id)
            where status in ('active', 'sold_out');
        create index listings_variant_newest_idx on listings (variant_id, created_at, id);
        create index listings_seller_price_idx on listings (seller_id, price, id)
            where status in ('active', 'sold_out');
        create index listings_seller_newest_idx on listings (seller_id, created_at, id);
        create index listings_verified_idx on listings (created_at, id)
            where is_verified and status in ('active', 'sold_out');
        create unique index one_import_listing on listings (seller_id, variant_id)
            where source = 'import' and status <> 'archived';
        """
    )


def downgrade() -> None:
    op.execute("drop table listings; drop table seller_profiles")
