"""Names in every script, passwords that are tried first, companies, terms, addresses that wait, imported hashes."""

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import Account, AccountType
from marketplace.domain.identity.companies import Company, CompanyMissing, NotProfessional
from marketplace.domain.identity.django_hashes import MAX_ITERATIONS, DjangoHash, is_django_hash
from marketplace.domain.identity.events import EmailChanged, EmailChangeRequested, EmailVerified
from marketplace.domain.identity.names import checked_email, name_key
from marketplace.domain.identity.passwords import (
    MIN_PASSWORD,
    checked_password,
    common_passwords,
    normal_form,
    presented_form,
)
from marketplace.domain.shared.errors import Conflict, Invalid

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
# Made by Django 5.2 of "a good long one".
OF_DJANGO = "pbkdf2_sha256$1000$seasalt$UtozKumtz5RsLCCiizMvF1/UZUb80ES52rIc9JQwO6g="


def an_account(**changes):
    values = {"username": "ash", "email": "ash@example.com", "password_hash": "hash"}
    return Account.open(id=1, now=NOW, **{**values, **changes})


class TestTheSameName:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("ASH@example.com", "ash@EXAMPLE.COM"),
            ("straße@example.com", "STRASSE@example.com"),
            ("\u1e9e@example.com", "ss@example.com"),  # a capital sharp s
            ("\uff41\uff53\uff48@example.com", "ash@example.com"),  # fullwidth
            ("e\u0301va@example.com", "\u00c9VA@example.com"),  # combining, and composed in capitals
            ("\ufb01sh@example.com", "FISH@example.com"),  # a ligature
            ("\u0130@example.com", "i\u0307@example.com"),  # a Turkish capital i with its dot
            ("\u03c3@example.com", "\u03c2@example.com"),  # two small sigmas
            ("a\u200dsh@example.com", "ash@example.com"),  # a joiner that nobody sees
            ("a\u00adsh@example.com", "ash@example.com"),  # a soft hyphen
            ("\u212aash@example.com", "kash@example.com"),  # the sign of kelvin
            ("\u1112\u1161\u11ab@example.com", "\ud55c@example.com"),  # letters of one Korean syllable
        ],
    )
    def test_has_one_key(self, one, other):
        assert name_key(one) == name_key(other)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("\u0131@example.com", "i@example.com"),  # a Turkish i without a dot is another letter
            ("\u0430sh@example.com", "ash@example.com"),  # a Cyrillic a
            ("ash+cards@example.com", "ash@example.com"),
            ("a.sh@example.com", "ash@example.com"),
        ],
    )
    def test_another_mailbox_has_another(self, one, other):
        assert name_key(one) != name_key(other)

    @given(st.text(), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
    def test_no_form_of_unicode_makes_a_second_one_of_it(self, text, form):
        assert name_key(unicodedata.normalize(form, text)) == name_key(text)
        assert name_key(name_key(text)) == name_key(text)

    @pytest.mark.parametrize("hidden", ["\u200b", "\u00ad", "\ufeff", "\u2066", "\U000e0041"])
    def test_an_address_with_what_nobody_sees_is_refused(self, hidden):
        with pytest.raises(Invalid) as caught:
            checked_email(f"a{hidden}sh@example.com")
        assert list(caught.value.facts["errors"]) == ["email"]


class TestPasswords:
    def test_the_list_is_one_of_thousands_of_long_enough_ones(self):
        assert len(common_passwords()) > 1_700
        assert min(map(len, common_passwords())) >= MIN_PASSWORD
        assert all(password == password.casefold() for password in common_passwords())

    @pytest.mark.parametrize(
        "password", ["1q2w3e4r5t", "qwertyuiop", "Liverpool1", "ELIZABETH1", "motdepasse123", "pokemon1234"]
    )
    def test_one_of_the_list_is_refused_in_any_case(self, password):
        with pytest.raises(Invalid, match="tried first"):
            checked_password(password, names=())

    @pytest.mark.parametrize(
        "password",
        [
            "ashketchum1",
            "KetchumAsh!",
            "k-e-t-c-h-u-m",
            "muhctek-hsa",
            "a.s.h.k.e.t.c.h.u.m",
            "ketchum2026",
            "pallet.town",
        ],
    )
    def test_one_like_a_name_is_refused(self, password):
        names = ("ash-ketchum", "pallet.town@example.com", "Ash", "Ketchum")
        with pytest.raises(Invalid, match="too much like your name"):
            checked_password(password, names=names)

    @pytest.mark.parametrize("password", ["ketchum likes his pikachu", "gotta catch em all", "Ash is four words long"])
    def test_a_name_may_be_a_small_part_of_it(self, password):
        assert checked_password(password, names=("ash-ketchum", "ash@example.com", "Ash", "Ketchum")) == password

    def test_is_compared_in_its_normal_form_but_with_a_django_shops_hash(self):
        assert (
            presented_form("m\u00b2 of garden", "$argon2id$...") == "m2 of garden" == normal_form("m\u00b2 of garden")
        )
        assert presented_form("m\u00b2 of garden", None) == "m2 of garden"
        assert presented_form("m\u00b2 of garden", OF_DJANGO) == "m\u00b2 of garden"


class TestDjangoHash:
    def test_knows_its_password(self):
        kept = DjangoHash.of(OF_DJANGO)
        assert kept.verify("a good long one") is True
        assert kept.verify("another one") is False
        assert is_django_hash(OF_DJANGO) is True
        assert "seasalt" not in repr(kept)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "a good long one",
            "pbkdf2_sha256$",
            "pbkdf2_sha256$1000$seasalt",
            OF_DJANGO + "$more",
            OF_DJANGO.replace("pbkdf2_sha256", "pbkdf2_sha1"),
            OF_DJANGO.replace("1000", "0"),
            OF_DJANGO.replace("1000", "-1"),
            OF_DJANGO.replace("1000", "01000"),
            OF_DJANGO.replace("1000", "\u0661\u0660\u0660\u0660"),
            OF_DJANGO.replace("1000", str(MAX_ITERATIONS + 1)),
            OF_DJANGO.replace("1000", "9" * 5_000),
            OF_DJANGO.replace("seasalt", ""),
            OF_DJANGO.replace("seasalt", "s\x00alt"),
            OF_DJANGO.replace("seasalt", "s" * 129),
            OF_DJANGO[:-4],
            OF_DJANGO.replace("UtozK", "Utoz!"),
        ],
    )
    def test_refuses_what_would_never_fit_or_stall_every_log_in(self, text):
        with pytest.raises(Invalid) as caught:
            DjangoHash.of(text)
        assert list(caught.value.facts["errors"]) == ["password"]
        assert "UtozKumtz5" not in str(caught.value)


