"""Sellers' accounts at the payment provider: one name each, for good."""

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.domain.payout_accounts import READ_AGAIN_AFTER, AccountRequest, EntityType, PayoutAccount
from marketplace.domain.shared.errors import Conflict
from marketplace.domain.shared.ids import AccountId

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


def a_request(email="misty@example.com"):
    return AccountRequest(
        seller_id=AccountId(7),
        email=email,
        display_name="Cerulean Cards",
        entity_type=EntityType.INDIVIDUAL,
        country="FR",
    )


@pytest.fixture
def asked():
    return PayoutAccount.ask(a_request(), provider="sim", now=NOW)


@pytest.fixture
def account(asked):
    """One that is made."""
    asked.made("acct_1", now=NOW)
    return asked


def test_asking_anew_takes_other_words_and_another_key(asked):
    before = asked.create_key
    asked.ask_anew(a_request("other@example.com"))
    assert asked.request == a_request("other@example.com")
    assert asked.create_key != before


def test_once_it_is_made_nothing_is_asked_anew(account):
    key = account.create_key
    with pytest.raises(Conflict, match="already"):
        account.ask_anew(a_request("other@example.com"))
    # What was asked for is forgotten, and stays so.
    assert (account.request, account.create_key) == (None, key)


def test_hearing_again_that_it_is_made_changes_nothing(account):
    account.made("acct_1", now=NOW + timedelta(days=1))
    assert (account.provider_account_id, account.next_check_at) == ("acct_1", NOW + READ_AGAIN_AFTER)


def test_a_seller_has_no_two_accounts(account):
    with pytest.raises(Conflict, match="acct_1"):
        account.made("acct_2", now=NOW)
    assert account.provider_account_id == "acct_1"
