"""What claims promise their buyers, whatever keeps them. Subclasses provide the fixture ``market``."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.domain.listings import ListingStatus, StockClaimed
from marketplace.domain.reservations import (
    MAX_CART_ITEMS,
    AlreadyOrdered,
    CartFull,
    HoldLimitReached,
    InsufficientStock,
    ListingNotForSale,
    OwnListing,
)
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import ListingId, ReservationId
from marketplace.domain.shared.money import Money
from tests.market import POLICY, Market

HELD, ORDERED, EXPIRED = "held", "ordered", "expired"


class ClaimContract:
    def test_claims_for_a_while_at_the_price_of_now(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller(), price=1234, stock=5), market.buyer()
        claimed = market.add(buyer, listing, 2)
        assert (claimed.quantity, claimed.unit_price) == (2, Money(1234, "EUR"))
        assert claimed.expires_at == market.clock.now() + POLICY.hold_for
        assert market.stock(listing) == (5, 2, ListingStatus.ACTIVE)

    def test_leaves_the_version_of_the_listing_alone(self, market: Market) -> None:
        listing = market.listing(market.seller())
        before = market.listing_now(listing).version
        market.add(market.buyer(), listing)
        assert market.listing_now(listing).version == before

    def test_lets_claims_of_different_buyers_live_side_by_side(self, market: Market) -> None:
        listing = market.listing(market.seller(), stock=5)
        for _ in range(5):
            market.add(market.buyer(), listing)
        assert market.stock(listing)[1] == 5

    def test_adds_to_what_is_in_the_cart(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller(), stock=5), market.buyer()
        first = market.add(buyer, listing, 2)
        second = market.add(buyer, listing, 3)
        assert (second.id, second.quantity) == (first.id, 5)
        assert market.stock(listing)[1] == 5

    def test_refuses_more_than_there_is_and_says_what_there_is(self, market: Market) -> None:
        listing = market.listing(market.seller(), stock=5)
        market.add(market.buyer(), listing, 2)
        with pytest.raises(InsufficientStock) as refused:
            market.add(market.buyer(), listing, 4)
        assert refused.value.facts == {"available": 3}
        assert market.stock(listing)[1] == 2

    def test_a_refused_raise_leaves_the_old_claim(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller(), stock=5), market.buyer()
        held = market.add(buyer, listing, 3)
        market.later(minutes=10)
        with pytest.raises(InsufficientStock) as refused:
            market.change_cart_item(actor=buyer, item_id=held.id, quantity=6)
        assert refused.value.facts == {"available": 5}
        line = market.line(buyer, listing)
        assert (line.item.reservation.quantity, line.reserved_until) == (3, held.expires_at)

    def test_a_sold_out_listing_has_nothing(self, market: Market) -> None:
        listing = market.listing(market.seller(), stock=0)
        with pytest.raises(InsufficientStock) as refused:
            market.add(market.buyer(), listing)
        assert refused.value.facts == {"available": 0}

    def test_changing_the_quantity_sets_it_and_renews(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller(), stock=5), market.buyer()
        held = market.add(buyer, listing, 3)
        market.later(minutes=10)
        changed = market.change_cart_item(actor=buyer, item_id=held.id, quantity=1)
        assert (changed.quantity, changed.expires_at) == (1, market.clock.now() + POLICY.hold_for)
        assert market.stock(listing)[1] == 1

    def test_the_same_quantity_renews_and_looking_does_not(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller()), market.buyer()
        held = market.add(buyer, listing)
        market.later(minutes=10)
        market.show_cart(actor=buyer)
        assert market.line(buyer, listing).reserved_until == held.expires_at
        renewed = market.change_cart_item(actor=buyer, item_id=held.id, quantity=1)
        assert renewed.expires_at == held.expires_at + timedelta(minutes=10)

    def test_renewing_takes_the_price_of_now(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller(), price=1000), market.buyer()
        held = market.add(buyer, listing)
        market.reprice(listing, 1100)
        assert market.line(buyer, listing).item.reservation.unit_price == Money(1000, "EUR")
        assert market.change_cart_item(actor=buyer, item_id=held.id, quantity=1).unit_price == Money(1100, "EUR")

    def test_a_claim_that_ran_out_is_free_at_once_and_the_item_stays(self, market: Market) -> None:
        listing, first, second = market.listing(market.seller(), stock=1), market.buyer(), market.buyer()
        market.add(first, listing)
        market.later(minutes=30)
        market.add(second, listing)
        assert market.states(first) == {listing: (EXPIRED, 1)}
        assert market.states(second) == {listing: (HELD, 1)}
        assert market.stock(listing)[1] == 1

    def test_what_ran_out_unswept_counts_as_available_in_a_refusal(self, market: Market) -> None:
        listing = market.listing(market.seller(), stock=5)
        market.add(market.buyer(), listing, 4)
        market.later(minutes=30)
        with pytest.raises(InsufficientStock) as refused:
            market.add(market.buyer(), listing, 6)
        assert refused.value.facts == {"available": 5}

    def test_adding_to_an_item_that_ran_out_adds_and_claims_again(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller(), stock=5), market.buyer()
        market.add(buyer, listing, 2)
        market.later(minutes=31)
        assert market.add(buyer, listing, 1).quantity == 3
        assert market.states(buyer) == {listing: (HELD, 3)}
        assert market.stock(listing)[1] == 3

    def test_a_claim_lasts_to_its_instant_and_not_beyond(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller(), stock=1), market.buyer()
        market.add(market.buyer(), listing)
        market.later(minutes=29, seconds=59)
        with pytest.raises(InsufficientStock):
            market.add(buyer, listing)
        market.later(seconds=1)
        market.add(buyer, listing)


class HoldLimitContract:
    def hold_to_the_limit(self, market: Market) -> tuple[ListingId, object, ReservationId]:
        listing, buyer = market.listing(market.seller()), market.buyer()
        held = market.add(buyer, listing)
        for _ in range(5):
            market.later(minutes=20)
            last = market.change_cart_item(actor=buyer, item_id=held.id, quantity=1)
        assert last.expires_at == held.first_claimed_at + POLICY.max_hold
        market.later(minutes=20)
        return listing, buyer, held.id

    def test_a_claim_cannot_be_renewed_beyond_the_limit(self, market: Market) -> None:
        listing, buyer, item = self.hold_to_the_limit(market)
        for claim in (
            lambda: market.change_cart_item(actor=buyer, item_id=item, quantity=1),
            lambda: market.add(buyer, listing),
        ):
            with pytest.raises(HoldLimitReached) as refused:
                claim()
            assert refused.value.facts == {"retry_at": (market.clock.now() + POLICY.max_hold).isoformat()}
        assert market.states(buyer) == {listing: (EXPIRED, 1)}

    def test_letting_go_does_not_evade_the_limit(self, market: Market) -> None:
        listing, buyer, item = self.hold_to_the_limit(market)
        market.remove_from_cart(actor=buyer, item_id=item)
        with pytest.raises(HoldLimitReached):
            market.add(buyer, listing)

    def test_the_limit_is_remembered_as_long_again_and_then_forgotten(self, market: Market) -> None:
        listing, buyer, item = self.hold_to_the_limit(market)
        market.remove_from_cart(actor=buyer, item_id=item)
        market.later(minutes=119, seconds=59)
        with pytest.raises(HoldLimitReached):
            market.add(buyer, listing)
        market.later(seconds=1)
        assert market.add(buyer, listing).first_claimed_at == market.clock.now()

    def test_a_chain_goes_on_after_letting_go(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller()), market.buyer()
        first = market.add(buyer, listing)
        market.later(minutes=100)
        market.remove_from_cart(actor=buyer, item_id=first.id)
        again = market.add(buyer, listing)
        assert again.first_claimed_at == first.first_claimed_at
        assert again.expires_at == first.first_claimed_at + POLICY.max_hold

    def test_other_buyers_have_limits_of_their_own(self, market: Market) -> None:
        listing, _, _ = self.hold_to_the_limit(market)
        added = market.add(market.buyer(), listing)
        assert added.first_claimed_at == market.clock.now()


class WhoMayClaimContract:
    def test_nobody_claims_their_own_listing(self, market: Market) -> None:
        seller = market.seller()
        with pytest.raises(OwnListing):
            market.add(seller, market.listing(seller))

    def test_nobody_claims_what_is_not_there(self, market: Market) -> None:
        buyer = market.buyer()
        with pytest.raises(NotFound):
            market.add(buyer, ListingId(987654321))
        with pytest.raises(NotFound):
            market.change_cart_item(actor=buyer, item_id=ReservationId(987654321), quantity=1)
        with pytest.raises(NotFound):
            market.remove_from_cart(actor=buyer, item_id=ReservationId(987654321))

    def test_nobody_touches_the_cart_of_another(self, market: Market) -> None:
        listing, buyer, stranger = market.listing(market.seller()), market.buyer(), market.buyer()
        held = market.add(buyer, listing)
        with pytest.raises(NotFound):
            market.change_cart_item(actor=stranger, item_id=held.id, quantity=1)
        with pytest.raises(NotFound):
            market.remove_from_cart(actor=stranger, item_id=held.id)
        assert market.states(buyer) == {listing: (HELD, 1)}

    @pytest.mark.parametrize("take_off", ["switch_off", "archive"])
    def test_what_is_off_sale_cannot_be_claimed(self, market: Market, take_off: str) -> None:
        listing, buyer = market.listing(market.seller()), market.buyer()
        held = market.add(buyer, listing)
        getattr(market, take_off)(listing)
        with pytest.raises(ListingNotForSale) as refused:
            market.change_cart_item(actor=buyer, item_id=held.id, quantity=1)
        assert refused.value.facts == {"reason": "listing_inactive"}
        with pytest.raises(NotFound):
            market.add(market.buyer(), listing)

    def test_nothing_is_claimed_from_a_seller_who_cannot_sell(self, market: Market) -> None:
        seller, buyer = market.seller(), market.buyer()
        listing = market.listing(seller)
        held = market.add(buyer, listing)
        market.go_on_holiday(seller)
        with pytest.raises(ListingNotForSale) as refused:
            market.change_cart_item(actor=buyer, item_id=held.id, quantity=1)
        assert refused.value.facts == {"reason": "seller_unavailable"}
        with pytest.raises(NotFound):
            market.add(market.buyer(), listing)

    def test_what_an_order_holds_is_not_touched(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller()), market.buyer()
        held = market.add(buyer, listing)
        order = market.order(buyer)
        for touch in (
            lambda: market.add(buyer, listing),
            lambda: market.change_cart_item(actor=buyer, item_id=held.id, quantity=2),
            lambda: market.remove_from_cart(actor=buyer, item_id=held.id),
        ):
            with pytest.raises(AlreadyOrdered) as refused:
                touch()
            assert refused.value.facts == {"order": order}

    def test_a_cart_has_a_last_place(self, market: Market) -> None:
        seller, buyer = market.seller(), market.buyer()
        listing = market.listing(seller)
        with market.unit_of_work() as uow:
            source = uow.listings.get(listing)
            copies = [market.ids.next() for _ in range(MAX_CART_ITEMS)]
            for id in copies:
                source.id, source.version = ListingId(id), 0
                uow.listings.add(source)
            uow.commit()
        for id in copies:
            market.add(buyer, ListingId(id))
        with pytest.raises(CartFull):
            market.add(buyer, listing)
        market.add(buyer, ListingId(copies[0]))
        market.remove_from_cart(actor=buyer, item_id=market.item_id(buyer, ListingId(copies[0])))
        market.add(buyer, listing)


class LettingGoContract:
    def test_removing_frees_the_stock_and_empties_the_place(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller()), market.buyer()
        held = market.add(buyer, listing, 3)
        market.remove_from_cart(actor=buyer, item_id=held.id)
        assert market.states(buyer) == {}
        assert market.stock(listing)[1] == 0
        with pytest.raises(NotFound):
            market.remove_from_cart(actor=buyer, item_id=held.id)
        with pytest.raises(NotFound):
            market.change_cart_item(actor=buyer, item_id=held.id, quantity=1)

    def test_adding_again_begins_with_what_is_added(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller()), market.buyer()
        market.remove_from_cart(actor=buyer, item_id=market.add(buyer, listing, 3).id)
        assert market.add(buyer, listing, 1).quantity == 1

    def test_an_item_that_ran_out_can_be_removed(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller()), market.buyer()
        held = market.add(buyer, listing)
        market.later(minutes=31)
        market.remove_from_cart(actor=buyer, item_id=held.id)
        assert market.states(buyer) == {}

    def test_emptying_keeps_what_an_order_holds(self, market: Market) -> None:
        seller, buyer, other = market.seller(), market.buyer(), market.buyer()
        kept, gone, old = (market.listing(seller) for _ in range(3))
        market.add(buyer, old)
        market.later(minutes=31)
        market.add(buyer, kept)
        market.order(buyer, cart_items=[market.item_id(buyer, kept)])
        market.add(buyer, gone)
        market.add(other, gone)
        market.empty_cart(actor=buyer)
        assert market.states(buyer) == {kept: (ORDERED, 1)}
        assert market.states(other) == {gone: (HELD, 1)}
        assert market.stock(gone)[1] == 1

    def test_the_stock_cannot_be_set_below_what_is_claimed(self, market: Market) -> None:
        listing = market.listing(market.seller(), stock=5)
        market.add(market.buyer(), listing, 3)
        with pytest.raises(StockClaimed) as refused:
            market.restock(listing, 2)
        assert refused.value.facts == {"claimed": 3}
        market.later(minutes=30)
        market.restock(listing, 2)
