"""What counters of tries promise, whatever keeps them."""

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.domain.identity.attempts import FREE_FAILURES, AttemptCounter, TooManyAttempts
from tests.contracts.outbox import run_together

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MANY = 24


def fail(unit_of_work, *, key="k", now=NOW) -> AttemptCounter:
    with unit_of_work() as uow:
        counter = uow.attempts.of(key, now=now)
        counter.begin(now=now)
        uow.attempts.save(counter)
        uow.commit()
    return counter


def counter_of(unit_of_work, key="k", *, now=NOW) -> AttemptCounter:
    with unit_of_work() as uow:
        return uow.attempts.of(key, now=now)


def known(unit_of_work, key, *, now=NOW) -> bool:
    with unit_of_work() as uow:
        return uow.attempts.knows_place(key, now=now)


class AttemptContract:
    """Subclasses provide the fixture `unit_of_work`."""

    def test_a_counter_begins_at_nothing(self, unit_of_work):
        assert counter_of(unit_of_work) == AttemptCounter(key="k", counted_at=NOW)

    def test_what_is_not_committed_is_not_counted(self, unit_of_work):
        with unit_of_work() as uow:
            counter = uow.attempts.of("k", now=NOW)
            counter.begin(now=NOW)
            uow.attempts.save(counter)
        assert counter_of(unit_of_work).failures == 0

    def test_a_counter_is_kept_whole(self, unit_of_work):
        for _ in range(FREE_FAILURES):
            counted = fail(unit_of_work)
        assert counted.locked_until == NOW + timedelta(minutes=1)
        assert counter_of(unit_of_work, now=NOW + HOUR) == counted

    def test_counters_are_strangers(self, unit_of_work):
        fail(unit_of_work, key="one")
        assert counter_of(unit_of_work, "other").failures == 0

    def test_a_counter_that_is_forgotten_begins_afresh(self, unit_of_work):
        for key in ("one", "other", "third"):
            fail(unit_of_work, key=key)
        with unit_of_work() as uow:
            uow.attempts.forget(["one", "other", "unknown"])
            uow.commit()
        assert [counter_of(unit_of_work, key).failures for key in ("one", "other", "third")] == [0, 0, 1]

    def test_a_place_is_known_until_its_time_is_over(self, unit_of_work):
        assert not known(unit_of_work, "home")
        with unit_of_work() as uow:
            uow.attempts.remember_places(["home", "work"], until=NOW + HOUR)
            uow.commit()
        assert known(unit_of_work, "home")
        assert known(unit_of_work, "work")
        assert not known(unit_of_work, "elsewhere")
        assert not known(unit_of_work, "home", now=NOW + HOUR)

    def test_a_place_is_remembered_longer_when_it_is_seen_again(self, unit_of_work):
        for until in (NOW + HOUR, NOW + 2 * HOUR):
            with unit_of_work() as uow:
                uow.attempts.remember_places(["home"], until=until)
                uow.commit()
        assert known(unit_of_work, "home", now=NOW + HOUR)

    def test_purging_forgets_what_is_old_and_no_more_than_asked(self, unit_of_work):
        for key in ("one", "other"):
            fail(unit_of_work, key=key)
        fail(unit_of_work, key="young", now=NOW + HOUR)
        with unit_of_work() as uow:
            uow.attempts.remember_places(["over"], until=NOW)
            uow.attempts.remember_places(["home"], until=NOW + 2 * HOUR)
            uow.commit()
        gone = []
        for limit in (1, 10, 10):
            with unit_of_work() as uow:
                gone.append(uow.attempts.purge(counted_before=NOW + HOUR, now=NOW + HOUR, limit=limit))
                uow.commit()
        assert gone == [2, 1, 0]  # one counter and one place, the other counter, nothing
        assert counter_of(unit_of_work, "young").failures == 1
        assert known(unit_of_work, "home", now=NOW + HOUR)

    def test_of_many_tries_at_once_no_more_are_let_through_than_one_after_another(self, unit_of_work):
        outcomes = []

        def attempt():
            try:
                outcomes.append(fail(unit_of_work).failures)
            except TooManyAttempts:
                outcomes.append("refused")

        run_together([attempt] * MANY)
        assert sorted(set(outcomes) - {"refused"}) == list(range(1, FREE_FAILURES + 1))
        assert outcomes.count("refused") == MANY - FREE_FAILURES
        with pytest.raises(TooManyAttempts):
            fail(unit_of_work)
