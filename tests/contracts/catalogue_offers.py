"""What sellers offer of a product, as the product shows it, on either backend."""

from datetime import timedelta
from itertools import chain

import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.memory.store import InMemoryIdSequence
from marketplace.application.ports.catalogue import ProductFilters
from marketplace.application.ports.pages import PageRequest
from marketplace.domain.listings import ListingStatus
from marketplace.domain.reservations import HoldPolicy
from marketplace.domain.shared.errors import NotFound
from tests.builders import (
    NOW,
    a_holiday,
    euros,
    store_account,
    store_listing,
    store_seller,
    store_variant,
)
from tests.claiming import claims_of
from tests.market import Market

POLICY = HoldPolicy(hold_for=timedelta(minutes=30), max_hold=timedelta(minutes=120))


class OffersContract:
    """Subclasses provide ``unit_of_work`` and ``queries`` on the same store."""

    @pytest.fixture
    def product(self, queries):
        return lambda id, now=NOW: queries.product(id, now=now)

    def test_are_summed_up(self, unit_of_work, product):
        variant = store_variant(unit_of_work)
        for price, stock in ((1000, 3), (1001, 2), (2000, 1)):
            store_listing(unit_of_work, variant=variant, price=euros(price), stock=stock)
        found = product(variant[0])
        assert (found.lowest_price, found.average_price) == (1000, 1334)
        assert (found.total_stock, found.offer_count) == (6, 3)

    def test_are_those_that_can_be_bought(self, unit_of_work, product):
        variant = store_variant(unit_of_work)
        store_listing(unit_of_work, variant=variant, active=False)
        store_listing(unit_of_work, variant=variant, stock=0)
        paused = store_seller(unit_of_work)
        store_listing(unit_of_work, paused, variant)
        with unit_of_work() as uow:
            profile = uow.sellers.get(paused)
            profile.suspend("For a reason.", now=NOW)
            uow.sellers.save(profile)
            uow.commit()
        archived = store_listing(unit_of_work, variant=variant)
        with unit_of_work() as uow:
            gone = uow.listings.lock_and_sweep(archived.id, NOW)
            gone.archive(now=NOW)
            uow.listings.save(gone)
            uow.commit()
            assert gone.status is ListingStatus.ARCHIVED
        found = product(variant[0])
        assert (found.lowest_price, found.average_price) == (None, None)
        assert (found.total_stock, found.offer_count) == (0, 0)

    def test_leave_with_a_shop_on_holiday_and_come_back_by_the_clock(self, unit_of_work, product, queries):
        variant = store_variant(unit_of_work)
        away = store_seller(unit_of_work)
        store_listing(unit_of_work, away, variant, price=euros(1000))
        store_listing(unit_of_work, variant=variant, price=euros(2000))
        with unit_of_work() as uow:
            profile = uow.sellers.get(away)
            profile.set_holiday(a_holiday(days=7))
            uow.sellers.save(profile)
            uow.commit()
        seen = {NOW - timedelta(seconds=1): (1000, 2), NOW: (2000, 1), NOW + timedelta(days=7): (1000, 2)}
        for now, (price, offers) in seen.items():
            assert product(variant[0], now).lowest_price == price
            page = queries.search(ProductFilters(), PageRequest(ordering="price"), now=now)
            assert [(each.lowest_price, each.offer_count) for each in page.items] == [(price, offers)]

    def test_count_what_carts_do_not_hold_now(self, unit_of_work, product):
        variant = store_variant(unit_of_work)
        listing = store_listing(unit_of_work, variant=variant, stock=5)
        buyer = store_account(unit_of_work)
        claims_of(unit_of_work).claim(
            id=30_000_001, buyer_id=buyer, listing_id=listing.id, quantity=2, now=NOW, policy=POLICY
        )
        assert product(variant[0]).total_stock == 3
        assert product(variant[0], NOW + timedelta(minutes=29)).total_stock == 3
        assert product(variant[0], NOW + timedelta(minutes=30)).total_stock == 5

    def test_are_shown_in_lists_too(self, unit_of_work, queries):
        variant = store_variant(unit_of_work)
        store_listing(unit_of_work, variant=variant, price=euros(1234), stock=2)
        page = queries.products(ProductFilters(), PageRequest(), now=NOW)
        assert [(each.lowest_price, each.total_stock) for each in page.items] == [(1234, 2)]

    def test_have_a_market_price_once_something_was_paid(self, unit_of_work, product):
        clock = FixedClock(NOW)
        market = Market(
            unit_of_work=unit_of_work,
            reservation_queries=None,
            order_queries=None,
            clock=clock,
            ids=InMemoryIdSequence(40_000_000),
        )
        listing_id = market.listing(market.seller(), price=1000, stock=9)
        product_id = market.listing_now(listing_id).product_id

        def buy(quantity):
            buyer = market.buyer()
            market.add(buyer, listing_id, quantity)
            return market.order(buyer)

        order = buy(3)
        assert product(product_id).market_price is None
        market.pay(order)
        assert product(product_id).market_price == 1000
        market.reprice(listing_id, 2001)
        market.pay(buy(1))
        buy(2)
        assert product(product_id).market_price == 1250
        assert product(product_id, NOW + timedelta(days=89)).market_price == 1250
        assert product(product_id, NOW + timedelta(days=91)).market_price is None

    @pytest.fixture
    def priced(self, unit_of_work):
        """Products by name; the dear ones have more offers, which do not count, and two are not offered at all."""
        offers = {
            "dear": (5000, 9000),
            "unoffered": (),
            "cheap": (100, 20_000),
            "middling": (700,),
            "as middling": (700, 700),
            "hidden": (),
        }
        made = {}
        for name, prices in offers.items():
            variant = store_variant(unit_of_work)
            made[name] = variant[0]
            for price in reversed(prices):
                store_listing(unit_of_work, variant=variant, price=euros(price))
            if name == "hidden":
                store_listing(unit_of_work, variant=variant, price=euros(1), active=False)
                store_listing(unit_of_work, variant=variant, price=euros(2), stock=0)
        return made

    @pytest.mark.parametrize(
        ("ordering", "expected"),
        [
            ("price", ["cheap", "middling", "as middling", "dear", "unoffered", "hidden"]),
            ("-price", ["dear", "as middling", "middling", "cheap", "unoffered", "hidden"]),
        ],
    )
    @pytest.mark.parametrize("q", [None, "charizard"])
    def test_sort_a_search_by_the_lowest_price_with_what_is_not_offered_last(
        self, queries, priced, ordering, expected, q
    ):
        ids = [priced[name] for name in expected]

        def read(**part):
            return queries.search(ProductFilters(q=q), PageRequest(ordering=ordering, **part), now=NOW)

        whole = read()
        assert [each.id for each in whole.items] == ids
        assert (whole.count, whole.next, whole.previous) == (6, None, None)
        for size in range(1, 8):
            pages = [read(size=size)]
            while pages[-1].next is not None:
                pages.append(read(size=size, after=pages[-1].next))
            assert [each.id for each in chain.from_iterable(page.items for page in pages)] == ids, size
            back = [pages[-1]]
            while back[-1].previous is not None:
                back.append(read(size=size, before=back[-1].previous))
            assert [each.id for each in chain.from_iterable(page.items for page in back[::-1])] == ids, size
            for number in range(1, 9):
                part = read(size=size, number=number)
                assert [each.id for each in part.items] == ids[(number - 1) * size : number * size], (size, number)
                assert (part.next is None) == (number * size >= len(ids))

    def test_keep_a_cursor_valid_when_the_offer_that_it_stands_at_is_gone(self, unit_of_work, queries, priced):
        first = queries.search(ProductFilters(), PageRequest(size=1, ordering="price"), now=NOW)
        variant = (first.items[0].id, queries.variants(first.items[0].id, PageRequest()).items[0].id)
        store_listing(unit_of_work, variant=variant, price=euros(50))
        rest = queries.search(ProductFilters(), PageRequest(size=9, ordering="price", after=first.next), now=NOW)
        assert [each.id for each in rest.items] == [
            priced[name] for name in ("middling", "as middling", "dear", "unoffered", "hidden")
        ]

    def test_sort_what_the_filters_leave(self, queries, priced):
        wanted = queries.product(priced["dear"], now=NOW).external_id
        for filters in (ProductFilters(external_id=wanted), ProductFilters(external_id=wanted, tcg_type="pokemon")):
            page = queries.search(filters, PageRequest(ordering="-price"), now=NOW)
            assert ([each.id for each in page.items], page.count) == ([priced["dear"]], 1)
        nothing = queries.search(ProductFilters(set="nowhere"), PageRequest(ordering="price"), now=NOW)
        assert (nothing.items, nothing.count) == ([], 0)

    def test_have_variants(self, unit_of_work, queries):
        product_id, first = store_variant(unit_of_work)
        _, second = store_variant(unit_of_work, product_id, language="fr", condition="GRADED", grade="PSA 9")
        page = queries.variants(product_id, PageRequest(size=1))
        assert ([each.id for each in page.items], page.count) == ([first], 2)
        graded = queries.variants(product_id, PageRequest(after=page.next)).items[0]
        assert (graded.id, graded.product, graded.language.code) == (second, product_id, "fr")
        assert (graded.version.code, graded.condition.is_graded, graded.grade.code) == ("holo", True, "PSA 9")
        assert queries.variant(second) == graded
        assert queries.variant(first).grade is None

    def test_names_a_variant_that_is_not_there(self, queries):
        with pytest.raises(NotFound):
            queries.variant(999_999)
        with pytest.raises(NotFound):
            queries.variants(999_999, PageRequest())
