"""L1, the baseline: what a WSGI application costs that does nothing but ask PostgreSQL and encode the answer.

Pooled psycopg2 connections, the plainest statements, orjson. No framework, no validation, no authentication, no log,
no prepared statement. Its tables (schema ``l1``) hold the same data as the application's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from queue import LifoQueue
from typing import Any
from urllib.parse import parse_qs

import orjson
import psycopg2

_LIST = """
    select p.id, p.slug, p.name, p.number, p.rarity, p.lowest_price, p.offer_count, p.created_at, s.id, s.code, s.name,
        g.code, g.name
    from l1.product p join l1.card_set s on s.id = p.set_id join l1.game g on g.code = p.tcg_type
    where p.set_id = %s order by p.number_key, p.id limit 20
"""
_DETAIL = """
    select p.id, p.slug, p.name, p.names, p.number, p.rarity, p.attributes, p.created_at, s.id, s.code, s.name, g.code,
        g.name
    from l1.product p join l1.card_set s on s.id = p.set_id join l1.game g on g.code = p.tcg_type
    where p.id = %s
"""
_OFFERS = """
    select v.id, v.language, v.condition, l.id, l.price, l.stock, s.id, s.name, s.rating::float8
    from l1.variant v
        left join l1.listing l on l.variant_id = v.id and l.active
        left join l1.seller s on s.id = l.seller_id
    where v.product_id = %s order by v.id, l.price
"""
_ADD = """
    with claimed as (
        update l1.listing set claimed = claimed + %(quantity)s
        where id = %(listing)s and active and stock - claimed >= %(quantity)s
        returning id, price
    )
    insert into l1.cart_item (buyer_id, listing_id, quantity, price, held_until)
    select %(buyer)s, id, %(quantity)s, price, now() + interval '30 minutes' from claimed
    returning id, listing_id, quantity, price, held_until
"""
_LOCK = "select id, price, stock - claimed, active from l1.listing where id = any(%s) order by id for update"
_CLAIM = """
    update l1.listing l set claimed = l.claimed + x.quantity from unnest(%s, %s) as x (id, quantity) where l.id = x.id
"""
_ORDER = "insert into l1.orders (buyer_id, total, currency, status) values (%s, %s, 'EUR', 'pending') returning id"
_ITEMS = """
    insert into l1.order_item (order_id, listing_id, quantity, price) select %s, * from unnest(%s, %s, %s)
"""
_OUTBOX = "insert into l1.outbox (topic, payload) values ('order.placed', %s)"

_POOL: LifoQueue[Any] = LifoQueue()
for _ in range(4):
    _POOL.put(None)


@contextmanager
def _connection() -> Any:
    connection = _POOL.get()
    if connection is None:
        connection = psycopg2.connect(os.environ["BENCH_DSN"])
        connection.autocommit = True
    try:
        yield connection
    finally:
        _POOL.put(connection)


def _listed(query: dict[str, list[str]]) -> object:
    with _connection() as connection, connection.cursor() as cursor:
        cursor.execute(_LIST, (int(query["set"][0]),))
        rows = cursor.fetchall()
    return [
        {
            "id": row[0],
            "slug": row[1],
            "name": row[2],
            "number": row[3],
            "rarity": row[4],
            "lowest_price": row[5],
            "offer_count": row[6],
            "created_at": row[7],
            "set": {"id": row[8], "code": row[9], "name": row[10]},
            "game": {"code": row[11], "name": row[12]},
        }
        for row in rows
    ]


def _detailed(query: dict[str, list[str]]) -> object:
    with _connection() as connection, connection.cursor() as cursor:
        cursor.execute(_DETAIL, (int(query["id"][0]),))
        head = cursor.fetchone()
        cursor.execute(_OFFERS, (head[0],))
        rows = cursor.fetchall()
    variants: dict[int, dict[str, Any]] = {}
    for row in rows:
        variant = variants.setdefault(row[0], {"id": row[0], "language": row[1], "condition": row[2], "listings": []})
        if row[3] is not None:
            seller = {"id": row[6], "name": row[7], "rating": row[8]}
            variant["listings"].append({"id": row[3], "price": row[4], "stock": row[5], "seller": seller})
    return {
        "id": head[0],
        "slug": head[1],
        "name": head[2],
        "names": head[3],
        "number": head[4],
        "rarity": head[5],
        "attributes": head[6],
        "created_at": head[7],
        "set": {"id": head[8], "code": head[9], "name": head[10]},
        "game": {"code": head[11], "name": head[12]},
        "variants": list(variants.values()),
    }


def _added(body: dict[str, Any]) -> object:
    with _connection() as connection, connection.cursor() as cursor:
        cursor.execute(_ADD, body)
        id, listing, quantity, price, until = cursor.fetchone()
    return {"id": id, "listing": listing, "quantity": quantity, "unit_price": price, "reserved_until": until}


def _ordered(body: dict[str, Any]) -> object:
    wanted = {item["id"]: item["quantity"] for item in sorted(body["items"], key=lambda item: item["id"])}
    with _connection() as connection:
        connection.autocommit = False
        try:
            with connection.cursor() as cursor:
                order_id = _place(cursor, body["buyer"], wanted)
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        finally:
            connection.autocommit = True
    return {"order": order_id}


def _place(cursor: Any, buyer: int, wanted: dict[int, int]) -> int:
    cursor.execute(_LOCK, (list(wanted),))
    rows = cursor.fetchall()
    if len(rows) != len(wanted) or any(not row[3] or row[2] < wanted[row[0]] for row in rows):
        raise ValueError("out of stock")
    total = sum(row[1] * wanted[row[0]] for row in rows)
    cursor.execute(_CLAIM, (list(wanted), list(wanted.values())))
    cursor.execute(_ORDER, (buyer, total))
    order_id: int = cursor.fetchone()[0]
    ids = [row[0] for row in rows]
    cursor.execute(_ITEMS, (order_id, ids, [wanted[id] for id in ids], [row[1] for row in rows]))
    cursor.execute(_OUTBOX, (orjson.dumps({"order_id": order_id, "total": total}).decode(),))
    return order_id


_READS = {"/list": _listed, "/detail": _detailed}
_WRITES = {"/cart": _added, "/checkout": _ordered}


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path in _READS:
        answer = orjson.dumps(_READS[path](parse_qs(environ["QUERY_STRING"])))
    else:
        answer = orjson.dumps(_WRITES[path](orjson.loads(environ["wsgi.input"].read())))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [answer]
