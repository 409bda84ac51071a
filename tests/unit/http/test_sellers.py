"""Sellers over HTTP."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from marketplace.domain.identity import Role
from marketplace.entrypoints.container import Container
from tests.builders import NOW, a_holiday, a_seller, an_actor, store_account, store_listing, store_seller
from tests.unit.http.answers import refused

ADMIN = 1


@pytest.fixture
def container(container) -> Container:
    container.actor_lookup.override(
        lambda account, session: an_actor(account, Role.ADMIN) if account == ADMIN else an_actor(account)
    )
    return container


@pytest.fixture
def unit_of_work(container):
    return container.backend.unit_of_work


class TestPublicProfile:
    def test_shows_a_shop_to_everybody(self, client, unit_of_work):
        seller = store_seller(unit_of_work, shop_name="Card Cave", description="All of it")
        answer = client.get(f"/api/v1/sellers/{seller}/")
        assert answer.status_code == 200
        assert answer.json == {
            "id": seller,
            "shop_name": "Card Cave",
            "description": "All of it",
            "rating": None,
            "on_holiday": False,
            "back_at": None,
            "created_at": "2026-01-15T12:00:00+00:00",
        }
        assert (
            client.get(f"/api/v1/sellers/{seller}/", headers={"If-None-Match": answer.headers["ETag"]}).status_code
            == 304
        )

    @pytest.mark.parametrize("id", [1, 2**53 - 1, "me2", 2**53])
    def test_shows_nobody_who_is_no_seller(self, client, id):
        answer = client.get(f"/api/v1/sellers/{id}/")
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")

    def test_shows_no_suspended_seller(self, client, unit_of_work):
        profile = a_seller(store_account(unit_of_work))
        profile.suspend("Late", now=NOW)
        with unit_of_work() as uow:
            uow.sellers.add(profile)
            uow.commit()
        assert client.get(f"/api/v1/sellers/{profile.account_id}/").status_code == 404


class TestOwnProfile:
    URL = "/api/v1/sellers/me/"

    def test_is_for_those_who_are_signed_in(self, client):
        assert client.get(self.URL).json["code"] == "not_authenticated"

    def test_lists_what_is_missing_and_what_to_do(self, client, bearer, unit_of_work):
        account = store_account(unit_of_work, verified=False)
        body = client.get(self.URL, headers=bearer(account, 1)).json
        assert (body["id"], body["status"], body["shop_name"], body["is_selling"]) == (account, "none", None, False)
        assert [(step["step"], step["done"]) for step in body["checklist"]] == [
            ("verified_email", False),
            ("approval", False),
            ("identity", False),
            ("onboarding", False),
        ]
        assert all(step["action"] for step in body["checklist"])

    def test_has_nothing_left_to_do_when_all_is_done(self, client, bearer, unit_of_work):
        seller = store_seller(unit_of_work, shop_name="Card Cave")
        body = client.get(self.URL, headers=bearer(seller, 1)).json
        assert (body["status"], body["shop_name"], body["is_selling"]) == ("approved", "Card Cave", True)
        assert [(step["done"], step["action"]) for step in body["checklist"]] == [(True, None)] * 4


class TestApplying:
    URL = "/api/v1/sellers/"

    @pytest.fixture
    def apply(self, client, bearer):
        return lambda account, **body: client.post(self.URL, json=body, headers=bearer(account, 1))

    def test_opens_a_shop_that_waits(self, apply, unit_of_work):
        answer = apply(store_account(unit_of_work), shop_name="Card Cave", description="All of it")
        assert answer.status_code == 201
        assert (answer.json["status"], answer.json["shop_name"]) == ("pending", "Card Cave")
        assert answer.json["payout_account"] is None

    def test_is_for_those_who_are_signed_in(self, client):
        refused(client.post(self.URL, json={"shop_name": "Card Cave"}), 401, "not_authenticated")

    def test_is_done_once(self, apply, unit_of_work):
        account = store_account(unit_of_work)
        apply(account, shop_name="Card Cave")
        refused(apply(account, shop_name="Other"), 409, "seller_exists")

    def test_keeps_names_apart(self, apply, unit_of_work):
        store_seller(unit_of_work, shop_name="Card Cave")
        refused(apply(store_account(unit_of_work), shop_name="CARD CAVE"), 409, "shop_name_taken")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"shop_name": ""},
            {"shop_name": "x" * 81},
            {"shop_name": 5},
            {"shop_name": "two\nlines"},
            {"shop_name": "\u200b"},
            {"shop_name": "Cave", "description": "x" * 2001},
        ],
    )
    def test_refuses_what_is_no_shop(self, apply, unit_of_work, body):
        refused(apply(store_account(unit_of_work), **body), 422, "validation_error")

    @pytest.mark.parametrize(
        "more", [{"status": "approved"}, {"kyc_verified": True}, {"rating": 5}, {"account_id": 1}, {"role": "seller"}]
    )
    def test_takes_nothing_that_others_decide(self, apply, unit_of_work, more):
        account = store_account(unit_of_work)
        refused(apply(account, shop_name="Card Cave", **more), 422, "validation_error")
        with unit_of_work() as uow:
            assert uow.sellers.find(account) is None


class TestChangingOnesShop:
    URL = "/api/v1/sellers/me/"

    @pytest.fixture
    def change(self, client, bearer):
        return lambda account, **body: client.patch(self.URL, json=body, headers=bearer(account, 1))

    def test_changes_what_is_given(self, change, unit_of_work):
        seller = store_seller(unit_of_work, shop_name="Card Cave", description="All of it")
        body = change(seller, shop_name="Cerulean Cards").json
        assert (body["shop_name"], body["description"]) == ("Cerulean Cards", "All of it")

    @pytest.mark.parametrize(
        ("begins", "at"),
        [
            ("2026-01-20", "2026-01-20T00:00:00+00:00"),
            ("2026-01-20T12:30:00+02:00", "2026-01-20T10:30:00+00:00"),
            ("2026-01-20T12:30:00Z", "2026-01-20T12:30:00+00:00"),
        ],
    )
    def test_takes_dates_and_instants(self, change, unit_of_work, begins, at):
        body = change(store_seller(unit_of_work), holiday_from=begins, holiday_until="2026-02-01").json
        assert (body["holiday_from"], body["holiday_until"]) == (at, "2026-02-01T00:00:00+00:00")
        assert (body["on_holiday"], body["is_selling"]) == (False, True)

    def test_ends_a_holiday(self, change, unit_of_work):
        seller = store_seller(unit_of_work)
        assert change(seller, holiday_until="2026-02-01").json["on_holiday"]
        body = change(seller, holiday_until=None).json
        assert (body["holiday_from"], body["holiday_until"], body["is_selling"]) == (None, None, True)

    @pytest.mark.parametrize(
        "body",
        [
            {"holiday_until": "2026-02-30"},
            {"holiday_until": "tomorrow"},
            {"holiday_until": "2026-02-01T10:00:00"},
            {"holiday_until": "9999-12-31T23:59:59-12:00"},
            {"holiday_until": 5},
            {"holiday_until": "2026-01-01"},
            {"holiday_from": "2026-02-01"},
            {"holiday_from": "2026-03-01", "holiday_until": "2026-02-01"},
            {"status": "approved"},
            {"rating": 5},
            {"email_verified": True},
            {"payouts_ready": True},
            {"id": 1},
        ],
    )
    def test_refuses_what_is_no_window_and_what_others_decide(self, change, unit_of_work, body):
        seller = store_seller(unit_of_work)
        refused(change(seller, **body), 422, "validation_error")
        with unit_of_work() as uow:
            assert uow.sellers.get(seller) == a_seller(seller)

    def test_is_for_who_has_a_shop(self, change, unit_of_work):
        refused(change(store_account(unit_of_work), description="Mine"), 404, "not_found")


class TestListingsOfASeller:
    def test_are_what_the_public_may_see(self, client, bearer, unit_of_work):
        seller = store_seller(unit_of_work)
        listing = store_listing(unit_of_work, seller)
        url = f"/api/v1/sellers/{seller}/listings/"
        assert [shown["id"] for shown in client.get(url).json["results"]] == [listing.id]
        with unit_of_work() as uow:
            profile = uow.sellers.get(seller)
            profile.set_holiday(a_holiday(NOW - timedelta(days=1)))
            uow.sellers.save(profile)
            uow.commit()
        away = client.get(url)
        assert (away.status_code, away.json["count"]) == (200, 0)
        assert client.get(url, headers=bearer(seller, 1)).json["count"] == 1
        assert client.get(url, headers=bearer(ADMIN, 1)).json["count"] == 1
        assert client.get(url, headers=bearer(store_account(unit_of_work), 1)).json["count"] == 0
        refused(client.get("/api/v1/sellers/5/listings/"), 404, "not_found")


class TestDeciding:
    @pytest.fixture
    def applicant(self, client, bearer, unit_of_work):
        account = store_account(unit_of_work, "misty")
        client.post("/api/v1/sellers/", json={"shop_name": "Card Cave"}, headers=bearer(account, 1))
        return account

    @pytest.fixture
    def admin(self, client, bearer):
        def do(seller, what, **body):
            return client.post(f"/api/v1/admin/sellers/{seller}/{what}/", json=body, headers=bearer(ADMIN, 1))

        return do

    def test_lists_who_waits(self, client, bearer, unit_of_work, applicant):
        store_seller(unit_of_work)
        body = client.get("/api/v1/admin/sellers/?status=pending", headers=bearer(ADMIN, 1)).json
        (waiting,) = body["results"]
        assert (waiting["id"], waiting["username"], waiting["email"]) == (applicant, "misty", "misty@example.com")
        assert waiting["missing"] == ["approval", "identity", "onboarding"]
        assert client.get("/api/v1/admin/sellers/", headers=bearer(ADMIN, 1)).json["count"] == 2
        refused(client.get("/api/v1/admin/sellers/?status=none", headers=bearer(ADMIN, 1)), 422, "validation_error")

    def test_approves(self, admin, applicant):
        body = admin(applicant, "approve").json
        assert (body["status"], body["is_selling"], body["missing"]) == ("approved", False, ["identity", "onboarding"])
        refused(admin(applicant, "approve"), 409, "illegal_transition")

    def test_rejects_with_a_reason(self, admin, applicant):
        refused(admin(applicant, "reject"), 422, "validation_error")
        body = admin(applicant, "reject", reason="Not a real shop").json
        assert (body["status"], body["status_reason"]) == ("rejected", "Not a real shop")

    def test_suspends_and_reinstates(self, admin, unit_of_work):
        seller = store_seller(unit_of_work)
        refused(admin(seller, "suspend"), 422, "validation_error")
        assert admin(seller, "suspend", reason="Late").json["status"] == "suspended"
        assert admin(seller, "reinstate", reason="Sorry").json["is_selling"]

    def test_verifies_the_identity_and_takes_it_back(self, admin, applicant):
        assert "identity" not in admin(applicant, "verify-kyc").json["missing"]
        refused(admin(applicant, "verify-kyc", verified=False), 422, "validation_error")
        assert "identity" in admin(applicant, "verify-kyc", verified=False, reason="Forged").json["missing"]

    @pytest.mark.parametrize("what", ["approve", "reject", "suspend", "reinstate", "verify-kyc"])
    def test_is_for_administrators(self, client, bearer, applicant, what):
        url = f"/api/v1/admin/sellers/{applicant}/{what}/"
        refused(client.post(url, json={"reason": "Mine"}), 401, "not_authenticated")
        answer = client.post(url, json={"reason": "Mine"}, headers=bearer(applicant, 1))
        refused(answer, 403, "permission_denied")
        refused(client.get("/api/v1/admin/sellers/", headers=bearer(applicant, 1)), 403, "permission_denied")

    @pytest.mark.parametrize("what", ["approve", "reject", "suspend", "reinstate", "verify-kyc"])
    def test_knows_who_is_no_seller(self, admin, unit_of_work, what):
        for account in (5, store_account(unit_of_work)):
            refused(admin(account, what, reason="Why"), 404, "not_found")


class TestOnboarding:
    URL = "/api/v1/sellers/me/onboarding/"

    @pytest.fixture
    def applicant(self, client, bearer, unit_of_work):
        account = store_account(unit_of_work)
        client.post("/api/v1/sellers/", json={"shop_name": "Card Cave"}, headers=bearer(account, 1))
        return account

    @pytest.fixture
    def url(self, client, bearer, applicant):
        link = client.post(self.URL, headers=bearer(applicant, 1)).json["url"]
        assert link.startswith("http://127.0.0.1:8000/dev/onboarding/acct_sim_")
        return link.removeprefix("http://127.0.0.1:8000")

    def test_gives_a_link_that_nobody_keeps(self, client, bearer, applicant):
        answer = client.post(self.URL, json={"country": "BE"}, headers=bearer(applicant, 1))
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.json["expires_at"] > NOW.isoformat()

    def test_repeats_an_idempotent_answer_with_another_link(self, client, bearer, applicant):
        headers = {**bearer(applicant, 1), "Idempotency-Key": "k"}
        first, second = (client.post(self.URL, headers=headers) for _ in range(2))
        assert second.headers["Idempotent-Replayed"] == "true"
        assert first.json["url"] != second.json["url"]
        assert first.json["url"].partition("?")[0] == second.json["url"].partition("?")[0]

    @pytest.mark.parametrize("body", [{"country": "JP"}, {"country": "fr"}, {"account": "acct_1"}])
    def test_refuses_where_nobody_can_be_paid_and_what_it_does_not_ask(self, client, bearer, applicant, body):
        refused(client.post(self.URL, json=body, headers=bearer(applicant, 1)), 422, "validation_error")

    def test_needs_an_application(self, client, bearer, unit_of_work):
        stranger = bearer(store_account(unit_of_work), 1)
        refused(client.post(self.URL, headers=stranger), 409, "cannot_onboard")
        refused(client.post(self.URL), 401, "not_authenticated")

    def test_has_a_page_that_only_its_own_form_can_answer(self, client, url):
        page = client.get(url)
        assert page.status_code == 200
        assert page.headers["Cache-Control"] == "no-store"
        assert "form-action 'self' http://127.0.0.1:8000" in page.headers["Content-Security-Policy"]
        for data in (
            {"outcome": "succeed"},
            {"outcome": "succeed", "token": "x"},
            {"outcome": "succeed", "token": "é"},
        ):
            assert client.post(url, data=data).status_code == 400
        token = re.search(r'name="token" value="(\w+)"', page.text)[1]
        assert client.post(url, data={"outcome": "perhaps", "token": token}).status_code == 400
        assert "no</dd>" in client.get(url).text

    @pytest.mark.parametrize(("outcome", "paid"), [("succeed", "yes"), ("fail", "no")])
    def test_the_page_decides_uses_the_link_up_and_sends_back(self, client, url, outcome, paid):
        token = re.search(r'name="token" value="(\w+)"', client.get(url).text)[1]
        done = client.post(url, data={"outcome": outcome, "token": token})
        assert (done.status_code, done.headers["Location"]) == (
            303,
            "http://127.0.0.1:8000/sellers/onboarding/return/",
        )
        again = client.get(url)
        assert (again.status_code, again.headers["Location"]) == (
            303,
            "http://127.0.0.1:8000/sellers/onboarding/expired/",
        )
        assert f'<dd class="amount">{paid}</dd>' in client.get(url.partition("?")[0]).text

    def test_the_page_without_a_link_leads_to_itself(self, client, url):
        page = url.partition("?")[0]
        token = re.search(r'name="token" value="(\w+)"', client.get(page).text)[1]
        done = client.post(page, data={"outcome": "succeed", "token": token})
        assert (done.status_code, done.headers["Location"]) == (303, page)

    @pytest.mark.parametrize("path", ["acct_unknown/", "<b>/", "acct_unknown/?link=x"])
    def test_knows_no_strangers(self, client, path):
        for answer in (client.get(f"/dev/onboarding/{path}"), client.get(f"/dev/onboarding/{path}?link=<b>")):
            assert answer.status_code == 404
            assert "<b>" not in answer.text

    def test_ways_back_do_nothing_and_say_so(self, client):
        assert "You can close this page" in client.get("/sellers/onboarding/return/").text
        assert "Ask for a new one" in client.get("/sellers/onboarding/expired/").text
