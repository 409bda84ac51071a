"""The rules of claims are written twice, in the domain and in SQL: whatever is tried, both give the same answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.adapters.postgres.engine import create_engine
from marketplace.domain.shared.errors import MarketplaceError
from tests.integration.on_postgres import market_on
from tests.market import Market

_BUYERS, _LISTINGS, _PIECES = st.integers(0, 1), st.integers(0, 1), st.integers(1, 4)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), _BUYERS, _LISTINGS, _PIECES),
        st.tuples(st.just("add"), _BUYERS, _LISTINGS, _PIECES),
        st.tuples(st.just("change"), _BUYERS, _LISTINGS, _PIECES),
        st.tuples(st.just("remove"), _BUYERS, _LISTINGS),
        st.tuples(st.just("wait"), st.sampled_from([1, 10, 29, 30, 31, 60, 90, 119, 120, 121])),
        st.tuples(st.just("order"), _BUYERS),
        st.tuples(st.just("order"), _BUYERS),
        st.tuples(st.just("pay")),
        st.tuples(st.just("end")),
        st.tuples(st.just("restock"), _LISTINGS, st.integers(0, 5)),
        st.tuples(st.just("reprice"), _LISTINGS, st.integers(900, 1100)),
        st.tuples(st.just("switch"), _LISTINGS, st.sampled_from([1, 1, 0])),
        st.tuples(st.just("sweep")),
    ),
    min_size=5,
    max_size=30,
)


class Life:
    """One market with two buyers and two listings, and everything that it answered."""

    def __init__(self, market: Market) -> None:
        market.clock.set(market.clock.now().replace(month=1, day=15, hour=12, minute=0))
        self.market = market
        seller = market.seller()
        self.buyers = [market.buyer(), market.buyer()]
        self.listings = [market.listing(seller, price=1000, stock=3) for _ in range(2)]
        self.orders: list[Any] = []

    def step(self, name: str, *about: int) -> Any:
        try:
            return self.done(name, *about)
        except MarketplaceError as refused:
            # An order has another id in each market.
            facts = {key: value for key, value in refused.facts.items() if key not in ("order", "items")}
            reasons = [(item["reason"], item.get("available")) for item in refused.facts.get("items", [])]
            return refused.code, facts, reasons

    def done(self, name: str, *about: int) -> Any:
        market = self.market
        match name, about:
            case "add", (buyer, listing, pieces):
                return self.shown(
                    market.add_to_cart(actor=self.buyers[buyer], listing_id=self.listings[listing], quantity=pieces)
                )
            case "change", (buyer, listing, pieces):
                item = self.item(buyer, listing)
                return self.shown(market.change_item(actor=self.buyers[buyer], item_id=item, quantity=pieces))
            case "remove", (buyer, listing):
                return market.remove_from_cart(actor=self.buyers[buyer], item_id=self.item(buyer, listing))
            case "wait", (minutes,):
                return market.later(minutes=minutes)
            case "order", (buyer,):
                self.orders.append(market.order(self.buyers[buyer]))
                return market.order_now(self.orders[-1]).total
            case "pay", ():
                return bool(self.orders) and sorted(market.pay(self.orders[-1]).values())
            case "end", ():
                return bool(self.orders) and market.end_unpaid(self.orders[-1])
            case "restock", (listing, stock):
                return market.restock(self.listings[listing], stock)
            case "reprice", (listing, price):
                return market.reprice(self.listings[listing], price)
            case "switch", (listing, on):
                return market.revise(
                    self.listings[listing],
                    lambda found: (found.switch_on if on else found.switch_off)(now=market.clock.now()),
                )
            case _:
                # What others have left in the database is swept too.
                market.sweep_reservations()
                return None

    def item(self, buyer: int, listing: int) -> Any:
        """In the cart by now, in any case."""
        if self.listings[listing] not in self.market.states(self.buyers[buyer]):
            self.market.add(self.buyers[buyer], self.listings[listing])
        return self.market.item_id(self.buyers[buyer], self.listings[listing])

    def shown(self, line: Any) -> Any:
        reservation, listing = line.item.reservation, line.item.listing
        return (
            (reservation.quantity, reservation.unit_price, reservation.first_claimed_at, reservation.expires_at),
            (line.state, line.problem, line.reserved_until),
            (listing.price, listing.stock, listing.available, listing.status),
        )

    def state(self) -> Any:
        carts = [[self.shown(line) for line in self.market.show_cart(actor=buyer).lines] for buyer in self.buyers]
        return carts, [self.market.stock(listing) for listing in self.listings]


@pytest.fixture(scope="module")
def on_postgres(database_url: str) -> Iterator[Any]:
    engine = create_engine(database_url, pool_size=3, connect_timeout=30, statement_timeout=60)
    yield lambda: market_on(engine)
    engine.dispose()


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=_STEPS)
def test_the_database_decides_as_the_domain_does(on_postgres: Any, steps: list[tuple[Any, ...]]) -> None:
    memory, postgres = Life(Market.in_memory()[0]), Life(on_postgres())
    for step in steps:
        assert postgres.step(*step) == memory.step(*step), step
        assert postgres.state() == memory.state(), step
