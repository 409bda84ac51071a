"""What every store of seller profiles promises."""

from decimal import Decimal

import pytest

from marketplace.domain.sellers import SellerApplied, SellerProfile, SellerStatus, SellingStep, ShopNameTaken
from marketplace.domain.shared.errors import ConcurrencyConflict, Conflict, NotFound
from tests.builders import NOW, a_seller, store_account


def add(unit_of_work, profile):
    with unit_of_work() as uow:
        uow.sellers.add(profile)
        uow.commit()
    return profile


def get(unit_of_work, account_id):
    with unit_of_work() as uow:
        return uow.sellers.get(account_id)


def change(unit_of_work, account_id, do):
    with unit_of_work() as uow:
        profile = uow.sellers.get(account_id)
        do(profile)
        uow.sellers.save(profile)
        uow.commit()


class SellerContract:
    """Subclasses provide the fixtures ``unit_of_work``, ``queries`` and ``events``, which gives all recorded so far."""

    @pytest.fixture
    def account_id(self, unit_of_work):
        return store_account(unit_of_work, "misty")

    def test_gives_back_what_was_added(self, unit_of_work, account_id):
        profile = a_seller(account_id, shop_name="Cerulean Cards", description="Water types.\nShipped dry.")
        profile.suspend("Late", now=NOW)
        profile.set_holiday(True)
        profile.rating = Decimal("4.85")
        profile.events.clear()
        add(unit_of_work, profile)
        assert get(unit_of_work, account_id) == profile

    def test_keeps_what_was_saved_and_nothing_else(self, unit_of_work, account_id):
        add(unit_of_work, a_seller(account_id))
        change(unit_of_work, account_id, lambda profile: profile.suspend("Late", now=NOW))
        with unit_of_work() as uow:
            uow.sellers.get(account_id).approve(now=NOW)
            uow.commit()
        assert get(unit_of_work, account_id).status is SellerStatus.SUSPENDED

    def test_forgets_what_was_not_committed(self, unit_of_work, account_id):
        with unit_of_work() as uow:
            uow.sellers.add(a_seller(account_id))
        with unit_of_work() as uow:
            assert uow.sellers.find(account_id) is None

    def test_knows_who_is_no_seller(self, unit_of_work, account_id):
        with unit_of_work() as uow:
            assert uow.sellers.find(account_id) is None
            with pytest.raises(NotFound):
                uow.sellers.get(account_id)

    def test_refuses_a_second_profile_of_an_account(self, unit_of_work, account_id):
        add(unit_of_work, a_seller(account_id))
        with pytest.raises(Conflict):
            add(unit_of_work, a_seller(account_id, shop_name="Another"))

    def test_refuses_a_shop_name_that_is_taken_in_other_letters(self, unit_of_work, account_id):
        add(unit_of_work, a_seller(account_id, shop_name="Card Cave"))
        with pytest.raises(ShopNameTaken):
            add(unit_of_work, a_seller(store_account(unit_of_work), shop_name="CARD CAVE"))

    def test_knows_whether_a_shop_exists(self, unit_of_work, account_id):
        add(unit_of_work, a_seller(account_id, shop_name="Card Cave"))
        with unit_of_work() as uow:
            assert uow.sellers.has_shop("card cave")
            assert not uow.sellers.has_shop("card cav")

    def test_refuses_a_stale_save(self, unit_of_work, account_id):
        add(unit_of_work, a_seller(account_id))
        stale = get(unit_of_work, account_id)
        change(unit_of_work, account_id, lambda profile: profile.set_holiday(True))

        def save_it():
            with unit_of_work() as uow:
                uow.sellers.save(stale)
                uow.commit()

        with pytest.raises(ConcurrencyConflict):
            save_it()

    def test_stores_the_events_with_the_change(self, unit_of_work, account_id, events):
        profile = SellerProfile.of(account_id, shop_name="Card Cave", email_verified=True, now=NOW)
        profile.apply(now=NOW)
        add(unit_of_work, profile)
        assert events() == [SellerApplied(occurred_at=NOW, account_id=account_id)]

    # --- what is read

    def test_shows_an_approved_seller_to_everybody(self, unit_of_work, queries, account_id):
        add(unit_of_work, a_seller(account_id, shop_name="Card Cave", description="All of it"))
        change(unit_of_work, account_id, lambda profile: profile.set_holiday(True))
        shown = queries.seller(account_id)
        assert (shown.id, shown.shop_name, shown.description) == (account_id, "Card Cave", "All of it")
        assert (shown.rating, shown.on_holiday, shown.created_at) == (None, True, NOW)

    @pytest.mark.parametrize("status", [status for status in SellerStatus if status is not SellerStatus.APPROVED])
    def test_shows_nobody_else(self, unit_of_work, queries, account_id, status):
        profile = SellerProfile.of(account_id, shop_name="Card Cave", email_verified=True, now=NOW)
        profile.status = status
        add(unit_of_work, profile)
        with pytest.raises(NotFound):
            queries.seller(account_id)

    def test_tells_an_owner_everything(self, unit_of_work, queries, account_id):
        add(unit_of_work, a_seller(account_id, shop_name="Card Cave"))
        change(unit_of_work, account_id, lambda profile: profile.suspend("Late", now=NOW))
        own = queries.own(account_id)
        assert (own.shop_name, own.status, own.status_reason) == ("Card Cave", SellerStatus.SUSPENDED, "Late")
        assert (own.missing, own.is_selling, own.on_holiday) == ((SellingStep.APPROVAL,), False, False)

    def test_tells_who_never_asked_to_sell_what_it_takes(self, unit_of_work, queries, account_id):
        own = queries.own(account_id)
        assert (own.status, own.shop_name, own.created_at) == (SellerStatus.NONE, None, None)
        assert own.missing == (SellingStep.APPROVAL, SellingStep.IDENTITY, SellingStep.ONBOARDING)

    def test_knows_no_profile_of_an_account_that_does_not_exist(self, queries):
        with pytest.raises(NotFound):
            queries.own(1)

    @pytest.mark.parametrize("name", ["Card Cave", "card cave", "misty", "Misty@Example.com"])
    def test_finds_a_seller_by_any_name(self, unit_of_work, queries, account_id, name):
        add(unit_of_work, a_seller(account_id, shop_name="Card Cave"))
        assert queries.account_called(name) == account_id

    def test_lets_the_name_of_a_shop_go_before_anybodys_own(self, unit_of_work, queries, account_id):
        add(unit_of_work, a_seller(account_id, shop_name="Card Cave"))
        other = store_account(unit_of_work, "brock")
        add(unit_of_work, a_seller(other, shop_name="misty"))
        assert queries.account_called("misty") == other

    @pytest.mark.parametrize("name", ["misty", "", "\udcff", "\0"])
    def test_finds_nobody_by_a_name_that_nobody_has(self, unit_of_work, queries, account_id, name):
        with pytest.raises(NotFound):
            queries.account_called(name)
