"""The audit trail over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.application.access import OPERATOR, Actor
from marketplace.domain.identity import Role
from marketplace.entrypoints.container import Container, MemoryBackend
from marketplace.entrypoints.http.audit import Moment
from tests.contracts.audit import an_act, record
from tests.unit.http.answers import refused

ADMIN, BUYER, VERIFIER = 1, 2, 3
URL = "/api/v1/admin/audit/"


@pytest.fixture
def container(settings) -> Container:
    roles = {ADMIN: {Role.ADMIN}, BUYER: set(), VERIFIER: {Role.VERIFIER}}
    container = Container(settings=settings, backend=MemoryBackend(), clock=FixedClock())
    container.actor_lookup.override(
        lambda account, session: Actor(account_id=account, roles=frozenset({Role.BUYER, *roles[account]}))
    )
    record(
        container.backend.unit_of_work,
        an_act(0, subject=("seller", 42), before={"status": "pending"}, after={"status": "approved"}, reason="Seen"),
        an_act(1, subject=("order", 5), action="order.refunded", actor=OPERATOR),
        an_act(2, subject=("seller", 43)),
    )
    return container


@pytest.fixture
def found(client, bearer):
    def ask(**query):
        answer = client.get(URL, query_string=query, headers=bearer(ADMIN, 1))
        assert answer.status_code == 200
        return [entry["subject"]["id"] for entry in answer.json["results"]]

    return ask


def test_shows_who_did_what_to_whom_when_from_where_and_what_changed(client, bearer):
    *_, entry = client.get(URL, headers=bearer(ADMIN, 1)).json["results"]
    assert entry == {
        "id": entry["id"],
        "occurred_at": "2026-01-15T12:00:00+00:00",
        "actor": 7,
        "roles": ["admin", "buyer"],
        "action": "seller.approved",
        "subject": {"type": "seller", "id": "42"},
        "origin": "192.0.2.7",
        "reason": "Seen",
        "before": {"status": "pending"},
        "after": {"status": "approved"},
    }


def test_the_operator_is_nobodys_account(client, bearer):
    _, entry, _ = client.get(URL, headers=bearer(ADMIN, 1)).json["results"]
    assert (entry["actor"], entry["origin"]) == (None, "command line")


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, ["43", "5", "42"]),
        ({"actor": 7}, ["43", "42"]),
        ({"subject_type": "seller"}, ["43", "42"]),
        ({"subject_type": "seller", "subject_id": "42"}, ["42"]),
        ({"action": "order.refunded"}, ["5"]),
        ({"from": "2026-01-15T12:01:00Z"}, ["43", "5"]),
        ({"from": "2026-01-15T13:01:00+01:00", "to": "2026-01-15T12:02:00Z"}, ["5"]),
        ({"to": "2026-01-15T12:00:00Z"}, []),
    ],
)
def test_filters(found, query, ids):
    assert found(**query) == ids


def test_follows_cursors_that_keep_the_filters(client, bearer):
    first = client.get(URL, query_string={"page_size": 1, "actor": 7}, headers=bearer(ADMIN, 1)).json
    second = client.get(first["next"], headers=bearer(ADMIN, 1)).json
    assert [entry["subject"]["id"] for entry in first["results"] + second["results"]] == ["43", "42"]
    assert (first["count"], second["next"]) == (2, None)


@pytest.mark.parametrize(
    "query",
    [
        {"actor": "me"},
        {"action": "Approved"},
        {"subject_id": "42"},
        {"from": "yesterday"},
        {"from": "2026-01-15T12:00:00"},
        {"to": "2026-99-15T12:00:00Z"},
        {"to": "0001-01-01T00:00:00+23:59"},
        {"colour": "red"},
    ],
)
def test_refuses_a_query_that_it_does_not_know(client, bearer, query):
    refused(client.get(URL, query_string=query, headers=bearer(ADMIN, 1)), 422, "validation_error")


@pytest.mark.parametrize("plus", ["+", " "])
def test_an_instant_comes_to_the_store_in_utc(plus):
    """Which knows no distance as far as this one."""
    taken = Moment().deserialize(f"2026-01-15T22:17:00{plus}22:17")
    assert (taken, taken.utcoffset()) == (datetime(2026, 1, 15, tzinfo=UTC), timedelta(0))


@pytest.mark.parametrize("account", [BUYER, VERIFIER])
def test_is_for_admins_only(client, bearer, account):
    assert refused(client.get(URL, headers=bearer(account, 1)), 403, "permission_denied")["missing"] == ["admin"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nobody_writes_to_it(client, bearer, method):
    assert getattr(client, method)(URL, headers=bearer(ADMIN, 1)).status_code == 405
