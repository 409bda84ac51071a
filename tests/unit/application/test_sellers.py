"""Becoming a seller, and no longer being one."""

from __future__ import annotations

import functools
from datetime import timedelta

import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from marketplace.application.access import OPERATOR
from marketplace.application.sellers.applying import ApplyToSell, FollowSellerEmail, OpenSellerProfile, UpdateShop
from marketplace.application.sellers.deciding import (
    ApproveSeller,
    ReinstateSeller,
    RejectSeller,
    SuspendSeller,
    VerifySellerIdentity,
    VouchForSeller,
)
from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import AccountType
from marketplace.domain.identity.companies import CompanyMissing
from marketplace.domain.sellers import (
    Holiday,
    SellerApplied,
    SellerApproved,
    SellerExists,
    SellerIdentityChecked,
    SellerProfile,
    SellerReinstated,
    SellerRejected,
    SellerStatus,
    SellerSuspended,
    SellingStep,
    ShopNameTaken,
)
from marketplace.domain.shared.errors import Conflict, Forbidden, IllegalTransition, Invalid, NotFound
from tests.builders import NOW, a_holiday, an_actor, store_account, store_seller


@pytest.fixture
def store():
    return InMemoryStore()


@pytest.fixture
def unit_of_work(store):
    return functools.partial(InMemoryUnitOfWork, store)


def profile_of(unit_of_work, account_id):
    with unit_of_work() as uow:
        return uow.sellers.get(account_id)


@pytest.fixture
def decide(unit_of_work):
    """A use case of the decisions, done by the operator unless somebody else is named."""

    def decide(use_case, account, *, actor=OPERATOR, **said):
        return use_case(unit_of_work=unit_of_work, clock=FixedClock())(actor=actor, account=account, **said)

    return decide


@pytest.fixture
def applicant(unit_of_work):
    account = store_account(unit_of_work, "misty")
    ApplyToSell(unit_of_work=unit_of_work, clock=FixedClock())(actor=an_actor(account), shop_name="Card Cave")
    return account


def suspend_account(unit_of_work, account):
    with unit_of_work() as uow:
        owner = uow.accounts.get(account)
        owner.suspend(now=NOW)
        uow.accounts.save(owner)
        uow.commit()


def make_professional(unit_of_work, account):
    with unit_of_work() as uow:
        owner = uow.accounts.get(account)
        owner.account_type = AccountType.PROFESSIONAL
        uow.accounts.save(owner)
        uow.commit()


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


class TestDecisions:
    def test_approval_leaves_the_other_conditions(self, decide, unit_of_work, applicant, store):
        profile = decide(ApproveSeller, "MISTY@example.com")
        assert profile == profile_of(unit_of_work, applicant)
        assert profile.missing == (SellingStep.IDENTITY, SellingStep.ONBOARDING)
        assert Role.SELLER in roles_of(unit_of_work, applicant)
        assert store.events[1:] == [SellerApproved(occurred_at=NOW, account_id=applicant)]

    def test_rejection_tells_why(self, decide, unit_of_work, applicant, store):
        profile = decide(RejectSeller, applicant, reason="Not a real shop")
        assert (profile.status, profile.status_reason) == (SellerStatus.REJECTED, "Not a real shop")
        assert Role.SELLER not in roles_of(unit_of_work, applicant)
        assert store.events[1:] == [SellerRejected(occurred_at=NOW, account_id=applicant, reason="Not a real shop")]

    def test_suspension_pauses_until_it_is_taken_back(self, decide, unit_of_work, store):
        seller = store_seller(unit_of_work, "misty")
        profile = decide(SuspendSeller, "misty", reason="Counterfeits")
        assert (profile.is_selling(NOW), profile.status_reason) == (False, "Counterfeits")
        assert decide(ReinstateSeller, seller).is_selling(NOW)
        assert Role.SELLER in roles_of(unit_of_work, seller)
        assert store.events == [
            SellerSuspended(occurred_at=NOW, account_id=seller, reason="Counterfeits"),
            SellerReinstated(occurred_at=NOW, account_id=seller),
        ]

    def test_identity_is_ticked_off_once_and_can_be_taken_back(self, decide, applicant, store):
        for _ in range(2):
            assert SellingStep.IDENTITY not in decide(VerifySellerIdentity, applicant).missing
        taken = decide(VerifySellerIdentity, applicant, verified=False, reason="Forged")
        assert SellingStep.IDENTITY in taken.missing
        assert store.events[1:] == [
            SellerIdentityChecked(occurred_at=NOW, account_id=applicant, verified=True),
            SellerIdentityChecked(occurred_at=NOW, account_id=applicant, verified=False, reason="Forged"),
        ]

    @pytest.mark.parametrize(
        ("use_case", "said"),
        [(RejectSeller, {"reason": " "}), (VerifySellerIdentity, {"verified": False, "reason": ""})],
    )
    def test_nothing_is_taken_without_a_reason(self, decide, unit_of_work, applicant, use_case, said):
        before = profile_of(unit_of_work, applicant)
        with pytest.raises(Invalid):
            decide(use_case, applicant, **said)
        assert profile_of(unit_of_work, applicant) == before

    @pytest.mark.parametrize(("use_case", "said"), [(ReinstateSeller, {}), (SuspendSeller, {"reason": "Late"})])
    def test_only_moves_that_exist_are_made(self, decide, applicant, use_case, said):
        with pytest.raises(IllegalTransition):
            decide(use_case, applicant, **said)

    def test_a_suspension_does_not_end_by_approval(self, decide, unit_of_work):
        seller = store_seller(unit_of_work)
        decide(SuspendSeller, seller, reason="Late")
        with pytest.raises(IllegalTransition):
            decide(ApproveSeller, seller)

    def test_a_professional_tells_the_company_before_the_approval(self, decide, unit_of_work, applicant):
        make_professional(unit_of_work, applicant)
        with pytest.raises(CompanyMissing):
            decide(ApproveSeller, applicant)
        assert profile_of(unit_of_work, applicant).status is SellerStatus.PENDING

    DECISIONS = (ApproveSeller, RejectSeller, SuspendSeller, ReinstateSeller, VerifySellerIdentity)

    def test_open_no_shop_of_a_suspended_account(self, decide, unit_of_work, applicant):
        seller = store_seller(unit_of_work, "brock")
        decide(SuspendSeller, seller, reason="Counterfeits.")
        for account in (applicant, seller):
            suspend_account(unit_of_work, account)
        for use_case, account in ((ApproveSeller, applicant), (ReinstateSeller, seller), (VouchForSeller, seller)):
            with pytest.raises(Conflict, match="reinstate it first"):
                decide(use_case, account)
        assert profile_of(unit_of_work, applicant).status is SellerStatus.PENDING
        assert profile_of(unit_of_work, seller).status is SellerStatus.SUSPENDED

    @pytest.mark.parametrize("use_case", DECISIONS)
    def test_are_for_administrators(self, decide, applicant, use_case):
        with pytest.raises(Forbidden):
            decide(use_case, applicant, actor=an_actor(applicant, Role.SELLER, Role.VERIFIER), reason="Why not")

    @pytest.mark.parametrize("use_case", DECISIONS)
    def test_know_who_is_no_seller(self, decide, unit_of_work, use_case):
        for account in (store_account(unit_of_work), 5, "nobody"):
            with pytest.raises(NotFound):
                decide(use_case, account, reason="Why not")

    def test_are_audited(self, decide, store, applicant):
        admin = an_actor(1, Role.ADMIN)
        decide(ApproveSeller, applicant, actor=admin, reason="Known shop")
        decide(SuspendSeller, applicant, actor=admin, reason="Late")
        approved, suspended = store.table("audit_entries").values()
        assert (approved.actor_id, approved.action, approved.reason) == (1, "seller.approved", "Known shop")
        assert (approved.subject_type, approved.subject_id) == ("seller", str(applicant))
        assert (approved.before, approved.after) == ({"status": "pending"}, {"status": "approved"})
        assert (suspended.action, suspended.after) == ("seller.suspended", {"status": "suspended"})


