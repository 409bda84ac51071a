"""Offering, changing and archiving, on any door; the doors' own words are tested with them."""

from __future__ import annotations

import functools
from datetime import timedelta

import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.memory.store import InMemoryIdSequence, InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from marketplace.application.listings.create_listing import CreateListing, VariantRef
from marketplace.application.listings.update_listing import ArchiveListing, UpdateListing
from marketplace.domain.catalogue.products import ProductArchived
from marketplace.domain.identity import Role
from marketplace.domain.listings import ListingStatus, StockClaimed
from marketplace.domain.sellers import SellingStep
from marketplace.domain.shared.errors import Forbidden, IllegalTransition, Invalid, NotFound, PreconditionFailed
from marketplace.domain.shared.money import CurrencyMismatch
from tests.builders import (
    NOW,
    a_holiday,
    an_actor,
    euros,
    store_account,
    store_listing,
    store_product,
    store_seller,
    store_variant,
)
from tests.contracts.listings import change, claim, get

CURRENCY = "EUR"


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def unit_of_work():
    return functools.partial(InMemoryUnitOfWork, InMemoryStore())


@pytest.fixture
def seller(unit_of_work):
    return store_seller(unit_of_work)


@pytest.fixture
def listing(unit_of_work, seller):
    return store_listing(unit_of_work, seller)


def pause(unit_of_work, seller):
    with unit_of_work() as uow:
        profile = uow.sellers.get(seller)
        profile.set_holiday(a_holiday())
        uow.sellers.save(profile)
        uow.commit()


class TestCreateListing:
    @pytest.fixture
    def create(self, unit_of_work, clock):
        return CreateListing(unit_of_work=unit_of_work, ids=InMemoryIdSequence(), clock=clock, currency=CURRENCY)

    def test_offers_a_variant(self, create, unit_of_work, seller):
        product, variant = store_variant(unit_of_work)
        made = create(actor=an_actor(seller), variant=variant, price="25.99", stock=3, description=" Sleeved ")
        kept = get(unit_of_work, made.id)
        assert made == kept
        assert (kept.seller_id, kept.product_id, kept.variant_id) == (seller, product, variant)
        assert (kept.price, kept.stock, kept.description) == (euros(2599), 3, "Sleeved")
        assert (kept.status, kept.source, kept.created_at) == (ListingStatus.ACTIVE, None, NOW)

    def test_makes_the_variant_on_demand(self, create, unit_of_work, seller):
        parts = VariantRef(product=store_product(unit_of_work), language="fr", version="holo", condition="NM")
        first, second = (
            create(actor=an_actor(seller), variant=parts, price="1.00", stock=1, active=False) for _ in range(2)
        )
        assert first.variant_id == second.variant_id
        assert first.id != second.id
        assert first.status is ListingStatus.INACTIVE

    def test_lets_a_seller_on_holiday_prepare(self, create, unit_of_work, seller):
        pause(unit_of_work, seller)
        assert create(actor=an_actor(seller), variant=store_variant(unit_of_work)[1], price="1.00", stock=1)

    def test_tells_who_may_not_sell_what_is_missing(self, create, unit_of_work):
        variant = store_variant(unit_of_work)[1]
        unverified = store_seller(unit_of_work, email_verified=False)
        for account, missing in (
            (unverified, [SellingStep.VERIFIED_EMAIL]),
            (store_account(unit_of_work), [SellingStep.APPROVAL, SellingStep.IDENTITY, SellingStep.ONBOARDING]),
        ):
            with pytest.raises(Forbidden) as refusal:
                create(actor=an_actor(account), variant=variant, price="1.00", stock=1)
            assert refusal.value.facts["missing"] == missing

    def test_refuses_a_variant_that_does_not_exist(self, create, seller):
        with pytest.raises(Invalid) as refusal:
            create(actor=an_actor(seller), variant=5, price="1.00", stock=1)
        assert list(refusal.value.facts["errors"]) == ["variant"]

    def test_refuses_an_archived_product(self, create, unit_of_work, seller):
        product, variant = store_variant(unit_of_work)
        with unit_of_work() as uow:
            archived = uow.products.get(product)
            archived.archive(now=NOW)
            uow.products.save(archived)
            uow.commit()
        parts = VariantRef(product=product, language="fr", version="holo", condition="NM")
        for refused in (variant, parts):
            with pytest.raises(ProductArchived):
                create(actor=an_actor(seller), variant=refused, price="1.00", stock=1)

    def test_refuses_another_currency(self, create, unit_of_work, seller):
        variant = store_variant(unit_of_work)[1]
        with pytest.raises(CurrencyMismatch):
            create(actor=an_actor(seller), variant=variant, price="1.00", stock=1, currency="USD")
        assert create(actor=an_actor(seller), variant=variant, price="1.00", stock=1, currency="EUR")


