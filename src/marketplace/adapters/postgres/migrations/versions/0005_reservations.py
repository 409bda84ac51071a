"""Reservations and the claims on stock."""

from __future__ import annotations

from alembic import op

revision = "0005_reservations"
down_revision = "0004_listings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table reservations (
            id bigint not null,
            buyer_id bigint not null,
            listing_id bigint not null,
            quantity integer not null,
            unit_price bigint not null,
            currency text not null,
            status text not null,
            first_claimed_at timestamptz not null,
            expires_at timestamptz not null,
            order_id bigint,
            constraint reservations_pkey primary key (id),
            constraint reservations_buyer_id_fkey foreign key (buyer_id) references accounts (id),
            constraint reservations_listing_id_fkey foreign key (listing_id) references listings (id),
            constraint one_reservation_a_buyer_and_listing unique (buyer_id, listing_id),
            constraint claims_are_of_something check (quantity > 0),
            constraint known_reservation_status check (status in ('held', 'ordered', 'expired', 'released')),
            constraint what_is_ordered_names_its_order check ((status = 'ordered') = (order_id is not null))
        );
        create index reservations_held_idx on reservations (listing_id, expires_at) where status = 'held';
        create index reservations_due_idx on reservations (expires_at) where status = 'held';
        create index reservations_memory_idx on reservations (expires_at) where status = 'released';
        create index reservations_order_idx on reservations (order_id) where order_id is not null;
        """
    )
    op.execute(_KEEP_CLAIMED)
    op.execute(_CLAIM_STOCK)
    op.execute(_LOCK_CART)


def downgrade() -> None:
    op.execute("drop function lock_cart, claim_stock; drop table reservations; drop function keep_claimed")


# Whoever changes a reservation has locked its listing first, so the counter cannot lag behind and no two of them
# wait for each other. The WHEN clause leaves out what moves no stock: held -> ordered is the whole of a checkout.
_KEEP_CLAIMED = """
create function keep_claimed() returns trigger language plpgsql as $$
declare
    change integer := 0;
begin
    if tg_op <> 'INSERT' and old.status in ('held', 'ordered') then
        change := change - old.quantity;
    end if;
    if tg_op <> 'DELETE' and new.status in ('held', 'ordered') then
        change := change + new.quantity;
    end if;
    if tg_op = 'UPDATE' and new.listing_id <> old.listing_id then
        raise exception 'A reservation never moves to another listing.'
            using errcode = 'integrity_constraint_violation';
    end if;
    if change <> 0 then
        update listings set claimed = claimed + change where id = coalesce(new.listing_id, old.listing_id);
    end if;
    return null;
end $$;

create trigger new_claims_count after insert on reservations
    for each row when (new.status in ('held', 'ordered')) execute function keep_claimed();
create trigger changed_claims_count after update on reservations
    for each row when (
        (old.status in ('held', 'ordered')) <> (new.status in ('held', 'ordered'))
        or old.quantity <> new.quantity or old.listing_id <> new.listing_id
    ) execute function keep_claimed();
create trigger ended_claims_count after delete on reservations
    for each row when (old.status in ('held', 'ordered')) execute function keep_claimed();
"""

# The rules are those of domain.reservations.claim, in the same order; the shared tests hold both to the same answers.
# A function, because it is one round trip whose statements each see what is committed once the listing is locked,
# and because its plans are kept. ``available`` is what this buyer could have when the claim is refused, and what is
# left for others when it is made.
_CLAIM_STOCK = """
create function claim_stock(
    p_id bigint, p_buyer bigint, p_listing bigint, p_item bigint, p_quantity integer, p_now timestamptz,
    p_hold interval, p_max_hold interval, p_max_items integer,
    out outcome text, out item_id bigint, out listing_id bigint, out quantity integer, out unit_price bigint,
    out currency text, out first_claimed_at timestamptz, out expires_at timestamptz,
    out available integer, out retry_at timestamptz, out order_id bigint
) language plpgsql as $$
#variable_conflict use_column
declare
    listing record;
    mine record;
    overdue integer;
