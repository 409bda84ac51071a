"""What may happen to a listing."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from marketplace.domain.listings import (
    MAX_STOCK,
    Listing,
    ListingSource,
    ListingStatus,
    StockClaimed,
    checked_stock,
    parsed_price,
)
from marketplace.domain.shared.errors import IllegalTransition, Invalid
from marketplace.domain.shared.money import MAX_AMOUNT, Money
from tests.builders import NOW, a_listing, euros

LATER = NOW + timedelta(hours=1)
ACTIVE, INACTIVE, SOLD_OUT, ARCHIVED = ListingStatus


def with_status(status):
    listing = a_listing(stock=0 if status is SOLD_OUT else 3)
    if status is INACTIVE:
        listing.switch_off(now=NOW)
    if status is ARCHIVED:
        listing.archive(now=NOW)
    assert listing.status is status
    return listing


class TestStatus:
    @pytest.mark.parametrize(
        ("before", "do", "after"),
        [
            (ACTIVE, "switch_on", ACTIVE),
            (ACTIVE, "switch_off", INACTIVE),
            (ACTIVE, "archive", ARCHIVED),
            (INACTIVE, "switch_on", ACTIVE),
            (INACTIVE, "switch_off", INACTIVE),
            (INACTIVE, "archive", ARCHIVED),
            (SOLD_OUT, "switch_on", SOLD_OUT),
            (SOLD_OUT, "switch_off", INACTIVE),
            (SOLD_OUT, "archive", ARCHIVED),
            (ARCHIVED, "switch_on", None),
            (ARCHIVED, "switch_off", None),
            (ARCHIVED, "archive", ARCHIVED),
        ],
    )
    def test_follows_the_sellers_wish(self, before, do, after):
        listing = with_status(before)
        if after is None:
            with pytest.raises(IllegalTransition):
                getattr(listing, do)(now=LATER)
            assert listing.status is before
        else:
            getattr(listing, do)(now=LATER)
            assert listing.status is after
            assert listing.updated_at == (NOW if before is after else LATER)

    @pytest.mark.parametrize(
        ("before", "stock", "after"),
        [
            (ACTIVE, 5, ACTIVE),
            (ACTIVE, 0, SOLD_OUT),
            (SOLD_OUT, 5, ACTIVE),
            (SOLD_OUT, 0, SOLD_OUT),
            (INACTIVE, 5, INACTIVE),
            (INACTIVE, 0, INACTIVE),
        ],
    )
    def test_follows_the_stock_but_never_revives_what_was_switched_off(self, before, stock, after):
        listing = with_status(before)
        listing.restock(stock, now=LATER)
        assert (listing.status, listing.stock) == (after, stock)

    def test_is_sold_out_when_switched_on_without_stock(self):
        listing = with_status(INACTIVE)
        listing.restock(0, now=NOW)
        listing.switch_on(now=NOW)
        assert listing.status is SOLD_OUT

    def test_begins_as_its_stock_and_its_seller_say(self):
        assert a_listing().status is ACTIVE
        assert a_listing(stock=0).status is SOLD_OUT
        assert a_listing(active=False).status is INACTIVE

    @pytest.mark.parametrize(
        "change",
        [
            lambda listing: listing.reprice(euros(1), now=LATER),
            lambda listing: listing.restock(1, now=LATER),
            lambda listing: listing.describe("new", now=LATER),
            lambda listing: listing.move_to(product_id=1, variant_id=1, now=LATER),
        ],
    )
    def test_archived_is_the_end(self, change):
        listing = with_status(ARCHIVED)
        with pytest.raises(IllegalTransition):
            change(listing)
        assert listing == with_status(ARCHIVED)

    def test_is_public_while_active_or_sold_out(self):
        assert {status: with_status(status).is_public for status in ListingStatus} == {
            ACTIVE: True,
            SOLD_OUT: True,
            INACTIVE: False,
            ARCHIVED: False,
        }


class TestPrice:
    @pytest.mark.parametrize("amount", [1, 2599, MAX_AMOUNT])
    def test_is_anything_that_can_be_paid(self, amount):
        assert a_listing(price=euros(amount)).price == euros(amount)

    @pytest.mark.parametrize("amount", [0, -1, MAX_AMOUNT + 1])
    def test_is_nothing_else(self, amount):
        with pytest.raises(Invalid) as refusal:
            a_listing(price=euros(amount))
        assert "price" in refusal.value.facts["errors"]

    def test_is_a_multiple_of_what_the_provider_takes(self):
        assert a_listing(price=Money(12_340, "KWD")).price.decimal == "12.340"
        with pytest.raises(Invalid, match=r"in steps of 0\.010 KWD"):
            a_listing(price=Money(12_345, "KWD"))

    @pytest.mark.parametrize(
        ("text", "currency", "amount"), [("25.99", "EUR", 2599), ("7", "EUR", 700), ("7", "JPY", 7)]
    )
    def test_is_read_from_a_decimal(self, text, currency, amount):
        assert parsed_price(text, currency) == Money(amount, currency)

    @pytest.mark.parametrize(
        "text",
        ["", "0", "-1", "+1", "1e3", "NaN", "Infinity", "1_000", " 1", "1,00", "0.001", "\u0661", "9" * 13, "1000000"],
    )
    def test_is_read_from_nothing_else(self, text):
        with pytest.raises(Invalid) as refusal:
            parsed_price(text, "EUR")
        assert "price" in refusal.value.facts["errors"]

    def test_changes_the_listing_only_when_it_differs(self):
        listing = a_listing()
        listing.reprice(euros(2599), now=LATER)
        assert listing.updated_at == NOW
        listing.reprice(euros(2600), now=LATER)
        assert (listing.price, listing.updated_at) == (euros(2600), LATER)


class TestStock:
    @pytest.mark.parametrize("stock", [0, 1, MAX_STOCK])
    def test_is_a_number_of_pieces(self, stock):
        assert checked_stock(stock) == stock

    @pytest.mark.parametrize("stock", [-1, MAX_STOCK + 1, True, 1.0, "1", None])
    def test_is_nothing_else(self, stock):
        with pytest.raises(Invalid) as refusal:
            checked_stock(stock)
        assert "stock" in refusal.value.facts["errors"]

    def test_never_falls_below_what_is_claimed(self):
        listing = a_listing(stock=5)
        listing.claimed = 3
        with pytest.raises(StockClaimed) as refusal:
            listing.restock(2, now=LATER)
        assert (refusal.value.facts, listing.stock) == ({"claimed": 3}, 5)
        listing.restock(3, now=LATER)
        assert listing.stock == 3

    def test_can_be_switched_off_whatever_is_claimed(self):
        listing = a_listing(stock=5)
        listing.claimed = 5
        listing.switch_off(now=LATER)
        assert listing.status is INACTIVE


class TestSale:
    def test_takes_pieces_out_of_the_stock(self):
        listing = a_listing(stock=3)
        listing.sell(2, now=LATER)
        assert (listing.stock, listing.status, listing.updated_at) == (1, ACTIVE, LATER)
        listing.sell(1, now=LATER)
        assert (listing.stock, listing.status) == (0, SOLD_OUT)

    def test_keeps_what_was_promised_before_it_was_switched_off(self):
        listing = with_status(INACTIVE)
        listing.sell(3, now=LATER)
        assert (listing.stock, listing.status) == (0, INACTIVE)

    @pytest.mark.parametrize(
        ("status", "stock", "after"),
        [
            (ACTIVE, 3, (5, ACTIVE)),
            (SOLD_OUT, 0, (2, ACTIVE)),
            (INACTIVE, 0, (2, INACTIVE)),
            (ARCHIVED, 0, (0, ARCHIVED)),
            (ACTIVE, MAX_STOCK - 1, (MAX_STOCK, ACTIVE)),
        ],
    )
    def test_pieces_that_come_back_are_on_offer_again(self, status, stock, after):
        listing = with_status(status)
        listing.stock = stock
        listing.put_back(2, now=LATER)
        assert (listing.stock, listing.status) == after


class TestBadge:
    @pytest.mark.parametrize(
        ("change", "kept"),
        [
            (lambda listing: listing.reprice(euros(1), now=LATER), False),
            (lambda listing: listing.move_to(product_id=21, variant_id=31, now=LATER), False),
            (lambda listing: listing.reprice(listing.price, now=LATER), True),
            (lambda listing: listing.move_to(product_id=20, variant_id=30, now=LATER), True),
            (lambda listing: listing.restock(9, now=LATER), True),
            (lambda listing: listing.describe("As described", now=LATER), True),
            (lambda listing: listing.switch_off(now=LATER), True),
        ],
    )
    def test_is_for_one_variant_at_one_price(self, change, kept):
        listing = a_listing()
        listing.is_verified = True
        change(listing)
        assert listing.is_verified is kept


class TestVariant:
    def test_can_be_changed_while_nobody_holds_a_piece(self):
        listing = a_listing(source=ListingSource.IMPORT)
        listing.move_to(product_id=21, variant_id=31, now=LATER)
        assert (listing.product_id, listing.variant_id, listing.updated_at) == (21, 31, LATER)
        assert listing.source is None, "the file's next run must not find it"

    def test_cannot_be_changed_under_those_who_hold_one(self):
        listing = a_listing()
        listing.claimed = 1
        with pytest.raises(StockClaimed):
            listing.move_to(product_id=21, variant_id=31, now=LATER)


class TestDescription:
    def test_is_trimmed_and_may_have_lines(self):
        assert a_listing(description=" Sleeved.\nShipped flat. ").description == "Sleeved.\nShipped flat."

    @pytest.mark.parametrize("text", ["x" * 2001, "\ud800", "a\0b"])
    def test_refuses_what_cannot_be_shown(self, text):
        with pytest.raises(Invalid) as refusal:
            a_listing(description=text)
        assert "description" in refusal.value.facts["errors"]

    def test_changes_the_listing_only_when_it_differs(self):
        listing = a_listing(description="Mint")
        listing.describe(" Mint ", now=LATER)
        assert listing.updated_at == NOW
        listing.describe("Played", now=LATER)
        assert (listing.description, listing.updated_at) == ("Played", LATER)


@given(st.integers(1, MAX_AMOUNT))
def test_every_price_survives_being_written_and_read(amount):
    assert parsed_price(euros(amount).decimal, "EUR") == euros(amount)


class AnyChanges(RuleBasedStateMachine):
    """Whatever a seller does in whatever order, stock and status agree, and what was promised is there."""

    def __init__(self):
        super().__init__()
        self.listing: Listing = a_listing()
        self.wished_off = False

    @rule(stock=st.integers(0, 6))
    @precondition(lambda self: self.listing.status is not ARCHIVED)
    def restock(self, stock):
        if stock >= self.listing.claimed:
            self.listing.restock(stock, now=LATER)
        else:
            with pytest.raises(StockClaimed):
                self.listing.restock(stock, now=LATER)

    @rule()
    @precondition(lambda self: self.listing.status is not ARCHIVED)
    def switch_on(self):
        self.listing.switch_on(now=LATER)
        self.wished_off = False

    @rule()
    @precondition(lambda self: self.listing.status is not ARCHIVED)
    def switch_off(self):
        self.listing.switch_off(now=LATER)
        self.wished_off = True

    @rule(pieces=st.integers(1, 3))
    def claim(self, pieces):
        self.listing.claimed = min(self.listing.stock, self.listing.claimed + pieces)

    @rule()
    def let_go(self):
        self.listing.claimed = 0

    @rule()
    def archive(self):
        self.listing.archive(now=LATER)

    @invariant()
    def status_is_the_stocks_fact_and_the_sellers_wish(self):
        if self.listing.status is not ARCHIVED:
            assert (self.listing.status is INACTIVE) == self.wished_off
            assert self.wished_off or (self.listing.status is SOLD_OUT) == (self.listing.stock == 0)

    @invariant()
    def claims_are_covered(self):
        assert 0 <= self.listing.claimed <= self.listing.stock


TestAnyChanges = AnyChanges.TestCase
