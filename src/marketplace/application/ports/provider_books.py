"""The provider's movements as we keep them, what they were matched with, and what that left open."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.ledger import JournalKind
from marketplace.domain.provider_books import Booking, Movement
from marketplace.domain.reconciliation import Difference, DifferenceId, DifferenceKind, Reconciliation
from marketplace.domain.shared.ids import JournalId


@dataclass(frozen=True, kw_only=True, slots=True)
class BookedMovement:
    """A journal, and what it moves on our balance at the provider. ``movement_id``: what it was matched with."""

    journal_id: JournalId
    kind: JournalKind
    source_key: str
    currency: str
    amount: int
    occurred_at: datetime
    movement_id: str | None


class ProviderBooks(Protocol):
    """Part of a unit of work."""

    def keep(self, movements: Sequence[Movement]) -> None:
        """Remember them as they are now; those that were known keep what they were matched with."""
        ...

    def booked(self, bookings: Collection[Booking]) -> Mapping[tuple[str, str], BookedMovement]:
        """By (kind, source_key), those of these journals that were posted."""
        ...

    def settle(self, movement_ids: Collection[str], *, matches: Mapping[JournalId, str]) -> None:
        """These movements need no more looking at, and these journals stand for these movements."""
        ...

    def get(self, movement_id: str) -> Movement:
        """Raises NotFound."""
        ...

    def unsettled(self, *, before: datetime, after: str, limit: int) -> Sequence[Movement]:
        """Movements older than ``before`` that are not settled, by id, those after ``after``."""
        ...

    def settled_among(self, movement_ids: Collection[str]) -> Collection[str]: ...

    def matched_among(self, journal_ids: Collection[JournalId]) -> Collection[JournalId]: ...

    def unmatched_journals(
        self, *, before: datetime, after: JournalId, limit: int
    ) -> tuple[Sequence[BookedMovement], JournalId]:
        """Of the next ``limit`` journals after ``after``, as long as they happened before ``before``: those that move
        our balance at the provider without a movement. And the last that was looked at, ``after`` when there is none.
        """
        ...

    def totals(self) -> Mapping[str, tuple[int, int]]:
        """By currency: what all movements add up to, and what of that is kept in reserve (less than 0)."""
        ...


class DifferenceRepository(Protocol):
    def add(self, difference: Difference) -> None:
        """Raises Conflict when there is one of that kind about that subject."""
        ...

    def get_for_update(self, id: DifferenceId) -> Difference:
        """Raises NotFound."""
        ...

    def known(self, kind: DifferenceKind, subjects: Collection[str]) -> Collection[str]:
        """Those of these subjects that there is one of that kind about, open or closed."""
        ...

    def open_after(self, after: DifferenceId, *, limit: int) -> Sequence[Difference]:
        """Open ones by id, those after ``after``, locked."""
        ...

    def save(self, difference: Difference) -> None: ...


class ReconciliationRepository(Protocol):
    def latest_for_update(self) -> Reconciliation | None: ...

    def add(self, run: Reconciliation) -> None:
        """Raises ReconciliationBusy when another one is running."""
        ...

    def save(self, run: Reconciliation) -> None: ...


class ReconciliationQueries(Protocol):
    def latest(self) -> Reconciliation | None:
        """The last run, finished or not; None before the first."""
        ...

    def differences(self, request: PageRequest, *, is_open: bool | None = None) -> Page[Difference]:
        """The last opened first."""
        ...
