"""Accounts as administrators see and change them, and what a suspension ends at once."""

from __future__ import annotations

import pytest

from marketplace.application.access import OPERATOR
from marketplace.application.identity.registration import NewMember
from marketplace.domain.identity import Role
from tests.unit.http.answers import refused

PASSWORD = "correct horse battery"
URL = "/api/v1/admin/users/"
AUDIT = "/api/v1/admin/audit/"


class Member:
    """Somebody with an account, signed in as often as wanted."""

    def __init__(self, container, client, name, *roles):
        member = NewMember(username=name, email=f"{name}@example.com", password=PASSWORD, accept_terms=True)
        self.id = container.create_account()(actor=OPERATOR, member=member, roles=frozenset(roles))
        self.name, self.client = name, client
        self.tokens = self.log_in().json
        self.url = f"{URL}{self.id}/"

    def log_in(self):
        return self.client.post("/api/v1/auth/login/", json={"username": self.name, "password": PASSWORD})

    @property
    def header(self):
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}


@pytest.fixture
def ada(container, client):
    return Member(container, client, "ada", Role.ADMIN)


@pytest.fixture
def bob(container, client, ada):
    return Member(container, client, "bob")


@pytest.fixture
def as_admin(ada):
    return ada.header


class TestUsers:
    def test_one_shows_the_company_of_a_professional_only(self, client, as_admin, bob):
        assert client.get(bob.url, headers=as_admin).json["professional_info"] is None
        company = {"company_name": "Cards", "siret_number": "73282932000074", "vat_number": "", "company_address": ""}
        client.patch("/api/v1/users/me/", json={"account_type": "professional"}, headers=bob.header)
        shown = client.get(bob.url, headers=as_admin).json
        assert shown["professional_info"] == dict.fromkeys(company, "")
        client.put("/api/v1/users/me/professional-info/", json=company, headers=bob.header)
        assert client.get(bob.url, headers=as_admin).json["professional_info"] == company

    def test_lists_accounts_by_role_suspension_and_beginning(self, container, client, as_admin, ada, bob):
        def names(**query):
            body = client.get(URL, query_string=query, headers=as_admin).json
            return [user["username"] for user in body["results"]]

        container.suspend_account()(actor=OPERATOR, name="bob")
        assert names() == ["ada", "bob"]
        assert names(ordering="-id") == ["bob", "ada"]
        assert names(role="admin") == ["ada"]
        assert names(suspended="true") == ["bob"]
        assert names(suspended="false") == ["ada"]
        assert names(q="BOB@ex") == ["bob"]
        assert names(q="ob") == []

    def test_follows_cursors_that_keep_the_filters(self, client, as_admin, ada, bob):
        first = client.get(URL, query_string={"page_size": 1, "suspended": "false"}, headers=as_admin).json
        second = client.get(first["next"], headers=as_admin).json
        assert [user["id"] for user in first["results"] + second["results"]] == [ada.id, bob.id]
        assert (first["count"], second["next"]) == (2, None)

    @pytest.mark.parametrize("query", [{"role": "king"}, {"suspended": "maybe"}, {"q": ""}, {"ordering": "email"}])
    def test_refuses_a_query_that_it_does_not_know(self, client, as_admin, query):
        refused(client.get(URL, query_string=query, headers=as_admin), 422, "validation_error")

    def test_shows_one_account(self, client, as_admin, bob):
        body = client.get(bob.url, headers=as_admin).json
        assert (body["id"], body["username"], body["email"]) == (bob.id, "bob", "bob@example.com")
        assert (body["roles"], body["is_suspended"]) == (["buyer"], False)
        assert not {"password", "password_hash"} & set(body)

    def test_knows_no_account_that_is_not_there(self, client, as_admin):
        refused(client.get(f"{URL}999/", headers=as_admin), 404, "not_found")
        refused(client.patch(f"{URL}999/", json={"roles": []}, headers=as_admin), 404, "not_found")

    @pytest.mark.parametrize("method", ["get", "patch"])
    def test_is_for_admins_only(self, client, bob, ada, method):
        problem = refused(getattr(client, method)(ada.url, headers=bob.header), 403, "permission_denied")
        assert problem["missing"] == ["admin"]


