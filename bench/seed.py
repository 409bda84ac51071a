"""Data for the benchmark, generated in the database by a statement a table: the same at every run of a scale.

At scale 1: 50,000 products in 200 sets, four variants each, 300,000 listings of 2,000 sellers, 20,000 buyers who are
signed in. Schema ``l1`` holds the same for the baseline.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg2

BUYER, SELLER, LISTING, PRODUCT = 1_000_000, 2_000_000, 10_000_000, 20_000_000
"""First identities less one; the sequence continues far behind all of them."""
PRODUCTS_IN_A_SET = 250
STOCK = 1_000_000


@dataclass(frozen=True)
class Size:
    products: int
    listings: int
    sellers: int
    buyers: int

    @property
    def sets(self) -> int:
        return max(1, self.products // PRODUCTS_IN_A_SET)

    @classmethod
    def of(cls, scale: float) -> Size:
        return cls(
            products=max(500, int(50_000 * scale)),
            listings=max(3_000, int(300_000 * scale)),
            sellers=max(20, int(100 * scale) * 20),
            buyers=max(2_000, int(20_000 * min(scale, 1))),
        )


_APPLICATION = """
select setseed(0.5);
-- The sessions are open for a day: more than any run takes.
insert into accounts (
    id, username, username_key, email, email_key, password_hash, first_name, last_name, phone_number, account_type,
    roles, language, is_email_verified, is_suspended, subscribed_to_newsletter, terms_version, terms_accepted_at,
    created_at, version
)
select {buyer} + i, 'buyer-' || i, 'buyer-' || i, 'buyer-' || i || '@example.com', 'buyer-' || i || '@example.com',
    '', 'Buyer', 'Number ' || i, '', 'individual', '{{buyer}}'::text[], 'en', true, false, false, '1', now(), now(), 1
from generate_series(1, {buyers}) i
union all
select {seller} + i, 'seller-' || i, 'seller-' || i, 'seller-' || i || '@example.com', 'seller-' || i || '@example.com',
    '', 'Seller', 'Number ' || i, '', 'individual', '{{buyer,seller}}'::text[], 'en', true, false, false, '1', now(),
    now(), 1
from generate_series(1, {sellers}) i;
insert into sessions (id, account_id, token_hash, started_at, refreshed_at, expires_at, device, ip, version)
select id, id, 'bench-' || id, now(), now(), now() + interval '1 day', '', '', 1 from accounts where id < {seller};
insert into seller_profiles (
    account_id, shop_name, shop_name_key, status, email_verified, kyc_verified, payouts_ready, rating, may_sell,
    created_at, version
)
select {seller} + i, 'Shop ' || i, 'shop ' || i, 'approved', true, true, true, (300 + i * 37 % 200) / 100.0, true,
    now(), 1
from generate_series(1, {sellers}) i;

insert into card_sets (
    id, tcg_type, external_id, region, code, name, names, series_id, series, release_date, card_count_official,
    search_text, created_at, updated_at, version
)
select {product} + i, 'pokemon', 'bench' || i, 'intl', 'B' || i, 'Set ' || i, jsonb_build_object('en', 'Set ' || i),
    'series-' || i % 20, 'Series ' || i % 20, date '2020-01-01' + i::int, {in_a_set}, 'set ' || i, now(), now(), 1
from generate_series(1, {sets}) i;

create temp table words as
select i, initcap(
    (array['ka','lo','mi','ren','tu','sha','vel','por','zin','dra','bel','os','qua','fer','nim'])[1 + i % 15]
    || (array['ta','ro','ni','lu','se','ma','ko','pa','vi','do','xa'])[1 + i / 15 % 11]
    || (array['n','r','s','x','','l','k'])[1 + i / 165 % 7] || (array['','ium','or','ette'])[1 + i / 1155 % 4]
) as word
from generate_series(0, 4619) i;
create unique index on words (i);
analyze words;

insert into products (
    id, tcg_type, external_id, set_id, number, printed_number, name, names, slug, series, rarity, artist, attributes,
    status, search_text, name_key, number_key, created_at, updated_at, version
)
select {product} + g, 'pokemon', 'bench' || s.i || '-' || n.number, {product} + s.i, n.number,
    n.number || '/{in_a_set}', a.word || ' ' || b.word,
    jsonb_build_object('en', a.word || ' ' || b.word, 'fr', b.word || ' ' || a.word),
    lower(a.word || '-' || b.word || '-bench' || s.i || '-' || n.number), 'Series ' || s.i % 20,
    (array['Common','Uncommon','Rare','Ultra Rare'])[1 + g % 4], c.word,
    jsonb_build_object(
        'supertype', 'Pokemon', 'hp', g % 340, 'types', jsonb_build_array(d.word),
        'dex_ids', jsonb_build_array(g % 1025), 'finishes', jsonb_build_array('normal', 'holo'), 'first_edition', false
    ),
    'published', lower(a.word || ' ' || b.word || ' ' || n.number || ' set ' || s.i), lower(a.word || ' ' || b.word),
    lpad(n.number, 8, '0'), now() - random() * interval '700 days', now() - random() * interval '100 days', 1
