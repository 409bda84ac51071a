"""The whole application with a few views of its own, which do nothing but show the habits that all views share."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from dependency_injector import providers
from flask import Flask, abort, request
from flask.testing import FlaskClient
from marshmallow import fields

from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.memory.pages import paged
from marketplace.application.access import Actor
from marketplace.domain.identity import Role
from marketplace.domain.shared.errors import (
    Conflict,
    Forbidden,
    Invalid,
    MarketplaceError,
    NotFound,
    PreconditionFailed,
    Unavailable,
)
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import MemoryBackend
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.http.auth import current_actor, optional_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.bodies import raw_body
from marketplace.entrypoints.http.etags import etagged, mark_version, matches_version, versions_to_match
from marketplace.entrypoints.http.fields import FieldNames
from marketplace.entrypoints.http.idempotency import current_idempotency_key
from marketplace.entrypoints.http.pages import Ordering, PageArgs, page_body, page_of, page_request
from marketplace.entrypoints.http.schemas import BoundedList, Flag, Id, MoneyString, Schema, StrictInteger, Text
from marketplace.entrypoints.settings import Settings
from tests.unit.http.conftest import ENVIRONMENT

ANNA, BRUNO, ADMIN = 1, 2, 3
SECRET = "only-for-the-owner"


class Declined(Conflict):
    code = "payment_declined"


class Short(Conflict):
    code = "insufficient_stock"


REFUSALS: dict[str, MarketplaceError] = {
    "invalid": Invalid("Too little.", errors={"quantity": ["Must be at least 1."]}),
    "not-found": NotFound("There is no card 7."),
    "forbidden": Forbidden("This needs the role seller.", missing=["seller"]),
    "conflict": Short("Only 2 are left.", available=2),
    "declined": Declined("The card was declined.", decline_code="insufficient_funds"),
    "stale": PreconditionFailed("It was changed meanwhile."),
    "of-no-kind": MarketplaceError("A kind that nobody translated."),
    "unavailable": Unavailable("The provider did not answer."),
    "throttled": type("Throttled", (Conflict,), {"code": "throttled"})("Wait.", retry_after=42),
}


class ThingSchema(Schema):
    id = Id()
    name = Text(longest=20, required=True)
    quantity = StrictInteger(low=1, high=99)
    price = MoneyString()
    listed = Flag()


class ThingChangesSchema(ThingSchema):
    name = Text(longest=20)


class ThingsArgs(PageArgs):
    quantity = StrictInteger(in_query=True)
    listed = Flag(in_query=True)
    ordering = Ordering("name", "id")
    wanted = FieldNames(ThingSchema)


class InnerSchema(Schema):
    quantity = StrictInteger(required=True)


class NestedSchema(Schema):
    items = BoundedList(fields.Nested(InnerSchema), longest=200)


class Orders:
    """What the POST below makes."""

    def __init__(self) -> None:
        self.made: list[dict[str, Any]] = []
        self.numbers = count(1)
        self.keys: list[str | None] = []


def blueprint(orders: Orders) -> Blueprint:
    probe = Blueprint("probe", __name__, description="Habits", url_prefix="/probe")

    @probe.get("/refusals/<name>/")
    def refusal(name: str) -> Any:
        """Refuse."""
        raise REFUSALS[name]

    @probe.get("/stopped/<int:status>/")
    def stopped(status: int) -> Any:
        """Stop as a library does."""
        abort(status)

    @probe.get("/crash/")
    def crash() -> Any:
        """Crash."""
        raise RuntimeError("connection to postgresql://root:hunter2@db failed")

    @probe.post("/things/")
    @probe.arguments(ThingSchema)
    @probe.response(201, ThingSchema)
    def make_thing(body: dict[str, Any]) -> dict[str, Any]:
        """Give the thing back."""
        return body

    @probe.post("/nested/")
    @probe.arguments(NestedSchema)
    @probe.response(200, NestedSchema)
    def nested(body: dict[str, Any]) -> dict[str, Any]:
        """Give it back."""
        return body

    @probe.post("/bare/")
    @probe.response(204)
    def bare() -> None:
        """Take no body."""

    @probe.post("/raw/")
    @raw_body(100)
    @probe.response(200)
    def raw() -> Any:
        """Count bytes."""
        return {"bytes": len(request.get_data())}

    @probe.get("/things/")
    @probe.arguments(ThingsArgs, location="query")
    @probe.response(200, page_of(ThingSchema))
    def list_things(args: dict[str, Any]) -> dict[str, Any]:
        """List 45 things."""
        asked = page_request(args)
        rows = [{"id": n, "name": f"n{n % 10}", "quantity": n % 3, "price": "1.00"} for n in range(1, 46)]
        if "quantity" in args:
            rows = [row for row in rows if row["quantity"] == args["quantity"]]
        name = asked.ordering.lstrip("-") or "id"
        page = paged(
            rows,
            key=lambda row: (row[name], row["id"]) if name != "id" else (row["id"],),
            descending=asked.ordering.startswith("-"),
            request=asked,
            view=dict,
        )
        return page_body(page, asked, args, show=lambda item: item)

    @probe.get("/things/<int:thing_id>/")
    @etagged
    @probe.response(200, ThingSchema)
    def thing(thing_id: int) -> dict[str, Any]:
        """One thing."""
        mark_version(7)
        return {"id": thing_id, "name": "one"}

    @probe.patch("/things/<int:thing_id>/")
    @matches_version
    @problems(412)
    @probe.response(200)
    def change(thing_id: int) -> Any:
        """Say which version is expected."""
        versions = versions_to_match()
        return {"expected": None if versions is None else sorted(versions)}

    @probe.get("/me/")
    @signed_in()
    @probe.response(200)
    def me() -> Any:
        """Who is asking."""
        return {"account": current_actor().account_id}

    @probe.get("/anyone/")
    @probe.response(200)
    def anyone() -> Any:
        """Who is asking, if anybody."""
        actor = optional_actor()
        return {"account": actor and actor.account_id}

    def reveal(actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
        body["payment"]["client_secret"] = SECRET
        return body

    @probe.post("/orders/")
    @signed_in(secrets=["payment.client_secret"], reveal=reveal)
    @problems(409)
    @probe.arguments(ThingChangesSchema)
    @probe.response(201)
    def order(body: dict[str, Any]) -> Any:
        """Make an order, refuse, or crash."""
        orders.keys.append(current_idempotency_key())
        if body.get("name") == "refuse":
            raise Short("Only 2 are left.", available=2)
        if body.get("name") == "crash":
            raise RuntimeError("no")
        made = {"id": next(orders.numbers), "payment": {"client_secret": SECRET}}
        orders.made.append(made)
        return made, 201, {"Location": f"/probe/orders/{made['id']}/"}

    @probe.post("/quiet/")
    @signed_in()
    @probe.response(204)
    def quiet() -> None:
        """Do it without a word."""
        orders.made.append({})

    return probe


@pytest.fixture
def orders() -> Orders:
    return Orders()


@pytest.fixture
def actors() -> dict[tuple[int, int], Actor]:
    """Who may be signed in: by account and session."""
    return {
        (ANNA, 11): Actor(account_id=ANNA),
        (BRUNO, 12): Actor(account_id=BRUNO),
        (ADMIN, 13): Actor(account_id=ADMIN, roles=frozenset({Role.ADMIN})),
    }


def habits_container(settings: Settings, clock: FixedClock, actors: dict[tuple[int, int], Actor]) -> Container:
    def lookup(account_id: int, session_id: int) -> Actor | None:
        return actors.get((account_id, session_id))

    return Container(settings=settings, backend=MemoryBackend(), clock=clock, actor_lookup=providers.Object(lookup))


def habits_app(container: Container, orders: Orders) -> Flask:
    app = create_app(container)
    app.extensions["flask-smorest"]["apis"][""]["ext_obj"].register_blueprint(blueprint(orders))
    return app


def shared_client() -> FlaskClient:
    """For a whole module of tests, none of which changes anything."""
    container = habits_container(Settings.from_env(ENVIRONMENT), FixedClock(), {})
    return habits_app(container, Orders()).test_client()


@pytest.fixture
def container(settings: Settings, clock: FixedClock, actors: dict[tuple[int, int], Actor]) -> Container:
    return habits_container(settings, clock, actors)


@pytest.fixture
def app(container: Container, orders: Orders) -> Flask:
    return habits_app(container, orders)


@pytest.fixture
def anna(client: FlaskClient, bearer: Any) -> dict[str, str]:
    header: dict[str, str] = bearer(ANNA, 11)
    return header


@pytest.fixture
def bruno(client: FlaskClient, bearer: Any) -> dict[str, str]:
    header: dict[str, str] = bearer(BRUNO, 12)
    return header


@pytest.fixture
def admin(client: FlaskClient, bearer: Any) -> dict[str, str]:
    header: dict[str, str] = bearer(ADMIN, 13)
    return header
