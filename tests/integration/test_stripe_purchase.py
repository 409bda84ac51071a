"""A purchase from door to door on the tests' Stripe: the application as it is with keys, over its REST interface."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import MemoryBackend
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.http.auth import access_token
from marketplace.entrypoints.settings import Settings
from tests.market import Market
from tests.stripe_stub import SECRETS, StripeStub

DOORS = {
    "platform": "/api/v1/webhooks/stripe/",
    "connect": "/api/v1/webhooks/stripe/connect/",
    "thin": "/api/v1/webhooks/stripe/thin/",
}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def stub(stripe_stub: StripeStub, clock: FixedClock) -> Iterator[StripeStub]:
    stripe_stub.reset(now=clock.now)
    yield stripe_stub
    stripe_stub.check()


@pytest.fixture
def container(stub: StripeStub, clock: FixedClock) -> Container:
    environment = {
        "ALLOWED_HOSTS": "localhost",
        "STRIPE_SECRET_KEY": stub.api_key,
        "STRIPE_PUBLIC_KEY": "pk_test_stub",
        "STRIPE_WEBHOOK_SECRET": f"whsec_next_one_already,{SECRETS['platform']}",
        "STRIPE_CONNECT_WEBHOOK_SECRET": SECRETS["connect"],
        "STRIPE_THIN_WEBHOOK_SECRET": SECRETS["thin"],
        "STRIPE_API_BASE": stub.url,
    }
    return Container(settings=Settings.from_env(environment), backend=MemoryBackend(), clock=clock)


@pytest.fixture
def market(container: Container, clock: FixedClock) -> Market:
    backend = container.backend
    market = Market(
        unit_of_work=backend.unit_of_work,
        reservation_queries=backend.reservation_queries(),
        order_queries=backend.order_queries(),
        clock=clock,
        ids=backend.ids(),
    )
    container.actor_lookup.override(lambda account, session: market.people.get(account))
    return market


def test_an_order_is_placed_paid_told_of_and_settled(container: Container, market: Market, stub: StripeStub) -> None:
    buyer = market.buyer()
    app = create_app(container)
    with app.app_context():
        token = access_token(buyer.account_id, 1)
    client, signed_in = app.test_client(), {"Authorization": f"Bearer {token}"}
    market.add(buyer, market.listing(market.seller(), price=2500))

    placed = client.post("/api/v1/orders/", json={"shipping_address": market.address_of(buyer)}, headers=signed_in)
    payment: Any = placed.json["payment"]
    assert (placed.status_code, payment["provider"], payment["publishable_key"]) == (201, "stripe", "pk_test_stub")
    assert payment["client_secret"].startswith("pi_")

    order = f"/api/v1/orders/{placed.json['id']}/"
    declined = client.post(f"{order}pay/", json={"payment_method": "pm_card_chargeDeclinedLostCard"}, headers=signed_in)
    assert (declined.status_code, declined.json["decline_code"]) == (402, "generic_decline")
    paid = client.post(f"{order}pay/", json={"payment_method": "pm_card_visa"}, headers=signed_in)
    assert paid.status_code == 200

    for told in stub.deliveries():
        assert client.post(DOORS[told.destination], data=told.body, headers=told.headers).status_code == 200
    while container.jobs()["process webhooks"]():
        pass
    settled = client.get(order, headers=signed_in).json
    assert (settled["status"], settled["payment"]["status"]) == ("paid", "succeeded")
    with container.backend.unit_of_work() as uow:
        assert uow.payments.of_order(settled["id"]).is_settled
    assert stub.keys("/confirm") == [f"pi-confirm:{settled['id']}:1", f"pi-confirm:{settled['id']}:2"]
