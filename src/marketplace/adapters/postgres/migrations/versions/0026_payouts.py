"""Payouts, what keeps them back and what is taken back of them; one for each sale that was paid before."""

from __future__ import annotations

from alembic import op

revision = "0026_payouts"
down_revision = "0025_fee_schedules"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table payouts (
            id bigint not null,
            order_id bigint not null,
            sale_id bigint not null,
            seller_id bigint not null,
            status text not null,
            amount bigint not null,
            currency text not null,
            withheld_amount bigint not null default 0,
            reclaimed_amount bigint not null default 0,
            netted_amount bigint not null default 0,
            transferred_amount bigint not null default 0,
            batch_id bigint,
            attempt integer not null default 1,
            sending_amount bigint,
            destination text,
            source_charge text,
            first_sent_at timestamptz,
            transfer_id text,
            blocked boolean not null default false,
            last_error text not null default '',
            failures integer not null default 0,
            refusals integer not null default 0,
            reversed_elsewhere bigint not null default 0,
            kept_long_told boolean not null default false,
            created_at timestamptz not null,
            due_at timestamptz,
            paid_at timestamptz,
            next_check_at timestamptz,
            locked_until timestamptz,
            version integer not null,
            constraint payouts_pkey primary key (id),
            constraint one_payout_a_sale unique (sale_id),
            constraint one_payout_a_transfer unique (transfer_id),
            constraint known_payout_status
                check (status in ('pending', 'due', 'sending', 'paid', 'on_hold', 'reversed')),
            constraint payout_not_below_zero
                check (amount >= 0 and withheld_amount >= 0 and reclaimed_amount >= 0
                    and netted_amount >= 0 and transferred_amount >= 0),
            constraint no_more_reversed_than_owed check (withheld_amount + reclaimed_amount <= amount),
            constraint no_more_paid_than_owed
                check (withheld_amount + netted_amount + transferred_amount <= amount),
            constraint transfer_recorded_before_sent
                check ((status = 'sending') = (first_sent_at is not null)
                    and num_nonnulls(first_sent_at, sending_amount, destination) in (0, 3)),
            constraint transferred_by_a_transfer check ((transferred_amount > 0) = (transfer_id is not null)),
            constraint paid_payout_has_a_day check (status <> 'paid' or paid_at is not null),
            constraint payouts_order_id_fkey foreign key (order_id) references orders (id),
            constraint payouts_sale_id_fkey foreign key (sale_id) references sales (id),
            constraint payouts_seller_id_fkey foreign key (seller_id) references accounts (id)
        );
        create index payouts_due_idx on payouts (next_check_at, id) where next_check_at is not null;
        create index payouts_kept_idx on payouts (created_at, id)
            where status not in ('paid', 'reversed') and not kept_long_told;
        create index payouts_order_idx on payouts (order_id, id);
        create index payouts_seller_idx on payouts (seller_id, id);
        create index payouts_status_idx on payouts (status, id);
        create table payout_holds (
            payout_id bigint not null,
            key text not null,
            reason text not null,
            count integer not null,
            opened_at timestamptz not null,
            released_at timestamptz,
            constraint payout_holds_pkey primary key (payout_id, key),
            constraint known_hold_reason
                check (reason in ('dispute', 'chargeback', 'seller_suspended', 'operator', 'currency')),
            constraint payout_holds_payout_id_fkey foreign key (payout_id) references payouts (id)
        );
        create index payout_holds_open_idx on payout_holds (reason, payout_id) where released_at is null;
        create table recoveries (
            id bigint not null,
            payout_id bigint not null,
            order_id bigint not null,
            sale_id bigint not null,
            seller_id bigint not null,
            cause text not null,
            status text not null,
            amount bigint not null,
            currency text not null,
            reversed_amount bigint not null default 0,
            netted_amount bigint not null default 0,
            written_off_amount bigint not null default 0,
            sending_amount bigint not null default 0,
            attempt integer not null default 1,
            first_sent_at timestamptz,
            reversal_id text,
            last_error text not null default '',
            failures integer not null default 0,
            decided_at timestamptz not null,
            ended_at timestamptz,
            next_check_at timestamptz,
            locked_until timestamptz,
            version integer not null,
            constraint recoveries_pkey primary key (id),
            constraint one_recovery_a_cause unique (cause, seller_id),
            constraint one_recovery_a_reversal unique (reversal_id),
            constraint known_recovery_status
                check (status in ('decided', 'sending', 'reversed', 'refused', 'settled')),
            constraint no_more_recovered_than_owed
                check (amount > 0 and reversed_amount >= 0 and netted_amount >= 0
                    and written_off_amount >= 0 and reversed_amount + netted_amount + written_off_amount <= amount),
            constraint ended_recovery_is_whole
                check (status not in ('reversed', 'settled')
                    or reversed_amount + netted_amount + written_off_amount = amount and ended_at is not null),
            constraint reversal_recorded_before_sent
                check (status <> 'sending' or first_sent_at is not null and sending_amount > 0),
            constraint recoveries_payout_id_fkey foreign key (payout_id) references payouts (id),
            constraint recoveries_order_id_fkey foreign key (order_id) references orders (id),
            constraint recoveries_sale_id_fkey foreign key (sale_id) references sales (id),
            constraint recoveries_seller_id_fkey foreign key (seller_id) references accounts (id)
        );
        create index recoveries_due_idx on recoveries (next_check_at, id) where next_check_at is not null;
        create index recoveries_owed_idx on recoveries (seller_id, decided_at, id) where status = 'refused';
        create index recoveries_payout_idx on recoveries (payout_id, id);
        create index recoveries_seller_idx on recoveries (seller_id, id);
        """
    )
    # What was refunded of a sale went back before anything was sent. Identities come in blocks of a hundred.
    op.execute(
        """
        with owed as (
            select s.id as sale_id, s.order_id, s.seller_id, s.paid_at, o.currency,
                s.base - s.commission - s.seller_fees as amount,
                coalesce((select sum(p.seller_net) from refund_parts p where p.sale_id = s.id), 0) as withheld,
                row_number() over (order by s.id) - 1 as place
            from sales s join orders o on o.id = s.order_id
            where s.paid_at is not null
        ), blocks as materialized (
            select nextval('identities') as start, number
            from generate_series(0, (select (count(*) + 99) / 100 - 1 from owed)) as number
        )
        insert into payouts (
            id, order_id, sale_id, seller_id, status, amount, currency, withheld_amount, created_at, version
        )
        select b.start + w.place % 100, w.order_id, w.sale_id, w.seller_id,
            case when w.withheld = w.amount and w.amount > 0 then 'reversed' else 'pending' end,
            w.amount, w.currency, w.withheld, w.paid_at, 1
        from owed w join blocks b on b.number = w.place / 100
        """
    )


def downgrade() -> None:
    op.execute("drop table recoveries, payout_holds, payouts")
