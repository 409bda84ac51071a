"""Becoming a seller, and running the shop."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.application.sellers.applying import ApplyToSell, FollowSellerEmail, OpenSellerProfile, UpdateShop
from marketplace.application.sellers.deciding import (
    RejectSeller,
)
from marketplace.domain.identity import Role
from marketplace.domain.identity.companies import CompanyMissing
from marketplace.domain.sellers import (
    Holiday,
    SellerApplied,
    SellerExists,
    SellerStatus,
    SellingStep,
    ShopNameTaken,
)
from marketplace.domain.shared.errors import Invalid, NotFound
from tests.builders import NOW, a_holiday, an_actor, store_account, store_seller
from tests.unit.application.sellers.shops import make_professional, profile_of, roles_of


class TestOpenSellerProfile:
    @pytest.fixture
    def open_profile(self, unit_of_work):
        return OpenSellerProfile(unit_of_work=unit_of_work, clock=FixedClock())

    def test_gives_a_new_vendor_a_pending_profile(self, open_profile, unit_of_work, store):
        account = store_account(unit_of_work, "misty", verified=False)
        open_profile(account_id=account, shop_name="misty")
        profile = profile_of(unit_of_work, account)
        assert (profile.shop_name, profile.status, profile.email_verified) == ("misty", SellerStatus.PENDING, False)
        assert store.events == [SellerApplied(occurred_at=NOW, account_id=account)]

    def test_knows_an_address_that_is_verified_already(self, open_profile, unit_of_work):
        account = store_account(unit_of_work)
        open_profile(account_id=account, shop_name="misty")
        assert SellingStep.VERIFIED_EMAIL not in profile_of(unit_of_work, account).missing

    def test_changes_nothing_when_it_is_repeated(self, open_profile, unit_of_work, store):
        account = store_account(unit_of_work)
        for name in ("misty", "brock"):
            open_profile(account_id=account, shop_name=name)
        assert profile_of(unit_of_work, account).shop_name == "misty"
        assert len(store.events) == 1

    def test_finds_another_name_when_somebody_elses_shop_has_it(self, open_profile, unit_of_work):
        store_seller(unit_of_work, shop_name="Misty")
        account = store_account(unit_of_work)
        open_profile(account_id=account, shop_name="misty")
        assert profile_of(unit_of_work, account).shop_name == f"misty {account}"


class TestApplyToSell:
    @pytest.fixture
    def apply(self, unit_of_work):
        return ApplyToSell(unit_of_work=unit_of_work, clock=FixedClock())

    @pytest.mark.parametrize("verified", [True, False])
    def test_opens_a_shop_that_waits(self, apply, unit_of_work, store, verified):
        account = store_account(unit_of_work, verified=verified)
        made = apply(actor=an_actor(account), shop_name=" Card  Cave ", description="All of it")
        assert made == profile_of(unit_of_work, account)
        assert (made.shop_name, made.description, made.status) == ("Card Cave", "All of it", SellerStatus.PENDING)
        assert made.email_verified is verified
        assert Role.SELLER not in roles_of(unit_of_work, account)
        assert store.events == [SellerApplied(occurred_at=NOW, account_id=account)]

    @pytest.mark.parametrize("end", [None, RejectSeller])
    def test_is_for_who_has_not_done_so_before(self, apply, applicant, decide, end):
        if end:
            decide(end, applicant, reason="No")
        with pytest.raises(SellerExists):
            apply(actor=an_actor(applicant), shop_name="Another")

    def test_refuses_a_name_that_another_shop_has_in_any_form(self, apply, unit_of_work, applicant):
        with pytest.raises(ShopNameTaken):
            apply(actor=an_actor(store_account(unit_of_work)), shop_name="\uff23ARD cave")

    def test_asks_professionals_who_they_are(self, apply, unit_of_work):
        account = store_account(unit_of_work)
        make_professional(unit_of_work, account)
        with pytest.raises(CompanyMissing):
            apply(actor=an_actor(account), shop_name="Card Cave")


class TestUpdateShop:
    @pytest.fixture
    def update(self, unit_of_work):
        use_case = UpdateShop(unit_of_work=unit_of_work, clock=FixedClock())
        return lambda account, **changes: use_case(actor=an_actor(account), changes=changes)

    def test_changes_what_is_given(self, update, unit_of_work, applicant):
        update(applicant, description="Water types")
        changed = update(applicant, shop_name="Cerulean Cards")
        assert changed == profile_of(unit_of_work, applicant)
        assert (changed.shop_name, changed.description) == ("Cerulean Cards", "Water types")

    def test_lets_a_shop_spell_its_own_name_anew(self, update, applicant):
        assert update(applicant, shop_name="CARD CAVE").shop_name == "CARD CAVE"

    def test_refuses_a_name_that_another_shop_has(self, update, unit_of_work, applicant):
        with pytest.raises(ShopNameTaken):
            update(store_seller(unit_of_work), shop_name="card cave")

    def test_goes_on_holiday_moves_its_end_and_comes_back(self, update, unit_of_work):
        seller = store_seller(unit_of_work)
        later = NOW + timedelta(days=3)
        away = update(seller, holiday_until=later)
        assert away.holiday == Holiday(begins_at=NOW, ends_at=later)
        longer = update(seller, holiday_until=later + timedelta(days=1))
        assert longer.holiday == a_holiday(days=4)
        assert update(seller, holiday_from=None, holiday_until=None).holiday is None

    def test_announces_a_holiday(self, update, unit_of_work):
        begins, ends = NOW + timedelta(days=3), NOW + timedelta(days=9)
        seller = update(store_seller(unit_of_work), holiday_from=begins, holiday_until=ends)
        assert [seller.is_selling(at) for at in (NOW, begins, ends)] == [True, False, True]

    @pytest.mark.parametrize("days_ago", [7, 30, 800])
    def test_a_holiday_that_is_over_lends_the_next_one_nothing(self, update, unit_of_work, days_ago):
        seller = store_seller(unit_of_work)
        with unit_of_work() as uow:
            profile = uow.sellers.get_for_update(seller)
            profile.set_holiday(a_holiday(NOW - timedelta(days=days_ago), days=7))
            uow.sellers.save(profile)
            uow.commit()
        with pytest.raises(Invalid, match="say when you are back"):
            update(seller, holiday_from=NOW)
        later = NOW + timedelta(days=3)
        assert update(seller, holiday_until=later).holiday == Holiday(begins_at=NOW, ends_at=later)

    @pytest.mark.parametrize(
        "changes",
        [
            {"holiday_from": NOW},
            {"holiday_until": NOW},
            {"holiday_from": NOW + timedelta(days=2), "holiday_until": NOW + timedelta(days=1)},
            {"holiday_until": NOW + timedelta(days=400)},
        ],
    )
    def test_takes_no_holiday_without_an_end_in_the_future(self, update, unit_of_work, changes):
        seller = store_seller(unit_of_work)
        with pytest.raises(Invalid) as refusal:
            update(seller, **changes)
        assert list(refusal.value.facts["errors"]) == ["holiday_until"]
        assert profile_of(unit_of_work, seller).holiday is None

    @pytest.mark.parametrize("changes", [{"status": "approved"}, {"kyc_verified": True}, {"rating": 5}])
    def test_changes_nothing_else(self, update, applicant, changes):
        with pytest.raises(Invalid):
            update(applicant, **changes)

    def test_is_for_who_has_a_shop(self, update, unit_of_work):
        with pytest.raises(NotFound):
            update(store_account(unit_of_work), description="Mine")


class TestFollowSellerEmail:
    @pytest.fixture
    def follow(self, unit_of_work):
        return FollowSellerEmail(unit_of_work=unit_of_work)

    def test_follows_the_account_both_ways(self, follow, unit_of_work):
        seller = store_seller(unit_of_work, email_verified=False)
        for verified in (True, True, False):
            with unit_of_work() as uow:
                account = uow.accounts.get(seller)
                account.is_email_verified = verified
                uow.accounts.save(account)
                uow.commit()
            follow(account_id=seller)
            assert profile_of(unit_of_work, seller).is_selling(NOW) is verified

    def test_has_nothing_to_do_for_who_does_not_sell(self, follow, unit_of_work):
        account = store_account(unit_of_work)
        follow(account_id=account)
        with unit_of_work() as uow:
            assert uow.sellers.find(account) is None
