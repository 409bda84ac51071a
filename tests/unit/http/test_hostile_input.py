"""Every operation of the API document against what nobody should send: refused with its code, never a crash.

The caller may do everything, so that a refusal is the input's fault. A view that takes bytes as they are (a webhook) is
not asked to refuse them as JSON, only not to fall over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from dependency_injector import providers
from flask import Flask
from flask.testing import FlaskClient

from marketplace.adapters.memory.clock import FixedClock
from marketplace.application.access import Actor
from marketplace.domain.identity import Role
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import MemoryBackend
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.http.auth import access_token
from marketplace.entrypoints.http.blueprints import document_of
from marketplace.entrypoints.settings import Settings
from tests.unit.http.conftest import ENVIRONMENT

pytestmark = pytest.mark.volume

JSON = "application/json"
ACCOUNT, SESSION = 1, 2


def _application() -> Flask:
    anybody = Actor(account_id=ACCOUNT, roles=frozenset(Role), is_email_verified=True)  # type: ignore[arg-type]  # a bare number
    return create_app(
        Container(
            settings=Settings.from_env(ENVIRONMENT),
            backend=MemoryBackend(),
            clock=FixedClock(),
            actor_lookup=providers.Object(lambda account_id, session_id: anybody),
        )
    )


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    fields: tuple[str, ...]
    takes_json: bool
    takes_query: bool
    takes_bytes: bool

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def address(self, id: int = 1) -> str:
        return re.sub(r"\{[^}]+\}", str(id), self.path)


def _operations() -> Iterator[Operation]:
    app = _application()
    document = document_of(app)
    rules = {re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule): rule for rule in app.url_map.iter_rules()}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            content = operation.get("requestBody", {}).get("content", {}).get(JSON, {})
            schema = content.get("schema", {})
            if "$ref" in schema:
                schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            yield Operation(
                method=method.upper(),
                path=path,
                fields=tuple(schema.get("properties", ())),
                takes_json=bool(content),
                takes_query=any(p.get("in") == "query" for p in operation.get("parameters", ()) if "in" in p),
                takes_bytes=hasattr(app.view_functions[rules[path].endpoint], "_raw_body"),
            )


OPERATIONS = list(_operations())
CHANGES = [each for each in OPERATIONS if each.method in ("POST", "PUT", "PATCH", "DELETE") and not each.takes_bytes]
WITH_JSON = [each for each in CHANGES if each.takes_json]
STRICT = [each for each in OPERATIONS if not each.takes_bytes and not each.path.startswith("/health/")]
QUERIES = [each for each in OPERATIONS if each.takes_query]


@pytest.fixture(scope="module")
def app() -> Flask:
    return _application()


@pytest.fixture(scope="module")
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="module")
def caller(app: Flask) -> dict[str, str]:
    with app.app_context():
        return {"Authorization": f"Bearer {access_token(ACCOUNT, SESSION)}"}  # type: ignore[arg-type]  # likewise


def refused(response: Any, *statuses: int) -> None:
    assert response.status_code in statuses, response.text
    assert response.content_type == "application/problem+json"
    assert response.json["status"] == response.status_code
    assert response.json["code"]


def send(client: FlaskClient, operation: Operation, caller: dict[str, str], document: Any, id: int = 1) -> Any:
    return client.open(
        operation.address(id), method=operation.method, data=json.dumps(document), content_type=JSON, headers=caller
    )


def survived(response: Any) -> None:
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        refused(response, response.status_code)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", JSON, 400),
        (b'{"a": NaN}', JSON, 400),
        (b"\xff\xfe", JSON, 400),
        (b'{"a": 1, "a": 2}', JSON, 400),
        (b'{"a": "\\u0000"}', JSON, 400),
        (b'{"a": "\\ud800"}', JSON, 400),
        (b"[" * 100_000, JSON, 400),
        (b'{"a":' * 40 + b"1" + b"}" * 40, JSON, 400),
        (b"a=1", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain", 415),
        (b"{}", None, 415),
        (b'"' + b"x" * (1024 * 1024) + b'"', JSON, 413),
    ],
    ids=lambda value: repr(value)[:24],
)
@pytest.mark.parametrize("operation", CHANGES, ids=str)
def test_no_operation_takes_what_is_not_sound_json(client, caller, operation, body, content_type, status):
    headers = {**caller, **({"Content-Type": content_type} if content_type else {})}
    refused(client.open(operation.address(), method=operation.method, data=body, headers=headers), status)


@pytest.mark.parametrize("operation", CHANGES, ids=str)
def test_no_operation_takes_unknown_fields(client, caller, operation):
    response = send(client, operation, caller, {"hack": 1})
    refused(response, 422)
    assert response.json["errors"]["hack"] == ["Unknown field."]


@pytest.mark.parametrize("document", [[], "text", 7, None, True, [[{}]]], ids=repr)
@pytest.mark.parametrize("operation", CHANGES, ids=str)
def test_no_operation_takes_anything_but_an_object(client, caller, operation, document):
    refused(send(client, operation, caller, document), 422)


HOSTILE = [
    None, True, False, 0, -1, 1.0, 1.5, 2**53, 2**63, -(2**63), 10**300, "", " ", "1", "-1", "1e9", "x" * 5000,
    "é\u202e😀", "'; drop table accounts; --", "../../etc/passwd", "=cmd|' /C calc'!A0", "0.001", "99999999999999999",
    "2026-99-99", [], [1, "x", None], [[]], [{}], {}, {"id": 1}, {"a": {"b": []}}, [10**30] * 50,
]  # fmt: skip


@pytest.mark.parametrize("operation", WITH_JSON, ids=str)
def test_no_field_of_any_operation_brings_it_down(client, caller, operation):
    for field in operation.fields:
        for value in HOSTILE:
            survived(send(client, operation, caller, {field: value}))


@pytest.mark.parametrize("operation", WITH_JSON, ids=str)
def test_no_value_in_all_fields_at_once_brings_it_down(client, caller, operation):
    for value in HOSTILE:
        survived(send(client, operation, caller, dict.fromkeys(operation.fields, value)))


@pytest.mark.parametrize("id", ["0", "-1", "9" * 17, "9" * 400, "x", "1.0", "%00", "٣", "1%20or%201=1"])
@pytest.mark.parametrize("operation", [o for o in OPERATIONS if "{" in o.path], ids=str)
def test_what_is_no_id_is_not_found(client, caller, operation, id):
    path = re.sub(r"\{[^}]+\}", id, operation.path)
    # Where only numbers can stand, there is nothing at such an address; where words can, it may be malformed.
    status = 404
    if "{card_id}" in operation.path or "{month}" in operation.path:
        status = 400 if id == "%00" else 422 if "{month}" in operation.path else 404
    refused(client.open(path, method=operation.method, headers=caller), status)


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if "{" in o.path and not o.takes_bytes], ids=str)
def test_what_is_not_there_does_not_bring_it_down(client, caller, operation):
    survived(send(client, operation, caller, {}, id=2**53 - 1))


@pytest.mark.parametrize("operation", STRICT, ids=str)
def test_no_operation_takes_unknown_parameters(client, caller, operation):
    response = client.open(operation.address(), method=operation.method, query_string={"hack": 1}, headers=caller)
    refused(response, 422)


@pytest.mark.parametrize("operation", STRICT, ids=str)
def test_no_operation_takes_a_parameter_twice(client, caller, operation):
    refused(client.open(f"{operation.address()}?fields=id&fields=id", method=operation.method, headers=caller), 422)


@pytest.mark.parametrize("operation", QUERIES, ids=str)
def test_no_query_brings_a_list_down(client, caller, app, operation):
    document = document_of(app)
    for parameter in document["paths"][operation.path][operation.method.lower()]["parameters"]:
        if not isinstance(parameter, dict) or parameter.get("in") != "query":
            continue
        for value in ("", "x", "-1", "0", "1.5", "9" * 400, "'", "%", "\ud7ff😀", "true", "a,b", "1" * 5000, "NaN"):
            survived(
                client.open(
                    operation.address(),
                    method=operation.method,
                    query_string={parameter["name"]: value},
                    headers=caller,
                )
            )


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_nul_in_the_query_is_refused(client, caller, operation):
    refused(client.open(f"{operation.address()}?q=%00", method=operation.method, headers=caller), 400)


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.takes_bytes], ids=str)
def test_bytes_of_any_kind_do_not_bring_down_who_takes_them(client, operation):
    for body in (b"", b"\x00", b"{", b"[" * 100_000, b"\xff" * 1000, b'{"type": 7}', b"{}", b"null"):
        survived(client.open(operation.address(), method=operation.method, data=body))
    refused(client.open(operation.address(), method=operation.method, data=b"x" * (257 * 1024)), 400)
