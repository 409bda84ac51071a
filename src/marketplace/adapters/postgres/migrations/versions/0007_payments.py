"""Payments, refunds, the webhook inbox and the simulated provider."""

from __future__ import annotations

from alembic import op

revision = "0007_payments"
down_revision = "0006_orders"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table payments (
            id bigint not null,
            order_id bigint not null,
            buyer_id bigint not null,
            amount bigint not null,
            currency text not null,
            provider text not null,
            status text not null,
            intent_id text,
            charge_id text,
            balance_transaction_id text,
            confirm_attempts integer not null default 0,
            cancel_refusals integer not null default 0,
            last_decline_code text not null default '',
            cancel_wanted text not null default '',
            cancel_wanted_by bigint,
            quarantine text not null default '',
            failures integer not null default 0,
            created_at timestamptz not null,
            due_at timestamptz not null,
            next_check_at timestamptz,
            locked_until timestamptz,
            succeeded_at timestamptz,
            version integer not null,
            constraint payments_pkey primary key (id),
            constraint payments_order_id_fkey foreign key (order_id) references orders (id),
            constraint payments_buyer_id_fkey foreign key (buyer_id) references accounts (id),
            constraint payments_cancel_wanted_by_fkey foreign key (cancel_wanted_by) references accounts (id),
            constraint one_payment_an_order unique (order_id),
            constraint one_payment_an_intent unique (intent_id),
            constraint one_payment_a_charge unique (charge_id),
            constraint payment_above_zero check (amount > 0),
            constraint known_payment_status check (
                status in ('creating', 'requires_payment_method', 'requires_action', 'processing', 'succeeded',
                           'canceled')
            ),
            constraint succeeded_payment_has_a_charge check (
                status <> 'succeeded'
                or (intent_id is not null and charge_id is not null and succeeded_at is not null)
            ),
            constraint known_cancel_wish check (cancel_wanted in ('', 'buyer', 'window'))
        );
        create index payments_due_idx on payments (next_check_at) where next_check_at is not null;
        """
    )
    op.execute(
        """
        create table refunds (
            id bigint not null,
            order_id bigint not null,
            payment_id bigint not null,
            amount bigint not null,
            currency text not null,
            cause text not null,
            reason text not null,
            status text not null,
            provider_refund_id text,
            attempt integer not null default 1,
            failure_reason text not null default '',
            failures integer not null default 0,
            decided_at timestamptz not null,
            first_sent_at timestamptz,
            next_check_at timestamptz,
            locked_until timestamptz,
            version integer not null,
            constraint refunds_pkey primary key (id),
            constraint refunds_order_id_fkey foreign key (order_id) references orders (id),
            constraint refunds_payment_id_fkey foreign key (payment_id) references payments (id),
            constraint one_refund_a_provider_refund unique (provider_refund_id),
            constraint refund_above_zero check (amount > 0),
            constraint known_refund_status check (
                status in ('decided', 'sending', 'pending', 'succeeded', 'failed')
            ),
            constraint known_refund_cause check (cause in ('not_shipped', 'platform', 'seller', 'buyer')),
            constraint refund_recorded_before_sent check (status = 'decided' or first_sent_at is not null)
        );
        create index refunds_order_idx on refunds (order_id, id);
        create index refunds_payment_idx on refunds (payment_id);
        create index refunds_due_idx on refunds (next_check_at) where next_check_at is not null;
        create table refund_parts (
            refund_id bigint not null,
            sale_id bigint not null,
            seller_id bigint not null,
            pieces jsonb not null,
            items bigint not null,
            commission bigint not null,
            processing bigint not null,
            shipping bigint not null,
            seller_commission bigint not null,
            seller_fees bigint not null,
            seller_net bigint not null,
            constraint refund_parts_pkey primary key (refund_id, sale_id),
            constraint refund_parts_refund_id_fkey foreign key (refund_id) references refunds (id),
            constraint refund_parts_sale_id_fkey foreign key (sale_id) references sales (id),
            constraint refund_parts_seller_id_fkey foreign key (seller_id) references accounts (id)
        );
        """
    )
    op.execute(
        """
        create table webhook_inbox (
            id text not null,
            type text not null,
            object_id text not null,
            intent_id text,
            order_id bigint,
            refund_id bigint,
            account text,
            livemode boolean not null,
            api_version text not null,
            payload jsonb not null,
            status text not null,
            attempts integer not null default 0,
            last_error text not null default '',
            created_at timestamptz not null,
            received_at timestamptz not null,
            run_at timestamptz not null,
            locked_until timestamptz,
            closed_at timestamptz,
            constraint webhook_inbox_pkey primary key (id),
            constraint known_inbox_status check (
                status in ('waiting', 'done', 'ignored', 'unmatched', 'rejected', 'dead')
            )
        );
        create index webhook_inbox_due_idx on webhook_inbox (run_at, id)
            where status in ('waiting', 'unmatched');
        create index webhook_inbox_closed_idx on webhook_inbox (closed_at) where closed_at is not null;
        create index webhook_inbox_dead_idx on webhook_inbox (received_at, id) where status = 'dead';
        """
    )
    op.execute(
        """
        create table simulated_objects (
            id text not null,
            kind text not null,
            parent text not null,
            data jsonb not null,
            number bigint generated always as identity not null,
            created_at timestamptz not null,
            constraint simulated_objects_pkey primary key (id)
        );
        create index simulated_objects_parent_idx on simulated_objects (kind, parent);
        create index simulated_objects_number_idx on simulated_objects (kind, number);
        create table simulated_requests (
            key text not null,
            fingerprint text not null,
            answer jsonb not null,
            created_at timestamptz not null,
            constraint simulated_requests_pkey primary key (key)
        );
        create table simulated_events (
            id text not null,
            number bigint generated always as identity not null,
            type text not null,
            body text not null,
            attempts integer not null default 0,
            created_at timestamptz not null,
            deliver_at timestamptz not null,
            locked_until timestamptz,
            delivered_at timestamptz,
            constraint simulated_events_pkey primary key (id),
            constraint simulated_attempts_counted check (attempts >= 0)
        );
        create index simulated_events_due_idx on simulated_events (deliver_at, number)
            where delivered_at is null;
        """
    )


def downgrade() -> None:
    op.execute(
        """
        drop table simulated_events, simulated_requests, simulated_objects, webhook_inbox, refund_parts, refunds,
            payments
        """
    )