class TestTerms:
    def test_are_accepted_once_for_each_version(self):
        account = an_account(terms_version="2025")
        account.accept_terms("2026", now=LATER)
        assert (account.terms_version, account.terms_accepted_at) == ("2026", LATER)
        account.accept_terms("2026", now=LATER + timedelta(days=1))
        assert account.terms_accepted_at == LATER

    def test_are_not_accepted_by_whoever_was_brought_along(self):
        account = Account.brought_along(
            id=1, username="ash", email="ash@example.com", password_hash=OF_DJANGO, created_at=NOW, is_suspended=True
        )
        assert (account.terms_version, account.terms_accepted_at) == ("", None)
        assert (account.roles, account.is_email_verified, account.is_suspended) == ({Role.BUYER}, False, True)
        assert account.events == []
        account.accept_terms("2026", now=LATER)
        assert account.terms_accepted_at == LATER


class TestEmailChange:
    def test_waits_for_its_proof(self):
        account = an_account()
        assert account.request_email_change(" misty@example.com", now=LATER) is True
        assert (account.email, account.pending_email, account.pending_email_at) == (
            "ash@example.com",
            "misty@example.com",
            LATER,
        )
        account.confirm_email_change(now=LATER)
        assert (account.email, account.pending_email, account.pending_email_at) == ("misty@example.com", "", None)
        assert account.is_email_verified is True
        assert [type(event) for event in account.events] == [EmailChangeRequested, EmailChanged, EmailVerified]

    def test_is_taken_back_by_asking_for_the_present_one(self):
        account = an_account()
        account.request_email_change("misty@example.com", now=NOW)
        assert account.request_email_change("ASH@example.com", now=NOW) is False
        assert (account.email, account.pending_email) == ("ash@example.com", "")
        with pytest.raises(Conflict):
            account.confirm_email_change(now=NOW)

    def test_is_refused_for_what_is_no_address(self):
        with pytest.raises(Invalid):
            an_account().request_email_change("misty", now=NOW)


class TestCompany:
    def test_needs_a_name_and_one_of_the_numbers(self):
        assert Company.of(company_name=" Cards ", siret_number="1").company_name == "Cards"
        assert Company.of(company_name="Cards", vat_number="FR1", company_address=" 1 rue X\nParis ") == Company(
            company_name="Cards", siret_number="", vat_number="FR1", company_address="1 rue X\nParis"
        )
        with pytest.raises(Invalid) as caught:
            Company.of(company_name="Cards")
        assert list(caught.value.facts["errors"]) == ["siret_number", "vat_number"]
        with pytest.raises(Invalid) as caught:
            Company.of(company_name=" ", siret_number="1")
        assert list(caught.value.facts["errors"]) == ["company_name"]

    def test_takes_an_address_in_parts_and_completes_it(self):
        parts = {"street": "rue X", "city": "Paris", "country": "fr"}
        company = Company.of(company_name="Cards", siret_number="1", company_address=parts)
        assert company.company_address == {
            "name": "Cards",
            "street_number": "",
            "street": "rue X",
            "city": "Paris",
            "state": "",
            "postal_code": "",
            "country": "FR",
            "phone_number": "",
        }
        with pytest.raises(Invalid) as caught:
            Company.of(company_name="Cards", siret_number="1", company_address={**parts, "country": "XX"})
        assert list(caught.value.facts["errors"]) == ["company_address.country"]

    def test_is_a_professionals_alone_and_gone_with_that(self):
        company = Company.of(company_name="Cards", siret_number="1")
        individual, professional = an_account(), an_account(account_type=AccountType.PROFESSIONAL)
        with pytest.raises(NotProfessional):
            individual.keep_company(company)
        individual.require_company()
        with pytest.raises(CompanyMissing):
            professional.require_company()
        professional.keep_company(company)
        professional.require_company()
        professional.change({"account_type": "individual"})
        assert professional.company is None
