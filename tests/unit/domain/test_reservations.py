"""What may happen to a claim. What a claim is refused for, and when, is told by the shared suite of the backends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.reservations import (
    MAX_CART_ITEMS,
    MAX_QUANTITY,
    AlreadyOrdered,
    CartEmpty,
    HoldLimitReached,
    HoldPolicy,
    Offer,
    Problem,
    Refusal,
    Refused,
    Reservation,
    ReservationStatus,
    checked_quantity,
    claim,
    first_claim,
    orderable,
    problem_of,
)
from marketplace.domain.shared.errors import Invalid, MarketplaceError, NotFound
from marketplace.domain.shared.money import Money

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POLICY = HoldPolicy(hold_for=30 * MINUTE, max_hold=120 * MINUTE)
TEN = Money(1000, "EUR")


def a_claim(**changes: Any) -> Reservation:
    values = {
        "id": 1,
        "buyer_id": 5,
        "listing_id": 9,
        "quantity": 2,
        "unit_price": TEN,
        "status": ReservationStatus.HELD,
        "first_claimed_at": NOW,
        "expires_at": NOW + 30 * MINUTE,
    }
    return Reservation(**{**values, **changes})


def an_offer(**changes: Any) -> Offer:
    values = {
        "listing_id": 9,
        "seller_id": 3,
        "price": TEN,
        "is_public": True,
        "seller_is_selling": True,
        "available": 5,
    }
    return Offer(**{**values, **changes})


def made(previous: Reservation | None = None, **changes: Any) -> Reservation | Refused:
    values = {
        "id": 77,
        "buyer_id": 5,
        "offer": an_offer(),
        "quantity": 1,
        "adding": True,
        "items_in_cart": 0,
        "now": NOW,
        "policy": POLICY,
    }
    return claim(previous, **{**values, **changes})


class TestTime:
    def test_a_claim_holds_until_its_instant(self):
        held = a_claim()
        assert held.holds_stock(NOW + 30 * MINUTE - timedelta(microseconds=1))
        assert not held.holds_stock(NOW + 30 * MINUTE)
        assert held.state(NOW) is ReservationStatus.HELD
        assert held.state(NOW + 30 * MINUTE) is ReservationStatus.EXPIRED

    def test_an_order_claim_has_no_end(self):
        assert a_claim(status=ReservationStatus.ORDERED, order_id=1).holds_stock(NOW + timedelta(days=365))

    @pytest.mark.parametrize("status", [ReservationStatus.EXPIRED, ReservationStatus.RELEASED])
    def test_what_has_ended_holds_nothing(self, status):
        assert not a_claim(status=status).holds_stock(NOW)
        assert not a_claim(status=status).counts()

    @given(st.integers(0, 500), st.integers(0, 120))
    def test_no_chain_of_claims_is_longer_than_the_limit(self, minutes, since_first):
        now = NOW + minutes * MINUTE
        first = now - since_first * MINUTE
        assert POLICY.until(now=now, first_claimed_at=first) <= first + POLICY.max_hold

    @given(st.lists(st.integers(0, 130), min_size=1, max_size=12))
    def test_however_it_is_renewed_nobody_holds_beyond_the_limit_in_one_go(self, pauses):
        held, now, began = made(), NOW, NOW
        assert isinstance(held, Reservation)
        for pause in pauses:
            now += pause * MINUTE
            if not held.holds_stock(now):
                began = now
            try:
                first = first_claim(held, now=now, policy=POLICY)
            except HoldLimitReached:
                continue
            held = a_claim(first_claimed_at=first, expires_at=POLICY.until(now=now, first_claimed_at=first))
            assert held.expires_at - began <= POLICY.max_hold


class TestMoves:
    def test_letting_go_ends_the_claim_at_once(self):
        released = a_claim().released(NOW + 10 * MINUTE)
        assert (released.status, released.expires_at) == (ReservationStatus.RELEASED, NOW + 10 * MINUTE)
        assert not released.is_in_cart()

    def test_letting_go_of_what_ran_out_remembers_when_it_did(self):
        assert a_claim().released(NOW + 90 * MINUTE).expires_at == NOW + 30 * MINUTE

    def test_what_an_order_holds_is_not_let_go_of(self):
        with pytest.raises(AlreadyOrdered) as refused:
            a_claim(status=ReservationStatus.ORDERED, order_id=4).released(NOW)
        assert refused.value.facts == {"order": 4}

    def test_an_unpaid_end_leaves_it_expired(self):
        freed = a_claim(status=ReservationStatus.ORDERED, order_id=4).freed(NOW + MINUTE)
        assert (freed.status, freed.expires_at, freed.order_id) == (ReservationStatus.EXPIRED, NOW + MINUTE, None)

    def test_being_swept_changes_nothing_but_the_word(self):
        swept = a_claim().expired()
        assert swept == a_claim(status=ReservationStatus.EXPIRED)

    def test_ordering_a_running_claim_keeps_its_beginning_even_at_the_limit(self):
        held = a_claim(first_claimed_at=NOW - 100 * MINUTE, expires_at=NOW + 20 * MINUTE)
        ordered = held.ordered(4, now=NOW + 19 * MINUTE, policy=POLICY)
        assert (ordered.status, ordered.order_id) == (ReservationStatus.ORDERED, 4)
        assert ordered.first_claimed_at == held.first_claimed_at

    def test_ordering_what_ran_out_long_ago_begins_anew(self):
        now = NOW + 150 * MINUTE
        assert a_claim().ordered(4, now=now, policy=POLICY).first_claimed_at == now

    def test_ordering_what_ran_out_at_the_limit_is_refused(self):
        with pytest.raises(HoldLimitReached):
            a_claim(first_claimed_at=NOW - 120 * MINUTE, expires_at=NOW).ordered(4, now=NOW, policy=POLICY)


class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"offer": an_offer(seller_id=5, is_public=False)}, Refusal.OWN_LISTING),
            ({"offer": an_offer(is_public=False, seller_is_selling=False)}, Refusal.LISTING_INACTIVE),
            ({"offer": an_offer(seller_is_selling=False, available=0)}, Refusal.SELLER_UNAVAILABLE),
            ({"items_in_cart": MAX_CART_ITEMS, "quantity": 9}, Refusal.CART_FULL),
            ({"quantity": 6}, Refusal.INSUFFICIENT),
        ],
    )
    def test_the_first_reason_is_the_answer(self, changes, why):
        refused = made(**changes)
        assert isinstance(refused, Refused)
        assert refused.why is why

    @pytest.mark.parametrize("why", Refusal)
    def test_each_has_a_code_and_a_sentence(self, why):
        error = Refused(why=why, available=3, retry_at=NOW, order_id=4).error()
        assert isinstance(error, MarketplaceError)
        assert error.code != MarketplaceError.code
        assert str(error).endswith(".")

    def test_what_an_order_holds_is_not_claimed_again(self):
        ordered = a_claim(status=ReservationStatus.ORDERED, order_id=4)
        assert made(ordered) == Refused(why=Refusal.ALREADY_ORDERED, order_id=4)

    def test_nothing_is_claimed_beyond_the_limit(self):
        over = a_claim(first_claimed_at=NOW - 120 * MINUTE, expires_at=NOW)
        assert made(over) == Refused(why=Refusal.HOLD_LIMIT, retry_at=NOW + 120 * MINUTE)

    def test_never_promises_less_than_nothing(self):
        refused = made(offer=an_offer(available=-2))
        assert isinstance(refused, Refused)
        assert refused.available == 0

    @pytest.mark.parametrize("quantity", [0, -1, MAX_QUANTITY + 1, True, 1.0, "1", None])
    def test_what_is_no_quantity_is_refused(self, quantity):
        with pytest.raises(Invalid) as refused:
            checked_quantity(quantity)
        assert "quantity" in refused.value.facts["errors"]

    @pytest.mark.parametrize("quantity", [1, MAX_QUANTITY])
    def test_what_is_one_is_not(self, quantity):
        assert checked_quantity(quantity) == quantity


def problem_now(reservation, **offer):
    return problem_of(reservation, an_offer(**offer), now=NOW, policy=POLICY)


class TestProblems:
    @pytest.mark.parametrize(
        ("offer", "problem"),
        [
            ({}, None),
            ({"is_public": False, "seller_is_selling": False, "available": 0}, Problem.LISTING_INACTIVE),
            ({"seller_is_selling": False, "available": 0}, Problem.SELLER_UNAVAILABLE),
            ({"seller_id": 5, "available": 0}, Problem.SELLER_UNAVAILABLE),
            ({"available": 1, "price": Money(1, "EUR")}, Problem.OUT_OF_STOCK),
            ({"price": Money(1001, "EUR")}, Problem.PRICE_CHANGED),
            ({"price": Money(999, "EUR")}, Problem.PRICE_CHANGED),
        ],
    )
    def test_the_first_one_is_told(self, offer, problem):
        assert problem_now(a_claim(), **offer) == problem

    def test_what_is_ordered_has_none(self):
        assert problem_now(a_claim(status=ReservationStatus.ORDERED, order_id=1), is_public=False) is None

    def test_the_price_that_was_told_is_the_price(self):
        told = a_claim().answered(Money(1001, "EUR"))
        assert problem_now(told, price=Money(1001, "EUR")) is None

    def test_a_claim_that_ran_out_begins_anew_unless_the_limit_is_reached(self):
        over = NOW + 30 * MINUTE
        assert problem_of(a_claim(), an_offer(), now=over, policy=POLICY) is None
        long_held = a_claim(first_claimed_at=NOW - 90 * MINUTE)
        assert problem_of(long_held, an_offer(), now=over, policy=POLICY) is Problem.HOLD_LIMIT
        assert problem_of(long_held, an_offer(available=0), now=over, policy=POLICY) is Problem.OUT_OF_STOCK


class TestWhatIsOrdered:
    held, other = a_claim(id=1), a_claim(id=2)
    ordered = a_claim(id=3, status=ReservationStatus.ORDERED, order_id=4)

    def test_everything_that_no_order_holds(self):
        assert orderable([self.held, self.ordered, self.other], None) == [self.held, self.other]

    def test_or_what_is_chosen(self):
        assert orderable([self.held, self.ordered, self.other], [2, 2]) == [self.other]

    def test_what_is_not_in_the_cart_cannot_be_chosen(self):
        with pytest.raises(NotFound):
            orderable([self.held], [1, 9])

    @pytest.mark.parametrize("chosen", [[1, 3], None])
    def test_what_an_order_holds_cannot_be_ordered_again(self, chosen):
        cart = [self.held, self.ordered] if chosen else [self.ordered]
        with pytest.raises(AlreadyOrdered):
            orderable(cart, chosen)

    @pytest.mark.parametrize("chosen", [[], None])
    def test_nothing_cannot_be_ordered(self, chosen):
        with pytest.raises(CartEmpty):
            orderable([], chosen)