class TestChangeUser:
    def test_roles_count_at_once(self, client, as_admin, bob):
        refused(client.get(URL, headers=bob.header), 403, "permission_denied")
        answer = client.patch(bob.url, json={"roles": ["admin", "buyer"]}, headers=as_admin)
        assert (answer.status_code, answer.json["roles"]) == (200, ["admin", "buyer"])
        assert client.get(URL, headers=bob.header).status_code == 200
        assert client.patch(bob.url, json={"roles": ["buyer"]}, headers=as_admin).json["roles"] == ["buyer"]
        refused(client.get(URL, headers=bob.header), 403, "permission_denied")

    @pytest.mark.parametrize(
        "body",
        [
            {"roles": ["king"]},
            {"roles": "admin"},
            {"roles": ["admin"] * 5},
            {"roles": ["seller"]},
            {"is_suspended": "true"},
            {"is_suspended": True},
            {"is_suspended": True, "reason": "  "},
            {"is_suspended": True, "reason": "x" * 501},
            {"is_staff": True},
            {"email": "bob@example.org"},
            {"password": "another good one"},
        ],
    )
    def test_refuses_what_nobody_decides_so(self, client, as_admin, bob, body):
        before = client.get(bob.url, headers=as_admin).json
        refused(client.patch(bob.url, json=body, headers=as_admin), 422, "validation_error")
        assert client.get(bob.url, headers=as_admin).json == before

    @pytest.mark.parametrize("body", [{"roles": []}, {"is_suspended": True, "reason": "Holiday"}])
    def test_nobody_shuts_themselves_out(self, client, as_admin, ada, body):
        refused(client.patch(ada.url, json=body, headers=as_admin), 409, "own_access")
        assert client.get(ada.url, headers=as_admin).status_code == 200

    def test_leaves_its_mark_with_who_where_and_why(self, client, as_admin, ada, bob):
        client.patch(bob.url, json={"roles": ["verifier"], "reason": "New colleague"}, headers=as_admin)
        (entry,) = client.get(AUDIT, query_string={"actor": ada.id}, headers=as_admin).json["results"]
        assert (entry["actor"], entry["roles"], entry["origin"]) == (ada.id, ["admin", "buyer"], "127.0.0.1")
        assert (entry["action"], entry["subject"]) == ("account.roles_changed", {"type": "account", "id": str(bob.id)})
        assert (entry["before"], entry["after"]) == ({"roles": ["buyer"]}, {"roles": ["buyer", "verifier"]})
        assert entry["reason"] == "New colleague"


class TestSuspension:
    @pytest.fixture
    def suspend(self, client, as_admin, bob):
        def act(suspended=True):
            answer = client.patch(bob.url, json={"is_suspended": suspended, "reason": "Counterfeits"}, headers=as_admin)
            assert (answer.status_code, answer.json["is_suspended"]) == (200, suspended)

        return act

    def test_access_tokens_are_refused_at_once(self, client, bob, suspend):
        assert client.get("/api/v1/users/me/", headers=bob.header).status_code == 200
        suspend()
        refused(client.get("/api/v1/users/me/", headers=bob.header), 401, "not_authenticated")
        refused(client.get("/api/v1/listings/", headers=bob.header), 401, "not_authenticated")

    def test_refresh_tokens_are_refused_at_once(self, client, bob, suspend):
        suspend()
        answer = client.post("/api/v1/auth/token/refresh/", json={"refresh": bob.tokens["refresh_token"]})
        assert answer.status_code == 401

    def test_nobody_logs_in(self, bob, suspend):
        suspend()
        assert bob.log_in().status_code == 403

    def test_a_request_that_was_done_is_not_answered_again(self, client, bob, suspend):
        body = {"name": "Bob", "street": "Rue des Cartes", "city": "Lyon", "country": "FR"}
        headers = {**bob.header, "Idempotency-Key": "one"}
        first = client.post("/api/v1/users/me/addresses/", json=body, headers=headers)
        again = client.post("/api/v1/users/me/addresses/", json=body, headers=headers)
        assert (first.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
        suspend()
        refused(client.post("/api/v1/users/me/addresses/", json=body, headers=headers), 401, "not_authenticated")

    def test_tokens_of_before_stay_dead_after_a_reinstatement(self, client, bob, suspend):
        suspend()
        suspend(False)
        refused(client.get("/api/v1/users/me/", headers=bob.header), 401, "not_authenticated")
        refresh = client.post("/api/v1/auth/token/refresh/", json={"refresh": bob.tokens["refresh_token"]})
        assert refresh.status_code == 401
        assert bob.log_in().status_code == 200
