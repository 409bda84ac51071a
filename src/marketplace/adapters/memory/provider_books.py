"""The provider's movements beside our journals, in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from marketplace.adapters.memory.ledger import InMemoryLedger
from marketplace.adapters.memory.pages import paged
from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.application.ports.provider_books import (
    BookedMovement,
    DifferenceRepository,
    ProviderBooks,
    ReconciliationQueries,
    ReconciliationRepository,
)
from marketplace.domain.ledger import STRIPE_BALANCE, Journal
from marketplace.domain.provider_books import Booking, Movement
from marketplace.domain.reconciliation import (
    Difference,
    DifferenceId,
    DifferenceKind,
    Reconciliation,
    ReconciliationBusy,
    RunStatus,
)
from marketplace.domain.shared.errors import Conflict
from marketplace.domain.shared.ids import JournalId


@dataclass(frozen=True, slots=True)
class _Kept:
    movement: Movement
    settled: bool = False


@dataclass(frozen=True, slots=True)
class _Match:
    journal_id: JournalId
    movement_id: str


class _Movements(InMemoryRepository[_Kept]):
    name = "provider_movements"
    noun = "movement"

    def key(self, entity: _Kept) -> Any:
        return entity.movement.id


class _Matches(InMemoryRepository[_Match]):
    name = "movement_journals"
    noun = "match"

    def key(self, entity: _Match) -> Any:
        return entity.journal_id


class InMemoryProviderBooks(ProviderBooks):
    def __init__(self, uow: Any) -> None:
        self._uow = uow
        self._movements, self._matches = _Movements(uow), _Matches(uow)

    def keep(self, movements: Sequence[Movement]) -> None:
        for movement in movements:
            known: _Kept | None = self._movements._find(movement.id)
            self._movements.save(_Kept(movement, known is not None and known.settled))

    def booked(self, bookings: Collection[Booking]) -> Mapping[tuple[str, str], BookedMovement]:
        keys = [(booking.kind, booking.source_key) for booking in bookings]
        found = (self._ledger._find(key) for key in keys)
        return {(b.kind.value, b.source_key): b for b in self._moves(each for each in found if each is not None)}

    def settle(self, movement_ids: Collection[str], *, matches: Mapping[JournalId, str]) -> None:
        for id in movement_ids:
            self._movements.save(replace(self._movements.get(id), settled=True))
        for journal_id, movement_id in matches.items():
            if self._matches._find(journal_id) is None:
                self._matches.add(_Match(journal_id, movement_id))

    def get(self, movement_id: str) -> Movement:
        return self._movements.get(movement_id).movement

    def unsettled(self, *, before: datetime, after: str, limit: int) -> Sequence[Movement]:
        found = (kept.movement for kept in self._movements._scan() if not kept.settled)
        late = sorted((m for m in found if m.created_at < before and m.id > after), key=lambda movement: movement.id)
        return late[:limit]

    def settled_among(self, movement_ids: Collection[str]) -> Collection[str]:
        return {kept.movement.id for kept in self._movements._scan() if kept.settled} & set(movement_ids)

    def matched_among(self, journal_ids: Collection[JournalId]) -> Collection[JournalId]:
        return {match.journal_id for match in self._matches._scan()} & set(journal_ids)

    def unmatched_journals(
        self, *, before: datetime, after: JournalId, limit: int
    ) -> tuple[Sequence[BookedMovement], JournalId]:
        journals = sorted((j for j in self._ledger._scan() if (j.id or 0) > after), key=lambda journal: journal.id or 0)
        window = []
        for journal in journals[:limit]:
            if journal.occurred_at >= before:
                break
            window.append(journal)
        last = JournalId(window[-1].id or 0) if window else after
        return [booked for booked in self._moves(window) if booked.movement_id is None], last

    def totals(self) -> Mapping[str, tuple[int, int]]:
        sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for kept in self._movements._scan():
            sums[kept.movement.currency][0] += kept.movement.net
            sums[kept.movement.currency][1] += kept.movement.net if kept.movement.is_reserve else 0
        return {currency: (net, reserved) for currency, (net, reserved) in sums.items()}

    @property
    def _ledger(self) -> InMemoryLedger:
        ledger: InMemoryLedger = self._uow.ledger
        return ledger

    def _moves(self, journals: Iterable[Journal]) -> list[BookedMovement]:
        found = []
        for journal in journals:
            amount = sum(line.amount for line in journal.lines if line.account == STRIPE_BALANCE)
            if amount:
                id = JournalId(journal.id or 0)
                match: _Match | None = self._matches._find(id)
                found.append(
                    BookedMovement(
                        journal_id=id,
                        kind=journal.kind,
                        source_key=journal.source_key,
                        currency=journal.currency,
                        amount=amount,
                        occurred_at=journal.occurred_at,
                        movement_id=None if match is None else match.movement_id,
                    )
                )
        return found


class InMemoryDifferences(InMemoryRepository[Difference], DifferenceRepository):
    name = "ledger_differences"
    noun = "difference"

    def check_constraints(self, entities: Collection[Difference]) -> None:
        if len({(difference.kind, difference.subject) for difference in entities}) < len(entities):
            raise Conflict("This difference is known already.")

    def get_for_update(self, id: DifferenceId) -> Difference:
        return self.get(id)

    def known(self, kind: DifferenceKind, subjects: Collection[str]) -> Collection[str]:
        return {difference.subject for difference in self._scan() if difference.kind is kind} & set(subjects)

    def open_after(self, after: DifferenceId, *, limit: int) -> Sequence[Difference]:
        found = self._all(lambda difference: difference.is_open and difference.id > after)
        return sorted(found, key=lambda difference: difference.id)[:limit]


class InMemoryReconciliations(InMemoryRepository[Reconciliation], ReconciliationRepository):
    name = "reconciliations"
    noun = "reconciliation"

    def check_constraints(self, entities: Collection[Reconciliation]) -> None:
        if sum(run.status is RunStatus.RUNNING for run in entities) > 1:
            raise ReconciliationBusy("The books are being compared right now.")

    def latest_for_update(self) -> Reconciliation | None:
        return max(self._all(lambda run: True), key=lambda run: (run.started_at, run.id), default=None)


class InMemoryReconciliationQueries(ReconciliationQueries):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def latest(self) -> Reconciliation | None:
        with self._store.lock:
            runs: list[Reconciliation] = list(self._store.table(InMemoryReconciliations.name).values())
            latest = max(runs, key=lambda run: (run.started_at, run.id), default=None)
            return None if latest is None else replace(latest)

    def differences(self, request: PageRequest, *, is_open: bool | None = None) -> Page[Difference]:
        with self._store.lock:
            found: list[Difference] = list(self._store.table(InMemoryDifferences.name).values())
            return paged(
                [difference for difference in found if is_open is None or difference.is_open == is_open],
                key=lambda difference: (difference.opened_at.isoformat(), difference.id),
                descending=True,
                request=request,
                view=replace,
            )
