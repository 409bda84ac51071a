"""The books over HTTP."""

from datetime import timedelta

import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.application.access import OPERATOR, Actor
from marketplace.domain.identity import Role
from marketplace.entrypoints.container import Container, MemoryBackend
from tests.contracts.ledger import a_capture, a_fee, post
from tests.purchases import ORDER, store_market, store_paid_order, store_refund

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
        a_capture(2, order_id=80, seller_id=43),
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
        assert [entry["order"] for entry in found["results"]] == [80]
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


@pytest.mark.parametrize("path", ["entries", "balances", "explain", "reconciliation", "differences"])
class TestWhoMayReadTheBooks:
    def test_only_administrators(self, client, bearer, path):
        answer = client.get(
            f"/api/v1/admin/ledger/{path}/?order=7" if path == "explain" else f"/api/v1/admin/ledger/{path}/",
            headers=bearer(BUYER, 1),
        )
        assert (answer.status_code, answer.json["code"]) == (403, "permission_denied")

    def test_nobody_without_a_token(self, client, path):
        answer = client.get(f"/api/v1/admin/ledger/{path}/")
        assert (answer.status_code, answer.json["code"]) == (401, "not_authenticated")


class TestExplain:
    URL = "/api/v1/admin/ledger/explain/"

    @pytest.fixture
    def order(self, container):
        store_market(container.backend.unit_of_work)
        store_paid_order(container.backend.unit_of_work, ORDER + 1)
        store_refund(container.backend.unit_of_work, ORDER + 1)
        return ORDER + 1

    def test_tells_how_amounts_came_about(self, client, admin, order):
        body = client.get(self.URL, query_string={"order": str(order)}, headers=admin).json
        assert (body["order"], body["total"], body["captured"], body["currency"]) == (order, "121.12", "121.12", "EUR")
        assert body["fees"][0]["shares"][0] == {"seller": 201, "base": "50.05", "share": "2.51", "exact": "250.5"}
        assert body["events"][0]["lines"][0] == {"account": "assets:stripe_balance", "amount": "121.12"}
        assert {"place": "owed to the buyer, not sent yet", "amount": "52.56"} in body["places"]
        assert [sale["net"] for sale in body["sales"]] == ["47.54", "47.55"]
        assert body["refunds"][0]["amount"] == "52.56"
        by_reference = client.get(self.URL, query_string={"order": body["reference"]}, headers=admin).json
        assert by_reference["text"] == body["text"]

    @pytest.mark.parametrize(("query", "status"), [({}, 422), ({"order": "9" * 17}, 400), ({"order": "77"}, 404)])
    def test_wants_an_order_that_there_is(self, client, admin, query, status):
        assert client.get(self.URL, query_string=query, headers=admin).status_code in (status, 422)


class TestReconciliation:
    def test_shows_the_last_one_and_what_it_left(self, client, bearer, container):
        container.clock().advance(timedelta(days=2))
        admin = bearer(ADMIN, 1)
        assert client.get("/api/v1/admin/ledger/reconciliation/", headers=admin).json == {"last": None}
        container.ledger.reconcile()()
        last = client.get("/api/v1/admin/ledger/reconciliation/", headers=admin).json["last"]
        assert (last["status"], last["opened"], last["balances"], last["error"]) == ("done", 3, [], "")
        found = client.get(
            "/api/v1/admin/ledger/differences/", query_string={"open": "true", "page_size": 2}, headers=admin
        ).json
        assert (found["count"], len(found["results"])) == (3, 2)
        difference = found["results"][0]
        assert (difference["kind"], difference["theirs"]) == ("journal_without_movement", None)
        container.ledger.explain_difference()(actor=OPERATOR, id=difference["id"], note="books of a test")
        closed = client.get("/api/v1/admin/ledger/differences/", query_string={"open": "no"}, headers=admin).json
        assert [(each["resolution"], each["note"]) for each in closed["results"]] == [("explained", "books of a test")]
