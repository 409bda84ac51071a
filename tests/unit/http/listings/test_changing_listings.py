"""Changing and archiving what is offered over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.builders import NOW, store_variant
from tests.contracts.listings import change, claim

URL = "/api/v1/listings/"


def at(listing) -> str:
    return f"{URL}{listing.id}/"


class TestChange:
    def test_changes_what_is_given_and_nothing_else(self, client, clock, as_seller, listing):
        clock.advance(timedelta(minutes=1))
        answer = client.patch(at(listing), json={"price": "3.50", "description": "Played"}, headers=as_seller)
        assert answer.status_code == 200
        assert (answer.json["price"], answer.json["description"], answer.json["stock"]) == ("3.50", "Played", 3)
        assert answer.json["updated_at"] == "2026-01-15T12:01:00+00:00"
        assert client.get(at(listing)).json == answer.json

    def test_changes_nothing_when_nothing_differs(self, client, clock, as_seller, listing):
        before = client.get(at(listing)).headers["ETag"]
        clock.advance(timedelta(minutes=1))
        same = {"price": "25.99", "stock": 3, "description": "", "status": "active", "variant": listing.variant_id}
        assert client.patch(at(listing), json=same, headers=as_seller).status_code == 200
        assert client.patch(at(listing), json={}, headers=as_seller).status_code == 200
        assert client.get(at(listing)).headers["ETag"] == before

    def test_lets_only_the_first_of_two_editors_win(self, client, as_seller, listing):
        tag = client.get(at(listing)).headers["ETag"]
        first, second = (
            client.patch(at(listing), json={"price": price}, headers={**as_seller, "If-Match": tag})
            for price in ("1.00", "2.00")
        )
        assert first.status_code == 200
        assert (second.status_code, second.json["code"]) == (412, "precondition_failed")
        assert client.get(at(listing)).json["price"] == "1.00"

    def test_never_takes_stock_from_under_a_claim(self, client, clock, unit_of_work, as_seller, listing):
        claim(unit_of_work, listing, 2)
        answer = client.patch(at(listing), json={"stock": 1}, headers=as_seller)
        assert (answer.status_code, answer.json["code"], answer.json["claimed"]) == (409, "stock_claimed", 2)
        assert client.patch(at(listing), json={"status": "inactive"}, headers=as_seller).status_code == 200
        clock.advance(timedelta(minutes=30))
        assert client.patch(at(listing), json={"stock": 1}, headers=as_seller).json["stock"] == 1

    def test_revives_what_sold_out_but_not_what_was_switched_off(self, client, as_seller, listing):
        def status_after(**changes):
            return client.patch(at(listing), json=changes, headers=as_seller).json["status"]

        assert status_after(stock=0) == "sold_out"
        assert status_after(stock=2) == "active"
        assert status_after(status="inactive") == "inactive"
        assert status_after(stock=0) == "inactive"
        assert status_after(stock=5) == "inactive"
        assert status_after(status="active") == "active"

    def test_moves_to_another_variant(self, client, unit_of_work, as_seller, listing):
        other = store_variant(unit_of_work, listing.product_id, condition="PO")
        assert (
            client.patch(at(listing), json={"variant": other[1]}, headers=as_seller).json["variant"]["id"] == other[1]
        )
        parts = {"product": listing.product_id, "language": "en", "version": "holo", "condition": "NM"}
        answer = client.patch(at(listing), json=parts, headers=as_seller)
        assert answer.json["variant"]["id"] == listing.variant_id

    @pytest.mark.parametrize("method", ["patch", "delete"])
    def test_is_for_the_owner_and_admins(self, client, unit_of_work, as_stranger, as_admin, listing, method):
        def do(who):
            body = {"json": {"price": "1.00"}} if method == "patch" else {}
            return client.open(at(listing), method=method.upper(), headers=who, **body)

        assert do({}).status_code == 401
        refused = do(as_stranger)
        assert (refused.status_code, refused.json["code"]) == (403, "permission_denied")
        change(unit_of_work, listing.id, lambda each: each.switch_off(now=NOW))
        assert do(as_stranger).status_code == 404
        assert do(as_admin).status_code in (200, 204)

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"price": "0"}, "price"),
            ({"price": 1}, "price"),
            ({"price": None}, "price"),
            ({"stock": -1}, "stock"),
            ({"stock": True}, "stock"),
            ({"status": "archived"}, "status"),
            ({"seller": 5}, "seller"),
            ({"description": "\x07"}, "description"),
            ({"currency": "USD"}, "currency"),
            ({"variant": 999_999}, "variant"),
            ({"language": "fr"}, "product"),
            ({"grade": "PSA 10"}, "product"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, client, as_seller, listing, changes, field):
        answer = client.patch(at(listing), json=changes, headers=as_seller)
        assert answer.status_code == 422
        assert field in answer.json["errors"]
        assert client.get(at(listing)).json["price"] == "25.99"

    def test_refuses_a_currency_that_the_marketplace_does_not_settle_in(self, client, as_seller, listing):
        answer = client.patch(at(listing), json={"currency": "USD"}, headers=as_seller)
        assert answer.json["code"] == "currency_mismatch"


class TestArchive:
    def test_takes_it_away_for_good(self, client, as_seller, seller, listing):
        assert client.delete(at(listing), headers=as_seller).status_code == 204
        assert client.get(at(listing)).status_code == 404
        assert client.get(at(listing), headers=as_seller).json["status"] == "archived"
        again = client.patch(at(listing), json={"status": "active"}, headers=as_seller)
        assert (again.status_code, again.json["code"]) == (409, "illegal_transition")

    def test_is_harmless_when_repeated(self, client, as_seller, listing):
        answers = [client.delete(at(listing), headers=as_seller).status_code for _ in range(2)]
        assert answers == [204, 204]

    def test_knows_what_does_not_exist(self, client, as_seller):
        assert client.delete(f"{URL}1/", headers=as_seller).status_code == 404