begin
    listing_id := p_listing;
    if p_item is not null then
        select r.listing_id into listing_id from reservations r
        where r.id = p_item and r.buyer_id = p_buyer and r.status <> 'released';
        if not found then
            outcome := 'unknown_item';
            return;
        end if;
    end if;
    select l.seller_id, l.price, l.currency, l.stock - l.claimed as free, l.status into listing
    from listings l where l.id = claim_stock.listing_id for no key update;
    if not found then
        outcome := 'unknown_listing';
        return;
    end if;
    select r.* into mine from reservations r
    where r.buyer_id = p_buyer and r.listing_id = claim_stock.listing_id for update;
    if p_item is not null and (mine.id is distinct from p_item or mine.status = 'released') then
        outcome := 'unknown_item';
        return;
    end if;
    outcome := case
        when listing.seller_id = p_buyer then 'own_listing'
        when listing.status not in ('active', 'sold_out') then 'listing_inactive'
        when not exists (select from seller_profiles s where s.account_id = listing.seller_id and s.is_selling)
            then 'seller_unavailable'
        when mine.status = 'ordered' then 'already_ordered'
    end;
    if outcome is not null then
        order_id := mine.order_id;
        return;
    end if;

    if mine.id is null or p_now >= mine.expires_at + p_max_hold then
        first_claimed_at := p_now;
    elsif p_now >= mine.first_claimed_at + p_max_hold then
        outcome := 'hold_limit';
        retry_at := mine.expires_at + p_max_hold;
        return;
    else
        first_claimed_at := mine.first_claimed_at;
    end if;
    if mine.id is null or mine.status = 'released' then
        if p_max_items <= (
            select count(*) from reservations r where r.buyer_id = p_buyer and r.status <> 'released'
        ) then
            outcome := 'cart_full';
            return;
        end if;
    end if;

    quantity := p_quantity;
    if p_item is null and mine.status in ('held', 'expired') then
        quantity := quantity + mine.quantity;
    end if;
    -- Claims that ran out are free, whether or not anything has swept them.
    select coalesce(sum(r.quantity), 0) into overdue from reservations r
    where r.listing_id = claim_stock.listing_id and r.status = 'held' and r.expires_at <= p_now
        and r.buyer_id <> p_buyer;
    available := listing.free + case when mine.status = 'held' then mine.quantity else 0 end + overdue;
    if available < quantity then
        outcome := 'insufficient';
        return;
    end if;
    if overdue > 0 then
        update reservations r set status = 'expired'
        where r.listing_id = claim_stock.listing_id and r.status = 'held' and r.expires_at <= p_now
            and r.buyer_id <> p_buyer;
    end if;

    outcome := 'claimed';
    available := available - quantity;
    item_id := coalesce(mine.id, p_id);
    unit_price := listing.price;
    currency := listing.currency;
    expires_at := least(p_now + p_hold, first_claimed_at + p_max_hold);
    if mine.id is null then
        insert into reservations (
            id, buyer_id, listing_id, quantity, unit_price, currency, status, first_claimed_at, expires_at
        ) values (
            item_id, p_buyer, claim_stock.listing_id, claim_stock.quantity, listing.price, listing.currency, 'held',
            claim_stock.first_claimed_at, claim_stock.expires_at
        );
    else
        update reservations r set
            quantity = claim_stock.quantity, unit_price = listing.price, currency = listing.currency,
            status = 'held', first_claimed_at = claim_stock.first_claimed_at, expires_at = claim_stock.expires_at
        where r.id = mine.id;
    end if;
end $$;
"""

# The first half of a checkout: locks the listings of a cart, or of some of its items, by ascending id, then reads what
# is so once they are locked. Overdue claims of others count as free here, and are swept by whoever needs their stock.
_LOCK_CART = """
create function lock_cart(p_buyer bigint, p_items bigint[], p_now timestamptz) returns table (
    id bigint, buyer_id bigint, listing_id bigint, quantity integer, unit_price bigint, currency text, status text,
    first_claimed_at timestamptz, expires_at timestamptz, order_id bigint, seller_id bigint, price bigint,
    is_public boolean, is_selling boolean, available integer, product_id bigint, variant_id bigint, title text,
    variant jsonb
) language plpgsql as $$
#variable_conflict use_column
declare
    locked bigint[];
begin
    select array_agg(x.id) into locked from (
        select l.id from listings l
        where l.id in (
            select r.listing_id from reservations r
            where r.buyer_id = p_buyer and r.status <> 'released' and (p_items is null or r.id = any(p_items))
        )
        order by l.id for no key update of l
    ) x;
    return query
    select r.id, r.buyer_id, r.listing_id, r.quantity, r.unit_price, r.currency, r.status, r.first_claimed_at,
        r.expires_at, r.order_id, l.seller_id, l.price, l.status in ('active', 'sold_out'),
        coalesce(s.is_selling, false),
        l.stock - l.claimed + case when r.status = 'held' then r.quantity else 0 end + (
            select coalesce(sum(o.quantity), 0)::integer from reservations o
            where o.listing_id = l.id and o.status = 'held' and o.expires_at <= p_now and o.buyer_id <> p_buyer
        ),
        l.product_id, l.variant_id, p.name,
        jsonb_build_object(
            'id', v.id,
            'product', v.product_id,
            'language', (
                select jsonb_build_object('id', a.id, 'code', a.code, 'name', a.name)
                from languages a where a.id = v.language_id
            ),
            'version', (
                select jsonb_build_object(
                    'id', e.id, 'code', e.code, 'name', e.name, 'tcg_types', e.tcg_types,
                    'description', e.description, 'displayable', e.displayable
                ) from versions e where e.id = v.version_id
            ),
            'condition', (
                select jsonb_build_object('id', c.id, 'code', c.code, 'label', c.label, 'is_graded', c.is_graded)
                from conditions c where c.id = v.condition_id
            ),
            'grade', (
                select jsonb_build_object('id', g.id, 'value', g.value, 'grader', g.grader)
                from grades g where g.id = v.grade_id
            )
        )
    from reservations r
        join listings l on l.id = r.listing_id
        join products p on p.id = l.product_id
        join variants v on v.id = l.variant_id
        left join seller_profiles s on s.account_id = l.seller_id
    where r.buyer_id = p_buyer and r.status <> 'released' and r.listing_id = any(locked)
        and (p_items is null or r.id = any(p_items))
    order by r.listing_id;
end $$;
"""
