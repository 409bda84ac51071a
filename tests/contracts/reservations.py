"""What becomes of claims, and what the cart shows of them. Subclasses provide the fixture ``market``."""

from __future__ import annotations

from dataclasses import replace

import pytest

from marketplace.domain.listings import ListingStatus
from marketplace.domain.orders.checkout import CheckoutConflict
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.reservations import InsufficientStock, ReservationStatus
from tests.contracts.claims import ClaimContract, HoldLimitContract, LettingGoContract, WhoMayClaimContract
from tests.contracts.moved_listings import MovedListingContract
from tests.contracts.repeated_requests import RepeatedRequestContract
from tests.market import POLICY, Market

HELD, ORDERED, EXPIRED = "held", "ordered", "expired"


class SweepContract:
    def test_ends_what_ran_out_and_nothing_else(self, market: Market) -> None:
        seller = market.seller()
        over, running = market.listing(seller), market.listing(seller)
        first, second = market.buyer(), market.buyer()
        market.add(first, over, 2)
        market.later(minutes=20)
        market.add(second, running)
        market.later(minutes=10)
        assert market.stock(over)[1] == 2
        assert market.sweep_reservations() == 1
        assert market.stock(over)[1] == 0
        assert market.stock(running)[1] == 1
        assert market.states(first) == {over: (EXPIRED, 2)}
        assert market.sweep_reservations() == 0

    def test_leaves_the_claims_of_orders(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller()), market.buyer()
        market.add(buyer, listing)
        market.order(buyer)
        market.later(hours=5)
        market.sweep_reservations()
        assert market.states(buyer) == {listing: (ORDERED, 1)}
        assert market.stock(listing)[1] == 1

    def test_works_in_bounded_batches(self, market: Market) -> None:
        seller, buyer = market.seller(), market.buyer()
        for _ in range(5):
            market.add(buyer, market.listing(seller))
        market.later(minutes=30)
        swept = []
        while not swept or swept[-1]:
            with market.unit_of_work() as uow:
                swept.append(uow.reservations.sweep(now=market.clock.now(), limit=2))
                uow.commit()
        assert swept == [2, 2, 1, 0]

    def test_forgets_what_limits_nothing_any_more(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller()), market.buyer()
        market.remove_from_cart(actor=buyer, item_id=market.add(buyer, listing).id)

        def forget() -> int:
            with market.unit_of_work() as uow:
                gone = uow.reservations.forget(released_before=market.clock.now() - POLICY.max_hold, limit=10)
                uow.commit()
                return gone

        market.later(minutes=120)
        assert forget() == 0
        market.later(seconds=1)
        assert forget() == 1


