"""Orders and sales over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from marketplace.adapters.simulated_gateway.gateway import SimulatedGateway
from marketplace.application.access import Actor
from marketplace.domain.identity import Role
from marketplace.domain.shared.errors import Unavailable
from tests.market import Market
from tests.unit.http.answers import refused

ORDERS, QUOTE, CART, SALES = "/api/v1/orders/", "/api/v1/orders/quote/", "/api/v1/cart/", "/api/v1/sellers/me/sales/"
NO_SUCH = 987654321
WRITTEN = {"name": "Cave SARL", "street": "Quai", "city": "Lille", "country": "FR"}


@pytest.fixture
def seller(market: Market) -> Actor:
    return market.seller()


@pytest.fixture
def listing(market: Market, buyer: Actor, seller: Actor) -> int:
    """In the buyer's cart, twice."""
    listing = market.listing(seller, price=2599, stock=5)
    market.add(buyer, listing, 2)
    return listing


@pytest.fixture
def checkout(client, market, buyer, as_buyer):
    def checkout(*, headers: dict[str, str] | None = None, **body: Any) -> Any:
        return client.post(
            ORDERS,
            json={"shipping_address": market.address_of(buyer), **body},
            headers={**as_buyer, **(headers or {})},
        )

    return checkout


class TestQuoting:
    def test_tells_what_an_order_would_cost(self, client, as_buyer, listing):
        answer = client.post(QUOTE, json={}, headers=as_buyer)
        assert answer.status_code == 200
        assert answer.json["totals"]["buyer_total_price"] == "69.58"
        assert answer.json["currency"] == "EUR"
        assert answer.json["items"] == client.get(CART, headers=as_buyer).json["items"]

    def test_tells_what_some_of_it_would_cost(self, client, market, as_buyer, buyer, seller, listing):
        other = market.add(buyer, market.listing(seller, price=100))
        answer = client.post(QUOTE, json={"cart_items": [other.id]}, headers=as_buyer)
        assert [item["id"] for item in answer.json["items"]] == [other.id]
        assert answer.json["totals"]["base_price"] == "1.00"

    def test_tells_what_stands_in_the_way(self, client, market, as_buyer, listing):
        market.switch_off(listing)
        answer = client.post(QUOTE, json={}, headers=as_buyer)
        assert [item["problem"] for item in answer.json["items"]] == ["listing_inactive"]

    def test_refuses_an_empty_cart_and_unknown_items(self, client, as_buyer):
        refused(client.post(QUOTE, json={}, headers=as_buyer), 409, "cart_empty")
        refused(client.post(QUOTE, json={"cart_items": [NO_SUCH]}, headers=as_buyer), 404, "not_found")

    def test_refuses_more_than_can_be_paid_at_once(self, client, market, as_buyer, buyer, seller):
        market.add(buyer, market.listing(seller, price=99_999_999), 1)
        refused(client.post(QUOTE, json={}, headers=as_buyer), 422, "amount_out_of_bounds")


