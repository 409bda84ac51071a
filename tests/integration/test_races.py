"""Many buyers at once, on real threads and a real PostgreSQL: nothing is oversold, nobody waits for ever."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count

import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres.engine import create_engine
from marketplace.application.access import Actor
from marketplace.domain.listings import ListingStatus
from marketplace.domain.orders.checkout import CheckoutConflict
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.reservations import AlreadyOrdered, CartEmpty, InsufficientStock
from marketplace.domain.shared.errors import ConcurrencyConflict, MarketplaceError
from marketplace.domain.shared.ids import ListingId
from tests.integration.conftest import DatabaseFactory
from tests.integration.on_postgres import market_on, miscounted
from tests.market import Market

THREADS = 20


@pytest.fixture
def engine(database_factory: DatabaseFactory) -> Iterator[sa.Engine]:
    # One connection a thread and one for identities; a deadlock is found by the server within a second.
    engine = create_engine(database_factory(), pool_size=THREADS, connect_timeout=60, statement_timeout=60)
    yield engine
    engine.dispose()


@pytest.fixture
def market(engine: sa.Engine) -> Iterator[Market]:
    yield market_on(engine)
    assert miscounted(engine) == []


def at_once(jobs: list[Callable[[], object]]) -> None:
    """Run the jobs on ``THREADS`` threads; raises the first error that one of them met."""
    with ThreadPoolExecutor(THREADS) as threads:
        for done in [threads.submit(job) for job in jobs]:
            done.result()


@pytest.mark.slow
@pytest.mark.volume
def test_of_200_buyers_who_race_for_5_pieces_exactly_5_get_one_every_time(market: Market) -> None:
    seller = market.seller()
    buyers = [market.buyer() for _ in range(200)]
    for _ in range(20):
        listing = market.listing(seller, stock=5)
        outcomes: Counter[str] = Counter()

        def buy(buyer: Actor, listing: ListingId = listing, outcomes: Counter[str] = outcomes) -> None:
            try:
                market.add(buyer, listing)
            except InsufficientStock:
                outcomes["too late"] += 1
                return
            assert market.pay(market.order(buyer)) == {}
            outcomes["bought"] += 1

        random.shuffle(buyers)
        at_once([lambda buyer=buyer: buy(buyer) for buyer in buyers])
        assert outcomes == {"bought": 5, "too late": 195}
        assert market.stock(listing) == (0, 0, ListingStatus.SOLD_OUT)


def test_carts_that_hold_the_same_listings_in_opposite_order_never_deadlock(market: Market) -> None:
    seller = market.seller()
    listings = [market.listing(seller, stock=10_000) for _ in range(6)]
    buyers = [market.buyer() for _ in range(THREADS)]
    deadlocks: list[MarketplaceError] = []

    def shop(buyer: Actor, order_of_things: list[ListingId]) -> None:
        for round in range(6):
            try:
                for listing in order_of_things:
                    market.add(buyer, listing)
                order = market.order(buyer)
                if round % 3 == 0:
                    market.end_unpaid(order)
                    market.empty_cart(actor=buyer)
                elif round % 3 == 1:
                    assert market.pay(order) == {}
                else:
                    market.end_unpaid(order, OrderStatus.CANCELLED)
                    assert market.pay(order) == {}
            except ConcurrencyConflict as deadlock:
                deadlocks.append(deadlock)

    at_once(
        [lambda n=n, buyer=buyer: shop(buyer, listings if n % 2 else listings[::-1]) for n, buyer in enumerate(buyers)]
    )
    assert deadlocks == []
    sold = {listing: 10_000 - market.listing_now(listing).stock for listing in listings}
    assert set(sold.values()) == {THREADS * 4}


def test_whatever_everybody_does_at_once_the_counters_stay_right(market: Market, engine: sa.Engine) -> None:
    seller = market.seller()
    listings = [market.listing(seller, stock=3) for _ in range(4)]
    buyers = [market.buyer() for _ in range(10)]
    clashes: list[MarketplaceError] = []
    numbers = count(1)

    def live(buyer: Actor) -> None:
        dice = random.Random(next(numbers))
        for _ in range(25):
            listing = dice.choice(listings)
            actions = [
                lambda listing=listing: market.add(buyer, listing, dice.randint(1, 2)),
                lambda listing=listing: market.add(buyer, listing, dice.randint(1, 2)),
                lambda: market.end_unpaid(market.order(buyer)),
                lambda: market.pay(market.order(buyer)),
                lambda: market.empty_cart(actor=buyer),
                lambda listing=listing: market.remove_from_cart(actor=buyer, item_id=market.item_id(buyer, listing)),
                lambda listing=listing: market.restock(listing, dice.randint(0, 4)),
                lambda: market.sweep_reservations(),
                lambda: market.later(minutes=dice.randint(1, 10)),
            ]
            try:
                dice.choice(actions)()
            except ConcurrencyConflict as clash:
                clashes.append(clash)
            except (MarketplaceError, StopIteration):
                pass

    at_once([lambda buyer=buyer: live(buyer) for buyer in buyers * 2])
    assert clashes == []
    assert miscounted(engine) == []
    with engine.connect() as connection:
        wrong = connection.exec_driver_sql(
            "select id from listings where stock < 0 or claimed < 0 or claimed > stock"
        ).all()
        unaccounted = connection.exec_driver_sql(
            """
            select o.id from orders o
            where o.status = 'pending_payment' and exists (
                select from sale_lines n join sales s on s.id = n.sale_id where s.order_id = o.id and not exists (
                    select from reservations r
                    where r.order_id = o.id and r.listing_id = n.listing_id and r.quantity = n.quantity
                )
            )
            """
        ).all()
    assert (wrong, unaccounted) == ([], [])


def test_the_same_request_sent_at_once_places_one_order(market: Market, engine: sa.Engine) -> None:
    buyer = market.buyer()
    market.add(buyer, market.listing(market.seller(), stock=5), 2)
    orders: list[int] = []

    def check_out() -> None:
        with suppress(AlreadyOrdered, CartEmpty):
            orders.append(market.order(buyer))

    at_once([check_out] * THREADS)
    assert len(orders) == 1


def test_checkout_and_a_price_change_do_not_pass_each_other_by(market: Market) -> None:
    seller = market.seller()
    for _ in range(10):
        listing, buyers = market.listing(seller, price=1000, stock=10), [market.buyer() for _ in range(4)]
        for buyer in buyers:
            market.add(buyer, listing)
        paid_at: list[int] = []

        def check_out(buyer: Actor, paid_at: list[int] = paid_at) -> None:
            with suppress(CheckoutConflict):
                paid_at.append(market.order_now(market.order(buyer)).base)

        jobs: list[Callable[[], object]] = [lambda buyer=buyer: check_out(buyer) for buyer in buyers]
        at_once([*jobs[:2], lambda listing=listing: market.reprice(listing, 2000), *jobs[2:]])
        # Whoever got through paid the price they knew.
        assert set(paid_at) <= {1000}


def test_a_checkout_waits_for_nobody_who_edits_what_it_refers_to(market: Market, engine: sa.Engine) -> None:
    seller, buyer = market.seller(), market.buyer()
    first, second = market.listing(seller), market.listing(seller)
    products = [market.listing_now(listing).product_id for listing in (first, second)]
    for listing in (first, second):
        market.add(buyer, listing)
    with market.unit_of_work() as uow, ThreadPoolExecutor(1) as threads:
        uow.accounts.get_for_update(buyer.account_id)
        uow.accounts.get_for_update(seller.account_id)
        # In the other order than the lines of the order.
        uow.products.get_for_update(products[1])
        placing = threads.submit(market.order, buyer)
        assert placing.result(timeout=30)
        uow.products.get_for_update(products[0])
