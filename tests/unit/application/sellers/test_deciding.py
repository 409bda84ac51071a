"""Being let in, and no longer being so."""

from __future__ import annotations

import pytest

from marketplace.application.sellers.deciding import (
    ApproveSeller,
    ReinstateSeller,
    RejectSeller,
    SuspendSeller,
    VerifySellerIdentity,
    VouchForSeller,
)
from marketplace.domain.identity import Role
from marketplace.domain.identity.companies import CompanyMissing
from marketplace.domain.sellers import (
    SellerApplied,
    SellerApproved,
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
from tests.builders import NOW, an_actor, store_account, store_seller
from tests.unit.application.sellers.shops import make_professional, profile_of, roles_of, suspend_account


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

    @pytest.mark.parametrize("use_case", [ApproveSeller, ReinstateSeller, VerifySellerIdentity])
    @pytest.mark.parametrize("reason", ["half a character \udcff", "a\x00b", "a\u202eb", "x" * 501])
    def test_take_no_reason_that_the_audit_trail_cannot_keep(self, decide, unit_of_work, applicant, use_case, reason):
        if use_case is ReinstateSeller:
            decide(ApproveSeller, applicant)
            decide(SuspendSeller, applicant, reason="Late parcels")
        before = profile_of(unit_of_work, applicant)
        with pytest.raises(Invalid) as refusal:
            decide(use_case, applicant, reason=reason)
        assert list(refusal.value.facts["errors"]) == ["reason"]
        assert profile_of(unit_of_work, applicant) == before

    def test_vouch_for_no_shop_whose_name_cannot_be_kept(self, decide, unit_of_work):
        account = store_account(unit_of_work, "brock")
        with pytest.raises(Invalid, match="shop_name"):
            decide(VouchForSeller, account, shop_name="half a character \udcff")

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
