"""Sending, confirming and cancelling sales over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from marketplace.application.access import Actor
from tests.market import Market
from tests.unit.http.answers import refused

SALES = "/api/v1/sellers/me/sales/"
PARCEL = {"carrier": "Colissimo", "tracking_number": "6A 123"}


@pytest.fixture
def seller(market: Market) -> Actor:
    return market.seller()


@pytest.fixture
def order(client, market, buyer, as_buyer, seller, container) -> dict[str, Any]:
    """Paid, of two pieces of one seller."""
    market.add(buyer, market.listing(seller, price=2599, stock=5), 2)
    placed = client.post("/api/v1/orders/", json={"shipping_address": market.address_of(buyer)}, headers=as_buyer).json
    client.post(f"/api/v1/orders/{placed['id']}/pay/", json={"payment_method": "pm_card_visa"}, headers=as_buyer)
    for job in ("deliver simulated events", "process webhooks"):
        container.jobs()[job]()
    return placed


@pytest.fixture
def sale(order) -> int:
    return order["sales"][0]["id"]


@pytest.fixture
def ask(client, sign_in, seller, sale):
    """What the seller asks of the sale."""

    def ask(verb: str, body: Any, by: Actor | None = None, **headers: str) -> Any:
        who = sign_in(by or seller)
        return client.post(f"{SALES}{sale}/{verb}/", json=body, headers={**who, **headers})

    return ask


@pytest.fixture
def confirm(client, as_buyer, order, sale):
    return lambda: client.post(f"/api/v1/orders/{order['id']}/sales/{sale}/confirm-receipt/", headers=as_buyer)


@pytest.fixture
def bought(client, as_buyer, order):
    """The order as its buyer sees it."""
    return lambda: client.get(f"/api/v1/orders/{order['id']}/", headers=as_buyer).json


class TestSending:
    def test_shows_the_parcel_to_both(self, ask, bought):
        answer = ask("ship", PARCEL)
        assert (answer.status_code, answer.json["status"]) == (200, "shipped")
        assert answer.json["shipping_address"]["city"] == "Lyon"
        assert answer.json["shipment"] == {
            **PARCEL,
            "tracking_url": "https://www.laposte.fr/outils/suivre-vos-envois?code=6A123",
            "shipped_at": "2026-01-15T12:00:00+00:00",
            "delivered_at": None,
            "completes_at": "2026-01-29T12:00:00+00:00",
        }
        assert bought()["sales"][0]["shipment"] == answer.json["shipment"]
        assert "shipping_address" not in bought()["sales"][0]

    def test_is_in_what_both_are_given_of_themselves(self, client, as_buyer, sign_in, seller, ask):
        parcel = ask("ship", PARCEL).json["shipment"]
        (order,) = client.get("/api/v1/users/me/export/", headers=as_buyer).json["orders"]
        (sale,) = client.get("/api/v1/users/me/export/", headers=sign_in(seller)).json["sales"]
        assert order["sales"][0]["shipment"] == sale["shipment"] == parcel

    def test_the_same_again_answers_the_same(self, ask, clock):
        first = ask("ship", PARCEL)
        clock.advance(timedelta(hours=1))
        assert ask("ship", PARCEL).json == first.json
        corrected = ask("ship", {**PARCEL, "tracking_number": "6A 124"}).json["shipment"]
        assert (corrected["tracking_number"], corrected["shipped_at"]) == ("6A 124", "2026-01-15T12:00:00+00:00")

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"carrier": "DHL"}, "tracking_number"),
            ({"tracking_number": "1"}, "carrier"),
            ({**PARCEL, "carrier": " "}, "carrier"),
            ({**PARCEL, "carrier": "\u202eLHD"}, "carrier"),
            ({**PARCEL, "tracking_number": "<b>"}, "tracking_number"),
            ({**PARCEL, "tracking_number": 12345}, "tracking_number"),
            ({**PARCEL, "shipped_at": "2020-01-01"}, "shipped_at"),
        ],
    )
    def test_refuses_what_is_no_parcel(self, ask, body, field):
        assert list(refused(ask("ship", body), 422, "validation_error")["errors"]) == [field]

    def test_of_a_cancelled_sale_is_a_conflict(self, ask):
        assert ask("cancel", {"reason": "lost"}).status_code == 200
        assert "cancelled" in refused(ask("ship", PARCEL), 409, "sale_ended")["detail"]

    def test_is_its_sellers_alone(self, ask, market, buyer):
        refused(ask("ship", PARCEL, by=market.seller()), 404, "not_found")
        refused(ask("ship", PARCEL, by=buyer), 403, "permission_denied")


class TestReceipt:
    def test_is_shown_to_both_and_repeats(self, client, sign_in, seller, sale, ask, confirm):
        refused(confirm(), 409, "sale_not_shipped")
        ask("ship", PARCEL)
        answer = confirm()
        assert (answer.status_code, answer.json["status"]) == (200, "delivered")
        assert answer.json["shipment"]["delivered_at"] == "2026-01-15T12:00:00+00:00"
        assert answer.json["shipment"]["completes_at"] == "2026-01-18T12:00:00+00:00"
        assert confirm().json == answer.json
        seen = client.get(f"{SALES}{sale}/", headers=sign_in(seller)).json
        assert seen["shipment"] == answer.json["shipment"]
        refused(ask("cancel", {"reason": "too late"}), 409, "already_shipped")

    def test_completes_the_sale_and_its_order_days_later(self, ask, confirm, bought, clock, container):
        ask("ship", PARCEL)
        confirm()
        clock.advance(timedelta(days=3))
        container.jobs()["complete sales"]()
        assert (bought()["status"], bought()["sales"][0]["status"]) == ("completed", "completed")
        assert bought()["sales"][0]["shipment"]["completes_at"] == "2026-01-18T12:00:00+00:00"


class TestCancelling:
    def test_refunds_the_buyer_and_keeps_the_pieces_off_the_listing(self, ask, bought, market, order):
        answer = ask("cancel", {"reason": "cannot find it"})
        assert (answer.status_code, answer.json["status"], answer.json["shipment"]) == (200, "cancelled", None)
        assert bought()["status"] == "refunded"
        assert market.stock(order["sales"][0]["items"][0]["listing"])[0] == 3
        assert ask("cancel", {"reason": "cannot find it"}).json == answer.json

    def test_puts_them_back_when_asked(self, ask, market, order):
        ask("cancel", {"reason": "the buyer asked", "restock": True})
        assert market.stock(order["sales"][0]["items"][0]["listing"])[0] == 5

    @pytest.mark.parametrize(
        "body", [{}, {"reason": ""}, {"reason": " "}, {"reason": "x" * 501}, {"reason": "x", "restock": "yes"}]
    )
    def test_takes_a_reason(self, ask, body):
        refused(ask("cancel", body), 422, "validation_error")

    def test_a_request_is_shown_to_both_until_it_is_answered(self, client, as_buyer, order, sale, ask, bought, clock):
        path = f"/api/v1/orders/{order['id']}/cancel/"
        asked = client.post(path, json={"reason": "bought twice"}, headers=as_buyer)
        assert (asked.status_code, asked.json["requested_sales"]) == (202, [sale])
        wish = {"requested_at": "2026-01-15T12:00:00+00:00", "reason": "bought twice", "is_open": True}
        assert bought()["sales"][0]["cancellation_request"] == wish
        clock.advance(timedelta(minutes=1))
        assert ask("ship", PARCEL).json["cancellation_request"] == {**wish, "is_open": False}
        refused(client.post(path, headers=as_buyer), 409, "nothing_to_cancel")
