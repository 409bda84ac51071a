"""What becomes of carts and orders when a listing becomes another card. Subclasses provide the fixture ``market``."""

from __future__ import annotations

import pytest

from marketplace.domain.listings import ListingStatus, StockClaimed
from marketplace.domain.reservations import CartEmpty
from marketplace.domain.shared.errors import NotFound
from tests.market import Market

HELD, ORDERED, EXPIRED = "held", "ordered", "expired"


class MovedListingContract:
    def test_an_item_that_ran_out_leaves_the_cart_and_never_becomes_the_other_card(self, market: Market) -> None:
        seller, buyer = market.seller(), market.buyer()
        moved, kept = market.listing(seller), market.listing(seller)
        item = market.add(buyer, moved)
        market.add(buyer, kept)
        market.later(minutes=30)
        market.move(seller, moved, condition="PO")
        assert market.states(buyer) == {kept: (EXPIRED, 1)}
        with pytest.raises(NotFound):
            market.order(buyer, cart_items=[item.id])
        [line] = market.order_now(market.order(buyer)).sales[0].lines
        assert line.listing_id == kept

    def test_so_does_one_that_was_swept_before(self, market: Market) -> None:
        seller, buyer = market.seller(), market.buyer()
        listing = market.listing(seller)
        market.add(buyer, listing, 2)
        market.later(minutes=30)
        market.sweep_reservations()
        market.move(seller, listing, condition="PO")
        assert market.states(buyer) == {}
        with pytest.raises(CartEmpty):
            market.order(buyer)

    def test_so_does_one_whose_order_ended_unpaid(self, market: Market) -> None:
        seller, buyer = market.seller(), market.buyer()
        listing = market.listing(seller)
        market.add(buyer, listing)
        market.end_unpaid(market.order(buyer))
        market.move(seller, listing, condition="PO")
        assert market.states(buyer) == {}

    def test_every_cart_is_told_apart(self, market: Market) -> None:
        seller, buyers = market.seller(), [market.buyer() for _ in range(3)]
        moved, other = market.listing(seller), market.listing(seller)
        for buyer in buyers:
            market.add(buyer, moved)
            market.add(buyer, other)
        market.later(minutes=30)
        market.move(seller, moved, condition="PO")
        assert [market.states(buyer) for buyer in buyers] == [{other: (EXPIRED, 1)}] * 3

    def test_a_change_that_names_the_same_variant_or_none_leaves_the_carts_alone(self, market: Market) -> None:
        seller, buyer = market.seller(), market.buyer()
        listing = market.listing(seller)
        market.add(buyer, listing)
        market.later(minutes=30)
        market.move(seller, listing, condition="NM")
        market.update_listing(actor=seller, listing_id=listing, price="12.34")
        assert market.states(buyer) == {listing: (EXPIRED, 1)}

    @pytest.mark.parametrize("held_by", [HELD, ORDERED])
    def test_a_claim_that_counts_refuses_the_change_and_stays(self, market: Market, held_by: str) -> None:
        seller, buyer, other = market.seller(), market.buyer(), market.buyer()
        listing = market.listing(seller)
        market.add(other, listing)
        market.later(minutes=30)
        market.add(buyer, listing)
        if held_by == ORDERED:
            market.order(buyer)
        before = market.listing_now(listing).variant_id
        with pytest.raises(StockClaimed):
            market.move(seller, listing, condition="PO")
        assert market.listing_now(listing).variant_id == before
        assert market.states(buyer) == {listing: (held_by, 1)}
        assert market.states(other) == {listing: (EXPIRED, 1)}

    def test_the_other_card_can_be_put_in_and_the_hold_limit_is_remembered(self, market: Market) -> None:
        seller, buyer = market.seller(), market.buyer()
        listing = market.listing(seller)
        first = market.add(buyer, listing)
        market.later(minutes=30)
        market.move(seller, listing, condition="PO")
        again = market.add(buyer, listing)
        assert (again.quantity, again.first_claimed_at) == (1, first.first_claimed_at)
        assert market.line(buyer, listing).item.listing.variant.condition.code == "PO"

    def test_late_money_for_the_old_card_is_not_supplied_with_the_other(self, market: Market) -> None:
        seller, buyer = market.seller(), market.buyer()
        listing = market.listing(seller, stock=2)
        market.add(buyer, listing)
        order = market.order(buyer)
        market.end_unpaid(order)
        market.move(seller, listing, condition="PO")
        market.add(buyer, listing)
        [line] = market.order_now(order).sales[0].lines
        assert market.pay(order) == {line.id: 1}
        assert market.stock(listing) == (2, 1, ListingStatus.ACTIVE)
        assert market.states(buyer) == {listing: (HELD, 1)}