class SupplyContract:
    def test_payment_takes_the_stock_and_removes_exactly_those_items(self, market: Market) -> None:
        seller, buyer = market.seller(), market.buyer()
        ordered, kept = market.listing(seller, stock=5), market.listing(seller)
        market.add(buyer, ordered, 2)
        order = market.order(buyer)
        market.add(buyer, kept)
        before = market.listing_now(ordered).version
        assert market.pay(order) == {}
        assert market.stock(ordered) == (3, 0, ListingStatus.ACTIVE)
        assert market.listing_now(ordered).version > before
        assert market.states(buyer) == {kept: (HELD, 1)}

    def test_a_listing_whose_stock_reaches_nothing_is_sold_out(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller(), stock=1), market.buyer()
        market.add(buyer, listing)
        market.pay(market.order(buyer))
        assert market.stock(listing) == (0, 0, ListingStatus.SOLD_OUT)
        market.restock(listing, 1)
        assert market.stock(listing) == (1, 0, ListingStatus.ACTIVE)

    @pytest.mark.parametrize("take_off", ["switch_off", "archive"])
    def test_an_order_claim_outlives_the_listing_being_taken_off_sale(self, market: Market, take_off: str) -> None:
        listing, buyer = market.listing(market.seller(), stock=1), market.buyer()
        market.add(buyer, listing)
        order = market.order(buyer)
        getattr(market, take_off)(listing)
        status = market.listing_now(listing).status
        assert market.pay(order) == {}
        assert market.stock(listing) == (0, 0, status)

    def test_who_has_bought_may_claim_anew_from_the_beginning(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller()), market.buyer()
        market.add(buyer, listing)
        market.pay(market.order(buyer))
        market.later(minutes=119)
        assert market.add(buyer, listing).first_claimed_at == market.clock.now()

    def test_an_unpaid_end_frees_the_stock_and_leaves_the_items_expired(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller(), stock=5), market.buyer()
        market.add(buyer, listing, 2)
        market.end_unpaid(market.order(buyer), OrderStatus.CANCELLED)
        assert market.states(buyer) == {listing: (EXPIRED, 2)}
        assert market.stock(listing) == (5, 0, ListingStatus.ACTIVE)
        assert market.line(buyer, listing).item.reservation.order_id is None

    def test_what_ended_unpaid_can_be_ordered_again(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller(), stock=2), market.buyer()
        market.add(buyer, listing, 2)
        first = market.order(buyer)
        market.end_unpaid(first)
        second = market.order(buyer)
        assert second != first
        assert market.states(buyer) == {listing: (ORDERED, 2)}

    def test_late_money_is_supplied_from_what_is_available(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller(), stock=2), market.buyer()
        market.add(buyer, listing, 2)
        order = market.order(buyer)
        market.end_unpaid(order)
        assert market.pay(order) == {}
        assert market.stock(listing) == (0, 0, ListingStatus.SOLD_OUT)
        assert market.states(buyer) == {}

    def test_late_money_never_takes_what_others_hold(self, market: Market) -> None:
        listing, buyer, other = market.listing(market.seller(), stock=3), market.buyer(), market.buyer()
        market.add(buyer, listing, 3)
        order = market.order(buyer)
        market.end_unpaid(order)
        market.add(other, listing, 2)
        [line] = market.order_now(order).sales[0].lines
        assert market.pay(order) == {line.id: 2}
        assert market.stock(listing) == (2, 2, ListingStatus.ACTIVE)
        assert market.states(other) == {listing: (HELD, 2)}
        assert market.states(buyer) == {listing: (EXPIRED, 2)}

    def test_late_money_takes_nothing_where_others_hold_everything(self, market: Market) -> None:
        listing, buyer, other = market.listing(market.seller(), stock=1), market.buyer(), market.buyer()
        market.add(buyer, listing)
        order = market.order(buyer)
        market.end_unpaid(order)
        market.add(other, listing)
        [line] = market.order_now(order).sales[0].lines
        assert market.pay(order) == {line.id: 1}
        assert market.stock(listing) == (1, 1, ListingStatus.ACTIVE)
        assert market.states(buyer) == {listing: (EXPIRED, 1)}

    def test_late_money_takes_what_others_let_run_out(self, market: Market) -> None:
        listing, buyer, other = market.listing(market.seller(), stock=1), market.buyer(), market.buyer()
        market.add(buyer, listing)
        order = market.order(buyer)
        market.end_unpaid(order)
        market.add(other, listing)
        market.later(minutes=30)
        assert market.pay(order) == {}
        assert market.states(other) == {listing: (EXPIRED, 1)}

    def test_late_money_takes_what_the_buyer_holds_in_the_cart_again(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller(), stock=3), market.buyer()
        market.add(buyer, listing, 2)
        order = market.order(buyer)
        market.end_unpaid(order)
        market.change_cart_item(actor=buyer, item_id=market.item_id(buyer, listing), quantity=3)
        assert market.pay(order) == {}
        assert market.states(buyer) == {listing: (HELD, 1)}
        assert market.stock(listing) == (1, 1, ListingStatus.ACTIVE)

    def test_late_money_leaves_what_a_second_order_of_the_buyer_holds(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller(), stock=1), market.buyer()
        market.add(buyer, listing)
        first = market.order(buyer)
        market.end_unpaid(first)
        second = market.order(buyer)
        [line] = market.order_now(first).sales[0].lines
        assert market.pay(first) == {line.id: 1}
        assert market.states(buyer) == {listing: (ORDERED, 1)}
        assert market.pay(second) == {}
        assert market.stock(listing) == (0, 0, ListingStatus.SOLD_OUT)

    def test_late_money_gets_nothing_of_an_archived_listing(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller(), stock=1), market.buyer()
        market.add(buyer, listing)
        order = market.order(buyer)
        market.end_unpaid(order)
        market.archive(listing)
        [line] = market.order_now(order).sales[0].lines
        assert market.pay(order) == {line.id: 1}
        assert market.stock(listing) == (1, 0, ListingStatus.ARCHIVED)

    def test_freeing_what_is_free_changes_nothing(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller()), market.buyer()
        market.add(buyer, listing)
        with market.unit_of_work() as uow:
            uow.reservations.free(market.ids.next(), now=market.clock.now())
            uow.commit()
        assert market.states(buyer) == {listing: (HELD, 1)}


class LastLineContract:
    def test_the_store_itself_refuses_to_oversell(self, market: Market) -> None:
        """Whatever the code above it believes."""
        listing, buyer = market.listing(market.seller(), stock=1), market.buyer()
        market.add(buyer, listing)
        market.later(minutes=30)
        market.add(market.buyer(), listing)

        def claim_all_the_same() -> None:
            with market.unit_of_work() as uow:
                [item] = uow.reservations.for_checkout(buyer_id=buyer.account_id, ids=None, now=market.clock.now())
                uow.reservations.save_all([replace(item.reservation, status=ReservationStatus.HELD)])
                uow.commit()

        with pytest.raises(InsufficientStock):
            claim_all_the_same()
        assert market.stock(listing) == (1, 1, ListingStatus.ACTIVE)
        assert market.states(buyer) == {listing: (EXPIRED, 1)}


