"""Comparing our books with the provider's: runs, and the differences that they leave for an operator.

    running ──> done       the next is due a day later
           └──> failed     tried again some minutes later

A difference stays open until what it misses has come (``matched``), or an operator has said what it is (``explained``).
Nothing is corrected by itself. One that was explained is not opened again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NewType, Self

from marketplace.domain.payments.payment import ProviderAlarm
from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.errors import Conflict, IllegalTransition, Invalid
from marketplace.domain.shared.ids import AccountId, JournalId
from marketplace.domain.shared.text import checked_text

DifferenceId = NewType("DifferenceId", int)
ReconciliationId = NewType("ReconciliationId", int)

EVERY = timedelta(days=1)
RETRY_AFTER = timedelta(minutes=10)
OVERLAP = timedelta(days=1)
"""How far before the last movement that was seen a run begins: the list may still have been growing there."""
JOURNAL_GRACE = timedelta(hours=1)
"""How long a movement may be without its journal: the event that brings it may be late."""
MOVEMENT_GRACE = timedelta(days=1)
"""How long a journal may be without its movement."""
LEASE = timedelta(minutes=15)
MAX_NOTE = 500
MAX_ERROR = 500


class DifferenceKind(StrEnum):
    """``balance``: what the provider says it holds is not what its movements add up to."""

    NO_JOURNAL = "movement_without_journal"
    NO_MOVEMENT = "journal_without_movement"
    AMOUNT = "amounts_differ"
    BALANCE = "balance"


class Resolution(StrEnum):
    """``matched``: what was missing came. ``explained``: an operator said what it is. ``booked``: kept in suspense."""

    MATCHED = "matched"
    EXPLAINED = "explained"
    BOOKED = "booked"


class ReconciliationBusy(Conflict):
    """Another process is comparing the books right now."""

    code = "reconciliation_busy"


@dataclass(kw_only=True, slots=True)
class Difference(Aggregate):
    """Something that one side has and the other has not, for an operator to look at.

    ``subject`` names it, once for each kind. ``ours`` and ``theirs`` are what either side moves on our balance at the
    provider, in minor units; None where a side has nothing. ``detail`` says in words what is known.
    """

    id: DifferenceId
    kind: DifferenceKind
    subject: str
    currency: str
    ours: int | None
    theirs: int | None
    detail: str
    movement_id: str | None
    journal_id: JournalId | None
    opened_at: datetime
    resolution: Resolution | None = None
    resolved_at: datetime | None = None
    resolved_by: AccountId | None = None
    note: str = ""

    @classmethod
    def found(
        cls,
        *,
        id: DifferenceId,
        kind: DifferenceKind,
        subject: str,
        currency: str,
        detail: str,
        now: datetime,
        ours: int | None = None,
        theirs: int | None = None,
        movement_id: str | None = None,
        journal_id: JournalId | None = None,
    ) -> Self:
        """A new one, which raises an alarm."""
        difference = cls(
            id=id,
            kind=kind,
            subject=subject,
            currency=currency,
            ours=ours,
            theirs=theirs,
            detail=detail,
            movement_id=movement_id,
            journal_id=journal_id,
            opened_at=now,
        )
        difference.events.append(ProviderAlarm(occurred_at=now, subject=f"difference {id} ({kind})", reason=detail))
        return difference

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None

    def matched(self, *, now: datetime) -> None:
        """What was missing has come."""
        self._resolve(Resolution.MATCHED, note="", by=None, now=now)

    def explain(self, note: str, *, by: AccountId | None, now: datetime) -> None:
        """Close it with an operator's words. Raises IllegalTransition when it is closed, Invalid without words."""
        self._resolve(Resolution.EXPLAINED, note=_words(note), by=by, now=now)

    def booked(self, note: str, *, by: AccountId | None, now: datetime) -> None:
        """Its movement was put into suspense. As ``explain``; only a movement without a journal can be."""
        if self.kind is not DifferenceKind.NO_JOURNAL:
            raise Invalid(f"Difference {self.id} is of kind {self.kind}: only a movement without journal is.")
        self._resolve(Resolution.BOOKED, note=_words(note), by=by, now=now)

    def _resolve(self, resolution: Resolution, *, note: str, by: AccountId | None, now: datetime) -> None:
        if not self.is_open:
            raise IllegalTransition(
                f"Difference {self.id} was closed at {self.resolved_at:%Y-%m-%d %H:%M} ({self.resolution}).",
                current_status=str(self.resolution),
            )
        self.resolution, self.resolved_at, self.resolved_by, self.note = resolution, now, by, note


def _words(note: str) -> str:
    words = checked_text(note, field="note", maximum=MAX_NOTE)
    if not words:
        raise Invalid("Say in words what the difference is: whoever audits the books reads it.")
    return words


class RunStatus(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(kw_only=True, slots=True)
class Reconciliation(Aggregate):
    """One comparison. ``since`` is where it began to read at the provider.

    ``movements_until`` and ``journals_until`` are how far all movements and all journals have been looked at, for the
    next run to go on from. ``balances`` is what each side had per currency, in minor units.
    """

    id: ReconciliationId
    since: datetime
    started_at: datetime
    locked_until: datetime
    movements_until: datetime
    journals_until: JournalId
    status: RunStatus = RunStatus.RUNNING
    finished_at: datetime | None = None
    next_due_at: datetime | None = None
    seen: int = 0
    matched: int = 0
    booked: int = 0
    opened: int = 0
    closed: int = 0
    balances: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    error: str = ""

    @classmethod
    def after(
        cls,
        last: Reconciliation | None,
        *,
        id: ReconciliationId,
        since: datetime | None,
        first: datetime,
        now: datetime,
    ) -> Self:
        """The run that follows ``last``; ``since`` overrules where it begins, ``first`` where the very first does."""
        until = first if last is None else last.movements_until
        return cls(
            id=id,
            since=since or until - OVERLAP,
            started_at=now,
            locked_until=now + LEASE,
            movements_until=until,
            journals_until=JournalId(0) if last is None else last.journals_until,
        )

    def is_under_way(self, now: datetime) -> bool:
        """Whether its process can be taken to be alive."""
        return self.status is RunStatus.RUNNING and now < self.locked_until

    def is_next_due(self, now: datetime) -> bool:
        """Whether it is time for the next; one whose process died counts as failed."""
        if self.status is RunStatus.RUNNING:
            return now >= self.locked_until
        return self.next_due_at is None or now >= self.next_due_at

    def goes_on(self, *, now: datetime) -> None:
        """Keep the lease."""
        self.locked_until = now + LEASE

    def done(self, *, now: datetime) -> None:
        self.status, self.finished_at, self.next_due_at = RunStatus.DONE, now, self.started_at + EVERY

    def failed(self, error: str, *, now: datetime) -> None:
        """It broke off; what it has kept stays, and the next run sees the rest."""
        self.status, self.finished_at, self.next_due_at = RunStatus.FAILED, now, now + RETRY_AFTER
        self.error = error[:MAX_ERROR]
