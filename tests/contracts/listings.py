"""What every store of listings promises."""

from datetime import timedelta
from itertools import count

import pytest

from marketplace.domain.listings import ListingSource, ListingStatus, StockClaimed
from marketplace.domain.reservations import HoldPolicy, Refused
from marketplace.domain.shared.errors import ConcurrencyConflict, Conflict, NotFound
from tests.builders import (
    NOW,
    a_listing,
    euros,
    store_account,
    store_listing,
    store_seller,
    store_variant,
)
from tests.claiming import claims_of

LATER = NOW + timedelta(hours=1)
POLICY = HoldPolicy(hold_for=timedelta(minutes=30), max_hold=timedelta(minutes=120))
IMPORT = ListingSource.IMPORT

_claims = count(20_000_000)


def get(unit_of_work, id):
    with unit_of_work() as uow:
        return uow.listings.get(id)


def change(unit_of_work, id, do, *, now=NOW):
    with unit_of_work() as uow:
        listing = uow.listings.lock_and_sweep(id, now)
        do(listing)
        uow.listings.save(listing)
        uow.commit()


def claim(unit_of_work, listing, quantity, *, buyer=None, now=NOW):
    """A buyer puts so many pieces into the cart, for half an hour."""
    buyer_id = store_account(unit_of_work) if buyer is None else buyer
    made = claims_of(unit_of_work).claim(
        id=next(_claims), buyer_id=buyer_id, listing_id=listing.id, quantity=quantity, now=now, policy=POLICY
    )
    assert not isinstance(made, Refused), made


