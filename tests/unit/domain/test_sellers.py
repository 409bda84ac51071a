"""Who may sell, and when."""

from itertools import product

import pytest

from marketplace.domain.sellers import (
    SellerApplied,
    SellerApproved,
    SellerProfile,
    SellerRejected,
    SellerStatus,
    SellerSuspended,
    SellingStep,
)
from marketplace.domain.shared.errors import IllegalTransition, Invalid
from tests.builders import NOW, a_seller

MOVES = {
    "apply": lambda profile: profile.apply(now=NOW),
    "approve": lambda profile: profile.approve(now=NOW),
    "reject": lambda profile: profile.reject("Not a real shop", now=NOW),
    "suspend": lambda profile: profile.suspend("Counterfeits", now=NOW),
}
ALLOWED = {
    (SellerStatus.NONE, "apply"): SellerStatus.PENDING,
    (SellerStatus.PENDING, "approve"): SellerStatus.APPROVED,
    (SellerStatus.PENDING, "reject"): SellerStatus.REJECTED,
    (SellerStatus.APPROVED, "suspend"): SellerStatus.SUSPENDED,
    (SellerStatus.SUSPENDED, "approve"): SellerStatus.APPROVED,
}


def a_newcomer(**changes):
    return SellerProfile.of(7, **{"shop_name": "Card Cave", "now": NOW, "email_verified": True, **changes})


def with_status(status):
    profile = a_newcomer()
    profile.status = status
    return profile


class TestStatus:
    @pytest.mark.parametrize(("status", "move"), list(product(SellerStatus, MOVES)))
    def test_moves_as_the_table_says_and_in_no_other_way(self, status, move):
        profile = with_status(status)
        if (status, move) in ALLOWED:
            MOVES[move](profile)
            assert profile.status is ALLOWED[status, move]
        else:
            with pytest.raises(IllegalTransition):
                MOVES[move](profile)
            assert (profile.status, profile.events) == (status, [])

    def test_remembers_why_and_forgets_it_when_it_is_over(self):
        profile = a_seller()
        profile.suspend("Counterfeits", now=NOW)
        assert profile.status_reason == "Counterfeits"
        profile.approve(now=NOW)
        assert profile.status_reason == ""

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
    def test_takes_nothing_away_without_a_reason(self, reason):
        profile = a_seller()
        with pytest.raises(Invalid):
            profile.suspend(reason, now=NOW)
        assert profile.status is SellerStatus.APPROVED

    def test_tells_others(self):
        accepted, refused = a_newcomer(), a_newcomer()
        accepted.apply(now=NOW)
        accepted.approve(now=NOW)
        accepted.suspend("Counterfeits", now=NOW)
        refused.apply(now=NOW)
        refused.reject("Not a real shop", now=NOW)
        assert accepted.events == [
            SellerApplied(occurred_at=NOW, account_id=7),
            SellerApproved(occurred_at=NOW, account_id=7),
            SellerSuspended(occurred_at=NOW, account_id=7, reason="Counterfeits"),
        ]
        assert refused.events[1:] == [SellerRejected(occurred_at=NOW, account_id=7, reason="Not a real shop")]


class TestSelling:
    def test_lacks_everything_at_first(self):
        assert a_newcomer(email_verified=False).missing == tuple(SellingStep)

    @pytest.mark.parametrize(("email", "approved", "identity", "payouts"), list(product([False, True], repeat=4)))
    def test_needs_all_four(self, email, approved, identity, payouts):
        profile = a_newcomer(email_verified=email)
        profile.apply(now=NOW)
        if approved:
            profile.approve(now=NOW)
        if identity:
            profile.confirm_identity()
        profile.set_payouts_ready(payouts)
        assert profile.is_selling is all([email, approved, identity, payouts])
        lacking = [email, approved, identity, payouts].count(False)
        assert len(profile.missing) == lacking

    def test_gains_the_address_when_it_is_verified(self):
        profile = a_seller(email_verified=False)
        assert profile.missing == (SellingStep.VERIFIED_EMAIL,)
        profile.confirm_email()
        assert profile.is_selling

    def test_stops_when_the_provider_takes_the_account_back(self):
        profile = a_seller()
        profile.set_payouts_ready(False)
        assert (profile.is_selling, profile.missing) == (False, (SellingStep.ONBOARDING,))

    def test_pauses_on_holiday_and_may_prepare_meanwhile(self):
        profile = a_seller()
        profile.set_holiday(True)
        assert (profile.is_selling, profile.may_sell) == (False, True)
        profile.set_holiday(False)
        assert profile.is_selling

    @pytest.mark.parametrize("name", ["", "   ", "x" * 81, "half \ud800", "two\nlines"])
    def test_needs_a_name_that_can_be_shown(self, name):
        with pytest.raises(Invalid) as refusal:
            a_newcomer(shop_name=name)
        assert "shop_name" in refusal.value.facts["errors"]
