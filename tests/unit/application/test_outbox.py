"""The relay: retries, dead letters, and events that do not block each other."""

import functools
from datetime import timedelta

import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.memory.outbox import InMemoryOutbox
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from marketplace.application.access import OPERATOR
from marketplace.application.outbox import (
    MAX_ATTEMPTS,
    PurgeOutbox,
    RelayEvents,
    ReplayDeadLetters,
    backoff,
    describe,
)
from marketplace.application.ports.outbox import UnreadableEvent
from marketplace.domain.shared.errors import Unavailable
from tests.contracts.outbox import NOW, BellRang, ring


class Bells:
    """Handles rings: notes each, and fails on those it was told to fail on."""

    def __init__(self, clock):
        self.heard = []
        self.broken = {}
        self.clock = clock
        self.takes = timedelta(0)

    def __call__(self, event, delivery_id):
        self.clock.advance(self.takes)
        self.heard.append((event.number, delivery_id))
        if event.number in self.broken:
            raise self.broken[event.number]


@pytest.fixture
def clock():
    return FixedClock(NOW)


@pytest.fixture
def store():
    return InMemoryStore()


@pytest.fixture
def outbox(store):
    return InMemoryOutbox(store)


@pytest.fixture
def unit_of_work(store):
    return functools.partial(InMemoryUnitOfWork, store)


@pytest.fixture
def bells(clock):
    return Bells(clock)


@pytest.fixture
def relay(outbox, clock, bells):
    return RelayEvents(outbox=outbox, clock=clock, handle=bells, jitter=lambda: 0.5)


class TestRelayEvents:
    def test_hands_over_each_event_once(self, relay, unit_of_work, bells):
        ring(unit_of_work, 1, 2)
        assert relay() == 2
        assert relay() == 0
        assert [number for number, _ in bells.heard] == [1, 2]

    def test_an_event_that_fails_blocks_no_other_and_comes_again(self, relay, unit_of_work, bells, clock):
        ring(unit_of_work, 1, 2)
        bells.broken[1] = Unavailable("The bell tower is closed.")
        assert relay() == 2
        bells.broken.clear()
        assert relay() == 0
        clock.advance(timedelta(seconds=10))
        assert relay() == 1
        assert [number for number, _ in bells.heard] == [1, 2, 1]
        assert bells.heard[0] == bells.heard[2]

    def test_gives_up_after_ten_tries(self, relay, unit_of_work, bells, clock, outbox):
        ring(unit_of_work, 1)
        bells.broken[1] = Unavailable("The bell tower is closed.")
        for _ in range(MAX_ATTEMPTS):
            assert relay() == 1
            clock.advance(timedelta(hours=2))
        assert relay() == 0
        (letter,) = outbox.dead_letters(limit=10)
        assert letter.last_error == "unavailable: The bell tower is closed."
        assert letter.attempts == MAX_ATTEMPTS

    def test_gives_up_an_event_that_ends_the_process_each_time(self, relay, unit_of_work, bells, clock, outbox):
        ring(unit_of_work, 1)
        for _ in range(MAX_ATTEMPTS):
            outbox.lease(now=clock.now(), lease_for=timedelta(minutes=1), limit=1)
            clock.advance(timedelta(minutes=1))
        relay()
        assert bells.heard == []
        (letter,) = outbox.dead_letters(limit=10)
        assert letter.last_error == "Tried 10 times, and no try came to an end."

    def test_leaves_the_rest_to_others_when_half_of_its_lease_is_used_up(self, relay, unit_of_work, bells):
        ring(unit_of_work, 1, 2, 3)
        bells.takes = timedelta(seconds=31)
        assert relay() == 2

    def test_handles_one_event_even_if_it_takes_longer_than_the_lease(self, relay, unit_of_work, bells):
        ring(unit_of_work, 1, 2)
        bells.takes = timedelta(hours=1)
        assert relay() == 1

    def test_keeps_an_event_that_it_cannot_read_for_a_newer_version(self, relay, unit_of_work, bells, clock, store):
        with unit_of_work() as uow:
            uow.record(UnreadableEvent(occurred_at=NOW, stored_as="BellMelted"))
            uow.commit()
        assert relay() == 1
        assert bells.heard == []
        (row,) = store.outbox.values()
        assert "'BellMelted'" in row.last_error
        assert row.run_at == clock.now() + timedelta(seconds=10)


class TestBackoff:
    def test_triples_up_to_an_hour(self):
        waits = [backoff(attempts, 0.5).total_seconds() for attempts in range(1, MAX_ATTEMPTS + 1)]
        assert waits == [10, 30, 90, 270, 810, 2430, 3600, 3600, 3600, 3600]

    def test_jitter_moves_it_by_a_quarter(self):
        assert backoff(1, 0.0) == timedelta(seconds=7.5)
        assert backoff(1, 1.0) == timedelta(seconds=12.5)


class TestDescribe:
    def test_tells_our_own_errors_in_their_words(self):
        assert describe(Unavailable("The bell tower is closed.")) == "unavailable: The bell tower is closed."

    def test_tells_nothing_of_what_a_foreign_error_says(self):
        def open_door():
            raise ValueError("password is hunter2")

        with pytest.raises(ValueError, match="hunter2") as caught:
            open_door()
        assert "hunter2" not in describe(caught.value)
        assert describe(caught.value).startswith("ValueError in open_door, line ")


class TestReplayAndPurge:
    def test_a_replayed_dead_letter_is_handled(self, relay, unit_of_work, bells, outbox, clock):
        ring(unit_of_work, 1)
        (delivery,) = outbox.lease(now=NOW, lease_for=timedelta(minutes=1), limit=1)
        outbox.failed(delivery.id, error="broken", now=NOW, retry_at=None)
        replay = ReplayDeadLetters(unit_of_work=unit_of_work, outbox=outbox, clock=clock)
        assert replay(actor=OPERATOR, ids=(delivery.id + 1,)) == 0
        assert replay(actor=OPERATOR) == 1
        relay()
        assert bells.heard == [(1, delivery.id)]

    def test_forgets_what_was_delivered_a_month_ago(self, relay, unit_of_work, outbox, clock, store):
        ring(unit_of_work, 1)
        relay()
        purge = PurgeOutbox(outbox=outbox, clock=clock)
        assert purge() == 0
        assert store.events == [BellRang(occurred_at=NOW, number=1, heard_at=NOW)]
        clock.advance(timedelta(days=31))
        assert purge() == 1
        assert store.events == []
