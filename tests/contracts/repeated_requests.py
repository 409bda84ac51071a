"""A request whose answer was lost after its work was done is not done twice. Subclasses provide ``market``."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from marketplace.application.listings.create_listing import CreateListing
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.application.reservations import AddToCart
from marketplace.domain.listings import Listing
from marketplace.domain.reservations import InsufficientStock
from marketplace.domain.shared.errors import NotFound, Unavailable
from tests.market import Market

KEY = "the-same-request"
HELD = "held"


def losing_answers(market: Market) -> UnitOfWork:
    """A unit of work whose commit is made, and whose answer never comes."""
    uow = market.unit_of_work()
    commit = uow.commit

    def made_and_lost() -> None:
        commit()
        raise Unavailable("The connection was lost.")

    uow.commit = made_and_lost  # type: ignore[method-assign]  # this one object's alone
    return uow


def unlucky_add(market: Market) -> AddToCart:
    return market.adding(unit_of_work=lambda: losing_answers(market))


class RepeatedRequestContract:
    def test_an_add_whose_answer_was_lost_is_not_added_again(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller()), market.buyer()
        with pytest.raises(Unavailable):
            unlucky_add(market)(actor=buyer, listing_id=listing, quantity=2, request_key=KEY)
        line = market.add_to_cart(actor=buyer, listing_id=listing, quantity=2, request_key=KEY)
        assert (line.item.reservation.quantity, line.state) == (2, HELD)
        assert line == market.line(buyer, listing)
        assert market.states(buyer) == {listing: (HELD, 2)}

    def test_another_key_and_none_add_on_top(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller()), market.buyer()
        for key, quantity in ((KEY, 1), ("another", 2), (None, 3)):
            line = market.add_to_cart(actor=buyer, listing_id=listing, quantity=1, request_key=key)
            assert line.item.reservation.quantity == quantity
        assert market.states(buyer) == {listing: (HELD, 3)}

    def test_a_refused_add_leaves_the_key_to_be_tried_again(self, market: Market) -> None:
        listing, buyer, other = market.listing(market.seller(), stock=1), market.buyer(), market.buyer()
        held = market.add(other, listing)
        with pytest.raises(InsufficientStock) as refused:
            market.add_to_cart(actor=buyer, listing_id=listing, quantity=1, request_key=KEY)
        assert refused.value.facts == {"available": 0}
        market.remove_from_cart(actor=other, item_id=held.id)
        market.add_to_cart(actor=buyer, listing_id=listing, quantity=1, request_key=KEY)
        assert market.states(buyer) == {listing: (HELD, 1)}

    def test_an_add_under_a_key_frees_what_ran_out(self, market: Market) -> None:
        listing, buyer, other = market.listing(market.seller(), stock=1), market.buyer(), market.buyer()
        market.add(other, listing)
        market.later(minutes=30)
        market.add_to_cart(actor=buyer, listing_id=listing, quantity=1, request_key=KEY)
        assert market.states(buyer) == {listing: (HELD, 1)}
        assert market.states(other) == {listing: ("expired", 1)}

    def test_what_was_removed_since_does_not_come_back(self, market: Market) -> None:
        listing, buyer = market.listing(market.seller()), market.buyer()
        with pytest.raises(Unavailable):
            unlucky_add(market)(actor=buyer, listing_id=listing, quantity=1, request_key=KEY)
        market.empty_cart(actor=buyer)
        with pytest.raises(NotFound):
            market.add_to_cart(actor=buyer, listing_id=listing, quantity=1, request_key=KEY)
        assert market.states(buyer) == {}

    def test_keys_of_different_buyers_are_apart(self, market: Market) -> None:
        listing = market.listing(market.seller())
        for _ in range(2):
            buyer = market.buyer()
            market.add_to_cart(actor=buyer, listing_id=listing, quantity=1, request_key=KEY)
            assert market.states(buyer) == {listing: (HELD, 1)}

    def test_what_does_not_exist_is_not_found(self, market: Market) -> None:
        with pytest.raises(NotFound):
            market.add_to_cart(actor=market.buyer(), listing_id=market.ids.next(), quantity=1, request_key=KEY)

    def test_a_listing_whose_answer_was_lost_is_not_made_twice(self, market: Market) -> None:
        seller = market.seller()
        variant = market.listing_now(market.listing(seller)).variant_id

        def create(key: str | None = KEY, unit_of_work: Callable[[], UnitOfWork] = market.unit_of_work) -> Listing:
            creating = CreateListing(unit_of_work=unit_of_work, ids=market.ids, clock=market.clock, currency="EUR")
            return creating(actor=seller, variant=variant, price="1.00", stock=1, request_key=key)

        with pytest.raises(Unavailable):
            create(unit_of_work=lambda: losing_answers(market))
        with market.unit_of_work() as uow:
            made = uow.idempotency.resource(seller.account_id, KEY)
        again = create()
        assert again.id == made
        assert again == market.listing_now(again.id)
        assert len({made, create(key="another").id, create(key=None).id}) == 3
