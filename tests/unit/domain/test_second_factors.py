"""Second factors: what is allowed while one is pending, and what once it is on."""

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.domain.identity.second_factors import (
    FactorChange,
    NoSecondFactor,
    SecondFactor,
    SecondFactorChanged,
    SecondFactorIsOn,
)
from marketplace.domain.shared.ids import AccountId

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


def told(change, *, at):
    return SecondFactorChanged(occurred_at=at, account_id=7, change=change)


@pytest.fixture
def pending():
    return SecondFactor(account_id=AccountId(7), sealed_secret="sealed", enrolled_at=NOW)


@pytest.fixture
def factor(pending):
    """One that is on."""
    assert pending.confirm(1, ["first", "second"], now=NOW)
    return pending


def test_the_right_code_turns_it_on_and_its_owner_is_told(factor):
    assert (factor.is_on, factor.confirmed_at, factor.recovery_hashes) == (True, NOW, ("first", "second"))
    assert factor.events == [told(FactorChange.ENABLED, at=NOW)]


def test_a_wrong_code_changes_nothing(pending):
    assert not pending.confirm(None, ["first"], now=NOW)
    assert (pending.is_on, pending.recovery_hashes, pending.events) == (False, (), [])


def test_it_is_not_confirmed_twice(factor):
    with pytest.raises(SecondFactorIsOn):
        factor.confirm(2, ["another's"], now=LATER)
    # Neither is the code used up, nor do other recovery codes take the place of those that the owner has.
    assert (factor.confirmed_at, factor.last_step, factor.recovery_hashes) == (NOW, 1, ("first", "second"))
    assert factor.events == [told(FactorChange.ENABLED, at=NOW)]


def test_fresh_recovery_codes_end_those_of_before(factor):
    factor.renew_recovery(["fresh"], now=LATER)
    assert not factor.use_recovery("first")
    assert factor.use_recovery("fresh")
    assert factor.events[-1] == told(FactorChange.RECOVERY_CODES_RENEWED, at=LATER)


def test_there_are_no_recovery_codes_before_it_is_on(pending):
    with pytest.raises(NoSecondFactor, match="two-factor"):
        pending.renew_recovery(["fresh"], now=LATER)
    assert (pending.recovery_hashes, pending.events) == ((), [])