class TestVouchForSeller:
    @pytest.mark.parametrize("name", [None, "Cerulean Cards"])
    def test_makes_a_seller_of_anybody(self, decide, unit_of_work, store, name):
        account = store_account(unit_of_work, "misty")
        profile = decide(VouchForSeller, "MISTY@example.com", shop_name=name)
        assert profile == profile_of(unit_of_work, account)
        assert (profile.shop_name, profile.is_selling(NOW)) == (name or "misty", True)
        assert Role.SELLER in roles_of(unit_of_work, account)
        assert [type(event) for event in store.events] == [SellerApplied, SellerApproved]

    def test_approves_who_asked_for_it(self, decide, applicant):
        profile = decide(VouchForSeller, applicant, shop_name="Ignored")
        assert (profile.shop_name, profile.is_selling(NOW)) == ("Card Cave", True)

    def test_approves_a_profile_that_has_asked_for_nothing(self, decide, unit_of_work):
        account = store_account(unit_of_work)
        with unit_of_work() as uow:
            uow.sellers.add(SellerProfile.of(account, shop_name="misty", email_verified=True, now=NOW))
            uow.commit()
        assert decide(VouchForSeller, account).is_selling(NOW)

    def test_ends_a_suspension(self, decide, unit_of_work):
        seller = store_seller(unit_of_work)
        decide(SuspendSeller, seller, reason="Late")
        assert decide(VouchForSeller, seller).is_selling(NOW)

    def test_tells_others_and_the_audit_trail_once(self, decide, unit_of_work, store):
        account = store_account(unit_of_work)
        for _ in range(2):
            decide(VouchForSeller, account)
        assert len(store.events) == 2
        (entry,) = store.table("audit_entries").values()
        assert (entry.action, entry.after["may_sell"]) == ("seller.vouched_for", True)

    def test_still_needs_a_verified_address(self, decide, unit_of_work):
        account = store_account(unit_of_work, verified=False)
        assert decide(VouchForSeller, account).missing == (SellingStep.VERIFIED_EMAIL,)

    def test_does_not_overrule_a_rejection(self, decide, unit_of_work, applicant):
        decide(RejectSeller, applicant, reason="Not a real shop")
        with pytest.raises(IllegalTransition):
            decide(VouchForSeller, applicant)
        assert Role.SELLER not in roles_of(unit_of_work, applicant)

    def test_refuses_a_name_that_another_shop_has(self, decide, unit_of_work, applicant):
        with pytest.raises(ShopNameTaken):
            decide(VouchForSeller, store_account(unit_of_work), shop_name="card cave")

    def test_is_for_administrators(self, decide, applicant):
        with pytest.raises(Forbidden):
            decide(VouchForSeller, applicant, actor=an_actor(applicant))

    @pytest.mark.parametrize("account", [5, "nobody"])
    def test_knows_who_does_not_exist(self, decide, account):
        with pytest.raises(NotFound):
            decide(VouchForSeller, account)
