"""The cart over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from marketplace.adapters.memory.idempotency import InMemoryIdempotencyKeys
from marketplace.application.ports.idempotency import LAPSES_AFTER
from tests.market import Market
from tests.unit.http.answers import refused

CART, ITEMS = "/api/v1/cart/", "/api/v1/cart/items/"
NO_SUCH = 987654321


@pytest.fixture
def listing(market: Market) -> int:
    return market.listing(market.seller(), price=2599, stock=5)


@pytest.fixture
def add(client, as_buyer):
    def add(listing: int, quantity: int = 1, **headers: str) -> Any:
        return client.post(ITEMS, json={"listing": listing, "quantity": quantity}, headers={**as_buyer, **headers})

    return add


class TestShowing:
    def test_an_empty_cart_costs_nothing(self, client, as_buyer):
        answer = client.get(CART, headers=as_buyer)
        assert (answer.status_code, answer.json) == (
            200,
            {
                "items": [],
                "totals": {
                    "base_price": "0.00",
                    "platform_commission": "0.00",
                    "buyer_processing_fee": "0.00",
                    "buyer_shipping_fee": "0.00",
                    "buyer_total_price": "0.00",
                },
                "currency": "EUR",
            },
        )

    def test_an_item_has_every_key_that_clients_rely_on(self, client, as_buyer, add, listing):
        added = add(listing, 2)
        assert added.status_code == 201
        shown = dict(added.json)
        offered = client.get(f"/api/v1/listings/{listing}/").json
        for key in ("product", "variant", "seller", "available"):
            assert shown.pop(key) == offered[key]
        assert isinstance(shown.pop("id"), int)
        assert shown == {
            "listing": listing,
            "quantity": 2,
            "unit_price": "25.99",
            "currency": "EUR",
            "current_price": "25.99",
            "reservation": "held",
            "reserved_until": "2026-01-15T12:30:00+00:00",
            "order": None,
            "problem": None,
        }
        cart = client.get(CART, headers=as_buyer).json
        assert cart["items"] == [added.json]
        assert cart["totals"] == {
            "base_price": "51.98",
            "platform_commission": "2.60",
            "buyer_processing_fee": "5.00",
            "buyer_shipping_fee": "10.00",
            "buyer_total_price": "69.58",
        }

    def test_tells_what_changed_meanwhile(self, client, market, as_buyer, add, listing):
        add(listing)
        market.reprice(listing, 3000)
        [item] = client.get(CART, headers=as_buyer).json["items"]
        assert (item["problem"], item["unit_price"], item["current_price"]) == ("price_changed", "25.99", "30.00")

    def test_tells_what_ran_out(self, client, market, as_buyer, add, listing):
        add(listing)
        market.later(minutes=30)
        [item] = client.get(CART, headers=as_buyer).json["items"]
        assert (item["reservation"], item["reserved_until"]) == ("expired", None)

    def test_tells_what_cannot_be_claimed_anew_yet(self, client, market, as_buyer, add, listing):
        item = add(listing).json["id"]
        for _ in range(5):
            market.later(minutes=20)
            client.patch(f"{ITEMS}{item}/", json={"quantity": 1}, headers=as_buyer)
        market.later(minutes=20)
        [shown] = client.get(CART, headers=as_buyer).json["items"]
        assert (shown["reservation"], shown["problem"]) == ("expired", "hold_limit_reached")

    def test_an_item_that_ran_out_never_becomes_another_card(self, client, market, sign_in, as_buyer, buyer, add):
        seller = market.seller()
        listing = market.listing(seller)
        add(listing)
        market.later(minutes=30)
        card = client.get(CART, headers=as_buyer).json["items"][0]["product"]["id"]
        poor = {"product": card, "language": "en", "version": "holo", "condition": "PO"}
        assert client.patch(f"/api/v1/listings/{listing}/", json=poor, headers=sign_in(seller)).status_code == 200
        assert client.get(CART, headers=as_buyer).json["items"] == []
        order = {"shipping_address": market.address_of(buyer)}
        answer = client.post("/api/v1/orders/", json=order, headers=as_buyer)
        assert (answer.status_code, answer.json["code"]) == (409, "cart_empty")

    def test_tells_which_order_holds_an_item(self, client, market, as_buyer, buyer, add, listing):
        add(listing)
        order = market.order(buyer)
        [item] = client.get(CART, headers=as_buyer).json["items"]
        assert (item["reservation"], item["order"], item["reserved_until"]) == ("ordered", order, None)


class TestChanging:
    def test_sets_the_quantity(self, client, as_buyer, add, listing):
        item = add(listing, 2).json["id"]
        answer = client.patch(f"{ITEMS}{item}/", json={"quantity": 5}, headers=as_buyer)
        assert (answer.status_code, answer.json["quantity"], answer.json["id"]) == (200, 5, item)

    def test_removes_an_item(self, client, as_buyer, add, listing):
        item = add(listing).json["id"]
        assert client.delete(f"{ITEMS}{item}/", headers=as_buyer).status_code == 204
        assert client.get(CART, headers=as_buyer).json["items"] == []
        assert client.delete(f"{ITEMS}{item}/", headers=as_buyer).status_code == 404

    def test_empties_the_cart(self, client, as_buyer, add, listing):
        add(listing)
        assert client.delete(CART, headers=as_buyer).status_code == 204
        assert client.get(CART, headers=as_buyer).json["items"] == []

    def test_the_same_request_with_the_same_key_adds_once(self, client, as_buyer, add, listing):
        first = add(listing, 2, **{"Idempotency-Key": "once"})
        again = add(listing, 2, **{"Idempotency-Key": "once"})
        assert (again.status_code, again.json, again.headers["Idempotent-Replayed"]) == (201, first.json, "true")
        assert client.get(CART, headers=as_buyer).json["items"][0]["quantity"] == 2

    def test_a_request_that_was_done_but_not_noted_is_not_done_again(self, client, container, clock, add, listing):
        class Killed(InMemoryIdempotencyKeys):
            def complete(self, attempt, answer):
                """Never gets there, as after a kill -9 in the middle of the request."""

        container.backend.idempotency_keys.override(Killed(container.backend.store()))
        first = add(listing, 2, **{"Idempotency-Key": "once"})
        clock.advance(LAPSES_AFTER)
        again = add(listing, 2, **{"Idempotency-Key": "once"})
        assert (first.status_code, again.status_code, again.json) == (201, 201, first.json)


class TestRefusals:
    def test_more_than_there_is(self, add, listing):
        assert refused(add(listing, 6), 409, "insufficient_stock")["available"] == 5

    def test_beyond_the_hold_limit(self, client, market, as_buyer, add, listing):
        item = add(listing).json["id"]
        for _ in range(5):
            market.later(minutes=20)
            client.patch(f"{ITEMS}{item}/", json={"quantity": 1}, headers=as_buyer)
        market.later(minutes=20)
        problem = refused(
            client.patch(f"{ITEMS}{item}/", json={"quantity": 1}, headers=as_buyer), 409, "hold_limit_reached"
        )
        assert problem["retry_at"] == "2026-01-15T16:00:00+00:00"

    def test_what_an_order_holds(self, client, market, as_buyer, buyer, add, listing):
        item = add(listing).json["id"]
        order = market.order(buyer)
        for answer in (
            add(listing),
            client.patch(f"{ITEMS}{item}/", json={"quantity": 1}, headers=as_buyer),
            client.delete(f"{ITEMS}{item}/", headers=as_buyer),
        ):
            assert refused(answer, 409, "already_ordered")["order"] == order

    def test_ones_own_listing(self, client, market, sign_in):
        seller = market.seller()
        answer = client.post(ITEMS, json={"listing": market.listing(seller), "quantity": 1}, headers=sign_in(seller))
        refused(answer, 409, "own_listing")

    @pytest.mark.parametrize("hide", ["switch_off", "archive", "go_on_holiday"])
    def test_what_is_hidden_looks_like_what_does_not_exist(self, market, add, hide):
        seller = market.seller()
        hidden = market.listing(seller)
        getattr(market, hide)(seller if hide == "go_on_holiday" else hidden)
        told, unknown = (refused(add(id), 404, "not_found") for id in (hidden, NO_SUCH))
        assert {**told, "request_id": ""} == {**unknown, "request_id": ""}

    def test_what_was_taken_off_sale_in_the_cart(self, client, market, as_buyer, add, listing):
        item = add(listing).json["id"]
        market.switch_off(listing)
        answer = client.patch(f"{ITEMS}{item}/", json={"quantity": 2}, headers=as_buyer)
        assert refused(answer, 409, "listing_unavailable")["reason"] == "listing_inactive"

    def test_parameters_that_the_cart_does_not_have(self, client, as_buyer):
        problem = refused(client.get(f"{CART}?page=1&page=2", headers=as_buyer), 422, "validation_error")
        assert problem["errors"] == {"page": ["Unknown field."]}

    def test_fields_that_emptying_does_not_have(self, client, as_buyer, add, listing):
        add(listing)
        answer = client.delete(CART, json={"listing": listing}, headers=as_buyer)
        assert refused(answer, 422, "validation_error")["errors"] == {"listing": ["Unknown field."]}
        assert len(client.get(CART, headers=as_buyer).json["items"]) == 1

    def test_what_does_not_exist(self, client, as_buyer, add):
        refused(add(NO_SUCH), 404, "not_found")
        refused(client.patch(f"{ITEMS}{NO_SUCH}/", json={"quantity": 1}, headers=as_buyer), 404, "not_found")
        refused(client.delete(f"{ITEMS}{NO_SUCH}/", headers=as_buyer), 404, "not_found")

    def test_the_item_of_another(self, client, market, sign_in, add, listing):
        item = add(listing).json["id"]
        stranger = sign_in(market.buyer())
        refused(client.patch(f"{ITEMS}{item}/", json={"quantity": 1}, headers=stranger), 404, "not_found")
        refused(client.delete(f"{ITEMS}{item}/", headers=stranger), 404, "not_found")

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"listing": 1}, "quantity"),
            ({"quantity": 1}, "listing"),
            ({"listing": 1, "quantity": 0}, "quantity"),
            ({"listing": 1, "quantity": -1}, "quantity"),
            ({"listing": 1, "quantity": 1_000_001}, "quantity"),
            ({"listing": 1, "quantity": 2**63}, "quantity"),
            ({"listing": 1, "quantity": 1.5}, "quantity"),
            ({"listing": 1, "quantity": 1.0}, "quantity"),
            ({"listing": 1, "quantity": True}, "quantity"),
            ({"listing": 1, "quantity": "1"}, "quantity"),
            ({"listing": 1, "quantity": None}, "quantity"),
            ({"listing": 0, "quantity": 1}, "listing"),
            ({"listing": 2**53, "quantity": 1}, "listing"),
            ({"listing": "1", "quantity": 1}, "listing"),
            ({"listing": [1], "quantity": 1}, "listing"),
            ({"listing": 1, "quantity": 1, "price": "0.01"}, "price"),
        ],
    )
    def test_what_makes_no_sense(self, client, as_buyer, body, field):
        problem = refused(client.post(ITEMS, json=body, headers=as_buyer), 422, "validation_error")
        assert list(problem["errors"]) == [field]

    @pytest.mark.parametrize(
        ("method", "path"), [("get", CART), ("delete", CART), ("post", ITEMS), ("patch", f"{ITEMS}1/")]
    )
    def test_whoever_is_not_signed_in(self, client, method, path):
        answer = getattr(client, method)(path, **({"json": {}} if method in ("post", "patch") else {}))
        refused(answer, 401, "not_authenticated")
