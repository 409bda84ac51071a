"""What every outbox promises, and the relay on top of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Thread

from marketplace.adapters.memory.clock import FixedClock
from marketplace.application.outbox import RelayEvents
from marketplace.application.ports.outbox import Delivery, Outbox
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.shared.events import Event

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class BellRang(Event):
    number: int
    heard_at: datetime


def ring(unit_of_work: Callable[[], UnitOfWork], *numbers: int, at: datetime = NOW) -> None:
    with unit_of_work() as uow:
        for number in numbers:
            uow.record(BellRang(occurred_at=at, number=number, heard_at=at))
        uow.commit()


def lease(outbox: Outbox, *, now: datetime = NOW, limit: int = 10) -> list[Delivery]:
    return list(outbox.lease(now=now, lease_for=MINUTE, limit=limit))


def numbers(deliveries: list[Delivery]) -> list[int]:
    return [delivery.event.number for delivery in deliveries if isinstance(delivery.event, BellRang)]


class OutboxContract:
    """Subclasses provide the fixtures ``unit_of_work``, a factory, and ``outbox``, on the same store."""

    def test_gives_an_event_back_as_it_was_recorded(self, unit_of_work, outbox):
        ring(unit_of_work, 7)
        (delivery,) = lease(outbox)
        assert delivery.event == BellRang(occurred_at=NOW, number=7, heard_at=NOW)
        assert delivery.attempts == 1

    def test_knows_nothing_of_events_that_were_not_committed(self, unit_of_work, outbox):
        with unit_of_work() as uow:
            uow.record(BellRang(occurred_at=NOW, number=1, heard_at=NOW))
        assert lease(outbox) == []

    def test_gives_the_oldest_first_and_no_more_than_asked_for(self, unit_of_work, outbox):
        ring(unit_of_work, 3, at=NOW - MINUTE)
        ring(unit_of_work, 1, 2, at=NOW - 2 * MINUTE)
        assert numbers(lease(outbox, limit=2)) == [1, 2]
        assert numbers(lease(outbox, limit=2)) == [3]

    def test_keeps_an_event_until_its_time(self, unit_of_work, outbox):
        ring(unit_of_work, 1, at=NOW + MINUTE)
        assert lease(outbox) == []
        assert numbers(lease(outbox, now=NOW + MINUTE)) == [1]

    def test_leases_an_event_to_one_relay_at_a_time(self, unit_of_work, outbox):
        ring(unit_of_work, 1)
        lease(outbox)
        assert lease(outbox) == []

    def test_leases_again_what_was_not_delivered_in_time(self, unit_of_work, outbox):
        ring(unit_of_work, 1)
        (first,) = lease(outbox)
        (second,) = lease(outbox, now=NOW + MINUTE)
        assert (second.id, second.attempts) == (first.id, 2)

    def test_never_gives_a_delivered_event_again(self, unit_of_work, outbox):
        ring(unit_of_work, 1)
        (delivery,) = lease(outbox)
        outbox.delivered(delivery.id, now=NOW)
        outbox.delivered(delivery.id, now=NOW)
        assert lease(outbox, now=NOW + timedelta(days=1)) == []

    def test_gives_a_failed_event_again_when_its_retry_is_due(self, unit_of_work, outbox):
        ring(unit_of_work, 1)
        (delivery,) = lease(outbox)
        outbox.failed(delivery.id, error="broken", now=NOW, retry_at=NOW + 2 * MINUTE)
        assert lease(outbox, now=NOW + MINUTE) == []
        assert [d.attempts for d in lease(outbox, now=NOW + 2 * MINUTE)] == [2]

    def test_a_late_failure_does_not_revive_what_another_relay_delivered(self, unit_of_work, outbox):
        ring(unit_of_work, 1)
        (delivery,) = lease(outbox)
        outbox.delivered(delivery.id, now=NOW)
        outbox.failed(delivery.id, error="late", now=NOW, retry_at=NOW)
        assert lease(outbox) == []
        assert outbox.dead_letters(limit=10) == []

    def test_sets_aside_what_is_given_up_and_shows_why(self, unit_of_work, outbox):
        ring(unit_of_work, 1)
        (delivery,) = lease(outbox)
        outbox.failed(delivery.id, error="no such bell", now=NOW, retry_at=None)
        assert lease(outbox, now=NOW + timedelta(days=1)) == []
        (letter,) = outbox.dead_letters(limit=10)
        assert (letter.id, letter.name, letter.occurred_at) == (delivery.id, "BellRang", NOW)
        assert (letter.attempts, letter.last_error) == (1, "no such bell")

    def test_replays_dead_letters_from_the_first_attempt(self, unit_of_work, outbox):
        ring(unit_of_work, 1, 2, 3)
        for delivery in lease(outbox):
            outbox.failed(delivery.id, error="broken", now=NOW, retry_at=None)
        first, second, third = outbox.dead_letters(limit=10)
        assert outbox.replay([second.id], now=NOW) == 1
        assert [(d.id, d.attempts) for d in lease(outbox)] == [(second.id, 1)]
        assert outbox.replay(None, now=NOW) == 2
        assert [d.id for d in lease(outbox)] == [first.id, third.id]
        assert outbox.replay(None, now=NOW) == 0

    def test_counts_what_waits_what_is_in_flight_and_what_is_dead(self, unit_of_work, outbox):
        ring(unit_of_work, 1, at=NOW - MINUTE)
        ring(unit_of_work, 2, 3, at=NOW)
        dead, _ = lease(outbox, limit=2)
        outbox.failed(dead.id, error="broken", now=NOW, retry_at=None)
        status = outbox.status(now=NOW)
        assert (status.waiting, status.in_flight, status.dead) == (1, 1, 1)
        assert status.oldest_waiting_at == NOW

    def test_an_empty_one_has_no_oldest_event(self, outbox):
        status = outbox.status(now=NOW)
        assert (status.waiting, status.in_flight, status.dead, status.oldest_waiting_at) == (0, 0, 0, None)

    def test_forgets_old_deliveries_a_few_at_a_time_and_gives_no_number_twice(self, unit_of_work, outbox):
        ring(unit_of_work, 1, 2, 3)
        leased = lease(outbox)
        for delivery in leased:
            outbox.delivered(delivery.id, now=NOW)
        assert outbox.purge(delivered_before=NOW, limit=10) == 0
        later = NOW + MINUTE
        assert outbox.purge(delivered_before=later, limit=2) == 2
        assert outbox.purge(delivered_before=later, limit=2) == 1
        ring(unit_of_work, 4)
        (fresh,) = lease(outbox)
        assert fresh.id not in {delivery.id for delivery in leased}

    def test_relays_side_by_side_handle_each_event_once(self, unit_of_work, outbox):
        for start in range(0, 200, 20):
            ring(unit_of_work, *range(start, start + 20))
        handled: list[int] = []
        relay = RelayEvents(
            outbox=outbox,
            clock=FixedClock(NOW),
            handle=lambda event, _: handled.append(event.number),
            jitter=lambda: 0.5,
            batch_size=7,
        )

        def work() -> None:
            while relay():
                pass

        run_together([work] * 4)
        assert sorted(handled) == list(range(200))

    def test_what_a_crashed_relay_held_is_handled_by_the_others_when_its_lease_ran_out(self, unit_of_work, outbox):
        ring(unit_of_work, *range(20))
        lease(outbox, limit=5)  # and gone
        clock = FixedClock(NOW)
        handled: list[int] = []
        relay = RelayEvents(
            outbox=outbox, clock=clock, handle=lambda event, _: handled.append(event.number), jitter=lambda: 0.5
        )

        def work() -> None:
            while relay():
                pass

        run_together([work] * 3)
        assert len(handled) == 15
        clock.advance(MINUTE)
        run_together([work] * 3)
        assert sorted(handled) == list(range(20))


def run_together(jobs: list[Callable[[], None]]) -> None:
    """Run the jobs in threads of their own and raise the first error any of them met."""
    errors: list[BaseException] = []

    def guarded(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:
            errors.append(error)

    threads = [Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
