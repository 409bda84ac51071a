"""The whole application on PostgreSQL against requests made from its own API document, sound and unsound, as anybody.

Nothing is answered with a server error, an undeclared status, an undeclared content type or an undeclared body.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import hypothesis
import pytest
import schemathesis
from dependency_injector import providers
from flask import Flask
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from marketplace.application.access import Actor
from marketplace.domain.identity import Role
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import PostgresBackend
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.http.auth import access_token
from marketplace.entrypoints.settings import Settings
from tests.market import Market

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ROLES = ["nobody", "buyer", "seller", "admin"]
EXAMPLES = 12
"""Requests an operation, of sound and of unsound ones each."""


class Caller:
    """The application, and one of those who may call it."""

    def __init__(self, url: str) -> None:
        settings = Settings.from_env({"DATABASE_URL": url, "ALLOWED_HOSTS": "*", "LOG_LEVEL": "error"})
        backend = PostgresBackend(url=settings.database_url, settings=settings)
        self._actors: dict[int, Actor] = {}
        self.container = Container(
            settings=settings,
            backend=backend,
            actor_lookup=providers.Object(lambda account, session: self._actors.get(account)),
        )
        self.app: Flask = create_app(self.container)
        self.market = Market(
            unit_of_work=backend.unit_of_work,
            reservation_queries=backend.reservation_queries(),
            order_queries=backend.order_queries(),
            ids=backend.ids(),
        )
        self.market.clock = self.container.clock()
        self.market.__post_init__()

    def headers(self, role: str) -> dict[str, str]:
        """Sign in as one of that role, who has bought and sold a little."""
        seller, buyer = self.market.seller(), self.market.buyer()
        listing = self.market.listing(seller, stock=50)
        self.market.add_to_cart(actor=buyer, listing_id=listing, quantity=2)
        admin = Actor(
            account_id=self.market.buyer().account_id, roles=frozenset({Role.BUYER, Role.ADMIN}), is_email_verified=True
        )
        actor = {"buyer": buyer, "seller": seller, "admin": admin}.get(role)
        if actor is None:
            return {}
        self._actors[actor.account_id] = actor
        with self.app.app_context():
            return {"Authorization": f"Bearer {access_token(actor.account_id, 1)}"}

    def close(self) -> None:
        self.container.backend.engine().dispose()


@pytest.fixture
def caller(database_factory: Any) -> Iterator[Caller]:
    caller = Caller(database_factory())
    yield caller
    caller.close()


@pytest.mark.slow
@pytest.mark.volume
@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
def test_every_answer_is_one_that_the_document_declares(caller: Caller, mode: GenerationMode) -> None:
    headers = {role: {**caller.headers(role), "Accept-Encoding": "identity"} for role in ROLES}
    document = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", caller.app)
    for found in document.get_all_operations():
        _fuzz(found.ok(), mode, headers)


def _fuzz(operation: Any, mode: GenerationMode, headers: dict[str, dict[str, str]]) -> None:
    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), nearby=st.booleans(), role=st.sampled_from(ROLES))
    def try_it(case: Any, nearby: bool, role: str) -> None:
        for name, value in case.path_parameters.items():
            # Of all the numbers that an identity may be, only small ones stand for something.
            if nearby and isinstance(value, int):
                case.path_parameters[name] = value % 100 + 1
        case.call_and_validate(headers=headers[role], checks=CHECKS)

    # An operation that takes nothing has no unsound requests.
    with suppress(Unsatisfiable):
        try_it()
