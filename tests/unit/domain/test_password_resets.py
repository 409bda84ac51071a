"""Forgotten passwords: what a reset of an address allows, and for how long."""

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.domain.identity.codes import COOL_DOWN, LIFETIME, MAX_TRIES
from marketplace.domain.identity.events import PasswordResetRequested
from marketplace.domain.identity.password_resets import TOKEN_LIFETIME, PasswordReset
from marketplace.domain.shared.ids import AccountId, CodeId

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


@pytest.fixture(params=[AccountId(7), None], ids=["a member's", "nobody's"])
def reset(request):
    """Of an address that an account has, and of one that nobody has: there is no difference."""
    reset = PasswordReset.ask(id=CodeId(1), address_hash="address", sealed_address="sealed", now=NOW)
    reset.address_to(request.param)
    return reset


def test_asking_is_passed_on_without_the_address(reset):
    assert reset.events == [PasswordResetRequested(occurred_at=NOW, reset_id=1)]


def test_the_address_is_kept_until_it_is_known_whose_it_is(reset):
    assert reset.sealed_address == ""
    reset.ask_again(sealed_address="sealed", now=NOW + COOL_DOWN)
    assert reset.sealed_address == "sealed"
    reset.address_to(AccountId(8))
    assert (reset.account_id, reset.sealed_address) == (8, "")


def test_asking_again_within_a_minute_does_nothing(reset):
    reset.events.clear()
    reset.ask_again(sealed_address="sealed", now=NOW + COOL_DOWN - INSTANT)
    assert (reset.events, reset.requested_at, reset.sealed_address) == ([], NOW, "")
    later = NOW + COOL_DOWN
    reset.ask_again(sealed_address="sealed", now=later)
    assert (reset.requested_at, reset.sealed_address) == (later, "sealed")
    assert reset.events == [PasswordResetRequested(occurred_at=later, reset_id=1)]


def test_the_code_is_good_once_for_ten_minutes_and_five_tries(reset):
    reset.issue("code", now=NOW)
    assert reset.redeem("code", now=NOW + LIFETIME) is False
    assert [reset.redeem("wrong", now=NOW) for _ in range(MAX_TRIES - 1)] == [False] * (MAX_TRIES - 1)
    assert reset.redeem("code", now=NOW) is True
    assert reset.redeem("code", now=NOW) is False


def test_the_token_is_good_for_fifteen_minutes_until_the_password_is_set(reset):
    assert reset.accepts("token", now=NOW) is False
    reset.grant("token", now=NOW)
    assert reset.accepts("other", now=NOW) is False
    assert reset.accepts("token", now=NOW + TOKEN_LIFETIME - INSTANT) is True
    assert reset.accepts("token", now=NOW + TOKEN_LIFETIME) is False
    reset.void()
    assert reset.accepts("token", now=NOW) is False


def test_a_token_takes_the_place_of_the_one_before(reset):
    reset.grant("first", now=NOW)
    reset.grant("second", now=NOW)
    assert (reset.accepts("first", now=NOW), reset.accepts("second", now=NOW)) == (False, True)


def test_nothing_is_left_of_a_code_once_the_password_is_set(reset):
    reset.issue("code", now=NOW)
    reset.void()
    assert reset.redeem("code", now=NOW) is False


def test_its_secrets_are_in_no_log(reset):
    reset.issue("digest-of-code", now=NOW)
    reset.grant("digest-of-token", now=NOW)
    assert not any(secret in repr(reset) for secret in ("digest-of-code", "digest-of-token", "'address'"))
