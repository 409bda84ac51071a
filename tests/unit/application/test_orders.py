"""Placing orders. What stores promise of them is in the shared suites, what the doors answer beside those."""

from __future__ import annotations

import pytest

from marketplace.domain.fees import AmountOutOfBounds
from marketplace.domain.orders.checkout import CheckoutConflict, TotalChanged
from marketplace.domain.reservations import CartEmpty
from marketplace.domain.shared.errors import Forbidden, Invalid, NotFound
from marketplace.domain.shared.money import Money
from tests.market import Market


@pytest.fixture
def market() -> Market:
    return Market.in_memory()[0]


def held_to_the_limit(market, buyer, listing):
    """The buyer's claim has just ended, two hours after it began."""
    item = market.add(buyer, listing)
    for _ in range(5):
        market.later(minutes=20)
        market.change_cart_item(actor=buyer, item_id=item.id, quantity=1)
    market.later(minutes=20)
    return item


class TestPlacing:
    def test_the_request_that_made_an_order_finds_it_again(self, market):
        buyer = market.buyer()
        market.add(buyer, market.listing(market.seller()))
        order = market.order(buyer, request_key="k")
        assert market.order(buyer, request_key="k") == order

    def test_another_request_does_not(self, market):
        seller, buyer = market.seller(), market.buyer()
        market.add(buyer, market.listing(seller))
        order = market.order(buyer, request_key="k")
        market.add(buyer, market.listing(seller))
        assert market.order(buyer, request_key="another") != order

    def test_the_key_of_somebody_else_is_another_key(self, market):
        seller = market.seller()
        orders = set()
        for buyer in (market.buyer(), market.buyer()):
            market.add(buyer, market.listing(seller))
            orders.add(market.order(buyer, request_key="k"))
        assert len(orders) == 2

    def test_opens_a_payment_of_what_it_costs(self, market):
        buyer = market.buyer()
        market.add(buyer, market.listing(market.seller(), price=10_000), 2)
        order = market.order(buyer)
        with market.unit_of_work() as uow:
            payment = uow.payments.of_order(order)
        assert payment.amount == market.order_now(order).total == Money(20_000 + 1_000 + 1_200 + 1_000, "EUR")
        assert (payment.buyer_id, payment.due_at) == (buyer.account_id, market.order_now(order).payment_due_at)

    def test_copies_ones_own_addresses_or_what_is_written_out(self, market):
        seller, buyer = market.seller(), market.buyer()
        market.add(buyer, market.listing(seller))
        written = {"name": "Cave", "street": "Quai", "city": "Lille", "country": "fr", "phone_number": "+33123456789"}
        order = market.order_now(market.order(buyer, billing_address=written))
        assert order.shipping_address.city == "Lyon"
        assert order.billing_address is not None
        assert (order.billing_address.city, order.billing_address.country) == ("Lille", "FR")

    def test_refuses_the_address_of_another_and_a_bad_one(self, market):
        buyer, other = market.buyer(), market.buyer()
        market.add(buyer, market.listing(market.seller()))
        with pytest.raises(NotFound):
            market.order(buyer, shipping_address=market.address_of(other))
        with pytest.raises(Invalid):
            market.order(buyer, shipping_address={"name": "Cave", "street": "Quai", "city": "Lille", "country": "XX"})

    def test_waits_for_a_verified_address_of_mail(self, market):
        buyer = market.buyer(is_email_verified=False)
        market.add(buyer, market.listing(market.seller()))
        with pytest.raises(Forbidden):
            market.order(buyer)

    def test_is_refused_at_another_total(self, market):
        buyer = market.buyer()
        market.add(buyer, market.listing(market.seller(), price=10_000))
        with pytest.raises(TotalChanged) as refused:
            market.order(buyer, expected_total="120.99")
        assert refused.value.facts == {"buyer_total_price": "121.00", "currency": "EUR"}
        assert market.order(buyer, expected_total="121.00")

    def test_refuses_a_total_that_is_no_amount(self, market):
        buyer = market.buyer()
        market.add(buyer, market.listing(market.seller()))
        with pytest.raises(Invalid) as refused:
            market.order(buyer, expected_total="12.345")
        assert list(refused.value.facts["errors"]) == ["expected_total"]

    def test_refuses_more_than_can_be_paid_at_once_and_leaves_the_cart(self, market):
        listing, buyer = market.listing(market.seller(), price=99_999_999), market.buyer()
        market.add(buyer, listing)
        with pytest.raises(AmountOutOfBounds):
            market.order(buyer)
        assert market.states(buyer) == {listing: ("held", 1)}


