"""Buyers at the payment provider, and in whose name a payment is made there."""

from __future__ import annotations

from alembic import op

revision = "0031_payment_customers"
down_revision = "0030_documents"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table payment_customers (
            account_id bigint not null,
            provider text not null,
            attempt integer not null default 1,
            request jsonb,
            provider_customer_id text,
            setups integer not null default 0,
            setup_is_answered boolean not null default true,
            created_at timestamptz not null,
            version integer not null,
            constraint payment_customers_pkey primary key (account_id),
            constraint payment_customers_account_id_fkey foreign key (account_id) references accounts (id),
            constraint who_is_known_is_not_asked_for check (provider_customer_id is null or request is null),
            constraint customer_attempts_counted check (attempt > 0 and setups >= 0)
        );
        create unique index one_buyer_a_payment_customer on payment_customers (provider_customer_id);
        create trigger payment_customers_are_of_somebody before insert on payment_customers
            for each row execute function refuse_the_erased('account_id');
        -- Payments that are there were made in nobody's name.
        alter table payments
            add column customer_id text,
            add column create_attempt integer not null default 1,
            add constraint payment_creations_counted check (create_attempt > 0);
        """
    )


def downgrade() -> None:
    op.execute(
        """
        alter table payments drop column create_attempt, drop column customer_id;
        drop table payment_customers;
        """
    )
