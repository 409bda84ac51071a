"""Fees over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.domain.identity import Role
from tests.contracts.fees import GENERAL

V1 = "/api/v1"
FEES = f"{V1}/admin/fees/"
PREVIEW = f"{V1}/fees/preview/"


@pytest.fixture
def admin(market, sign_in):
    return sign_in(market.someone(roles=[Role.ADMIN]))


class TestVersions:
    def test_before_the_first_the_settings_hold(self, client, admin):
        assert client.get(FEES, headers=admin).json["results"] == []
        current = client.get(f"{FEES}current/", headers=admin).json
        assert (current["id"], current["effective_from"], current["currency"]) == (None, None, "EUR")
        nothing = {"fixed": "0.00", "cap": None, "account_type": None, "seller": None, "category": None}
        assert current["rules"] == [
            {**nothing, "component": "commission", "payer": "both", "percent": "0.05", "floor": "0.00"},
            {**nothing, "component": "processing", "payer": "buyer", "percent": "0.06", "floor": "5.00"},
            {
                **nothing,
                **{"component": "shipping", "payer": "buyer", "percent": "0", "fixed": "10.00", "floor": "0.00"},
            },
        ]

    def test_one_is_added_and_shown_as_it_was_answered(self, client, admin, clock):
        begins = clock.now() + timedelta(days=1)
        first = client.post(FEES, json={"rules": GENERAL, "note": "The first"}, headers=admin)
        planned = client.post(FEES, json={"rules": GENERAL, "effective_from": begins.isoformat()}, headers=admin)
        assert (first.status_code, planned.status_code) == (201, 201)
        assert first.json["note"] == "The first"
        assert client.get(FEES, headers=admin).json["results"] == [planned.json, first.json]
        assert client.get(f"{FEES}current/", headers=admin).json == first.json
        clock.advance(timedelta(days=2))
        assert client.get(f"{FEES}current/", headers=admin).json == planned.json
        named = client.get(FEES, query_string={"fields": "id", "page_size": 1}, headers=admin).json
        assert named["results"] == [{"id": planned.json["id"]}]

    def test_two_of_one_instant_are_refused(self, client, admin, clock):
        body = {"rules": GENERAL, "effective_from": (clock.now() + timedelta(days=1)).isoformat()}
        client.post(FEES, json=body, headers=admin)
        again = client.post(FEES, json=body, headers=admin)
        assert (again.status_code, again.json["code"]) == (409, "fee_schedule_overlap")

    def test_every_fault_is_named(self, client, admin):
        rules = [*GENERAL[1:], {"component": "commission", "percent": "1.5", "seller": 999, "colour": "red"}, 5]
        answer = client.post(FEES, json={"rules": rules, "currency": "JPY"}, headers=admin)
        assert (answer.status_code, answer.json["code"]) == (422, "validation_error")
        assert set(answer.json["errors"]) == {
            *("rules", "rules.2.percent", "rules.2.seller", "rules.2.colour", "rules.3"),
            "currency",
        }

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"rules": []},
            {"rules": "all"},
            {"rules": GENERAL, "colour": "red"},
            {"rules": GENERAL, "effective_from": "2999-01-01T00:00:00"},
            {"rules": GENERAL, "note": "x" * 501},
        ],
    )
    def test_what_is_no_schedule_is_refused(self, client, admin, body):
        answer = client.post(FEES, json=body, headers=admin)
        assert (answer.status_code, answer.json["code"]) == (422, "validation_error")


class TestPreview:
    def test_tells_a_seller_what_a_sale_would_bring_and_why(self, client, market, sign_in):
        answer = client.post(PREVIEW, json={"price": "50.05", "quantity": 2}, headers=sign_in(market.seller()))
        assert answer.status_code == 200
        assert {key: answer.json[key] for key in ("schedule", "currency", "buyer", "seller")} == {
            "schedule": None,
            "currency": "EUR",
            "buyer": {
                "base_price": "100.10",
                "platform_commission": "5.01",
                "buyer_processing_fee": "6.01",
                "buyer_shipping_fee": "10.00",
                "buyer_total_price": "121.12",
            },
            "seller": {
                "base_price": "100.10",
                "platform_commission": "5.01",
                "seller_fees": "0.00",
                "seller_net_amount": "95.09",
            },
        }
        assert [(fee["component"], fee["payer"], fee["amount"]) for fee in answer.json["fees"]] == [
            ("commission", "both", "5.01"),
            ("processing", "buyer", "6.01"),
            ("shipping", "buyer", "10.00"),
        ]
        assert answer.json["fees"][0]["explanation"] == (
            "commission, paid by both: 5% of 100.10 EUR is 5.005 EUR, rounded half up to 5.01 EUR"
        )
        assert answer.json["fees"][0]["rule"]["percent"] == "0.05"

    def test_takes_a_category_by_id_or_slug(self, client, admin):
        category = client.get(f"{V1}/categories/").json["results"][0]
        for ref in (category["id"], category["slug"]):
            assert client.post(PREVIEW, json={"price": "1.00", "category": ref}, headers=admin).status_code == 200

    @pytest.mark.parametrize(
        "asked", [{"category": []}, {"category": True}, {"category": "x" * 300}, {"quantity": 0}, {"price": "-1"}]
    )
    def test_refuses_what_it_cannot_read(self, client, admin, asked):
        answer = client.post(PREVIEW, json={"price": "1.00", **asked}, headers=admin)
        assert (answer.status_code, answer.json["code"]) == (422, "validation_error")


def test_a_seller_sees_the_seller_fees_on_the_sale(client, market, admin, sign_in):
    rules = [*GENERAL, {"component": "seller_fees", "percent": "0.01", "fixed": "0.30"}]
    assert client.post(FEES, json={"rules": rules}, headers=admin).status_code == 201
    seller, buyer = market.seller(), market.buyer()
    market.add(buyer, market.listing(seller, price=10_000))
    cart = client.get(f"{V1}/cart/", headers=sign_in(buyer)).json
    order = market.order(buyer, expected_total=cart["totals"]["buyer_total_price"])
    market.pay(order)
    sale = client.get(f"{V1}/sellers/me/sales/", headers=sign_in(seller)).json["results"][0]
    assert (sale["platform_commission"], sale["seller_fees"], sale["seller_net_amount"]) == ("5.00", "1.30", "93.70")
