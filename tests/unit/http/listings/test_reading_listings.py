"""Listings as they are read over HTTP."""

from __future__ import annotations

import pytest

from tests.builders import NOW, euros, store_listing, store_product, store_seller, store_variant
from tests.contracts.listings import change, claim

URL = "/api/v1/listings/"


def at(listing) -> str:
    return f"{URL}{listing.id}/"


class TestDetail:
    def test_has_every_key_that_clients_rely_on(self, client, unit_of_work, seller):
        product = store_product(unit_of_work, "Umbreon VMAX", attributes={"image_url": "https://example.com/215.webp"})
        variant = store_variant(unit_of_work, product, language="fr", condition="GRADED", grade="PSA 10")
        listing = store_listing(unit_of_work, seller, variant, stock=5, description="Slabbed")
        claim(unit_of_work, listing, 2)
        body = client.get(at(listing)).json
        assert body.pop("variant") == {
            "id": variant[1],
            "product": product,
            "language": {"id": 2, "code": "fr", "name": "Français"},
            "version": {
                "id": 3,
                "code": "holo",
                "name": "Holo",
                "tcg_types": ["magic", "other", "pokemon", "yugioh"],
                "description": "Foil on the picture.",
                "displayable": True,
            },
            "condition": {"id": 8, "code": "GRADED", "label": "Graded", "is_graded": True},
            "grade": {"id": body_grade_id(unit_of_work, "PSA 10"), "value": "10", "grader": "PSA"},
        }
        assert body == {
            "id": listing.id,
            "product": {
                "id": product,
                "external_id": f"product-{product}",
                "name": "Umbreon VMAX",
                "slug": f"umbreon-vmax-product-{product}",
                "image": "https://example.com/215.webp",
            },
            "seller": {"id": seller, "shop_name": "Card Cave", "rating": None},
            "price": "25.99",
            "currency": "EUR",
            "stock": 5,
            "available": 3,
            "status": "active",
            "description": "Slabbed",
            "is_verified": False,
            "created_at": "2026-01-15T12:00:00+00:00",
            "updated_at": "2026-01-15T12:00:00+00:00",
        }

    def test_keeps_only_the_fields_asked_for(self, client, listing):
        assert client.get(at(listing), query_string={"fields": "id,price"}).json == {"id": listing.id, "price": "25.99"}
        assert client.get(at(listing), query_string={"fields": "secret"}).status_code == 422

    def test_answers_304_until_it_changes(self, client, unit_of_work, listing):
        tag = client.get(at(listing)).headers["ETag"]
        assert client.get(at(listing), headers={"If-None-Match": tag}).status_code == 304
        change(unit_of_work, listing.id, lambda each: each.reprice(euros(1), now=NOW))
        assert client.get(at(listing), headers={"If-None-Match": tag}).status_code == 200

    def test_hides_what_is_switched_off_from_all_but_owner_and_admins(
        self, client, unit_of_work, listing, as_seller, as_admin, as_stranger
    ):
        change(unit_of_work, listing.id, lambda each: each.switch_off(now=NOW))
        assert [client.get(at(listing), headers=who).status_code for who in ({}, as_stranger)] == [404, 404]
        assert [client.get(at(listing), headers=who).status_code for who in (as_seller, as_admin)] == [200, 200]

    def test_refuses_a_forged_token_instead_of_ignoring_it(self, client, listing):
        answer = client.get(at(listing), headers={"Authorization": "Bearer a.b.c"})
        assert (answer.status_code, answer.json["code"]) == (401, "not_authenticated")


def body_grade_id(unit_of_work, code):
    with unit_of_work() as uow:
        return uow.catalogue.attributes().grade(code).id


