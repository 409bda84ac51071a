"""What is left of an account, and of a shop, when its owner has gone."""

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import Account, AccountType
from marketplace.domain.identity.companies import Company
from marketplace.domain.identity.erasure import (
    ErasureRefused,
    MatterKind,
    OpenMatter,
    erased_email,
    erased_username,
    is_erased_email,
)
from marketplace.domain.identity.events import AccountErased
from marketplace.domain.identity.names import checked_username
from marketplace.domain.shared.errors import Conflict, Invalid
from marketplace.domain.shared.ids import AccountId
from marketplace.entrypoints.email_addresses import well_formed_email
from tests.builders import a_holiday, a_seller

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


def erased() -> Account:
    account = Account.open(
        id=AccountId(7),
        username="ash",
        email="ash@example.com",
        password_hash="hash",
        first_name="Ash",
        last_name="Ketchum",
        account_type=AccountType.PROFESSIONAL,
        language="fr",
        subscribed_to_newsletter=True,
        now=NOW,
    )
    account.change({"phone_number": "+33 1 23 45 67 89"})
    account.keep_company(Company.of(company_name="Cards", siret_number="73282932000074"))
    account.verify_email(now=NOW)
    account.grant(Role.SELLER)
    account.request_email_change("red@example.com", now=NOW)
    account.events.clear()
    account.erase(now=NOW)
    return account


def test_nothing_of_the_person_is_left():
    account = erased()
    assert (account.username, account.email) == ("(erased 7)", "erased-7@erased.invalid")
    assert (account.first_name, account.last_name, account.phone_number, account.password_hash) == ("", "", "", "")
    assert (account.company, account.pending_email, account.pending_email_at) == (None, "", None)
    assert (account.language, account.subscribed_to_newsletter, account.is_email_verified) == ("en", False, False)
    assert (account.roles, account.is_suspended, account.erased_at) == (frozenset({Role.BUYER}), True, NOW)
    assert (account.created_at, account.terms_accepted_at) == (NOW, NOW)  # which terms held when, of nobody


def test_erasing_twice_is_erasing_once():
    account = erased()
    account.erase(now=NOW + timedelta(days=1))
    assert account.erased_at == NOW
    assert account.events == [AccountErased(occurred_at=NOW, account_id=7)]


def test_nobody_is_let_in_again_or_given_anything():
    with pytest.raises(Conflict, match="was erased"):
        erased().reinstate()
    with pytest.raises(Conflict, match="was erased"):
        erased().grant(Role.ADMIN)


def test_nobody_can_join_under_what_stands_in_place_of_names():
    with pytest.raises(Invalid):
        checked_username(erased_username(AccountId(7)))
    with pytest.raises(Invalid):
        well_formed_email(erased_email(AccountId(7)))
    assert is_erased_email(erased_email(AccountId(7)))
    assert not is_erased_email("erased@example.com")


def test_a_shop_is_closed_without_a_word_of_its_owner():
    shop = a_seller(description="My grandmother's cards")
    shop.set_holiday(a_holiday(NOW))
    shop.close("(erased 7)")
    assert (shop.shop_name, shop.description, shop.status_reason, shop.holiday) == ("(erased 7)", "", "", None)
    assert (shop.status, shop.may_sell, shop.is_selling(NOW)) == ("none", False, False)
    assert shop.events == []


def test_a_refusal_names_what_is_open():
    refusal = ErasureRefused.of([OpenMatter(kind=MatterKind.ORDER_UNPAID, count=12, subjects=("K7QM-2XPD",))])
    assert refusal.facts["reasons"] == [{"reason": "order_unpaid", "count": 12, "subjects": ["K7QM-2XPD"]}]
    assert "order_unpaid (K7QM-2XPD)" in str(refusal)
