"""The whole application on the memory backend."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from marketplace.adapters.memory.clock import FixedClock
from marketplace.application.access import Actor
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import MemoryBackend
from marketplace.entrypoints.http.auth import access_token
from marketplace.entrypoints.settings import Settings
from tests.market import Market
from tests.unit.http.one_app import app_of

ENVIRONMENT = {"ARGON2_MEMORY_KIB": "8", "ARGON2_TIME_COST": "1", "ALLOWED_HOSTS": "localhost"}


@pytest.fixture
def settings() -> Settings:
    return Settings.from_env(ENVIRONMENT)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def container(settings: Settings, clock: FixedClock) -> Container:
    return Container(settings=settings, backend=MemoryBackend(), clock=clock)


@pytest.fixture
def app(container: Container, request: pytest.FixtureRequest) -> Flask:
    """Made once for all tests, so nothing may be done to it: what is behind its doors is each test's own."""
    if "market" in request.fixturenames:
        request.getfixturevalue("market")
    return app_of(container)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def market(container: Container, clock: FixedClock) -> Market:
    """People, listings and carts behind the doors of ``client``; they are who they are for every session."""
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


@pytest.fixture
def sign_in(bearer: Callable[[int, int], dict[str, str]]) -> Callable[[Actor], dict[str, str]]:
    """The header of somebody in the ``market``."""
    return lambda actor: bearer(actor.account_id, 1)


@pytest.fixture
def buyer(market: Market) -> Actor:
    return market.buyer()


@pytest.fixture
def as_buyer(sign_in, buyer) -> dict[str, str]:
    return sign_in(buyer)


@pytest.fixture
def bearer(app: Flask) -> Callable[[int, int], dict[str, str]]:
    """The header of a signed-in caller: ``bearer(account_id, session_id)``."""

    def header(account_id: int, session_id: int) -> dict[str, str]:
        with app.app_context():
            return {"Authorization": f"Bearer {access_token(account_id, session_id)}"}

    return header
