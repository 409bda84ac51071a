"""Who may sell, and when."""

from datetime import timedelta
from itertools import product

import pytest

from marketplace.domain.sellers import (
    SellerApplied,
    SellerApproved,
    SellerIdentityChecked,
    SellerOnboarded,
    SellerProfile,
    SellerReinstated,
    SellerRejected,
    SellerRestricted,
    SellerStatus,
    SellerSuspended,
    SellingStep,
)
from marketplace.domain.shared.errors import IllegalTransition, Invalid
from tests.builders import NOW, a_holiday, a_seller

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)

MOVES = {
    "apply": lambda profile: profile.apply(now=NOW),
    "approve": lambda profile: profile.approve(now=NOW),
    "reject": lambda profile: profile.reject("Not a real shop", now=NOW),
    "suspend": lambda profile: profile.suspend("Counterfeits", now=NOW),
    "reinstate": lambda profile: profile.reinstate(now=NOW),
}
ALLOWED = {
    (SellerStatus.NONE, "apply"): SellerStatus.PENDING,
    (SellerStatus.PENDING, "approve"): SellerStatus.APPROVED,
    (SellerStatus.PENDING, "reject"): SellerStatus.REJECTED,
    (SellerStatus.APPROVED, "suspend"): SellerStatus.SUSPENDED,
    (SellerStatus.SUSPENDED, "reinstate"): SellerStatus.APPROVED,
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
        profile.reinstate(now=NOW)
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
        accepted.reinstate(now=NOW)
        refused.apply(now=NOW)
        refused.reject("Not a real shop", now=NOW)
        assert accepted.events == [
            SellerApplied(occurred_at=NOW, account_id=7),
            SellerApproved(occurred_at=NOW, account_id=7),
            SellerSuspended(occurred_at=NOW, account_id=7, reason="Counterfeits"),
            SellerReinstated(occurred_at=NOW, account_id=7),
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
            profile.confirm_identity(now=NOW)
        profile.set_payouts_ready(payouts, now=NOW)
        assert profile.is_selling(NOW) is all([email, approved, identity, payouts])
        lacking = [email, approved, identity, payouts].count(False)
        assert len(profile.missing) == lacking

    def test_follows_the_address_whether_it_is_verified_or_not(self):
        profile = a_seller(email_verified=False)
        assert profile.missing == (SellingStep.VERIFIED_EMAIL,)
        profile.follow_email(True)
        assert profile.is_selling(NOW)
        profile.follow_email(False)
        assert profile.missing == (SellingStep.VERIFIED_EMAIL,)

    def test_tells_once_of_each_change_at_the_provider(self):
        profile = a_seller()
        for ready in (True, False, False, True):
            profile.set_payouts_ready(ready, now=NOW)
        assert profile.is_selling(NOW)
        assert profile.events == [
            SellerRestricted(occurred_at=NOW, account_id=7),
            SellerOnboarded(occurred_at=NOW, account_id=7),
        ]

    def test_stops_when_the_identity_counts_no_longer_and_tells_why(self):
        profile = a_seller()
        for _ in range(2):
            profile.withdraw_identity("Forged papers", now=NOW)
        assert profile.missing == (SellingStep.IDENTITY,)
        profile.confirm_identity(now=NOW)
        assert profile.events == [
            SellerIdentityChecked(occurred_at=NOW, account_id=7, verified=False, reason="Forged papers"),
            SellerIdentityChecked(occurred_at=NOW, account_id=7, verified=True),
        ]

    @pytest.mark.parametrize(
        ("at", "selling"), [(-SECOND, True), (0 * SECOND, False), (7 * DAY - SECOND, False), (7 * DAY, True)]
    )
    def test_is_away_from_the_first_instant_of_a_holiday_to_the_last(self, at, selling):
        profile = a_seller()
        profile.set_holiday(a_holiday(days=7))
        assert profile.is_selling(NOW + at) is selling
        assert profile.may_sell

    def test_comes_back_when_the_holiday_is_called_off(self):
        profile = a_seller()
        profile.set_holiday(a_holiday())
        profile.change({"holiday": None})
        assert profile.is_selling(NOW)

    @pytest.mark.parametrize("days", [-1, 0, 367])
    def test_takes_no_holiday_that_is_none(self, days):
        with pytest.raises(Invalid) as refusal:
            a_holiday(days=days)
        assert "holiday_until" in refusal.value.facts["errors"]

    @pytest.mark.parametrize(
        ("name", "other"),
        [
            ("Card Cave", "CARD  cave"),
            ("Pokémon", "Poke\u0301mon"),
            ("Straße", "STRASSE"),
            ("Cards", "\uff23\uff41\uff52\uff44\uff53"),
            ("Cards", "Ca\u200brds"),
        ],
    )
    def test_takes_two_names_that_look_alike_for_the_same(self, name, other):
        assert a_newcomer(shop_name=name).shop_name_key == a_newcomer(shop_name=other).shop_name_key

    @pytest.mark.parametrize("changes", [{"status": "approved"}, {"kyc_verified": True}, {"rating": 5}])
    def test_lets_its_owner_change_nothing_else(self, changes):
        profile = a_newcomer()
        with pytest.raises(Invalid):
            profile.change(changes)
        assert profile == a_newcomer()

    @pytest.mark.parametrize("name", ["", "   ", "\u200b", "x" * 81, "half \ud800", "two\nlines"])
    def test_needs_a_name_that_can_be_shown(self, name):
        with pytest.raises(Invalid) as refusal:
            a_newcomer(shop_name=name)
        assert "shop_name" in refusal.value.facts["errors"]
