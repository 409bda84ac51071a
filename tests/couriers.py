"""A courier as bad as the post can be: it doubles, shuffles and loses what it should bring, as it pleases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from marketplace.application.ports.provider_state import SignedDelivery, SimulatedCourier


@dataclass(frozen=True, slots=True)
class BadCourier(SimulatedCourier):
    """In front of a good one. ``doubled`` and ``lost`` are chances from 0 to 1; what is lost never comes again."""

    inner: SimulatedCourier
    random: Random
    doubled: float = 0.3
    lost: float = 0.0

    def due_deliveries(self, *, lease_for: timedelta, limit: int) -> Sequence[SignedDelivery]:
        brought: list[SignedDelivery] = []
        for delivery in self.inner.due_deliveries(lease_for=lease_for, limit=limit):
            if self.random.random() < self.lost:
                self.inner.delivered(delivery)
                continue
            brought += [delivery] * (2 if self.random.random() < self.doubled else 1)
        self.random.shuffle(brought)
        return brought

    def delivered(self, delivery: SignedDelivery) -> None:
        self.inner.delivered(delivery)

    def refused(self, delivery: SignedDelivery) -> None:
        self.inner.refused(delivery)
