"""Becoming a seller, and no longer being one."""

from __future__ import annotations

import functools

import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from marketplace.application.access import OPERATOR
from marketplace.application.sellers import ApproveSeller, ConfirmSellerEmail, OpenSellerProfile, SuspendSeller
from marketplace.domain.identity import Role
from marketplace.domain.sellers import (
    SellerApplied,
    SellerApproved,
    SellerProfile,
    SellerStatus,
    SellerSuspended,
    SellingStep,
    ShopNameTaken,
)
from marketplace.domain.shared.errors import Forbidden, IllegalTransition, Invalid, NotFound
from tests.builders import NOW, an_actor, store_account, store_seller


@pytest.fixture
def store():
    return InMemoryStore()


@pytest.fixture
def unit_of_work(store):
    return functools.partial(InMemoryUnitOfWork, store)


def profile_of(unit_of_work, account_id):
    with unit_of_work() as uow:
        return uow.sellers.get(account_id)


def roles_of(unit_of_work, account_id):
    with unit_of_work() as uow:
        return uow.accounts.get(account_id).roles


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


class TestConfirmSellerEmail:
    @pytest.fixture
    def confirm(self, unit_of_work):
        return ConfirmSellerEmail(unit_of_work=unit_of_work)

    def test_ticks_it_off(self, confirm, unit_of_work):
        seller = store_seller(unit_of_work, email_verified=False)
        for _ in range(2):
            confirm(account_id=seller)
        assert profile_of(unit_of_work, seller).is_selling

    def test_has_nothing_to_do_for_who_does_not_sell(self, confirm, unit_of_work):
        account = store_account(unit_of_work)
        confirm(account_id=account)
        with unit_of_work() as uow:
            assert uow.sellers.find(account) is None


class TestApproveSeller:
    @pytest.fixture
    def approve(self, unit_of_work):
        return ApproveSeller(unit_of_work=unit_of_work, clock=FixedClock())

    @pytest.mark.parametrize("name", [None, "Cerulean Cards"])
    def test_makes_a_seller_of_anybody(self, approve, unit_of_work, store, name):
        account = store_account(unit_of_work, "misty")
        profile = approve(actor=OPERATOR, account="MISTY@example.com", shop_name=name)
        assert profile == profile_of(unit_of_work, account)
        assert (profile.shop_name, profile.is_selling) == (name or "misty", True)
        assert Role.SELLER in roles_of(unit_of_work, account)
        assert [type(event) for event in store.events] == [SellerApplied, SellerApproved]

    def test_approves_who_asked_for_it(self, approve, unit_of_work):
        account = store_account(unit_of_work)
        OpenSellerProfile(unit_of_work=unit_of_work, clock=FixedClock())(account_id=account, shop_name="misty")
        profile = approve(actor=an_actor(1, Role.ADMIN), account=account, shop_name="Ignored")
        assert (profile.shop_name, profile.is_selling) == ("misty", True)

    def test_approves_a_profile_that_has_asked_for_nothing(self, approve, unit_of_work):
        account = store_account(unit_of_work)
        with unit_of_work() as uow:
            uow.sellers.add(SellerProfile.of(account, shop_name="misty", email_verified=True, now=NOW))
            uow.commit()
        assert approve(actor=OPERATOR, account=account).is_selling

    def test_ends_a_suspension(self, approve, unit_of_work):
        seller = store_seller(unit_of_work, "misty")
        SuspendSeller(unit_of_work=unit_of_work, clock=FixedClock())(actor=OPERATOR, account="misty", reason="Late")
        assert approve(actor=OPERATOR, account=seller).is_selling

    def test_tells_others_once(self, approve, unit_of_work, store):
        account = store_account(unit_of_work)
        for _ in range(2):
            approve(actor=OPERATOR, account=account)
        assert len(store.events) == 2

    def test_still_needs_a_verified_address(self, approve, unit_of_work):
        account = store_account(unit_of_work, verified=False)
        assert approve(actor=OPERATOR, account=account).missing == (SellingStep.VERIFIED_EMAIL,)

    def test_does_not_overrule_a_rejection(self, approve, unit_of_work):
        account = store_account(unit_of_work)
        profile = SellerProfile.of(account, shop_name="misty", email_verified=True, now=NOW)
        profile.apply(now=NOW)
        profile.reject("Not a real shop", now=NOW)
        with unit_of_work() as uow:
            uow.sellers.add(profile)
            uow.commit()
        with pytest.raises(IllegalTransition):
            approve(actor=OPERATOR, account=account)
        assert Role.SELLER not in roles_of(unit_of_work, account)

    def test_refuses_a_name_that_another_shop_has(self, approve, unit_of_work):
        store_seller(unit_of_work, shop_name="Card Cave")
        account = store_account(unit_of_work)
        with pytest.raises(ShopNameTaken):
            approve(actor=OPERATOR, account=account, shop_name="card cave")

    def test_is_for_administrators(self, approve, unit_of_work):
        account = store_account(unit_of_work)
        with pytest.raises(Forbidden):
            approve(actor=an_actor(account), account=account)

    @pytest.mark.parametrize("account", [5, "nobody"])
    def test_knows_who_does_not_exist(self, approve, account):
        with pytest.raises(NotFound):
            approve(actor=OPERATOR, account=account)


class TestSuspendSeller:
    @pytest.fixture
    def suspend(self, unit_of_work):
        return SuspendSeller(unit_of_work=unit_of_work, clock=FixedClock())

    def test_pauses_a_seller_and_says_why(self, suspend, unit_of_work, store):
        seller = store_seller(unit_of_work, "misty")
        profile = suspend(actor=OPERATOR, account="misty", reason="Counterfeits")
        assert (profile.is_selling, profile.status_reason) == (False, "Counterfeits")
        assert profile == profile_of(unit_of_work, seller)
        assert store.events == [SellerSuspended(occurred_at=NOW, account_id=seller, reason="Counterfeits")]

    def test_needs_a_reason(self, suspend, unit_of_work):
        with pytest.raises(Invalid):
            suspend(actor=OPERATOR, account=store_seller(unit_of_work), reason=" ")

    def test_knows_who_is_no_seller(self, suspend, unit_of_work):
        with pytest.raises(NotFound):
            suspend(actor=OPERATOR, account=store_account(unit_of_work), reason="Late")

    def test_is_for_administrators(self, suspend, unit_of_work):
        seller = store_seller(unit_of_work)
        with pytest.raises(Forbidden):
            suspend(actor=an_actor(seller, Role.SELLER), account=seller, reason="Late")
