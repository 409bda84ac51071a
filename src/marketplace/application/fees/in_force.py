"""Which fees hold now, remembered for a moment: carts ask with every look."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from threading import Lock

from marketplace.application.ports.fees import FeeScheduleQueries, FeesInForce
from marketplace.domain.fees import NO_FACTS, FeeFacts, FeeSchedule
from marketplace.domain.shared.ids import AccountId, ProductId

LIFE = timedelta(seconds=10)
"""A version that takes effect at once is seen by every process within this; a planned one in time."""


class RememberedFees(FeesInForce):
    """The versions in force and to come, read again when they are older than ``life``. A checkout reads them itself."""

    def __init__(self, *, queries: FeeScheduleQueries, standard: FeeSchedule, life: timedelta = LIFE) -> None:
        self.life = life
        self._queries, self._standard = queries, standard
        self._lock = Lock()
        self._known: tuple[datetime, Sequence[FeeSchedule]] | None = None

    def schedule(self, now: datetime) -> FeeSchedule:
        with self._lock:
            known = self._known
        if known is None or not known[0] <= now < known[0] + self.life:
            return self.read(now)
        return self._begun(known[1], now)

    def read(self, now: datetime) -> FeeSchedule:
        """As ``schedule``, whatever is remembered."""
        versions = self._queries.in_force_and_coming(self._standard.currency, now)
        with self._lock:
            self._known = now, versions
        return self._begun(versions, now)

    def _begun(self, versions: Sequence[FeeSchedule], now: datetime) -> FeeSchedule:
        begun = [each for each in versions if each.effective_from is not None and each.effective_from <= now]
        return begun[-1] if begun else self._standard

    def facts(self, schedule: FeeSchedule, goods: Collection[tuple[AccountId, ProductId]]) -> FeeFacts:
        if not schedule.needs_facts or not goods:
            return NO_FACTS
        return self._queries.facts(
            sellers=sorted({seller for seller, _ in goods}), products=sorted({product for _, product in goods})
        )

    def forget(self) -> None:
        """Read anew at the next look: this process has just added a version."""
        with self._lock:
            self._known = None