from generate_series(1, {products}) g
    cross join lateral (select 1 + (g - 1) / {in_a_set} % {sets} as i) s
    cross join lateral (select (1 + (g - 1) % {in_a_set})::text as number) n
    join words a on a.i = g * 7919::bigint % 4620
    join words b on b.i = (g * 104729::bigint + 13) % 4620
    join words c on c.i = (g * 31 + g / 97) % 4620
    join words d on d.i = g * 17 % 4620;
insert into product_categories (product_id, category_id) select id, 1 from products;

insert into variants (id, product_id, language_id, version_id, condition_id)
select {product} + (p - 1) * 4 + k, {product} + p, 1 + (k - 1) / 2, 1, 2 + k % 2
from generate_series(1, {products}) p, generate_series(1, 4) k;
insert into listings (
    id, seller_id, product_id, variant_id, price, currency, stock, status, created_at, updated_at, version
)
select {listing} + g, {seller} + 1 + g * 7 % {sellers}, {product} + 1 + x.v / 4, {product} + 1 + x.v,
    100 + (random() * 50000)::int, 'EUR', {stock}, case when g % 20 = 0 then 'inactive' else 'active' end,
    now() - random() * interval '100 days', now(), 1
from generate_series(1, {listings}) g cross join lateral (select g * 13::bigint % ({products} * 4) as v) x;
select setval('identities', 1000000001);
"""

_BASELINE = """
drop schema if exists l1 cascade;
create schema l1;
create table l1.game as select code, name from games;
alter table l1.game add primary key (code);
create table l1.card_set as select id, code, name from card_sets;
alter table l1.card_set add primary key (id);
create table l1.seller as select account_id as id, shop_name as name, rating from seller_profiles;
alter table l1.seller add primary key (id);
create table l1.product as
select p.id, p.tcg_type, p.set_id, p.slug, p.name, p.names, p.number, p.number_key, p.rarity, p.attributes,
    p.created_at, l.lowest_price, l.offer_count
from products p left join (
    select product_id, min(price) as lowest_price, count(*) as offer_count from listings where status = 'active'
    group by product_id
) l on l.product_id = p.id;
alter table l1.product add primary key (id);
create index on l1.product (set_id, number_key, id);
create table l1.variant as
select v.id, v.product_id, l.code as language, c.code as condition
from variants v join languages l on l.id = v.language_id join conditions c on c.id = v.condition_id;
alter table l1.variant add primary key (id);
create index on l1.variant (product_id);
create table l1.listing as
select id, variant_id, seller_id, price, stock, 0 as claimed, status = 'active' as active from listings;
alter table l1.listing add primary key (id), add check (claimed <= stock);
create index on l1.listing (variant_id) where active;
create table l1.cart_item (
    id bigint generated always as identity primary key, buyer_id bigint not null,
    listing_id bigint not null references l1.listing, quantity integer not null, price bigint not null,
    held_until timestamptz not null
);
create index on l1.cart_item (buyer_id);
create table l1.orders (
    id bigint generated always as identity primary key, buyer_id bigint not null, total bigint not null,
    currency text not null, status text not null, created_at timestamptz not null default now()
);
create table l1.order_item (
    id bigint generated always as identity primary key, order_id bigint not null references l1.orders,
    listing_id bigint not null references l1.listing, quantity integer not null, price bigint not null
);
create index on l1.order_item (order_id);
create table l1.outbox (
    id bigint generated always as identity primary key, topic text not null, payload jsonb not null,
    created_at timestamptz not null default now(), done_at timestamptz
);
create index on l1.outbox (id) where done_at is null;
"""

# Three listings of two sellers: two neighbours of one seller's, one of the next seller's.
_CARTS = """
insert into reservations (
    id, buyer_id, listing_id, quantity, unit_price, currency, status, first_claimed_at, expires_at
)
select 100000000 + (b.id - {buyer}) * 3 + w.k, b.id, l.id, w.quantity, l.price, l.currency, 'held', now(),
    now() + interval '30 minutes'
from accounts b
    cross join (values (0, 0, 1), (1, 1, 1), (2, {sellers}, 2)) as w (k, step, quantity)
    -- Every twentieth listing is off sale; these are never among them.
    join listings l
        on l.id = {listing} + 1 + w.step + 20 * ((b.id - {buyer}) * 41 % (({listings} - {sellers}) / 20 - 1))
where b.id > {buyer} + {first} and b.id <= {buyer} + {first} + {count} and l.status = 'active'
on conflict do nothing
"""


def generate(dsn: str, size: Size) -> None:
    """Fill a migrated, empty database."""
    values = {
        "buyer": BUYER,
        "seller": SELLER,
        "listing": LISTING,
        "product": PRODUCT,
        "in_a_set": PRODUCTS_IN_A_SET,
        "stock": STOCK,
        "sets": size.sets,
        "products": size.products,
        "listings": size.listings,
        "sellers": size.sellers,
        "buyers": size.buyers,
    }
    connection = psycopg2.connect(dsn)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(_APPLICATION.format(**values))
            cursor.execute(_BASELINE)
            cursor.execute("vacuum analyze")
    finally:
        connection.close()


def fill_carts(dsn: str, size: Size, *, first: int, count: int) -> int:
    """Give ``count`` buyers from the ``first`` on a cart to check out; the number of rows made."""
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                _CARTS.format(
                    buyer=BUYER,
                    listing=LISTING,
                    sellers=size.sellers,
                    listings=size.listings,
                    first=first,
                    count=count,
                )
            )
            return int(cursor.rowcount)
    finally:
        connection.close()
