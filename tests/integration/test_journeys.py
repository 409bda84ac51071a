"""Purchases from the first registration to the last letter, through the doors alone: two sellers, one buyer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.refund import RefundStatus
from tests.integration.town import ADDRESS, Member, Town, answered, refused

pytestmark = [pytest.mark.slow, pytest.mark.volume]


@dataclass
class Fair:
    """Red offers three Charizards, Kaiba the only Blue-Eyes, 50.05 EUR each; Ada would like both."""

    town: Town
    red: Member
    kaiba: Member
    ada: Member
    charizard: int
    blue_eyes: int

    def stock(self, listing: int) -> tuple[int, int, str]:
        """On hand, available, and the status, as anybody sees them."""
        shown = answered(self.town.browser.get(f"/api/v1/listings/{listing}/"), 200)
        return shown["stock"], shown["available"], shown["status"]


@pytest.fixture
def town(clean_database: str, tmp_path: Path) -> Iterator[Town]:
    town = Town(clean_database, tmp_path)
    yield town
    assert town.books() == []
    town.close()


@pytest.fixture
def fair(town: Town) -> Fair:
    admin, red, kaiba, ada = town.admin(), town.seller("red"), town.seller("kaiba"), town.member("ada")
    return Fair(
        town=town,
        red=red,
        kaiba=kaiba,
        ada=ada,
        charizard=red.offers(admin.describes("Charizard"), price="50.05", stock=3),
        blue_eyes=kaiba.offers(admin.describes("Blue-Eyes White Dragon"), price="50.05", stock=1),
    )


class TestBuyingFromTwoSellersAtOnce:
    def test_costs_what_the_quote_said_and_is_split_to_the_cent(self, fair: Fair) -> None:
        fair.ada.takes(fair.charizard)
        fair.ada.takes(fair.blue_eyes)
        quote = answered(fair.ada.ask("POST", "/orders/quote/", {}), 200)["totals"]
        assert quote == {
            "base_price": "100.10",
            "platform_commission": "5.01",
            "buyer_processing_fee": "6.01",
            "buyer_shipping_fee": "10.00",
            "buyer_total_price": "121.12",
        }

        order = answered(fair.ada.checks_out(expected_total=quote["buyer_total_price"]), 201)

        assert {key: order[key] for key in quote} == quote
        assert [(sale["seller"]["shop_name"], sale["subtotal"]) for sale in order["sales"]] == [
            ("Red's cards", "50.05"),
            ("Kaiba's cards", "50.05"),
        ]
        assert order["payment"]["status"] == "requires_payment_method"
        assert order["payment"]["client_secret"]

    def test_reaches_both_sellers_once_it_is_paid_and_not_before(self, fair: Fair) -> None:
        order_id = fair.ada.orders(fair.charizard, fair.blue_eyes)
        assert fair.red.sales() == fair.kaiba.sales() == []

        answered(fair.ada.pays(order_id), 200)
        assert fair.ada.sees(order_id) is OrderStatus.PENDING_PAYMENT, "the provider's event has not come yet"
        fair.town.work()

        assert fair.ada.sees(order_id) is OrderStatus.PAID
        assert fair.ada.cart() == []
        assert fair.stock(fair.charizard) == (2, 2, "active")
        assert fair.stock(fair.blue_eyes) == (0, 0, "sold_out")
        for seller, card in ((fair.red, "Charizard"), (fair.kaiba, "Blue-Eyes White Dragon")):
            (sale,) = seller.sales()
            assert [item["title"] for item in sale["items"]] == [card]
            assert sale["status"] == "awaiting_shipment"
            assert sale["shipping_address"]["city"] == "Lyon"
            assert "ada@example.com" not in str(sale)
            assert len(seller.letters_about("You have sold")) == 1
        # The odd cent of the commission went to one of them.
        assert sorted(s.sales()[0]["seller_net_amount"] for s in (fair.red, fair.kaiba)) == ["47.54", "47.55"]
        assert len(fair.ada.letters_about("is confirmed")) == 1

    def test_shows_a_seller_nothing_of_the_other_ones_sale(self, fair: Fair) -> None:
        order_id = fair.ada.orders(fair.charizard, fair.blue_eyes)
        fair.ada.pays(order_id)
        fair.town.work()
        (of_kaiba,) = fair.kaiba.sales()

        refused(fair.red.ask("GET", f"/sellers/me/sales/{of_kaiba['id']}/"), 404, "not_found")
        refused(fair.red.ask("GET", f"/orders/{order_id}/"), 404, "not_found")


class TestADeclinedCard:
    def test_leaves_the_order_open_for_another_one(self, fair: Fair) -> None:
        order_id = fair.ada.orders(fair.charizard, fair.blue_eyes)

        problem = refused(fair.ada.pays(order_id, "pm_card_chargeDeclinedInsufficientFunds"), 402, "payment_declined")
        fair.town.work()

        assert problem["decline_code"] == "insufficient_funds"
        assert fair.ada.sees(order_id) is OrderStatus.PENDING_PAYMENT
        assert fair.ada.cart() == [("ordered", order_id)] * 2
        assert fair.stock(fair.blue_eyes) == (1, 0, "active"), "still hers"

        answered(fair.ada.pays(order_id, "pm_card_visa"), 200)
        fair.town.work()

        assert fair.ada.sees(order_id) is OrderStatus.PAID
        assert fair.town.charged_attempts(order_id) == 1
        refused(fair.ada.pays(order_id), 409, "already_paid")

    def test_can_be_one_that_the_buyer_refused_at_the_bank(self, fair: Fair) -> None:
        order_id = fair.ada.orders(fair.charizard)

        asked = answered(fair.ada.pays(order_id, "pm_card_authenticationRequired"), 200)
        assert asked["status"] == "requires_action"
        fair.town.at_the_bank(asked["next_action"]["url"], "fail")
        fair.town.work()
        assert fair.ada.order(order_id)["payment"]["status"] == "requires_payment_method"

        asked = answered(fair.ada.pays(order_id, "pm_card_authenticationRequired"), 200)
        fair.town.at_the_bank(asked["next_action"]["url"], "succeed")
        fair.town.work()
        assert fair.ada.sees(order_id) is OrderStatus.PAID

    def test_asked_for_twice_with_one_key_makes_one_order(self, fair: Fair) -> None:
        fair.ada.takes(fair.charizard)
        total = fair.ada.get("/cart/")["totals"]["buyer_total_price"]
        wish = {"shipping_address": ADDRESS, "expected_total": total}

        first = fair.ada.ask("POST", "/orders/", wish, Idempotency_Key="one-click")
        second = fair.ada.ask("POST", "/orders/", wish, Idempotency_Key="one-click")

        assert answered(second, 201) == answered(first, 201)
        assert second.headers["Idempotent-Replayed"] == "true"
        assert fair.ada.get("/orders/")["count"] == 1


class TestAnOrderThatNobodyPays:
    def test_lapses_and_gives_the_cards_back(self, fair: Fair) -> None:
        order_id = fair.ada.orders(fair.charizard, fair.blue_eyes)
        fair.town.later(minutes=29)
        assert fair.ada.sees(order_id) is OrderStatus.PENDING_PAYMENT

        fair.town.later(minutes=3)

        assert fair.ada.sees(order_id) is OrderStatus.EXPIRED
        assert fair.ada.order(order_id)["payment"]["status"] == "canceled"
        assert fair.ada.cart() == [("expired", None)] * 2
        assert fair.stock(fair.blue_eyes) == (1, 1, "active")
        assert len(fair.ada.mail()) == 2, "the code, and the news that the order lapsed"
        refused(fair.ada.pays(order_id), 409, "order_not_payable")
        assert fair.red.sales() == []

    def test_has_failed_when_its_last_card_was_declined(self, fair: Fair) -> None:
        order_id = fair.ada.orders(fair.charizard)
        refused(fair.ada.pays(order_id, "pm_card_chargeDeclined"), 402, "payment_declined")

        fair.town.later(minutes=32)

        assert fair.ada.sees(order_id) is OrderStatus.PAYMENT_FAILED

    def test_can_be_placed_again_from_the_same_cart(self, fair: Fair) -> None:
        lapsed = fair.ada.orders(fair.charizard, fair.blue_eyes)
        fair.town.later(minutes=32)

        again = answered(fair.ada.checks_out(), 201)["id"]
        fair.ada.pays(again)
        fair.town.work()

        assert (fair.ada.sees(lapsed), fair.ada.sees(again)) == (OrderStatus.EXPIRED, OrderStatus.PAID)


class TestACancelledOrder:
    def test_gives_the_cards_back_to_everybody(self, fair: Fair) -> None:
        order_id = fair.ada.orders(fair.charizard, fair.blue_eyes)
        eve = fair.town.member("eve")
        wanted = {"listing": fair.blue_eyes, "quantity": 1}
        assert refused(eve.ask("POST", "/cart/items/", wanted), 409, "insufficient_stock")["available"] == 0

        assert answered(fair.ada.cancels(order_id), 200)["status"] == "cancelled"
        fair.town.work()

        eve.takes(fair.blue_eyes)
        assert fair.ada.sees(order_id) is OrderStatus.CANCELLED
        assert answered(fair.ada.cancels(order_id), 200)["status"] == "cancelled", "as often as one likes"
        refused(fair.ada.pays(order_id), 409, "order_not_payable")
        conflict = refused(fair.ada.checks_out(), 409, "checkout_conflict")
        assert [(item["listing"], item["reason"]) for item in conflict["items"]] == [(fair.blue_eyes, "out_of_stock")]

    def test_is_none_once_the_payment_has_won(self, fair: Fair) -> None:
        order_id = fair.ada.orders(fair.charizard)
        fair.ada.pays(order_id)

        refused(fair.ada.cancels(order_id), 409, "already_paid")
        fair.town.work()

        assert fair.ada.sees(order_id) is OrderStatus.PAID

    def test_is_nobody_elses_business(self, fair: Fair) -> None:
        order_id = fair.ada.orders(fair.charizard)

        refused(fair.red.cancels(order_id), 404, "not_found")
        refused(fair.kaiba.pays(order_id), 404, "not_found")


class TestMoneyThatComesTooLate:
    def test_buys_all_the_same_while_the_cards_are_there(self, fair: Fair) -> None:
        order_id = fair.ada.orders(fair.charizard, fair.blue_eyes)
        fair.town.later(minutes=32)

        fair.town.money_arrives_all_the_same(order_id)
        fair.town.work()

        assert fair.ada.sees(order_id) is OrderStatus.PAID
        assert fair.stock(fair.blue_eyes) == (0, 0, "sold_out")
        assert fair.town.refunds(order_id) == []
        assert fair.ada.cart() == []

    def test_goes_back_for_the_card_that_somebody_else_holds_by_now(self, fair: Fair) -> None:
        order_id = fair.ada.orders(fair.charizard, fair.blue_eyes)
        answered(fair.ada.cancels(order_id), 200)
        fair.town.work()
        eve = fair.town.member("eve")
        eve.takes(fair.blue_eyes)

        fair.town.money_arrives_all_the_same(order_id)
        fair.town.later(minutes=1)

        assert fair.ada.sees(order_id) is OrderStatus.PARTIALLY_REFUNDED
        assert [sale["status"] for sale in fair.ada.order(order_id)["sales"]] == ["awaiting_shipment", "cancelled"]
        # The card, and what it carried of the commission (2.51), the processing fee (3.01) and the shipping (5.00).
        assert fair.town.refunds(order_id) == [(RefundStatus.SUCCEEDED, "60.57")]
        assert [sale["items"][0]["title"] for sale in fair.red.sales()] == ["Charizard"]
        assert eve.cart() == [("held", None)], "never another buyer's claim"

        eves = answered(eve.checks_out(), 201)["id"]
        eve.pays(eves)
        fair.town.work()
        assert eve.sees(eves) is OrderStatus.PAID

    def test_goes_back_whole_when_nothing_is_left(self, fair: Fair) -> None:
        order_id = fair.ada.orders(fair.blue_eyes)
        answered(fair.ada.cancels(order_id), 200)
        fair.town.work()
        eve = fair.town.member("eve")
        eves = eve.orders(fair.blue_eyes)
        eve.pays(eves)
        fair.town.work()

        total = fair.ada.order(order_id)["buyer_total_price"]
        fair.town.money_arrives_all_the_same(order_id)
        fair.town.later(minutes=1)

        assert fair.ada.sees(order_id) is OrderStatus.REFUNDED
        assert fair.town.refunds(order_id) == [(RefundStatus.SUCCEEDED, total)]
        assert fair.stock(fair.blue_eyes) == (0, 0, "sold_out"), "and not below"
        assert [sale["order"] for sale in fair.kaiba.sales() if sale["status"] == "awaiting_shipment"] == [eves]


class TestACartThatTimeGoesBy:
    def test_holds_for_half_an_hour_and_frees_the_card_without_anybody_sweeping(self, fair: Fair) -> None:
        fair.ada.takes(fair.blue_eyes)
        eve = fair.town.member("eve")

        fair.town.clock.advance(timedelta(minutes=30))

        assert fair.ada.cart() == [("expired", None)]
        eve.takes(fair.blue_eyes)
        conflict = refused(fair.ada.checks_out(), 409, "checkout_conflict")
        assert [item["reason"] for item in conflict["items"]] == ["out_of_stock"]

    def test_tells_of_a_new_price_once_and_then_takes_it(self, fair: Fair) -> None:
        fair.ada.takes(fair.charizard)
        fair.red.asks("60.00", listing=fair.charizard)

        conflict = refused(fair.ada.checks_out(), 409, "checkout_conflict")
        assert [(item["reason"], item["current_price"]) for item in conflict["items"]] == [("price_changed", "60.00")]

        order = answered(fair.ada.checks_out(), 201)
        assert order["base_price"] == "60.00"
        fair.red.asks("70.00", listing=fair.charizard)
        assert fair.ada.order(order["id"])["base_price"] == "60.00", "an order keeps its price"

    def test_cannot_be_held_for_ever(self, fair: Fair) -> None:
        item = fair.ada.takes(fair.blue_eyes)["id"]
        for _ in range(4):
            fair.town.later(minutes=29)
            answered(fair.ada.ask("PATCH", f"/cart/items/{item}/", {"quantity": 1}), 200)
        fair.town.later(minutes=5)

        refused(fair.ada.ask("PATCH", f"/cart/items/{item}/", {"quantity": 1}), 409, "hold_limit_reached")
        answered(fair.ada.ask("DELETE", f"/cart/items/{item}/"), 204)
        again = {"listing": fair.blue_eyes, "quantity": 1}
        refused(fair.ada.ask("POST", "/cart/items/", again), 409, "hold_limit_reached")
        fair.town.member("eve").takes(fair.blue_eyes)
