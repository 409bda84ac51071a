"""A process that dies at any statement of a checkout leaves nothing half done. A claim is a single statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres.engine import create_engine
from marketplace.adapters.postgres.idempotency import PostgresIdempotencyKeys
from marketplace.application.access import Actor
from marketplace.application.ports.idempotency import LAPSES_AFTER
from marketplace.application.ports.pages import PageRequest
from marketplace.domain.shared.errors import Unavailable
from tests.integration.on_postgres import market_on, miscounted, till_on
from tests.market import Market


class Killed(BaseException):
    """The process is gone, and with it its connections."""


DEATH = (Killed, Unavailable, sa.exc.DBAPIError)
"""What is seen of it here: tidying up fails too, since the connection is closed."""


@pytest.fixture
def engine(clean_database: str) -> Iterator[sa.Engine]:
    engine = create_engine(clean_database, pool_size=3, connect_timeout=30, statement_timeout=60)
    yield engine
    engine.dispose()


@pytest.fixture
def market(engine: sa.Engine) -> Market:
    return market_on(engine)


@contextmanager
def killed_at(engine: sa.Engine, number: int) -> Iterator[list[str]]:
    """Die at the statement with this number (from 0, commits counted) and all after it; gives what was run or tried."""
    run: list[str] = []

    def die_or_go_on(connection: sa.Connection, statement: str) -> None:
        run.append(statement)
        if len(run) > number:
            connection.connection.dbapi_connection.close()
            raise Killed(statement)

    def before(connection: sa.Connection, cursor: Any, statement: str, *_: Any) -> None:
        die_or_go_on(connection, statement)

    def before_commit(connection: sa.Connection) -> None:
        die_or_go_on(connection, "commit")

    sa.event.listen(engine, "before_cursor_execute", before)
    sa.event.listen(engine, "commit", before_commit)
    try:
        yield run
    finally:
        sa.event.remove(engine, "before_cursor_execute", before)
        sa.event.remove(engine, "commit", before_commit)
        engine.dispose()  # whoever comes next has connections of their own


def at_every_step(engine: sa.Engine, do: Callable[[], object], check: Callable[[], None]) -> int:
    """Kill ``do`` before each of its statements in turn, ``check`` after each death; gives the number of deaths."""
    for number in count():
        with killed_at(engine, number) as run, suppress(*DEATH):
            do()
        if len(run) <= number:
            return number
        check()
    raise AssertionError


def orders_of(market: Market, buyer: Actor) -> list[int]:
    return [order.id for order in market.order_queries.orders(buyer.account_id, PageRequest()).items]


def test_an_order_is_placed_or_not_placed(market: Market, engine: sa.Engine) -> None:
    seller, buyer = market.seller(), market.buyer()
    over, held = market.listing(seller), market.listing(market.seller())
    market.add(buyer, over)
    market.later(minutes=31)
    market.sweep_reservations()
    market.add(buyer, held, 2)

    def everything_is_as_before() -> None:
        assert market.states(buyer) == {over: ("expired", 1), held: ("held", 2)}
        assert orders_of(market, buyer) == []
        assert miscounted(engine) == []

    deaths = at_every_step(engine, lambda: market.order(buyer), everything_is_as_before)
    assert deaths >= 7
    assert market.states(buyer) == {over: ("ordered", 1), held: ("ordered", 2)}
    assert len(orders_of(market, buyer)) == 1


def test_whatever_of_a_keyed_checkout_was_lost_the_retry_ends_with_one_order(market: Market, engine: sa.Engine) -> None:
    keys = PostgresIdempotencyKeys(engine)
    till = till_on(engine, market)
    seller = market.seller()
    for number in count():
        buyer = market.buyer()
        market.add(buyer, market.listing(seller))

        def check_out(buyer: Actor = buyer) -> int:
            """As the door does it: begin, place, start the payment."""
            keys.begin(account_id=buyer.account_id, key="k", fingerprint="f", now=market.clock.now())
            order = market.order(buyer, request_key="k")
            till.start(order)
            return order

        with killed_at(engine, number) as run, suppress(*DEATH):
            check_out()
        survived = len(run) <= number
        market.clock.advance(LAPSES_AFTER)
        if not survived:
            check_out()
        till.work_for(minutes=2)
        [order] = orders_of(market, buyer)
        assert till.payments_at_the_provider(order) == 1
        assert market.order_now(order).status == "pending_payment"
        if survived:
            break
    assert number > 12


def test_a_settlement_takes_the_stock_or_does_not(market: Market, engine: sa.Engine) -> None:
    buyer = market.buyer()
    listing = market.listing(market.seller(), stock=2)
    market.add(buyer, listing, 2)
    order = market.order(buyer)

    def nothing_is_taken() -> None:
        assert market.stock(listing)[:2] == (2, 2)
        assert market.states(buyer) == {listing: ("ordered", 2)}
        assert market.order_now(order).status == "pending_payment"

    at_every_step(engine, lambda: market.pay(order), nothing_is_taken)
    assert market.stock(listing)[:2] == (0, 0)
    assert market.states(buyer) == {}


def test_an_unpaid_end_frees_the_stock_or_does_not(market: Market, engine: sa.Engine) -> None:
    buyer = market.buyer()
    listing = market.listing(market.seller(), stock=2)
    market.add(buyer, listing, 2)
    order = market.order(buyer)

    def nothing_is_freed() -> None:
        assert market.stock(listing)[:2] == (2, 2)
        assert market.order_now(order).status == "pending_payment"

    at_every_step(engine, lambda: market.end_unpaid(order), nothing_is_freed)
    assert market.stock(listing)[:2] == (2, 0)
    assert market.states(buyer) == {listing: ("expired", 2)}