class CartContract:
    def test_an_empty_cart_costs_nothing(self, market: Market) -> None:
        cart = market.show_cart(actor=market.buyer())
        assert cart.lines == []
        assert (cart.totals.total, cart.totals.base, cart.totals.shipping) == (0, 0, 0)

    def test_shows_each_item_with_its_listing_in_the_order_of_adding(self, market: Market) -> None:
        seller, buyer = market.seller(), market.buyer()
        listings = [market.listing(seller, price=1000 + n) for n in range(3)]
        for listing in reversed(listings):
            market.add(buyer, listing)
            market.later(seconds=1)
        lines = market.show_cart(actor=buyer).lines
        assert [line.item.listing.id for line in lines] == list(reversed(listings))
        assert [line.item.listing.price for line in lines] == [1002, 1001, 1000]
        assert {line.item.listing.seller.id for line in lines} == {seller.account_id}
        assert [line.item.listing.available for line in lines] == [4, 4, 4]

    def test_totals_leave_out_what_an_order_holds(self, market: Market) -> None:
        seller, buyer = market.seller(), market.buyer()
        market.add(buyer, market.listing(seller, price=1000), 2)
        market.order(buyer)
        market.add(buyer, market.listing(seller, price=500))
        totals = market.show_cart(actor=buyer).totals
        assert (totals.base, totals.commission, totals.processing, totals.shipping) == (500, 25, 500, 1000)

    def test_tells_what_stands_in_the_way(self, market: Market) -> None:
        seller, paused, buyer = market.seller(), market.seller(), market.buyer()
        fine, dearer, off, held_up, gone = (
            market.listing(seller, stock=1),
            market.listing(seller),
            market.listing(seller),
            market.listing(paused),
            market.listing(seller, stock=1),
        )
        market.add(buyer, gone)
        market.later(minutes=30)
        for listing in (fine, dearer, off, held_up):
            market.add(buyer, listing)
        market.add(market.buyer(), gone)
        market.reprice(dearer, 999_00)
        market.switch_off(off)
        market.go_on_holiday(paused)
        problems = {line.item.listing.id: line.problem for line in market.show_cart(actor=buyer).lines}
        assert problems == {
            fine: None,
            dearer: "price_changed",
            off: "listing_inactive",
            held_up: "seller_unavailable",
            gone: "out_of_stock",
        }

    def test_what_is_ordered_has_no_problem_and_no_end(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller(), stock=1), market.buyer()
        market.add(buyer, listing)
        market.order(buyer)
        market.switch_off(listing)
        line = market.line(buyer, listing)
        assert (line.state, line.problem, line.reserved_until) == (ORDERED, None, None)

    def test_an_item_that_ran_out_has_no_end_and_no_problem_while_there_is_stock(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller(), stock=1), market.buyer()
        market.add(buyer, listing)
        market.later(minutes=30)
        line = market.line(buyer, listing)
        assert (line.state, line.problem, line.reserved_until) == (EXPIRED, None, None)

    def test_an_item_that_cannot_be_claimed_anew_yet_says_so_as_the_checkout_does(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller()), market.buyer()
        item = market.add(buyer, listing)
        for _ in range(5):
            market.later(minutes=20)
            market.change_cart_item(actor=buyer, item_id=item.id, quantity=1)
        assert market.line(buyer, listing).problem is None
        market.later(minutes=20)
        line = market.line(buyer, listing)
        assert (line.state, line.problem) == (EXPIRED, "hold_limit_reached")
        with pytest.raises(CheckoutConflict) as refused:
            market.order(buyer)
        assert [each["reason"] for each in refused.value.facts["items"]] == ["hold_limit_reached"]
        market.later(minutes=120)
        assert market.line(buyer, listing).problem is None

    def test_a_claim_is_answered_with_what_the_cart_shows(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller(), stock=9), market.buyer()
        market.add(market.buyer(), listing, 2)
        market.later(minutes=20)
        market.add(market.buyer(), listing, 3)
        added = market.add_to_cart(actor=buyer, listing_id=listing, quantity=1)
        assert (added.item.listing.available, added.problem) == (3, None)
        assert added == market.line(buyer, listing)
        market.later(minutes=10)
        market.reprice(listing, 1234)
        changed = market.change_item(actor=buyer, item_id=added.item.reservation.id, quantity=5)
        assert (changed.item.listing.available, changed.item.listing.price) == (1, 1234)
        assert changed == market.line(buyer, listing)

    def test_carts_are_apart(self, market: Market) -> None:
        listing = market.listing(market.seller())
        market.add(market.buyer(), listing)
        assert market.show_cart(actor=market.buyer()).lines == []


class ReservationContract(
    ClaimContract,
    HoldLimitContract,
    WhoMayClaimContract,
    LettingGoContract,
    SweepContract,
    SupplyContract,
    LastLineContract,
    CartContract,
    MovedListingContract,
    RepeatedRequestContract,
):
    """All of it."""