class ListingRepositoryContract:
    """Subclasses provide the fixture ``unit_of_work``."""

    def test_gives_back_what_was_added(self, unit_of_work):
        listing = store_listing(unit_of_work, description="Sleeved.\nShipped flat.", source=IMPORT, stock=0)
        assert get(unit_of_work, listing.id) == listing
        assert get(unit_of_work, listing.id).version == listing.version == 1

    def test_adds_many_at_once(self, unit_of_work):
        seller = store_seller(unit_of_work)
        product, variant = store_variant(unit_of_work)
        many = [
            a_listing(
                id,
                seller_id=seller,
                product_id=product,
                variant_id=variant,
                price=euros(id),
                stock=id % 3,
                description=f"'quoted' \\ {{{id}}} é, \"x\"",
            )
            for id in range(1, 40)
        ]
        with unit_of_work() as uow:
            uow.listings.add_all(many)
            uow.listings.add_all([])
            uow.commit()
        assert [get(unit_of_work, listing.id) for listing in many] == many

    def test_keeps_what_was_saved_and_nothing_else(self, unit_of_work):
        listing = store_listing(unit_of_work)
        change(unit_of_work, listing.id, lambda each: each.reprice(euros(100), now=LATER))
        with unit_of_work() as uow:
            uow.listings.get(listing.id).reprice(euros(1), now=LATER)
            uow.commit()
        kept = get(unit_of_work, listing.id)
        assert (kept.price, kept.updated_at, kept.created_at, kept.version) == (euros(100), LATER, NOW, 2)

    def test_saves_many_at_once(self, unit_of_work):
        ids = sorted(store_listing(unit_of_work).id for _ in range(3))
        with unit_of_work() as uow:
            listings = [uow.listings.get(id) for id in ids]
            for price, listing in enumerate(listings, 1):
                listing.reprice(euros(price), now=LATER)
            uow.listings.save_all(listings)
            uow.listings.save_all([])
            uow.commit()
        assert [get(unit_of_work, id).price.amount for id in ids] == [1, 2, 3]
        assert [get(unit_of_work, id).version for id in ids] == [2, 2, 2]

    def test_forgets_what_was_not_committed(self, unit_of_work):
        listing = store_listing(unit_of_work)
        with unit_of_work() as uow:
            changed = uow.listings.lock_and_sweep(listing.id, NOW)
            changed.archive(now=LATER)
            uow.listings.save(changed)
        assert get(unit_of_work, listing.id) == listing

    @pytest.mark.parametrize("save", ["save", "save_all"])
    def test_refuses_a_stale_save(self, unit_of_work, save):
        listing = store_listing(unit_of_work)
        stale = get(unit_of_work, listing.id)
        change(unit_of_work, listing.id, lambda each: each.reprice(euros(100), now=LATER))
        stale.reprice(euros(200), now=LATER)

        def save_it():
            with unit_of_work() as uow:
                getattr(uow.listings, save)(stale if save == "save" else [stale])
                uow.commit()

        with pytest.raises(ConcurrencyConflict):
            save_it()

    def test_knows_what_does_not_exist(self, unit_of_work):
        with unit_of_work() as uow:
            with pytest.raises(NotFound):
                uow.listings.get(1)
            with pytest.raises(NotFound):
                uow.listings.lock_and_sweep(1, NOW)

    def test_lets_a_seller_have_several_listings_of_one_variant_but_one_import(self, unit_of_work):
        seller, variant = store_seller(unit_of_work), store_variant(unit_of_work)
        for source in (None, None, IMPORT):
            store_listing(unit_of_work, seller, variant, source=source)
        with pytest.raises(Conflict):
            store_listing(unit_of_work, seller, variant, source=IMPORT)
        store_listing(unit_of_work, None, variant, source=IMPORT)

    def test_lets_an_archived_import_be_followed_by_another(self, unit_of_work):
        seller, variant = store_seller(unit_of_work), store_variant(unit_of_work)
        first = store_listing(unit_of_work, seller, variant, source=IMPORT)
        change(unit_of_work, first.id, lambda each: each.archive(now=LATER))
        second = store_listing(unit_of_work, seller, variant, source=IMPORT)
        with unit_of_work() as uow:
            assert [each.id for each in uow.listings.lock_imported(seller, [variant[1]], NOW)] == [second.id]

    def test_finds_what_imports_made(self, unit_of_work):
        seller = store_seller(unit_of_work)
        variants = [store_variant(unit_of_work) for _ in range(3)]
        imported = [store_listing(unit_of_work, seller, variant, source=IMPORT) for variant in variants]
        store_listing(unit_of_work, seller, variants[0])
        store_listing(unit_of_work, None, variants[0], source=IMPORT)
        with unit_of_work() as uow:
            found = uow.listings.lock_imported(seller, [variants[2][1], variants[0][1]], NOW)
            assert list(found) == [imported[0], imported[2]]
            assert list(uow.listings.lock_imported(seller, [], NOW)) == []

    # --- claims

    def test_counts_the_claims_and_leaves_the_version_alone(self, unit_of_work):
        listing = store_listing(unit_of_work, stock=5)
        claim(unit_of_work, listing, 2)
        claim(unit_of_work, listing, 1)
        found = get(unit_of_work, listing.id)
        assert (found.claimed, found.stock, found.version) == (3, 5, 1)

    def test_never_writes_the_claims(self, unit_of_work):
        listing = store_listing(unit_of_work, stock=5)
        stale = get(unit_of_work, listing.id)
        claim(unit_of_work, listing, 2)
        stale.describe("Played", now=LATER)
        with unit_of_work() as uow:
            uow.listings.save(stale)
            uow.commit()
        assert get(unit_of_work, listing.id).claimed == 2

    def test_sweeps_the_claims_that_ran_out_when_it_locks(self, unit_of_work):
        listing = store_listing(unit_of_work, stock=5)
        claim(unit_of_work, listing, 2)
        claim(unit_of_work, listing, 1, now=NOW + timedelta(minutes=20))
        with unit_of_work() as uow:
            assert uow.listings.lock_and_sweep(listing.id, NOW + timedelta(minutes=29)).claimed == 3
            locked = uow.listings.lock_and_sweep(listing.id, NOW + timedelta(minutes=30))
            assert locked.claimed == 1
            locked.restock(1, now=LATER)
            uow.listings.save(locked)
            uow.commit()
        kept = get(unit_of_work, listing.id)
        assert (kept.stock, kept.claimed) == (1, 1)

    def test_sweeps_what_imports_made_when_it_locks_them(self, unit_of_work):
        seller, variant = store_seller(unit_of_work), store_variant(unit_of_work)
        listing = store_listing(unit_of_work, seller, variant, source=IMPORT)
        claim(unit_of_work, listing, 2)
        with unit_of_work() as uow:
            (locked,) = uow.listings.lock_imported(seller, [variant[1]], NOW)
            with pytest.raises(StockClaimed):
                locked.restock(1, now=NOW)
            (locked,) = uow.listings.lock_imported(seller, [variant[1]], LATER)
            locked.restock(0, now=LATER)
            uow.listings.save_all([locked])
            uow.commit()
        assert get(unit_of_work, listing.id).status is ListingStatus.SOLD_OUT

    def test_leaves_the_claims_of_others_alone(self, unit_of_work):
        swept, untouched = store_listing(unit_of_work), store_listing(unit_of_work)
        claim(unit_of_work, swept, 1)
        claim(unit_of_work, untouched, 1)
        with unit_of_work() as uow:
            uow.listings.lock_and_sweep(swept.id, LATER)
            uow.commit()
        assert (get(unit_of_work, swept.id).claimed, get(unit_of_work, untouched.id).claimed) == (0, 1)
