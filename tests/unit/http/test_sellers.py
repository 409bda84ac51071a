"""Sellers over HTTP."""

from __future__ import annotations

import pytest

from marketplace.entrypoints.container import Container
from tests.builders import NOW, a_seller, an_actor, store_account, store_seller


@pytest.fixture
def container(container) -> Container:
    container.actor_lookup.override(lambda account, session: an_actor(account))
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