class TestLists:
    def test_narrows_orders_and_pages(self, client, unit_of_work, seller):
        french, english = (
            store_variant(unit_of_work, language="fr"),
            store_variant(unit_of_work, condition="GRADED", grade="PSA 10"),
        )
        prices = [(french, 300), (french, 100), (french, 200), (english, 50)]
        made = [store_listing(unit_of_work, seller, variant, price=euros(price)).id for variant, price in prices]

        def ids(**query):
            return [each["id"] for each in client.get(URL, query_string=query).json["results"]]

        assert ids(language="fr", ordering="price") == [made[1], made[2], made[0]]
        assert ids(language=2, ordering="-price") == [made[0], made[2], made[1]]
        assert ids(grade="PSA 10") == ids(graded="true") == ids(condition="GRADED") == [made[3]]
        assert ids(min_price="1.00", max_price="2.00", ordering="price") == [made[1], made[2]]
        assert ids(variant=french[1], version="holo", in_stock="true", verified="false", ordering="oldest") == made[:3]
        assert ids(product=french[0], seller=seller, ordering="created_at") == made[:3]
        assert ids(ordering="newest") == ids(ordering="-created_at") == ids() == made[::-1]

        first = client.get(URL, query_string={"ordering": "price", "page_size": 3, "fields": "id"}).json
        second = client.get(first["next"]).json
        assert [each["id"] for each in first["results"] + second["results"]] == [made[3], made[1], made[2], made[0]]
        assert (first["count"], first["count_is_exact"], second["next"]) == (4, True, None)
        assert set(first["results"][0]) == {"id"}

    @pytest.mark.parametrize(
        "query",
        [
            {"language": ""},
            {"language": "x" * 101},
            {"graded": "yes"},
            {"min_price": "-1"},
            {"min_price": "NaN"},
            {"min_price": "0.001"},
            {"max_price": "1e9"},
            {"in_stock": "1"},
            {"status": "gone"},
            {"ordering": "cheapest"},
            {"seller": "me"},
            {"variant": 0},
            {"colour": "red"},
            {"page": 0},
            {"page": 501},
            {"cursor": "x"},
            {"fields": "claimed"},
        ],
    )
    def test_refuses_a_query_that_it_does_not_know(self, client, query):
        answer = client.get(URL, query_string=query)
        assert (answer.status_code, answer.json["code"]) == (422, "validation_error")
        assert set(answer.json["errors"]) == set(query)

    def test_shows_hidden_ones_to_owner_and_admins_when_asked_for_by_seller(
        self, client, unit_of_work, seller, as_seller, as_admin, as_stranger, listing
    ):
        change(unit_of_work, listing.id, lambda each: each.switch_off(now=NOW))
        theirs = f"/api/v1/sellers/{seller}/listings/"
        for url in (theirs, f"{URL}?seller={seller}"):
            counts = [client.get(url, headers=who).json["count"] for who in ({}, as_stranger, as_seller, as_admin)]
            assert counts == [0, 0, 1, 1]
        assert client.get(URL, headers=as_seller).json["count"] == 0
        assert client.get(theirs, headers=as_seller, query_string={"status": "active"}).json["count"] == 0

    def test_lists_the_offers_for_a_product(self, client, unit_of_work, listing):
        store_listing(unit_of_work)
        body = client.get(f"/api/v1/products/{listing.product_id}/listings/").json
        assert [each["id"] for each in body["results"]] == [listing.id]
        empty = store_product(unit_of_work)
        assert client.get(f"/api/v1/products/{empty}/listings/").json["results"] == []
        assert client.get("/api/v1/products/1/listings/").status_code == 404

    def test_lists_what_a_seller_offers(self, client, unit_of_work, seller, listing, as_seller):
        store_listing(unit_of_work)
        body = client.get(f"/api/v1/sellers/{seller}/listings/", query_string={"product": listing.product_id}).json
        assert [each["id"] for each in body["results"]] == [listing.id]
        new = store_seller(unit_of_work)
        assert client.get(f"/api/v1/sellers/{new}/listings/").json["results"] == []
        assert client.get("/api/v1/sellers/1/listings/").status_code == 404
