"""How guessers are locked out."""

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.domain.identity.attempts import (
    FREE_FAILURES,
    LONGEST_LOCK,
    AttemptCounter,
    TooManyAttempts,
)
from marketplace.domain.shared.networks import network_of

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def counter():
    return AttemptCounter(key="k", counted_at=NOW)


def fail(counter, times, *, now=NOW):
    for _ in range(times):
        counter.begin(now=now)


def guesses(counter, *, until, each):
    """How many tries are looked at when one is made at every ``each``."""
    now, tried = NOW, 0
    while now < until:
        try:
            counter.begin(now=now)
            tried += 1
        except TooManyAttempts:
            pass
        now += each
    return tried


def test_ten_failures_lock(counter):
    fail(counter, FREE_FAILURES - 1)
    assert counter.locked_until is None
    fail(counter, 1)
    assert counter.locked_until == NOW + MINUTE
    with pytest.raises(TooManyAttempts) as caught:
        counter.begin(now=NOW)
    assert caught.value.facts == {"retry_after": 60}
    assert counter.failures == FREE_FAILURES  # what is not looked at is not counted


def test_each_further_failure_locks_for_twice_as_long_up_to_an_hour(counter):
    fail(counter, FREE_FAILURES)
    now, locks = counter.locked_until, [MINUTE]
    for _ in range(9):
        counter.begin(now=now)
        locks.append(counter.locked_until - now)
        now = counter.locked_until
    assert [lock // MINUTE for lock in locks[:6]] == [1, 2, 4, 8, 16, 32]
    assert set(locks[6:]) <= {LONGEST_LOCK, LONGEST_LOCK / 2} | {32 * MINUTE}
    assert max(locks) == LONGEST_LOCK


@pytest.mark.parametrize("wait", [timedelta(microseconds=1), timedelta(seconds=59.2)])
def test_the_wait_is_told_in_whole_seconds_that_are_enough(counter, wait):
    fail(counter, FREE_FAILURES)
    with pytest.raises(TooManyAttempts) as caught:
        counter.begin(now=counter.locked_until - wait)
    assert timedelta(seconds=caught.value.facts["retry_after"]) >= wait


def test_a_failure_is_forgotten_each_hour(counter):
    fail(counter, 9)
    counter.begin(now=NOW + 5 * HOUR)
    assert counter.failures == 5
    counter.begin(now=NOW + 2 * DAY)
    assert counter.failures == 1


def test_a_clock_that_was_set_back_forgets_nothing_and_locks_nobody_for_long(counter):
    fail(counter, FREE_FAILURES, now=NOW)
    with pytest.raises(TooManyAttempts) as caught:
        counter.begin(now=NOW - DAY)
    assert caught.value.facts["retry_after"] <= 3600
    assert counter.failures == FREE_FAILURES


def test_what_is_taken_back_leaves_no_lock(counter):
    fail(counter, FREE_FAILURES)
    counter.take_back(locked_until=counter.locked_until)
    assert (counter.failures, counter.locked_until) == (FREE_FAILURES - 1, None)


def test_what_is_taken_back_leaves_the_lock_of_a_later_failure(counter):
    fail(counter, FREE_FAILURES)
    first = counter.locked_until
    counter.begin(now=first)
    second = counter.locked_until
    counter.take_back(locked_until=first)
    assert counter.locked_until == second


@pytest.mark.parametrize("each", [timedelta(seconds=1), MINUTE, timedelta(minutes=14), timedelta(minutes=59)])
def test_a_guesser_gets_few_guesses_a_day_at_whatever_pace(counter, each):
    assert guesses(counter, until=NOW + DAY, each=each) <= 42
    later = AttemptCounter(key="k", counted_at=NOW)
    week = guesses(later, until=NOW + 7 * DAY, each=max(each, MINUTE))
    assert week <= 16 + 7 * 25


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("nonsense", "nonsense"),
    ],
)
def test_callers_are_counted_by_network(address, network):
    assert network_of(address) == network
