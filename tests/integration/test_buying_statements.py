"""How many statements a request of a buyer or a seller costs: as many for ten items as for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from marketplace.application.access import OPERATOR, Actor
from marketplace.entrypoints.container import Container, build_container
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.http.auth import access_token
from marketplace.entrypoints.settings import Settings
from tests.contracts.fees import GENERAL, categorised
from tests.integration.statements import noted
from tests.market import Market

V1 = "/api/v1"
SIZES = (1, 10)


@pytest.fixture
def container(clean_database: str) -> Iterator[Container]:
    container = build_container(Settings.from_env({"DATABASE_URL": clean_database, "ALLOWED_HOSTS": "localhost"}))
    yield container
    container.backend.engine().dispose()


@pytest.fixture
def market(container: Container) -> Market:
    market = Market(
        unit_of_work=container.backend.unit_of_work,
        reservation_queries=container.backend.reservation_queries(),
        order_queries=container.backend.order_queries(),
        clock=container.clock(),
        ids=container.backend.ids(),
    )
    container.actor_lookup.override(lambda account, session: market.people.get(account))
    return market


@pytest.fixture
def ask(market: Market, container: Container) -> Callable[..., tuple[int, Any]]:
    """Gets or posts as somebody; gives the number of statements, finding out who asks left out, and the answer."""
    app = create_app(container)
    # So is whether the seconds have passed for which the fees in force are remembered.
    container.fees.in_force().life = timedelta(days=1)
    container.fees.in_force().read(container.clock().now())
    client: FlaskClient = app.test_client()
    seen = noted(container.backend.engine(), container.backend.reader())

    def ask(actor: Actor, path: str, body: Any = None) -> tuple[int, Any]:
        with app.app_context():
            headers = {"Authorization": f"Bearer {access_token(actor.account_id, 1)}"}
        # Identities come in blocks: whether one has run out now is not the request's doing.
        market.ids.take(1)
        seen.clear()
        answer = (
            client.get(V1 + path, headers=headers)
            if body is None
            else client.post(V1 + path, json=body, headers=headers)
        )
        assert answer.status_code < 300, answer.json
        return sum("nextval" not in statement for statement, _ in seen), answer.json

    return ask


def with_cart(market: Market, items: int, sellers: int = 2) -> Actor:
    """A buyer with so many listings in the cart."""
    shops, buyer = [market.seller() for _ in range(sellers)], market.buyer()
    for number in range(items):
        market.add(buyer, market.listing(shops[number % sellers]))
    return buyer


def test_adding_to_the_cart_is_one(market: Market, ask: Any) -> None:
    listing = market.listing(market.seller())
    for _ in range(3):
        assert ask(market.buyer(), "/cart/items/", {"listing": listing, "quantity": 1})[0] == 1


def test_looking_at_a_cart_is_one(market: Market, ask: Any) -> None:
    assert {ask(with_cart(market, items), "/cart/")[0] for items in SIZES} == {1}
    assert {ask(with_cart(market, items), "/orders/quote/", {})[0] for items in SIZES} == {1}


def test_a_checkout_does_not_cost_more_for_more(market: Market, ask: Any) -> None:
    costs = set()
    for items in (*SIZES, *SIZES):
        buyer = with_cart(market, items)
        costs.add(ask(buyer, "/orders/", {"shipping_address": market.address_of(buyer)})[0])
    assert len(costs) == 1


def test_placing_an_order_is_eight(market: Market, container: Container) -> None:
    """Address, cart, the fees in force, the buyer's name at the provider, order, claims, payment, events."""
    seen = noted(container.backend.engine())
    for items in SIZES:
        buyer = with_cart(market, items)
        seen.clear()
        market.order(buyer)
        assert len(seen) == 8


def test_fees_by_category_cost_one_more_however_much_there_is(market: Market, container: Container, ask: Any) -> None:
    [category] = categorised(market, market.seller(), 1)[1]
    rules = [*GENERAL, {"component": "commission", "percent": "0.1", "category": category}]
    container.fees.add()(actor=OPERATOR, rules=rules)
    container.fees.in_force().read(container.clock().now())
    seen = noted(container.backend.engine())
    for items in SIZES:
        buyer = with_cart(market, items)
        assert ask(buyer, "/cart/")[0] == ask(buyer, "/orders/quote/", {})[0] == 2
        seen.clear()
        market.order(buyer)
        assert len(seen) == 9


def test_reading_orders_and_sales_is_fixed(market: Market, ask: Any) -> None:
    for orders in SIZES:
        seller, buyer = market.seller(), market.buyer()
        for _ in range(orders):
            market.add(buyer, market.listing(seller))
            order = market.order(buyer)
            market.pay(order)
        sale = market.order_now(order).sales[0].id
        assert ask(buyer, f"/orders/{order}/")[0] == 1
        assert ask(buyer, "/orders/?page_size=100")[0] == 2
        assert ask(seller, f"/sellers/me/sales/{sale}/")[0] == 1
        assert ask(seller, "/sellers/me/sales/?page_size=100")[0] == 2