class TestPlacing:
    def test_answers_with_every_key_that_clients_rely_on(self, market, buyer, seller, checkout, listing):
        answer = checkout(billing_address=WRITTEN)
        assert answer.status_code == 201
        body = dict(answer.json)
        assert answer.headers["Location"] == f"{ORDERS}{body['id']}/"
        payment = body.pop("payment")
        assert payment.pop("client_secret").startswith(payment.pop("intent_id"))
        assert payment == {"provider": "simulated", "publishable_key": None, "status": "requires_payment_method"}
        [sale] = body.pop("sales")
        [item] = sale.pop("items")
        assert item.pop("variant")["version"]["code"] == "holo"
        product = market.listing_now(listing).product_id
        assert isinstance(item.pop("id"), int)
        assert item == {
            "listing": listing,
            "product": product,
            "title": f"Card {listing}",
            "quantity": 2,
            "unit_price": "25.99",
            "subtotal": "51.98",
        }
        assert isinstance(sale.pop("id"), int)
        assert sale == {
            "order": body["id"],
            "reference": f"{body['reference']}-1",
            "status": "awaiting_payment",
            "seller": {"id": seller.account_id, "shop_name": f"Shop {seller.account_id}"},
            "subtotal": "51.98",
            "currency": "EUR",
            "shipment": None,
            "cancellation_request": None,
        }
        assert body.pop("shipping_address")["city"] == "Lyon"
        assert body.pop("billing_address") == {
            **WRITTEN,
            "street_number": "",
            "state": "",
            "postal_code": "",
            "phone_number": "",
        }
        del body["id"], body["reference"]
        assert body == {
            "status": "pending_payment",
            "currency": "EUR",
            "base_price": "51.98",
            "platform_commission": "2.60",
            "buyer_processing_fee": "5.00",
            "buyer_shipping_fee": "10.00",
            "buyer_total_price": "69.58",
            "created_at": "2026-01-15T12:00:00+00:00",
            "payment_due_at": "2026-01-15T12:30:00+00:00",
            "paid_at": None,
        }

    def test_orders_what_is_chosen_and_leaves_the_rest(
        self, client, market, buyer, as_buyer, seller, checkout, listing
    ):
        other = market.add(buyer, market.listing(seller))
        assert checkout(cart_items=[other.id]).status_code == 201
        states = {item["id"]: item["reservation"] for item in client.get(CART, headers=as_buyer).json["items"]}
        assert states == {market.item_id(buyer, listing): "held", other.id: "ordered"}

    def test_takes_the_total_that_was_expected(self, checkout, listing):
        assert refused(checkout(expected_total="69.57"), 409, "total_changed")["buyer_total_price"] == "69.58"
        assert checkout(expected_total="69.58").status_code == 201

    def test_lists_everything_that_stands_in_the_way(self, market, buyer, seller, checkout, listing):
        dearer, gone = market.listing(seller, price=1000), market.listing(seller, stock=1)
        market.add(buyer, gone)
        market.later(minutes=30)
        market.change_cart_item(actor=buyer, item_id=market.item_id(buyer, listing), quantity=2)
        market.add(buyer, dearer)
        market.add(market.buyer(), gone)
        market.reprice(dearer, 1200)
        problem = refused(checkout(), 409, "checkout_conflict")
        assert problem["items"] == [
            {
                "id": market.item_id(buyer, dearer),
                "listing": dearer,
                "reason": "price_changed",
                "unit_price": "10.00",
                "current_price": "12.00",
            },
            {"id": market.item_id(buyer, gone), "listing": gone, "reason": "out_of_stock", "available": 0},
        ]

    def test_passes_once_the_new_price_was_told(self, market, checkout, listing):
        market.reprice(listing, 3000)
        refused(checkout(), 409, "checkout_conflict")
        answer = checkout()
        assert (answer.status_code, answer.json["base_price"]) == (201, "60.00")

    def test_the_same_request_with_the_same_key_makes_one_order(self, client, as_buyer, checkout, listing):
        key = {"Idempotency-Key": "one-order"}
        first, again = checkout(headers=key), checkout(headers=key)
        assert (again.status_code, again.json) == (201, first.json)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.json["payment"]["client_secret"]
        assert client.get(ORDERS, headers=as_buyer).json["count"] == 1
        refused(checkout(headers=key, expected_total="1.00"), 422, "idempotency_key_reused")

    def test_a_silent_provider_does_not_lose_the_order(self, monkeypatch, checkout, listing):
        def silent(*_: Any, **__: Any) -> None:
            raise Unavailable("The provider does not answer.")

        monkeypatch.setattr(SimulatedGateway, "create_payment", silent)
        monkeypatch.setattr(SimulatedGateway, "find_payment", silent)
        answer = checkout()
        assert answer.status_code == 201
        assert (answer.json["payment"]["status"], answer.json["payment"]["client_secret"]) == ("creating", None)

    def test_refuses_what_is_not_ones_own(self, market, checkout, listing):
        stranger = market.buyer()
        theirs = market.add(stranger, listing)
        refused(checkout(cart_items=[theirs.id]), 404, "not_found")
        refused(checkout(shipping_address=market.address_of(stranger)), 404, "not_found")
        refused(checkout(billing_address=market.address_of(stranger)), 404, "not_found")
        refused(checkout(shipping_address=NO_SUCH), 404, "not_found")

    def test_needs_a_verified_address_of_mail(self, client, market, sign_in, seller):
        unverified = market.buyer(is_email_verified=False)
        market.add(unverified, market.listing(seller))
        answer = client.post(
            ORDERS, json={"shipping_address": market.address_of(unverified)}, headers=sign_in(unverified)
        )
        assert refused(answer, 403, "permission_denied")["missing"] == ["verified_email"]

    def test_refuses_an_empty_cart_and_what_is_ordered_already(self, checkout, market, buyer, seller):
        refused(checkout(), 409, "cart_empty")
        item = market.add(buyer, market.listing(seller))
        order = checkout().json["id"]
        assert refused(checkout(), 409, "already_ordered")["order"] == order
        assert refused(checkout(cart_items=[item.id]), 409, "already_ordered")["order"] == order

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"shipping_address": None}, "shipping_address"),
            ({"shipping_address": "12"}, "shipping_address"),
            ({"shipping_address": 0}, "shipping_address"),
            ({"shipping_address": True}, "shipping_address"),
            ({"shipping_address": 1.0}, "shipping_address"),
            ({"shipping_address": []}, "shipping_address"),
            ({"shipping_address": {}}, "shipping_address"),
            ({"shipping_address": {**WRITTEN, "planet": "Mars"}}, "shipping_address"),
            ({"shipping_address": {**WRITTEN, "country": "XX"}}, "shipping_address"),
            ({"billing_address": "12"}, "billing_address"),
            ({"cart_items": []}, "cart_items"),
            ({"cart_items": [0]}, "cart_items"),
            ({"cart_items": ["1"]}, "cart_items"),
            ({"cart_items": [True]}, "cart_items"),
            ({"cart_items": 1}, "cart_items"),
            ({"cart_items": [1] * 201}, "cart_items"),
            ({"expected_total": 69.58}, "expected_total"),
            ({"expected_total": "-1.00"}, "expected_total"),
            ({"expected_total": "NaN"}, "expected_total"),
            ({"expected_total": "1.234"}, "expected_total"),
            ({"buyer_total_price": "0.01"}, "buyer_total_price"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, checkout, listing, body, field):
        problem = refused(checkout(**body), 422, "validation_error")
        assert next(name.split(".")[0] for name in problem["errors"]) == field

    @pytest.mark.parametrize("address", ["shipping_address", "billing_address"])
    @pytest.mark.parametrize(("part", "value"), [("country", "XX"), ("phone_number", "call me"), ("city", 7)])
    def test_names_the_part_of_a_written_address_that_is_wrong(self, checkout, listing, address, part, value):
        problem = refused(checkout(**{address: {**WRITTEN, part: value}}), 422, "validation_error")
        assert list(problem["errors"]) == [f"{address}.{part}"]

    def test_needs_somebody_who_is_signed_in(self, client):
        for path in (ORDERS, QUOTE):
            refused(client.post(path, json={}), 401, "not_authenticated")
        for path in (ORDERS, f"{ORDERS}1/", SALES, f"{SALES}1/"):
            refused(client.get(path), 401, "not_authenticated")