class TestConflicts:
    def refused(self, market, buyer):
        with pytest.raises(CheckoutConflict) as refused:
            market.order(buyer)
        return refused.value.facts["items"]

    def test_name_each_item_and_its_reason(self, market):
        seller, paused, buyer = market.seller(), market.seller(), market.buyer()
        dearer, off, held_up, fine = (
            market.listing(seller),
            market.listing(seller),
            market.listing(paused),
            market.listing(seller),
        )
        for listing in (dearer, off, held_up, fine):
            market.add(buyer, listing)
        market.reprice(dearer, 1200)
        market.switch_off(off)
        market.go_on_holiday(paused)
        before = market.states(buyer)
        items = {item["listing"]: item for item in self.refused(market, buyer)}
        assert {listing: item["reason"] for listing, item in items.items()} == {
            dearer: "price_changed",
            off: "listing_inactive",
            held_up: "seller_unavailable",
        }
        assert (items[dearer]["unit_price"], items[dearer]["current_price"]) == ("10.00", "12.00")
        assert items[dearer]["id"] == market.item_id(buyer, dearer)
        assert market.states(buyer) == before

    def test_tell_how_many_are_left(self, market):
        listing, buyer = market.listing(market.seller(), stock=3), market.buyer()
        market.add(buyer, listing, 3)
        market.later(minutes=30)
        market.add(market.buyer(), listing, 2)
        [item] = self.refused(market, buyer)
        assert (item["reason"], item["available"]) == ("out_of_stock", 1)

    def test_do_not_let_a_claim_begin_anew_beyond_the_limit(self, market):
        listing, buyer = market.listing(market.seller()), market.buyer()
        held_to_the_limit(market, buyer, listing)
        [item] = self.refused(market, buyer)
        assert (item["reason"], item["retry_at"]) == ("hold_limit_reached", "2026-01-15T16:00:00+00:00")
        market.clock.set(market.clock.now().replace(hour=16))
        assert market.order(buyer)

    def test_only_the_new_price_is_kept_so_that_the_next_checkout_passes(self, market):
        seller, buyer = market.seller(), market.buyer()
        dearer, off = market.listing(seller), market.listing(seller)
        for listing in (dearer, off):
            market.add(buyer, listing)
        until = market.line(buyer, dearer).reserved_until
        market.reprice(dearer, 1200)
        market.switch_off(off)
        assert len(self.refused(market, buyer)) == 2
        assert [item["reason"] for item in self.refused(market, buyer)] == ["listing_inactive"]
        assert market.line(buyer, dearer).reserved_until == until
        order = market.order(buyer, cart_items=[market.item_id(buyer, dearer)])
        assert market.order_now(order).base == 1200


class TestQuoting:
    def test_costs_what_the_order_then_costs(self, market):
        buyer = market.buyer()
        for seller in (market.seller(), market.seller()):
            market.add(buyer, market.listing(seller, price=3333), 2)
        quoted = market.quote_order(actor=buyer)
        assert quoted.totals == market.order_now(market.order(buyer)).frozen_quote()

    def test_renews_nothing_and_holds_nothing(self, market):
        listing, buyer = market.listing(market.seller()), market.buyer()
        until = market.add(buyer, listing).expires_at
        market.later(minutes=10)
        market.quote_order(actor=buyer)
        assert market.line(buyer, listing).reserved_until == until

    def test_tells_that_the_limit_is_reached(self, market):
        listing, buyer = market.listing(market.seller()), market.buyer()
        held_to_the_limit(market, buyer, listing)
        [line] = market.quote_order(actor=buyer).lines
        assert line.problem == "hold_limit_reached"

    def test_leaves_out_what_an_order_holds(self, market):
        seller, buyer = market.seller(), market.buyer()
        market.add(buyer, market.listing(seller))
        market.order(buyer)
        with pytest.raises(CartEmpty):
            market.quote_order(actor=market.buyer())
        market.add(buyer, market.listing(seller, price=700))
        assert market.quote_order(actor=buyer).totals.base == 700
