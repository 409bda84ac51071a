"""Fee schedules: the versions that were stored, and what their rules ask of sellers and products."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from marketplace.application.ports.catalogue import Ref
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.fees import FeeFacts, FeeSchedule
from marketplace.domain.shared.ids import AccountId, CategoryId, FeeScheduleId, ProductId


class FeeScheduleRepository(Protocol):
    """Versions, only ever added to."""

    def add(self, schedule: FeeSchedule) -> None:
        """Raises FeeScheduleTaken, at the latest on commit, when another of its currency begins at the same instant."""
        ...

    def in_force(self, currency: str, now: datetime) -> FeeSchedule | None:
        """The last that has taken effect, None before the first."""
        ...

    def facts(self, *, sellers: Collection[AccountId], products: Collection[ProductId]) -> FeeFacts:
        """What the rules may ask of them. A fixed number of statements."""
        ...

    def missing(
        self, *, sellers: Collection[AccountId], categories: Collection[CategoryId]
    ) -> tuple[Collection[AccountId], Collection[CategoryId]]:
        """Which of these are no sellers, and which no categories."""
        ...


class FeeScheduleQueries(Protocol):
    """Reads outside of any transaction."""

    def schedule(self, id: FeeScheduleId) -> FeeSchedule:
        """Raises NotFound."""
        ...

    def schedules(self, request: PageRequest) -> Page[FeeSchedule]:
        """Every version, the one that takes effect last first."""
        ...

    def in_force_and_coming(self, currency: str, now: datetime) -> Sequence[FeeSchedule]:
        """The version in force, if any, and those that will be, in the order in which they take effect."""
        ...

    def facts(self, *, sellers: Collection[AccountId], products: Collection[ProductId]) -> FeeFacts:
        """As ``FeeScheduleRepository.facts``."""
        ...

    def category(self, ref: Ref) -> Sequence[CategoryId]:
        """A category by id or slug and those above it, from the root down; empty when there is none."""
        ...


class FeesInForce(Protocol):
    """The fees at an instant, for what is shown: at most a few seconds older than what the store has."""

    def schedule(self, now: datetime) -> FeeSchedule:
        """The version in force, the standard one before the first."""
        ...

    def facts(self, schedule: FeeSchedule, goods: Collection[tuple[AccountId, ProductId]]) -> FeeFacts:
        """What this schedule asks of sellers and their products; nothing is looked up if it asks nothing."""
        ...