class TestReading:
    def test_the_buyer_finds_what_is_needed_to_pay_while_it_is_unpaid(
        self, client, market, as_buyer, checkout, listing
    ):
        placed = checkout().json
        assert client.get(f"{ORDERS}{placed['id']}/", headers=as_buyer).json == placed
        market.end_unpaid(placed["id"])
        ended = client.get(f"{ORDERS}{placed['id']}/", headers=as_buyer).json
        assert (ended["status"], ended["payment"]["client_secret"]) == ("expired", None)

    def test_an_administrator_sees_it_without_the_secret(self, client, market, sign_in, checkout, listing):
        placed = checkout().json
        admin = sign_in(market.someone(roles=[Role.ADMIN]))
        seen = client.get(f"{ORDERS}{placed['id']}/", headers=admin).json
        assert (seen["id"], seen["payment"]["client_secret"]) == (placed["id"], None)

    def test_nobody_else_sees_it(self, client, market, sign_in, seller, checkout, listing):
        order = checkout().json["id"]
        for somebody in (market.buyer(), seller):
            refused(client.get(f"{ORDERS}{order}/", headers=sign_in(somebody)), 404, "not_found")
            assert client.get(ORDERS, headers=sign_in(somebody)).json["results"] == []

    def test_keeps_only_the_fields_that_are_asked_for(self, client, as_buyer, checkout, listing):
        placed = checkout().json
        answer = client.get(f"{ORDERS}{placed['id']}/?fields=id,status", headers=as_buyer)
        assert answer.json == {"id": placed["id"], "status": "pending_payment"}
        refused(client.get(f"{ORDERS}{placed['id']}/?fields=nope", headers=as_buyer), 422, "validation_error")

    def test_lists_ones_own_page_by_page(self, client, market, buyer, as_buyer, seller):
        ids = []
        for _ in range(3):
            market.add(buyer, market.listing(seller))
            ids.append(market.order(buyer))
            market.later(minutes=1)
        first = client.get(f"{ORDERS}?page_size=2", headers=as_buyer).json
        assert ([order["id"] for order in first["results"]], first["count"]) == (ids[:0:-1], 3)
        second = client.get(first["next"], headers=as_buyer).json
        assert [order["id"] for order in second["results"]] == ids[:1]
        assert all(order["payment"]["client_secret"] is None for order in first["results"])
        oldest = client.get(f"{ORDERS}?ordering=created_at&fields=id", headers=as_buyer).json
        assert oldest["results"] == [{"id": id} for id in ids]

    def test_narrows_by_status(self, client, market, buyer, as_buyer, checkout, listing):
        order = checkout().json["id"]
        assert client.get(f"{ORDERS}?status=pending_payment", headers=as_buyer).json["count"] == 1
        market.pay(order)
        assert client.get(f"{ORDERS}?status=pending_payment", headers=as_buyer).json["count"] == 0
        assert client.get(f"{ORDERS}?status=paid", headers=as_buyer).json["results"][0]["paid_at"] is not None
        refused(client.get(f"{ORDERS}?status=nope", headers=as_buyer), 422, "validation_error")
        refused(client.get(f"{ORDERS}?ordering=price", headers=as_buyer), 422, "validation_error")


