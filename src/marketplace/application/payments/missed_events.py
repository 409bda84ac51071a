"""Events that never arrived: the provider keeps a list of a month, and what is new on it is read now and then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.application.payments.webhooks import KeepEvent
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.payment_gateway import PaymentGateway, ProviderEvent
from marketplace.application.ports.provider_events import EventSweeps
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.payments.payment import ProviderAlarm

EVERY = timedelta(minutes=15)
OVERLAP = timedelta(hours=1)
"""Read again each time: the list may show an event some time after the moment that it gives, and clocks differ."""
UNDER_WAY = timedelta(minutes=10)
"""Younger ones may be on their way."""
KEPT_FOR = timedelta(days=29)
"""Of the provider's thirty days, less what clocks differ by."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepEvents:
    """Store what the provider had to tell and did not bring, for a worker. What came before changes nothing.

    The list is that of our own account. What happens at sellers' accounts is found by reading those regularly.
    """

    unit_of_work: Callable[[], UnitOfWork]
    gateway: PaymentGateway
    sweeps: EventSweeps
    keep: KeepEvent
    clock: Clock
    page: int = 100
    pages: int = 50

    def __call__(self) -> int:
        """Read on from where the last one ended, up to a bound; gives the number of events that had been missed.

        Raises Unavailable when the provider or the store does not answer: the next one begins at the same place.
        """
        now = self.clock.now()
        reached = self.sweeps.begin(now=now, every=EVERY)
        if reached is None:
            return 0
        missed, after = [], None
        for _ in range(self.pages):
            since = max(reached - OVERLAP, now - KEPT_FOR)
            events = self.gateway.events(since=since, after=after, limit=self.page)
            missed += [event for event in events if self.keep(event, now=now)]
            if len(events) < self.page:
                self.sweeps.reached(now)
                break
            after = events[-1].id
            # So that the next one goes on from here, and not from before the overlap: there may be more in it than the
            # bound.
            self.sweeps.reached(min(events[-1].created_at + OVERLAP, now))
        self._tell([event for event in missed if event.created_at < now - UNDER_WAY], now)
        return len(missed)

    def _tell(self, missed: Sequence[ProviderEvent], now: datetime) -> None:
        if not missed:
            return
        oldest = f"{missed[0].type} of {missed[0].created_at.isoformat()}"
        reason = (
            f"{len(missed)} events never arrived, the oldest is {oldest}: "
            "see that the provider reaches our addresses for them and that their secrets are right"
        )
        with self.unit_of_work() as uow:
            uow.record(ProviderAlarm(occurred_at=now, subject="webhooks", reason=reason))
            uow.commit()
