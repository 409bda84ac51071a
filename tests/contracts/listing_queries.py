"""What every store shows of listings."""

from datetime import timedelta

import pytest

from marketplace.application.ports.listings import ListingFilters
from marketplace.application.ports.pages import PageRequest
from marketplace.domain.listings import ListingSource, ListingStatus
from marketplace.domain.shared.errors import NotFound
from tests.builders import (
    NOW,
    a_holiday,
    euros,
    store_listing,
    store_product,
    store_seller,
    store_set,
    store_variant,
)
from tests.contracts.listings import change, claim

IMPORT = ListingSource.IMPORT

_ORDERS = {
    "": lambda listing: (listing.created_at, listing.id),
    "newest": lambda listing: (listing.created_at, listing.id),
    "oldest": lambda listing: (listing.created_at, listing.id),
    "price": lambda listing: (listing.price.amount, listing.id),
    "-price": lambda listing: (listing.price.amount, listing.id),
}


class ListingQueriesContract:
    """Subclasses provide the fixtures ``unit_of_work`` and ``queries``."""

    def ids(self, queries, filters=None, *, now=NOW, **request):
        page = queries.listings(filters or ListingFilters(), PageRequest(**request), now=now)
        return [view.id for view in page.items]

    def test_shows_everything_of_a_listing(self, unit_of_work, queries):
        product = store_product(
            unit_of_work, "Umbreon VMAX", attributes={"image_url": "https://images.example.com/215.webp"}
        )
        variant = store_variant(unit_of_work, product, language="fr", condition="GRADED", grade="PSA 10")
        seller = store_seller(unit_of_work, shop_name="Card Cave")
        listing = store_listing(unit_of_work, seller, variant, description="Slabbed")
        shown = queries.listing(listing.id, now=NOW)
        assert (shown.product.id, shown.product.name, shown.product.image) == (
            product,
            "Umbreon VMAX",
            "https://images.example.com/215.webp",
        )
        assert shown.product.external_id == f"product-{product}"
        assert shown.product.slug
        assert (shown.variant.id, shown.variant.product) == (variant[1], product)
        assert (shown.variant.language.code, shown.variant.language.name) == ("fr", "Français")
        assert (shown.variant.version.code, shown.variant.condition.code) == ("holo", "GRADED")
        assert shown.variant.version.tcg_types == {"pokemon", "yugioh", "magic", "other"}
        assert (shown.variant.version.displayable, shown.variant.condition.is_graded) == (True, True)
        assert shown.variant.grade.code == "PSA 10"
        assert (shown.seller.id, shown.seller.shop_name, shown.seller.rating) == (seller, "Card Cave", None)
        assert (shown.price, shown.currency, shown.stock, shown.available) == (2599, "EUR", 3, 3)
        assert (shown.status, shown.description) == (ListingStatus.ACTIVE, "Slabbed")
        assert (shown.is_verified, shown.is_public, shown.version) == (False, True, 1)
        assert (shown.created_at, shown.updated_at) == (NOW, NOW)

    def test_knows_what_does_not_exist(self, queries):
        with pytest.raises(NotFound):
            queries.listing(1, now=NOW)

    def test_shows_a_card_without_a_grade_or_a_picture(self, unit_of_work, queries):
        shown = queries.listing(store_listing(unit_of_work).id, now=NOW)
        assert (shown.variant.grade, shown.product.image) == (None, None)

    def test_counts_a_claim_as_free_from_its_last_instant_on(self, unit_of_work, queries):
        listing = store_listing(unit_of_work, stock=5)
        claim(unit_of_work, listing, 2)
        claim(unit_of_work, listing, 1, now=NOW + timedelta(minutes=10))
        available = [
            queries.listing(listing.id, now=NOW + timedelta(minutes=minutes)).available for minutes in (0, 29, 30, 40)
        ]
        assert available == [2, 2, 4, 5]

    # --- who sees what

    @pytest.mark.parametrize(
        ("status", "is_public"),
        [
            (ListingStatus.ACTIVE, True),
            (ListingStatus.SOLD_OUT, True),
            (ListingStatus.INACTIVE, False),
            (ListingStatus.ARCHIVED, False),
        ],
    )
    def test_lists_what_the_public_may_see(self, unit_of_work, queries, status, is_public):
        seller = store_seller(unit_of_work)
        listing = store_listing(unit_of_work, seller, stock=0 if status is ListingStatus.SOLD_OUT else 3)
        if status is ListingStatus.INACTIVE:
            change(unit_of_work, listing.id, lambda each: each.switch_off(now=NOW))
        if status is ListingStatus.ARCHIVED:
            change(unit_of_work, listing.id, lambda each: each.archive(now=NOW))
        assert queries.listing(listing.id, now=NOW).is_public is is_public
        assert self.ids(queries) == ([listing.id] if is_public else [])
        assert self.ids(queries, ListingFilters(seller_id=seller, hidden=True)) == [listing.id]

    @pytest.mark.parametrize(
        "pause",
        [
            lambda profile: profile.suspend("Late", now=NOW),
            lambda profile: profile.set_holiday(a_holiday()),
            lambda profile: profile.set_payouts_ready(False, now=NOW),
        ],
    )
    def test_hides_what_a_paused_seller_offers_and_shows_it_again_afterwards(self, unit_of_work, queries, pause):
        seller = store_seller(unit_of_work)
        shown, off = store_listing(unit_of_work, seller), store_listing(unit_of_work, seller)
        change(unit_of_work, off.id, lambda each: each.switch_off(now=NOW))

        def with_profile(do):
            with unit_of_work() as uow:
                profile = uow.sellers.get(seller)
                do(profile)
                uow.sellers.save(profile)
                uow.commit()

        def resume(profile):
            if profile.status == "suspended":
                profile.reinstate(now=NOW)
            profile.set_holiday(None)
            profile.set_payouts_ready(True, now=NOW)

        with_profile(pause)
        assert self.ids(queries) == []
        assert not queries.listing(shown.id, now=NOW).is_public
        with_profile(resume)
        assert self.ids(queries) == [shown.id]

    # --- filters

    @pytest.fixture
    def shelf(self, unit_of_work):
        """Four listings of two sellers: a French one, a graded one, a cheap one and one that is sold out."""
        first, second = store_seller(unit_of_work), store_seller(unit_of_work)
        card, other = store_product(unit_of_work, "Charizard"), store_product(unit_of_work, "Pikachu")
        french = store_variant(unit_of_work, card, language="fr", version="reverse", condition="EX")
        graded = store_variant(unit_of_work, card, condition="GRADED", grade="BGS 9.5")
        plain = store_variant(unit_of_work, other, version="normal", condition="PO")
        return {
            "seller": first,
            "card": card,
            "variant": french[1],
            "french": store_listing(unit_of_work, first, french, price=euros(500)).id,
            "graded": store_listing(unit_of_work, second, graded, price=euros(90_000)).id,
            "cheap": store_listing(unit_of_work, second, plain, price=euros(10)).id,
            "gone": store_listing(unit_of_work, second, plain, price=euros(10), stock=0).id,
        }

    @pytest.mark.parametrize(
        ("filters", "found"),
        [
            ({}, "french graded cheap gone"),
            ({"language": "fr"}, "french"),
            ({"language": " FR "}, "french"),
            ({"language": 2}, "french"),
            ({"language": "xx"}, ""),
            ({"version": "Reverse"}, "french"),
            ({"condition": "po"}, "cheap gone"),
            ({"grade": "bgs  9.5"}, "graded"),
            ({"grade": "PSA 10"}, ""),
            ({"graded": True}, "graded"),
            ({"graded": False}, "french cheap gone"),
            ({"min_price": 500}, "french graded"),
            ({"max_price": 500}, "french cheap gone"),
            ({"min_price": 11, "max_price": 500}, "french"),
            ({"verified": False, "max_price": 400}, "cheap gone"),
            ({"verified": True}, ""),
            ({"in_stock": True}, "french graded cheap"),
            ({"in_stock": False}, "gone"),
            ({"status": ListingStatus.SOLD_OUT}, "gone"),
            ({"status": ListingStatus.INACTIVE}, ""),
        ],
    )
    def test_narrows(self, queries, shelf, filters, found):
        assert set(self.ids(queries, ListingFilters(**filters))) == {shelf[name] for name in found.split()}

    def test_narrows_to_a_product_a_variant_and_a_seller(self, queries, shelf):
        assert set(self.ids(queries, ListingFilters(product=shelf["card"]))) == {shelf["french"], shelf["graded"]}
        named = ListingFilters(product=f"PRODUCT-{shelf['card']}")
        assert set(self.ids(queries, named)) == {shelf["french"], shelf["graded"]}
        assert self.ids(queries, ListingFilters(variant_id=shelf["variant"])) == [shelf["french"]]
        assert self.ids(queries, ListingFilters(seller_id=shelf["seller"])) == [shelf["french"]]

    def test_knows_what_carries_the_badge(self, unit_of_work, queries, shelf):
        def verify(listing):
            listing.is_verified = True

        change(unit_of_work, shelf["graded"], verify)
        assert self.ids(queries, ListingFilters(verified=True)) == [shelf["graded"]]
        assert shelf["graded"] not in self.ids(queries, ListingFilters(verified=False))

    def test_counts_what_is_claimed_as_not_in_stock_until_the_claim_runs_out(self, unit_of_work, queries):
        listing = store_listing(unit_of_work, stock=2)
        claim(unit_of_work, listing, 2)
        in_stock = ListingFilters(in_stock=True)
        assert self.ids(queries, in_stock) == []
        assert self.ids(queries, in_stock, now=NOW + timedelta(minutes=30)) == [listing.id]

    # --- pages

    @pytest.fixture
    def row(self, unit_of_work):
        """Seven listings, one a minute; the prices go up and down and repeat."""
        seller, variant = store_seller(unit_of_work), store_variant(unit_of_work)
        return [
            store_listing(unit_of_work, seller, variant, price=euros(price), now=NOW + timedelta(minutes=minute))
            for minute, price in enumerate([300, 100, 200, 100, 300, 100, 200])
        ]

    @pytest.mark.parametrize("ordering", list(_ORDERS))
    def test_orders(self, queries, row, ordering):
        expected = sorted(row, key=_ORDERS[ordering], reverse=ordering in ("", "newest", "-price"))
        assert self.ids(queries, ordering=ordering) == [listing.id for listing in expected]

    @pytest.mark.parametrize("ordering", list(_ORDERS))
    def test_reads_every_listing_once_by_cursor_there_and_back(self, queries, row, ordering):
        whole = self.ids(queries, ordering=ordering)
        forwards, page = [], queries.listings(ListingFilters(), PageRequest(size=3, ordering=ordering), now=NOW)
        assert (page.count, page.count_is_exact) == (7, True)
        while True:
            forwards += [view.id for view in page.items]
            if page.next is None:
                break
            request = PageRequest(size=3, ordering=ordering, after=page.next)
            page = queries.listings(ListingFilters(), request, now=NOW)
        backwards = [view.id for view in page.items]
        while page.previous is not None:
            request = PageRequest(size=3, ordering=ordering, before=page.previous)
            page = queries.listings(ListingFilters(), request, now=NOW)
            backwards = [view.id for view in page.items] + backwards
        assert forwards == backwards == whole

    def test_gives_an_empty_page_past_the_end(self, queries, row):
        assert self.ids(queries, number=3) == []

    # --- stock files

    def test_tells_a_stock_file_what_it_can_carry(self, unit_of_work, queries):
        seller, set_id = store_seller(unit_of_work), store_set(unit_of_work, "EVS")
        card = store_product(unit_of_work, "Umbreon VMAX", set_id=set_id, number="215", names={"fr": "Noctali VMAX"})
        french = store_variant(unit_of_work, card, language="fr", version="holo-first-edition")
        graded = store_variant(unit_of_work, card, condition="GRADED", grade="PSA 10")
        imported = store_listing(unit_of_work, seller, french, source=IMPORT, description="Sleeved")
        by_hand = store_listing(unit_of_work, seller, graded, stock=1)
        gone = store_listing(unit_of_work, seller, french)
        change(unit_of_work, gone.id, lambda each: each.archive(now=NOW))
        store_listing(unit_of_work, seller)  # of no set
        store_listing(unit_of_work, None, french)  # of another seller
        first, second = queries.stock_lines(seller)
        assert (first.listing_id, first.tcg_type, first.name) == (imported.id, "pokemon", "Noctali VMAX")
        assert (first.set_code, first.number, first.language) == ("EVS", "215", "fr")
        assert (first.condition, first.version, first.grade) == ("NM", "holo-first-edition", None)
        assert (first.stock, first.price, first.description, first.imported) == (3, 2599, "Sleeved", True)
        assert (second.listing_id, second.name, second.imported) == (by_hand.id, "Umbreon VMAX", False)
        assert (second.condition, second.grade, second.stock) == ("GRADED", "PSA 10", 1)