class TestSales:
    def test_a_seller_sees_paid_sales_and_where_to_send_them(
        self, client, market, sign_in, seller, buyer, checkout, listing
    ):
        order = checkout().json
        assert client.get(SALES, headers=sign_in(seller)).json["results"] == []
        [sale] = order["sales"]
        refused(client.get(f"{SALES}{sale['id']}/", headers=sign_in(seller)), 404, "not_found")
        market.pay(order["id"])
        shown = client.get(f"{SALES}{sale['id']}/", headers=sign_in(seller)).json
        assert shown == {
            **sale,
            "status": "awaiting_shipment",
            "platform_commission": "2.60",
            "seller_fees": "0.00",
            "seller_net_amount": "49.38",
            "shipping_address": order["shipping_address"],
            "paid_at": "2026-01-15T12:00:00+00:00",
        }
        listed = client.get(f"{SALES}?status=awaiting_shipment", headers=sign_in(seller)).json
        assert (listed["results"], listed["count"]) == ([shown], 1)

    def test_nobody_sees_the_sale_of_another(self, client, market, sign_in, seller, checkout, listing):
        order = checkout().json
        market.pay(order["id"])
        other = sign_in(market.seller())
        refused(client.get(f"{SALES}{order['sales'][0]['id']}/", headers=other), 404, "not_found")
        assert client.get(SALES, headers=other).json["results"] == []

    def test_only_sellers_have_sales(self, client, as_buyer):
        refused(client.get(SALES, headers=as_buyer), 403, "permission_denied")
        refused(client.get(f"{SALES}1/", headers=as_buyer), 403, "permission_denied")
