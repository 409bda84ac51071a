"""Disputes and chargebacks; refunds that are tried again, or paid in another way."""

from __future__ import annotations

from alembic import op

revision = "0024_disputes"
down_revision = "0023_shipments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        alter table refunds
            add column earlier_provider_refund_ids text[] not null default '{}',
            add column settled_at timestamptz,
            add column settled_by bigint,
            add column settled_note text not null default '',
            add constraint refunds_settled_by_fkey foreign key (settled_by) references accounts (id),
            drop constraint known_refund_status,
            add constraint known_refund_status check (
                status in ('decided', 'sending', 'pending', 'succeeded', 'failed', 'settled_elsewhere')
            ),
            add constraint settled_refunds_say_when
                check ((status = 'settled_elsewhere') = (settled_at is not null));
        create index refunds_status_idx on refunds (status, decided_at, id);
        create index refunds_newest_idx on refunds (decided_at, id);
        create table chargebacks (
            id bigint not null,
            provider_chargeback_id text not null,
            order_id bigint not null,
            payment_id bigint not null,
            amount bigint not null,
            currency text not null,
            reason text not null,
            status text default '' not null,
            stage text,
            lost bigint,
            evidence jsonb default '{}' not null,
            evidence_attempt integer default 0 not null,
            failures integer default 0 not null,
            opened_at timestamptz not null,
            evidence_due_at timestamptz,
            evidence_submitted_at timestamptz,
            decided_at timestamptz,
            next_check_at timestamptz,
            locked_until timestamptz,
            version integer not null,
            constraint chargebacks_pkey primary key (id),
            constraint one_chargeback_a_provider_dispute unique (provider_chargeback_id),
            constraint chargeback_amounts_are_not_negative check (amount >= 0 and (lost is null or lost > 0)),
            constraint known_chargeback_stage
                check (stage in ('inquiry', 'inquiry_closed', 'open', 'won', 'lost', 'appeal', 'prevented')),
            constraint chargebacks_order_id_fkey foreign key (order_id) references orders (id),
            constraint chargebacks_payment_id_fkey foreign key (payment_id) references payments (id)
        );
        create index chargebacks_due_idx on chargebacks (next_check_at) where next_check_at is not null;
        create index chargebacks_newest_idx on chargebacks (opened_at, id);
        create index chargebacks_order_idx on chargebacks (order_id, id);
        create index chargebacks_payment_idx on chargebacks (payment_id);
        create index chargebacks_stage_newest_idx on chargebacks (stage, opened_at, id);
        create table chargeback_movements (
            balance_transaction_id text not null,
            chargeback_id bigint not null,
            amount bigint not null,
            fee bigint not null,
            created_at timestamptz not null,
            constraint chargeback_movements_pkey primary key (balance_transaction_id),
            constraint chargeback_movements_chargeback_id_fkey foreign key (chargeback_id) references chargebacks (id)
        );
        create index chargeback_movements_chargeback_idx
            on chargeback_movements (chargeback_id, created_at, balance_transaction_id);
        create table disputes (
            id bigint not null,
            order_id bigint not null,
            sale_id bigint not null,
            buyer_id bigint not null,
            seller_id bigint not null,
            reason text not null,
            status text not null,
            description text not null,
            desired_outcome text,
            outcome text,
            amount bigint,
            currency text not null,
            note text default '' not null,
            resolved_by bigint,
            refund_id bigint,
            chargeback_id bigint,
            opened_at timestamptz not null,
            respond_by timestamptz,
            resolved_at timestamptz,
            version integer not null,
            constraint disputes_pkey primary key (id),
            constraint known_dispute_status
                check (status in ('open', 'awaiting_seller', 'under_review', 'resolved', 'closed', 'withdrawn')),
            constraint known_dispute_reason
                check (reason in ('not_received', 'not_as_described', 'counterfeit', 'wrong_item', 'damaged',
                    'other', 'chargeback')),
            constraint known_dispute_outcome
                check (outcome in ('refund', 'partial_refund', 'replacement', 'dismissed')),
            constraint known_desired_outcome check (desired_outcome in ('refund', 'partial_refund', 'replacement')),
            constraint chargebacks_are_named check ((reason = 'chargeback') = (chargeback_id is not null)),
            constraint ended_disputes_have_an_end
                check ((status in ('open', 'awaiting_seller', 'under_review')) = (resolved_at is null)),
            constraint disputes_order_id_fkey foreign key (order_id) references orders (id),
            constraint disputes_sale_id_fkey foreign key (sale_id) references sales (id),
            constraint disputes_buyer_id_fkey foreign key (buyer_id) references accounts (id),
            constraint disputes_seller_id_fkey foreign key (seller_id) references accounts (id),
            constraint disputes_resolved_by_fkey foreign key (resolved_by) references accounts (id),
            constraint disputes_refund_id_fkey foreign key (refund_id) references refunds (id),
            constraint disputes_chargeback_id_fkey foreign key (chargeback_id) references chargebacks (id)
        );
        create index disputes_buyer_newest_idx on disputes (buyer_id, opened_at, id);
        create index disputes_newest_idx on disputes (opened_at, id);
        create index disputes_order_idx on disputes (order_id, opened_at, id);
        create index disputes_sale_idx on disputes (sale_id, opened_at, id);
        create index disputes_seller_newest_idx on disputes (seller_id, opened_at, id);
        create index disputes_status_newest_idx on disputes (status, opened_at, id);
        create unique index one_dispute_a_sale_and_chargeback on disputes (chargeback_id, sale_id);
        create unique index one_open_dispute_a_sale
            on disputes (sale_id) where status in ('open', 'awaiting_seller', 'under_review') and chargeback_id is null;
        """
    )


def downgrade() -> None:
    op.execute(
        """
        drop table disputes;
        drop table chargeback_movements;
        drop table chargebacks;
        drop index refunds_newest_idx;
        drop index refunds_status_idx;
        alter table refunds
            drop constraint settled_refunds_say_when,
            drop constraint known_refund_status;
        -- What was paid in another way is owed at the provider as it was before.
        update refunds set status = 'failed' where status = 'settled_elsewhere';
        alter table refunds
            add constraint known_refund_status check (
                status in ('decided', 'sending', 'pending', 'succeeded', 'failed')
            ),
            drop column settled_note,
            drop column settled_by,
            drop column settled_at,
            drop column earlier_provider_refund_ids;
        """
    )
