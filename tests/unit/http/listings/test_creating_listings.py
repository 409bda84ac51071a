"""Offering something over HTTP."""

from __future__ import annotations

import pytest

from marketplace.adapters.memory.idempotency import InMemoryIdempotencyKeys
from marketplace.application.ports.idempotency import LAPSES_AFTER
from tests.builders import NOW, store_product, store_variant

URL = "/api/v1/listings/"


class TestCreate:
    @pytest.fixture
    def variant(self, unit_of_work):
        return store_variant(unit_of_work)

    def test_offers_a_variant(self, client, as_seller, seller, variant):
        offer = {"variant": variant[1], "price": "25.99", "stock": 3, "description": "Sleeved"}
        answer = client.post(URL, json=offer, headers=as_seller)
        assert answer.status_code == 201
        body = answer.json
        assert (body["price"], body["currency"], body["stock"], body["available"]) == ("25.99", "EUR", 3, 3)
        assert (body["seller"]["id"], body["status"], body["description"]) == (seller, "active", "Sleeved")
        assert answer.headers["Location"] == f"/api/v1/listings/{body['id']}/"
        assert client.get(answer.headers["Location"]).json == body

    @pytest.mark.parametrize("by_id", [True, False])
    def test_makes_the_variant_when_nobody_has_offered_it_yet(self, client, unit_of_work, as_seller, by_id):
        product = store_product(unit_of_work)
        offer = {
            "product": product if by_id else f"Product-{product}",
            "language": 2 if by_id else "FR",
            "version": "reverse",
            "condition": "GRADED",
            "grade": "psa 9",
            "price": "1.00",
            "stock": 1,
            "status": "inactive",
            "currency": "EUR",
        }
        first, second = (client.post(URL, json=offer, headers=as_seller) for _ in range(2))
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json["variant"] == second.json["variant"]
        assert (first.json["variant"]["grade"]["value"], first.json["status"]) == ("9", "inactive")

    def test_is_sold_out_without_stock(self, client, as_seller, variant):
        answer = client.post(URL, json={"variant": variant[1], "price": "1.00", "stock": 0}, headers=as_seller)
        assert answer.json["status"] == "sold_out"

    def test_is_done_once_for_one_key(self, client, as_seller, variant):
        offer = {"variant": variant[1], "price": "25.99", "stock": 3}
        first, again = (client.post(URL, json=offer, headers={**as_seller, "Idempotency-Key": "k"}) for _ in range(2))
        assert (first.json, again.headers["Idempotent-Replayed"]) == (again.json, "true")
        assert client.get(URL).json["count"] == 1

    def test_what_was_made_but_not_noted_is_not_made_again(self, client, container, clock, as_seller, variant):
        class Killed(InMemoryIdempotencyKeys):
            def complete(self, attempt, answer):
                """Never gets there, as after a kill -9 in the middle of the request."""

        container.backend.idempotency_keys.override(Killed(container.backend.store()))
        offer, headers = {"variant": variant[1], "price": "25.99", "stock": 3}, {**as_seller, "Idempotency-Key": "k"}
        first = client.post(URL, json=offer, headers=headers)
        clock.advance(LAPSES_AFTER)
        again = client.post(URL, json=offer, headers=headers)
        assert (first.status_code, again.status_code, again.json) == (201, 201, first.json)
        assert again.headers["Location"] == first.headers["Location"]
        assert client.get(URL).json["count"] == 1

    def test_needs_somebody_who_may_sell(self, client, bearer, unit_of_work, as_stranger, variant):
        offer = {"variant": variant[1], "price": "25.99", "stock": 3}
        assert client.post(URL, json=offer).status_code == 401
        answer = client.post(URL, json=offer, headers=as_stranger)
        assert (answer.status_code, answer.json["code"]) == (403, "permission_denied")
        assert answer.json["missing"] == ["approval", "identity", "onboarding"]

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            *(
                ({"price": price}, "price")
                for price in ["0", "0.00", "-1", "1000000", "1.001", "NaN", "1e3", "", " 1", "\u0661"]
            ),
            *(({"price": price}, "price") for price in [None, 25.99, 25, True, [], {}, "9" * 13, "1,00", "+1"]),
            *(({"stock": stock}, "stock") for stock in [-1, 1_000_001, 1.5, 1.0, True, "3", None, [], 10**18]),
            ({"description": 5}, "description"),
            ({"description": "x" * 2001}, "description"),
            ({"description": "\x07"}, "description"),
            ({"status": "sold_out"}, "status"),
            ({"status": "archived"}, "status"),
            ({"variant": 999_999}, "variant"),
            ({"variant": 0}, "variant"),
            ({"variant": "7"}, "variant"),
            ({"currency": "USD"}, "currency"),
            ({"is_verified": True}, "is_verified"),
            ({"claimed": 0}, "claimed"),
            ({"product": 5}, "variant"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, client, as_seller, variant, changes, field):
        offer = {"variant": variant[1], "price": "25.99", "stock": 3, **changes}
        answer = client.post(URL, json=offer, headers=as_seller)
        assert answer.status_code == 422
        assert list(answer.json["errors"]) == [field]

    def test_refuses_half_a_character(self, client, as_seller, variant):
        body = b'{"variant": %d, "price": "1.00", "stock": 1, "description": "\\ud800"}' % variant[1]
        answer = client.post(URL, data=body, content_type="application/json", headers=as_seller)
        assert answer.status_code in (400, 422)

    @pytest.mark.parametrize(
        ("changes", "code", "field"),
        [
            ({"language": "xx"}, "validation_error", "language"),
            ({"version": 99}, "validation_error", "version"),
            ({"condition": "SO-SO"}, "validation_error", "condition"),
            ({"condition": "GRADED"}, "grade_required", "grade"),
            ({"grade": "PSA 10"}, "grade_forbidden", "grade"),
            ({"product": 1}, "validation_error", "product"),
            ({"product": True}, "validation_error", "product"),
            ({"product": ""}, "validation_error", "product"),
        ],
    )
    def test_refuses_a_variant_that_cannot_be(self, client, unit_of_work, as_seller, changes, code, field):
        parts = {"product": store_product(unit_of_work), "language": "en", "version": "holo", "condition": "NM"}
        answer = client.post(URL, json={**parts, "price": "1.00", "stock": 1, **changes}, headers=as_seller)
        assert (answer.status_code, answer.json["code"]) == (422, code)
        assert field in answer.json["errors"]

    @pytest.mark.parametrize("left_out", ["product", "language", "version", "condition"])
    def test_needs_all_the_parts_of_a_variant(self, client, unit_of_work, as_seller, left_out):
        parts = {"product": store_product(unit_of_work), "language": "en", "version": "holo", "condition": "NM"}
        del parts[left_out]
        answer = client.post(URL, json={**parts, "price": "1.00", "stock": 1}, headers=as_seller)
        assert answer.status_code == 422
        assert left_out in answer.json["errors"]

    def test_needs_a_variant_at_all(self, client, as_seller):
        answer = client.post(URL, json={"price": "1.00", "stock": 1}, headers=as_seller)
        assert list(answer.json["errors"]) == ["variant"]

    def test_refuses_an_archived_product(self, client, unit_of_work, as_seller, variant):
        with unit_of_work() as uow:
            product = uow.products.get(variant[0])
            product.archive(now=NOW)
            uow.products.save(product)
            uow.commit()
        answer = client.post(URL, json={"variant": variant[1], "price": "1.00", "stock": 1}, headers=as_seller)
        assert (answer.status_code, answer.json["code"]) == (409, "product_archived")
