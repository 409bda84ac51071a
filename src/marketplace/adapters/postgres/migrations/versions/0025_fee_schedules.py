"""The fees as data: versions of them, and in each order the rules that it was charged by."""

from __future__ import annotations

from alembic import op

revision = "0025_fee_schedules"
down_revision = "0024_disputes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table fee_schedules (
            id bigint not null,
            currency text not null,
            effective_from timestamptz not null,
            rules jsonb not null,
            note text not null default '',
            constraint fee_schedules_pkey primary key (id),
            constraint one_fee_schedule_an_instant unique (currency, effective_from),
            constraint fee_schedules_have_rules check (jsonb_array_length(rules) > 0)
        );
        create index fee_schedules_latest_idx on fee_schedules (effective_from, id);

        create function refuse_to_change_the_fees() returns trigger language plpgsql as $$
        begin
            raise exception 'A fee schedule is never changed: % is refused. Add another version.', tg_op
                using errcode = 'integrity_constraint_violation';
        end $$;
        create trigger fee_schedules_are_append_only before update or delete or truncate on fee_schedules
            for each statement execute function refuse_to_change_the_fees();

        alter table orders
            add column fee_schedule_id bigint references fee_schedules (id),
            add column fees jsonb;
        """
    )
    # Until now there was one rule a component: the settings', of which each order kept the rates.
    op.execute(
        """
        update orders o set fees = jsonb_build_array(
            jsonb_build_object(
                'rule', jsonb_build_object(
                    'component', 'commission', 'payer', 'both', 'percent', o.commission_rate::text, 'fixed', 0,
                    'floor', 0, 'cap', null, 'account_type', null, 'seller', null, 'category', null
                ),
                'amount', o.commission, 'parts', p.bearing
            ),
            jsonb_build_object(
                'rule', jsonb_build_object(
                    'component', 'processing', 'payer', 'buyer', 'percent', o.processing_rate::text, 'fixed', 0,
                    'floor', o.processing_minimum, 'cap', null, 'account_type', null, 'seller', null, 'category', null
                ),
                'amount', o.processing, 'parts', p.only_selling
            ),
            jsonb_build_object(
                'rule', jsonb_build_object(
                    'component', 'shipping', 'payer', 'buyer', 'percent', '0', 'fixed', o.shipping_fee,
                    'floor', 0, 'cap', null, 'account_type', null, 'seller', null, 'category', null
                ),
                'amount', o.shipping, 'parts', p.only_selling
            )
        )
        from (
            select s.order_id,
                jsonb_agg(
                    jsonb_build_object('seller', s.seller_id, 'base', s.base, 'share', s.commission)
                    order by s.seller_id
                ) as bearing,
                jsonb_agg(jsonb_build_object('seller', s.seller_id, 'base', s.base, 'share', 0) order by s.seller_id)
                    as only_selling
            from sales s group by s.order_id
        ) p
        where p.order_id = o.id;
        update orders set fees = '[]' where fees is null;
        alter table orders
            alter column fees set not null,
            drop column commission_rate,
            drop column processing_rate,
            drop column processing_minimum,
            drop column shipping_fee;
        """
    )


def downgrade() -> None:
    # An order of several rules a component keeps the first one's rates; its amounts stay what they are.
    op.execute(
        """
        alter table orders
            add column commission_rate numeric,
            add column processing_rate numeric,
            add column processing_minimum bigint,
            add column shipping_fee bigint;
        update orders set
            commission_rate = coalesce(
                (jsonb_path_query_first(fees, '$[*].rule ? (@.component == "commission").percent') #>> '{}')::numeric, 0
            ),
            processing_rate = coalesce(
                (jsonb_path_query_first(fees, '$[*].rule ? (@.component == "processing").percent') #>> '{}')::numeric, 0
            ),
            processing_minimum = coalesce(
                (jsonb_path_query_first(fees, '$[*].rule ? (@.component == "processing").floor') #>> '{}')::bigint, 0
            ),
            shipping_fee = shipping;
        alter table orders
            alter column commission_rate set not null,
            alter column processing_rate set not null,
            alter column processing_minimum set not null,
            alter column shipping_fee set not null,
            drop column fees,
            drop column fee_schedule_id;
        drop table fee_schedules;
        drop function refuse_to_change_the_fees();
        """
    )