class TestUpdateListing:
    @pytest.fixture
    def update(self, unit_of_work, clock):
        return UpdateListing(unit_of_work=unit_of_work, clock=clock, currency=CURRENCY)

    def test_changes_what_is_given(self, update, unit_of_work, clock, seller, listing):
        clock.advance(timedelta(minutes=1))
        other = store_variant(unit_of_work)
        update(
            actor=an_actor(seller),
            listing_id=listing.id,
            variant=other[1],
            price="3.50",
            stock=9,
            description="Played",
            active=False,
            currency="EUR",
        )
        kept = get(unit_of_work, listing.id)
        assert (kept.product_id, kept.variant_id, kept.price, kept.stock) == (*other, euros(350), 9)
        assert (kept.description, kept.status) == ("Played", ListingStatus.INACTIVE)
        assert (kept.updated_at, kept.version) == (clock.now(), 2)

    def test_makes_no_new_version_of_what_stays_the_same(self, update, unit_of_work, clock, seller, listing):
        clock.advance(timedelta(minutes=1))
        same = {"variant": listing.variant_id, "price": "25.99", "stock": 3, "description": "", "active": True}
        update(actor=an_actor(seller), listing_id=listing.id, **same)
        assert get(unit_of_work, listing.id).version == 1

    def test_saves_a_change_within_the_same_instant(self, update, unit_of_work, seller, listing):
        update(actor=an_actor(seller), listing_id=listing.id, price="1.00")
        assert get(unit_of_work, listing.id).price == euros(100)

    def test_lets_the_version_of_the_caller_decide(self, update, seller, listing):
        update(actor=an_actor(seller), listing_id=listing.id, price="1.00", if_version=[1, 7])
        with pytest.raises(PreconditionFailed):
            update(actor=an_actor(seller), listing_id=listing.id, price="2.00", if_version=[1, 7])

    def test_does_all_or_nothing(self, update, unit_of_work, seller, listing):
        claim(unit_of_work, listing, 2)
        with pytest.raises(StockClaimed):
            update(actor=an_actor(seller), listing_id=listing.id, price="1.00", stock=1)
        assert get(unit_of_work, listing.id).price == euros(2599)

    def test_counts_no_claim_that_ran_out(self, update, unit_of_work, clock, seller, listing):
        claim(unit_of_work, listing, 2)
        clock.advance(timedelta(minutes=30))
        assert update(actor=an_actor(seller), listing_id=listing.id, stock=0).status is ListingStatus.SOLD_OUT

    def test_lets_an_administrator(self, update, unit_of_work, listing):
        update(actor=an_actor(1, Role.ADMIN), listing_id=listing.id, active=False)
        assert get(unit_of_work, listing.id).status is ListingStatus.INACTIVE

    def test_refuses_another_currency(self, update, seller, listing):
        with pytest.raises(CurrencyMismatch):
            update(actor=an_actor(seller), listing_id=listing.id, price="1.00", currency="USD")


class TestArchiveListing:
    @pytest.fixture
    def archive(self, unit_of_work, clock):
        return ArchiveListing(unit_of_work=unit_of_work, clock=clock)

    def test_is_the_end_and_is_harmless_when_repeated(self, archive, unit_of_work, seller, listing):
        for _ in range(2):
            archive(actor=an_actor(seller), listing_id=listing.id)
        kept = get(unit_of_work, listing.id)
        assert (kept.status, kept.version) == (ListingStatus.ARCHIVED, 2)
        with pytest.raises(IllegalTransition):
            kept.switch_on(now=NOW)

    def test_is_possible_whatever_is_claimed(self, archive, unit_of_work, seller, listing):
        claim(unit_of_work, listing, 2)
        archive(actor=an_actor(seller), listing_id=listing.id)
        assert get(unit_of_work, listing.id).claimed == 2


class TestWhoMay:
    def attempts(self, unit_of_work, clock, actor, listing):
        update = UpdateListing(unit_of_work=unit_of_work, clock=clock, currency=CURRENCY)
        archive = ArchiveListing(unit_of_work=unit_of_work, clock=clock)
        yield lambda: update(actor=actor, listing_id=listing.id, price="1.00")
        yield lambda: archive(actor=actor, listing_id=listing.id)

    def test_refuses_what_belongs_to_another_seller(self, unit_of_work, clock, listing):
        stranger = an_actor(store_seller(unit_of_work), Role.SELLER)
        for attempt in self.attempts(unit_of_work, clock, stranger, listing):
            with pytest.raises(Forbidden):
                attempt()

    @pytest.mark.parametrize("hide", ["switched off", "paused"])
    def test_does_not_even_admit_what_is_hidden(self, unit_of_work, clock, seller, listing, hide):
        if hide == "paused":
            pause(unit_of_work, seller)
        else:
            change(unit_of_work, listing.id, lambda each: each.switch_off(now=NOW))
        stranger = an_actor(store_seller(unit_of_work), Role.SELLER)
        for attempt in self.attempts(unit_of_work, clock, stranger, listing):
            with pytest.raises(NotFound):
                attempt()

    def test_lets_a_paused_seller_go_on(self, unit_of_work, clock, seller, listing):
        pause(unit_of_work, seller)
        for attempt in self.attempts(unit_of_work, clock, an_actor(seller), listing):
            attempt()
        now = get(unit_of_work, listing.id)
        assert (now.price, now.status) == (euros(100), ListingStatus.ARCHIVED)
