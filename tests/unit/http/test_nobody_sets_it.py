"""No write takes what its caller does not decide: a role, an owner, a status, a rating, an id.

Taken from the API document, so that a new operation is tried without being named here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from marketplace.entrypoints.http.blueprints import document_of
from tests.unit.http.access_world import World
from tests.unit.http.conftest import ENVIRONMENT

WANTED = {
    "role": "admin",
    "roles": ["admin"],
    "is_admin": True,
    "is_staff": True,
    "is_superuser": True,
    "is_active": True,
    "is_suspended": False,
    "is_email_verified": True,
    "is_verified": True,
    "kyc_verified": True,
    "may_sell": True,
    "payouts_ready": True,
    "status": "approved",
    "rating": 5,
    "id": 1,
    "account": 1,
    "account_id": 1,
    "user": 1,
    "buyer": 1,
    "owner": 1,
    "seller": 1,
    "seller_id": 1,
    "platform_commission": "0.00",
    "password_hash": "x",
    "terms_accepted_at": "2020-01-01T00:00:00Z",
    "created_at": "2020-01-01T00:00:00Z",
    "version": 1,
    "__class__": "Admin",
}
"""What somebody might like to set, and to what."""

DECIDED_BY_THE_CALLER = {
    ("auth_register_account", "role"),  # customer or vendor: a wish, that an admin grants
    ("user_administration_change_user", "roles"),
    ("user_administration_change_user", "is_suspended"),
    ("listings_create", "status"),  # active or inactive: the seller's wish
    ("listings_change", "status"),
    ("listings_create", "version"),  # of a card: its print
    ("listings_change", "version"),
    ("fees_preview", "seller"),  # whose fees are asked after, by admins
    ("products_admin_change_product", "status"),  # published or archived, by admins
}
"""Every use of one of those names that an operation documents; look twice before you add one."""

_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """``nested`` are the fields that hold objects: whether a list of them, and their own fields."""

    id: str
    method: str
    path: str
    fields: frozenset[str]
    nested: dict[str, tuple[bool, frozenset[str]]]
    takes_any_query: bool

    @property
    def url(self) -> str:
        return re.sub(r"\{\w+\}", "1", self.path)


def writes(document: dict[str, Any]) -> Iterator[Operation]:
    """Every operation that changes something, with the fields that its body may have."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method not in ("post", "put", "patch", "delete"):
                continue
            content = operation.get("requestBody", {}).get("content", {})
            if content and _JSON not in content:
                continue
            schema = content.get(_JSON, {}).get("schema", {})
            yield Operation(
                id=operation["operationId"],
                method=method.upper(),
                path=path,
                fields=frozenset(_properties(document, schema)),
                nested=dict(_nested(document, schema)),
                takes_any_query="422" not in operation["responses"],
            )


def _variants(document: dict[str, Any], schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema without references, and those that it is made of."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    yield schema
    for key in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(key, []):
            yield from _variants(document, part)


def _properties(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    return {name: value for each in _variants(document, schema) for name, value in each.get("properties", {}).items()}


def _nested(document: dict[str, Any], schema: dict[str, Any]) -> Iterator[tuple[str, tuple[bool, frozenset[str]]]]:
    for name, value in _properties(document, schema).items():
        items = next((each["items"] for each in _variants(document, value) if "items" in each), None)
        inner = _properties(document, value if items is None else items)
        if inner:
            yield name, (items is not None, frozenset(inner))


@pytest.fixture(scope="module")
def world() -> World:
    return World(ENVIRONMENT)


@pytest.fixture(scope="module")
def operations(world: World) -> list[Operation]:
    # The provider's events are signed, not filtered: what they hold beyond what is read is nobody's wish.
    return [each for each in writes(document_of(world.app)) if not each.takes_any_query]


def test_there_is_something_to_try(operations: list[Operation]) -> None:
    assert {"auth_register_account", "users_change_me", "listings_create", "cart_add", "orders_place"} <= {
        operation.id for operation in operations
    }


def test_only_known_operations_take_such_a_field(operations: list[Operation]) -> None:
    documented = {(each.id, name) for each in operations for name in each.fields & set(WANTED)}

    assert documented == DECIDED_BY_THE_CALLER


@pytest.mark.parametrize("caller", ["buyer", "seller", "admin"])
def test_every_write_refuses_it_in_the_body(world: World, operations: list[Operation], caller: str) -> None:
    taken = []
    for operation in operations:
        wanted = {name: value for name, value in WANTED.items() if name not in operation.fields}
        answer = world.client.open(
            operation.url, method=operation.method, json=wanted, headers=world.callers[caller].header
        )
        errors = answer.json["errors"] if answer.status_code == 422 else {}
        taken += [(operation.id, name, answer.status_code) for name in wanted if name not in errors]

    assert taken == []


def test_every_write_refuses_it_deeper_down(world: World, operations: list[Operation]) -> None:
    tried, taken = set(), []
    for operation in operations:
        for field, (is_list, inner) in operation.nested.items():
            wanted = {name: value for name, value in WANTED.items() if name not in inner}
            answer = world.client.open(
                operation.url,
                method=operation.method,
                json={field: [wanted] if is_list else wanted},
                headers=world.callers["admin"].header,
            )
            errors = answer.json["errors"] if answer.status_code == 422 else {}
            prefix = f"{field}.0." if is_list else f"{field}."
            taken += [(operation.id, field, name) for name in wanted if prefix + name not in errors]
            tried.add((operation.id, field))

    assert taken == []
    assert {("orders_place", "shipping_address"), ("orders_place", "billing_address")} <= tried


def test_every_write_refuses_it_in_the_query(world: World, operations: list[Operation]) -> None:
    taken = []
    for operation in operations:
        for name in sorted(WANTED):
            answer = world.client.open(
                operation.url,
                method=operation.method,
                query_string={name: str(WANTED[name])},
                json={} if operation.fields else None,
                headers=world.callers["admin"].header,
            )
            if answer.status_code != 422:
                taken.append((operation.id, name, answer.status_code))

    assert taken == []
