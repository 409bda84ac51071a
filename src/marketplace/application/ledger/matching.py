"""Matching the provider's movements with our journals, in one transaction for each bounded batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.provider_books import BookedMovement
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.provider_books import Booking, Movement
from marketplace.domain.reconciliation import Difference, DifferenceId, DifferenceKind
from marketplace.domain.shared.ids import JournalId
from marketplace.domain.shared.money import Money


@dataclass(kw_only=True, slots=True)
class Matched:
    """What one batch came to: how many movements were settled, journals posted and differences opened."""

    settled: int = 0
    booked: int = 0
    opened: int = 0


@dataclass(kw_only=True, slots=True)
class _Judged:
    """What becomes of movements: which need no more looking at, which journals stand for them, what is wrong."""

    settled: list[str] = field(default_factory=list)
    matches: dict[JournalId, str] = field(default_factory=dict)
    faults: list[tuple[Movement, DifferenceKind, Money | None, str]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Matching:
    """Gives movements their journals. ``ids`` names the differences."""

    ids: IdSequence

    def __call__(
        self, uow: UnitOfWork, movements: Sequence[Movement], *, missing_is_a_fault: bool, now: datetime
    ) -> Matched:
        """Match these, which are kept already. What can be booked on their own word is.

        ``missing_is_a_fault``: they are old enough for their journals to be there.
        """
        booked = 0
        for movement in movements:
            booked += sum(uow.ledger.post(journal) for journal in movement.own_journals())
        found = uow.provider_books.booked([booking for movement in movements for booking in movement.bookings()])
        judged = _Judged()
        for movement in movements:
            _judge(movement, found, judged, missing_is_a_fault=missing_is_a_fault)
        uow.provider_books.settle(judged.settled, matches=judged.matches)
        return Matched(settled=len(judged.settled), booked=booked, opened=self._open(uow, judged, now))

    def _open(self, uow: UnitOfWork, judged: _Judged, now: datetime) -> int:
        subjects: dict[DifferenceKind, list[str]] = {}
        for movement, kind, _, _ in judged.faults:
            subjects.setdefault(kind, []).append(movement.id)
        known = {kind: uow.differences.known(kind, ids) for kind, ids in subjects.items()}
        fresh = [fault for fault in judged.faults if fault[0].id not in known[fault[1]]]
        for movement, kind, ours, detail in fresh:
            uow.differences.add(
                Difference.found(
                    id=DifferenceId(self.ids.next()),
                    kind=kind,
                    subject=movement.id,
                    currency=movement.currency,
                    ours=None if ours is None else ours.amount,
                    theirs=movement.net,
                    detail=detail,
                    movement_id=movement.id,
                    now=now,
                )
            )
        return len(fresh)


def _judge(
    movement: Movement,
    found: Mapping[tuple[str, str], BookedMovement],
    judged: _Judged,
    *,
    missing_is_a_fault: bool,
) -> None:
    bookings = [booking for booking in movement.bookings() if booking.amount]
    journals = {(b.kind.value, b.source_key): found.get((b.kind.value, b.source_key)) for b in bookings}
    there = [journal for journal in journals.values() if journal is not None]
    taken = [
        (journal, of)
        for journal in there
        if (of := journal.movement_id or judged.matches.get(journal.journal_id, movement.id)) != movement.id
    ]
    missing = [booking for booking in bookings if journals[booking.kind.value, booking.source_key] is None]
    if movement.is_known and not missing and not taken:
        judged.settled.append(movement.id)
        judged.matches.update({journal.journal_id: movement.id for journal in there})
        if detail := _differs(movement, bookings, found):
            ours = Money(sum(journal.amount for journal in there), there[0].currency)
            judged.faults.append((movement, DifferenceKind.AMOUNT, ours, detail))
    elif missing_is_a_fault:
        detail = f"{_named(movement)}: {_why(movement, missing, taken)}"
        judged.faults.append((movement, DifferenceKind.NO_JOURNAL, None, detail))


def _differs(movement: Movement, bookings: Iterable[Booking], found: Mapping[tuple[str, str], BookedMovement]) -> str:
    for booking in bookings:
        journal = found[booking.kind.value, booking.source_key]
        if (journal.amount, journal.currency) != (booking.amount, movement.currency):
            theirs, ours = Money(booking.amount, movement.currency), Money(journal.amount, journal.currency)
            name = f"journal {journal.journal_id} ({booking.kind})"
            return f"{_named(movement)}: the provider moved {theirs}, {name} has {ours}"
    return ""


def _named(movement: Movement) -> str:
    of = f" of {movement.source}" if movement.source else ""
    return f"{movement.type}{of}, {Money(movement.net, movement.currency)} on {movement.created_at:%Y-%m-%d %H:%M}"


def _why(movement: Movement, missing: Sequence[Booking], taken: Sequence[tuple[BookedMovement, str]]) -> str:
    if taken:
        journal, of = taken[0]
        return (
            f"journal {journal.journal_id} ({journal.kind}) stands for movement {of} already, so that this "
            "is a second movement of the same thing; look at it in the provider's dashboard"
        )
    if missing:
        wanted = " and ".join(f"{booking.kind} {booking.source_key}" for booking in missing)
        return (
            f"there is no journal {wanted}; its event may be waiting or dead among the webhooks, or it was made "
            "in the provider's dashboard"
        )
    return (
        f"movements of type {movement.type!r} ({movement.reporting_category or 'no category'}) are not known here; "
        "find out what it is, then explain it or book it to suspense"
    )
