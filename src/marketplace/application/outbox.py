"""The relay: hands stored events to whoever reacts to them, at least once each."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.application.access import Actor, require_role
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.outbox import Delivery, Outbox, UnreadableEvent
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity import Role
from marketplace.domain.shared.errors import MarketplaceError
from marketplace.domain.shared.events import Event

MAX_ATTEMPTS = 10
_FIRST_RETRY = timedelta(seconds=10)
_LAST_RETRY = timedelta(hours=1)
_MAX_ERROR_LENGTH = 500

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class RelayEvents:
    """Deliver the events that are due; what fails is tried again later, ever more seldom, and finally set aside.

    ``handle(event, delivery_id)`` reacts to one event and may see it again after a crash: ``delivery_id`` stays the
    same then. ``jitter()`` gives a number from 0 to 1, so that events that failed together do not return together.
    """

    outbox: Outbox
    clock: Clock
    handle: Callable[[Event, int], None]
    jitter: Callable[[], float]
    batch_size: int = 50
    lease_for: timedelta = timedelta(minutes=2)

    def __call__(self) -> int:
        """Relay one batch; gives the number of events that were tried, 0 when nothing was due.

        What a handler raises is noted with its event, which comes again, and goes no further.
        """
        now = self.clock.now()
        batch = self.outbox.lease(now=now, lease_for=self.lease_for, limit=self.batch_size)
        tried = 0
        for delivery in batch:
            # Whatever the slow ones left no time for is leased again, by whichever relay is free.
            if tried and self.clock.now() >= now + self.lease_for / 2:
                break
            self._deliver(delivery)
            tried += 1
        return tried

    def _deliver(self, delivery: Delivery) -> None:
        if delivery.attempts > MAX_ATTEMPTS:
            # Counted on lease: each of these ended with the process, not with an error.
            self._give_up(delivery, f"Tried {MAX_ATTEMPTS} times, and no try came to an end.")
            return
        try:
            if isinstance(delivery.event, UnreadableEvent):
                raise _UnreadableError(delivery.event.stored_as)
            self.handle(delivery.event, delivery.id)
        except Exception as error:
            # One event never blocks the others, whatever is wrong with it: kept, counted, shown by `outbox status`.
            self._retry(delivery, describe(error))
        else:
            self.outbox.delivered(delivery.id, now=self.clock.now())

    def _retry(self, delivery: Delivery, error: str) -> None:
        if delivery.attempts >= MAX_ATTEMPTS:
            self._give_up(delivery, error)
            return
        now = self.clock.now()
        retry_at = now + backoff(delivery.attempts, self.jitter())
        _log.warning("event %s (%s) failed and is retried: %s", delivery.id, delivery.event.name, error)
        self.outbox.failed(delivery.id, error=error, now=now, retry_at=retry_at)

    def _give_up(self, delivery: Delivery, error: str) -> None:
        _log.error("event %s (%s) is a dead letter: %s", delivery.id, delivery.event.name, error)
        self.outbox.failed(delivery.id, error=error, now=self.clock.now(), retry_at=None)


class _UnreadableError(MarketplaceError):
    code = "unreadable_event"

    def __init__(self, name: str) -> None:
        super().__init__(f"This version of the program has no event called {name!r}, or not with these fields.")


def backoff(attempts: int, jitter: float) -> timedelta:
    """The wait after so many attempts: 10 s, tripled each time, at most an hour, give or take a quarter."""
    wait: timedelta = min(_FIRST_RETRY * 3 ** (attempts - 1), _LAST_RETRY)
    return wait * (0.75 + jitter / 2)


def describe(error: Exception) -> str:
    """What went wrong, without secrets: our own errors in their words, others by type and place only."""
    if isinstance(error, MarketplaceError):
        return f"{error.code}: {error}"[:_MAX_ERROR_LENGTH]
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.name}, line {frame.lineno}"[:_MAX_ERROR_LENGTH]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplayDeadLetters:
    """Try again what was given up."""

    unit_of_work: Callable[[], UnitOfWork]
    outbox: Outbox
    clock: Clock

    def __call__(self, *, actor: Actor, ids: tuple[int, ...] | None = None) -> int:
        """``ids`` of events, None for all of them; gives the number. Raises Forbidden."""
        require_role(actor, Role.ADMIN)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            # Before it is done, in a transaction of its own: what was done and not noted would be worse.
            named = {"ids": "all" if ids is None else ids}
            uow.audit.add(actor.did("outbox.replayed", "outbox", "dead_letters", now=now, after=named))
            uow.commit()
        return self.outbox.replay(ids, now=now)


@dataclass(frozen=True, kw_only=True, slots=True)
class PurgeOutbox:
    """Forget events that were delivered long ago."""

    outbox: Outbox
    clock: Clock
    keep_for: timedelta = timedelta(days=30)
    limit: int = 1_000

    def __call__(self) -> int:
        """One batch; gives the number. Raises Unavailable when the store does not answer."""
        before: datetime = self.clock.now() - self.keep_for
        return self.outbox.purge(delivered_before=before, limit=self.limit)
