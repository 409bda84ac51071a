"""Accounts, their names and passwords, codes, sessions and addresses."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import Account, AccountType
from marketplace.domain.identity.addresses import Address, AddressType
from marketplace.domain.identity.codes import (
    COOL_DOWN,
    LIFETIME,
    MAX_TRIES,
    CodePurpose,
    CodeRequestedRecently,
    OneTimeCode,
)
from marketplace.domain.identity.countries import COUNTRIES
from marketplace.domain.identity.events import (
    AccountSuspended,
    EmailVerificationRequested,
    EmailVerified,
    VendorRegistered,
)
from marketplace.domain.identity.names import checked_email, checked_phone_number, checked_username, name_key
from marketplace.domain.identity.passwords import checked_password, normal_form
from marketplace.domain.identity.sessions import RefreshExpired, RefreshRefused, Session
from marketplace.domain.shared.errors import Conflict, Invalid

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def an_account(**changes):
    values = {"username": "ash", "email": "ash@example.com", "password_hash": "hash"}
    return Account.open(id=1, now=NOW, **{**values, **changes})


class TestNames:
    @pytest.mark.parametrize("username", ["ash", "Ash_Ketchum", "a.s-h", "x" * 30, " ash ", "007"])
    def test_takes_a_sane_user_name(self, username):
        assert checked_username(username) == username.strip()

    @pytest.mark.parametrize(
        "username", ["", "as", "x" * 31, "a b", ".ash", "ash-", "ash@home", "\u0101sh", "\uff41sh", "a\nsh"]
    )
    def test_refuses_any_other(self, username):
        with pytest.raises(Invalid) as caught:
            checked_username(username)
        assert list(caught.value.facts["errors"]) == ["username"]

    @pytest.mark.parametrize("email", ["", "ash", "ash@home", "a@b@c.fr", "a b@c.fr", "a@b.c\x00", "x" * 250 + "@a.fr"])
    def test_refuses_what_cannot_be_an_address(self, email):
        with pytest.raises(Invalid):
            checked_email(email)

    @pytest.mark.parametrize("number", ["", "+33 1 23 45 67 89", "(01) 23-45", "01.23.45.67"])
    def test_takes_telephone_numbers_as_people_write_them(self, number):
        if number.startswith("("):
            with pytest.raises(Invalid):
                checked_phone_number(number)
        else:
            assert checked_phone_number(number) == number

    @pytest.mark.parametrize(
        ("one", "other"),
        [("Ash", "aSH"), ("straße", "STRASSE"), ("\uff41sh", "ash"), ("e\u0301va", "\u00e9va"), (" ash ", "ash")],
    )
    def test_two_spellings_of_a_name_are_the_same(self, one, other):
        assert name_key(one) == name_key(other)

    @given(st.text())
    @example("\xb8")
    def test_the_key_of_a_key_is_itself(self, text):
        assert name_key(name_key(text)) == name_key(text)


class TestPasswords:
    NAMES = ("ash-ketchum", "ash.ketchum@example.com", "Ash", "Ketchum")

    @pytest.mark.parametrize(
        "password",
        ["marketplace-demo", "correct horse battery", "x7#kQ!pL2z", "ash likes pikachu", "p" * 5 + "assw0rdy"],
    )
    def test_takes_a_long_one(self, password):
        assert checked_password(password, names=self.NAMES) == password

    @pytest.mark.parametrize(
        "password",
        [
            "",
            "123456789",
            "x" * 129,
            "password123",
            "PassWord123",
            "aaaaaaaaaaaa",
            "abababababab",
            "ash-ketchum",
            "ash-ketchum99",
            "ASH.KETCHUM1",
        ],
    )
    def test_refuses_a_weak_one(self, password):
        with pytest.raises(Invalid) as caught:
            checked_password(password, names=self.NAMES)
        assert list(caught.value.facts["errors"]) == ["password"]

    def test_is_the_same_from_any_keyboard(self):
        assert normal_form("pa\u0301ssword ten") == normal_form("p\u00e1ssword ten")
        assert checked_password("pa\u0301ssword ten", names=()) == "p\u00e1ssword ten"


class TestAccount:
    def test_opens_as_a_buyer_who_accepted_the_terms_in_force(self):
        account = an_account(first_name=" Ash ", account_type=AccountType.PROFESSIONAL)
        assert account.roles == {Role.BUYER}
        assert (account.first_name, account.is_email_verified, account.is_suspended) == ("Ash", False, False)
        assert (account.terms_version, account.terms_accepted_at) == ("2026-01", NOW)
        assert account.events == []

    def test_asks_for_a_verification_until_it_is_done(self):
        account = an_account()
        account.request_email_verification(now=NOW)
        account.verify_email(now=NOW)
        account.verify_email(now=NOW)
        assert [type(event) for event in account.events] == [EmailVerificationRequested, EmailVerified]
        with pytest.raises(Conflict):
            account.request_email_verification(now=NOW)

    def test_tells_of_the_wish_to_sell(self):
        account = an_account()
        account.apply_to_sell(now=NOW)
        assert account.events == [VendorRegistered(occurred_at=NOW, account_id=1, shop_name="ash")]

    def test_changes_what_is_the_owners_to_change(self):
        account = an_account()
        account.change(
            {
                "first_name": "Satoshi",
                "last_name": " Tajiri ",
                "phone_number": "0123456789",
                "language": "ja",
                "account_type": "professional",
                "subscribed_to_newsletter": True,
            }
        )
        assert (account.first_name, account.last_name, account.phone_number) == ("Satoshi", "Tajiri", "0123456789")
        assert (account.language, account.account_type) == ("ja", AccountType.PROFESSIONAL)
        assert account.subscribed_to_newsletter is True

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("roles", {Role.ADMIN}),
            ("id", 2),
            ("is_email_verified", True),
            ("language", "french"),
            ("language", "xx"),
            ("language", "FR"),
            ("phone_number", "call me"),
            ("first_name", "x" * 81),
            ("last_name", "a\x07b"),
        ],
    )
    def test_refuses_the_rest_and_names_it(self, field, value):
        with pytest.raises(Invalid) as caught:
            an_account().change({field: value})
        assert list(caught.value.facts["errors"]) == [field]

    def test_names_the_languages_that_there_are(self):
        with pytest.raises(Invalid, match=r"'xx' .* aa, ab, .*, en, .*, fr, .*, zu\."):
            an_account().change({"language": "xx"})

    def test_roles_come_and_go_but_everyone_stays_a_buyer(self):
        account = an_account()
        account.grant(Role.VERIFIER)
        account.grant(Role.VERIFIER)
        assert account.roles == {Role.BUYER, Role.VERIFIER}
        account.revoke(Role.VERIFIER)
        account.revoke(Role.VERIFIER)
        assert account.roles == {Role.BUYER}
        with pytest.raises(Conflict):
            account.revoke(Role.BUYER)

    def test_is_suspended_and_reinstated_once_each(self):
        account = an_account()
        with pytest.raises(Conflict):
            account.reinstate()
        account.suspend(now=NOW)
        assert account.events == [AccountSuspended(occurred_at=NOW, account_id=1)]
        with pytest.raises(Conflict):
            account.suspend(now=NOW)
        account.reinstate()
        assert account.is_suspended is False


class TestOneTimeCode:
    @pytest.fixture
    def code(self):
        code = OneTimeCode(id=1, account_id=1, purpose=CodePurpose.VERIFY_EMAIL, requested_at=NOW)
        code.issue("right", now=NOW)
        return code

    def test_is_good_once(self, code):
        assert code.redeem("right", now=NOW) is True
        assert code.redeem("right", now=NOW) is False

    def test_is_good_for_ten_minutes(self, code):
        assert code.redeem("right", now=NOW + LIFETIME) is False
        assert code.redeem("right", now=NOW + LIFETIME - timedelta(microseconds=1)) is True

    def test_is_dead_after_five_wrong_tries(self, code):
        for _ in range(MAX_TRIES):
            assert code.redeem("wrong", now=NOW) is False
        assert code.tries == MAX_TRIES
        assert code.redeem("right", now=NOW) is False
        assert code.tries == MAX_TRIES

    def test_the_fifth_try_may_be_the_right_one(self, code):
        for _ in range(MAX_TRIES - 1):
            code.redeem("wrong", now=NOW)
        assert code.redeem("right", now=NOW) is True

    def test_is_no_good_before_it_is_issued(self):
        code = OneTimeCode(id=1, account_id=1, purpose=CodePurpose.VERIFY_EMAIL, requested_at=NOW)
        assert code.redeem("right", now=NOW) is False

    def test_another_one_takes_its_place_with_five_new_tries(self, code):
        for _ in range(MAX_TRIES):
            code.redeem("wrong", now=NOW)
        code.issue("fresh", now=NOW)
        assert code.redeem("right", now=NOW) is False
        assert code.redeem("fresh", now=NOW) is True

    def test_another_one_can_be_asked_for_after_a_minute(self, code):
        with pytest.raises(CodeRequestedRecently) as caught:
            code.request(now=NOW + COOL_DOWN - timedelta(milliseconds=1))
        assert caught.value.facts["retry_after"] == 1
        code.request(now=NOW + COOL_DOWN)
        assert code.requested_at == NOW + COOL_DOWN
        assert code.redeem("right", now=NOW + COOL_DOWN) is True


class TestSession:
    @pytest.fixture
    def session(self):
        return Session(id=1, account_id=1, token_hash="first", started_at=NOW, refreshed_at=NOW, expires_at=NOW + DAY)

    def test_a_refresh_spends_the_token_and_prolongs_the_session(self, session):
        later = NOW + DAY / 2
        assert session.refresh(presented="first", fresh="second", now=later, lifetime=DAY) is True
        assert (session.token_hash, session.refreshed_at, session.expires_at) == ("second", later, later + DAY)

    def test_a_spent_token_ends_the_session_for_everybody(self, session):
        session.refresh(presented="first", fresh="second", now=NOW, lifetime=DAY)
        assert session.refresh(presented="first", fresh="third", now=NOW, lifetime=DAY) is False
        assert session.revoked_at == NOW
        with pytest.raises(RefreshRefused):
            session.refresh(presented="second", fresh="third", now=NOW, lifetime=DAY)

    def test_a_spent_token_ends_the_session_even_when_the_newest_has_expired(self, session):
        session.refresh(presented="first", fresh="second", now=NOW, lifetime=DAY)
        assert session.refresh(presented="first", fresh="third", now=NOW + 2 * DAY, lifetime=DAY) is False

    def test_expires(self, session):
        with pytest.raises(RefreshExpired):
            session.refresh(presented="first", fresh="second", now=NOW + DAY, lifetime=DAY)

    def test_is_revoked_once(self, session):
        session.revoke(now=NOW)
        session.revoke(now=NOW + DAY)
        assert session.revoked_at == NOW


class TestAddress:
    PARTS: ClassVar = {"name": "Ash", "street": "Rue de la Paix", "city": "Paris", "country": "fr"}

    def test_needs_a_name_a_street_a_city_and_a_country(self):
        address = Address.of(1, id=2, now=NOW, parts=self.PARTS)
        assert (address.country, address.address_type, address.state) == ("FR", AddressType.BOTH, "")
        for missing in self.PARTS:
            parts = {field: value for field, value in self.PARTS.items() if field != missing}
            with pytest.raises(Invalid) as caught:
                Address.of(1, id=2, now=NOW, parts=parts)
            assert list(caught.value.facts["errors"]) == [missing]

    def test_changes_part_by_part(self):
        address = Address.of(1, id=2, now=NOW, parts=self.PARTS)
        address.change({"address_type": "billing", "phone_number": "0123456789", "postal_code": " 75002 "})
        assert (address.address_type, address.phone_number) == (AddressType.BILLING, "0123456789")
        assert (address.postal_code, address.city) == ("75002", "Paris")

    @pytest.mark.parametrize(("field", "value"), [("country", "XX"), ("country", "FRA"), ("account_id", 7)])
    def test_refuses_what_is_no_part_of_an_address(self, field, value):
        with pytest.raises(Invalid) as caught:
            Address.of(1, id=2, now=NOW, parts=self.PARTS).change({field: value})
        assert list(caught.value.facts["errors"]) == [field]

    def test_knows_the_countries_of_the_world(self):
        assert len(COUNTRIES) == 249
        assert {"FR", "JP", "US", "GB"} <= COUNTRIES
