"""The books over HTTP."""

import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.application.access import Actor
from marketplace.domain.identity import Role
from marketplace.entrypoints.container import Container, MemoryBackend
from tests.contracts.ledger import a_capture, a_fee, post

ADMIN, BUYER = 1, 2


@pytest.fixture
def container(settings) -> Container:
    roles = {ADMIN: frozenset({Role.BUYER, Role.ADMIN}), BUYER: frozenset({Role.BUYER})}
    container = Container(settings=settings, backend=MemoryBackend(), clock=FixedClock())
    container.actor_lookup.override(lambda account, session: Actor(account_id=account, roles=roles[account]))
    post(
        container.backend.unit_of_work,
        a_capture(1, order_id=7, seller_id=42),
        a_fee(1, order_id=7),
        a_capture(2, order_id=8, seller_id=43),
    )
    return container


@pytest.fixture
def admin(bearer):
    return bearer(ADMIN, 1)


class TestEntries:
    URL = "/api/v1/admin/ledger/entries/"

    def test_shows_journals_with_their_lines(self, client, admin):
        body = client.get(self.URL, query_string={"kind": "stripe_fee"}, headers=admin).json
        (entry,) = body["results"]
        assert (entry["source_key"], entry["order"], entry["currency"]) == ("fee:txn_1", 7, "EUR")
        assert entry["lines"] == [
            {"account": "expenses:stripe_fees", "amount": "2.07"},
            {"account": "assets:stripe_balance", "amount": "-2.07"},
        ]
        assert body["count"] == 1

    def test_filters_by_account_and_order_and_follows_cursors(self, client, admin):
        found = client.get(self.URL, query_string={"account": "liabilities:seller:43:pending"}, headers=admin).json
        assert [entry["order"] for entry in found["results"]] == [8]
        first = client.get(self.URL, query_string={"order": 7, "page_size": 1}, headers=admin).json
        second = client.get(first["next"], headers=admin).json
        assert [e["source_key"] for e in first["results"] + second["results"]] == ["fee:txn_1", "charge:ch_1"]

    def test_keeps_only_the_fields_asked_for(self, client, admin):
        body = client.get(self.URL, query_string={"fields": "id,kind"}, headers=admin).json
        assert set(body["results"][0]) == {"id", "kind"}

    @pytest.mark.parametrize("query", [{"kind": "theft"}, {"order": "x"}, {"colour": "red"}, {"fields": "secret"}])
    def test_refuses_a_query_that_it_does_not_know(self, client, admin, query):
        answer = client.get(self.URL, query_string=query, headers=admin)
        assert (answer.status_code, answer.json["code"]) == (422, "validation_error")


class TestBalances:
    URL = "/api/v1/admin/ledger/balances/"

    def test_shows_each_account(self, client, admin):
        rows = client.get(self.URL, headers=admin).json["results"]
        assert {"account": "assets:stripe_balance", "balance": "239.93", "currency": "EUR"} in rows

    def test_shows_those_of_one_seller(self, client, admin):
        rows = client.get(self.URL, query_string={"seller": 42}, headers=admin).json["results"]
        assert rows == [{"account": "liabilities:seller:42:pending", "balance": "-95.00", "currency": "EUR"}]


@pytest.mark.parametrize("path", ["entries", "balances"])
class TestWhoMayReadTheBooks:
    def test_only_administrators(self, client, bearer, path):
        answer = client.get(f"/api/v1/admin/ledger/{path}/", headers=bearer(BUYER, 1))
        assert (answer.status_code, answer.json["code"]) == (403, "permission_denied")

    def test_nobody_without_a_token(self, client, path):
        answer = client.get(f"/api/v1/admin/ledger/{path}/")
        assert (answer.status_code, answer.json["code"]) == (401, "not_authenticated")
