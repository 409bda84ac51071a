"""The provider's movements beside our journals, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.pages import paged
from marketplace.adapters.postgres.repository import PostgresRepository
from marketplace.adapters.postgres.tables.ledger import journal_lines, journals
from marketplace.adapters.postgres.tables.provider_books import (
    ledger_differences,
    movement_journals,
    provider_movements,
    reconciliations,
)
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.application.ports.provider_books import (
    BookedMovement,
    DifferenceRepository,
    ProviderBooks,
    ReconciliationQueries,
    ReconciliationRepository,
)
from marketplace.domain.ledger import STRIPE_BALANCE, JournalKind
from marketplace.domain.provider_books import Booking, Movement
from marketplace.domain.reconciliation import (
    Difference,
    DifferenceId,
    DifferenceKind,
    Reconciliation,
    ReconciliationBusy,
    Resolution,
    RunStatus,
)
from marketplace.domain.shared.errors import Conflict, NotFound
from marketplace.domain.shared.ids import JournalId

if TYPE_CHECKING:
    from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork

_movement, _matched = provider_movements.c, movement_journals.c
_RESERVES = sa.or_(_movement.type.like("reserve%"), _movement.type.like("payout\\_minimum\\_balance\\_%"))


class PostgresProviderBooks(ProviderBooks):
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    def keep(self, movements: Sequence[Movement]) -> None:
        if not movements:
            return
        rows = [{name: getattr(movement, name) for name in _FIELDS} for movement in movements]
        new = insert(provider_movements).values(rows)
        now = {name: new.excluded[name] for name in _FIELDS if name != "id"}
        self._uow.execute(new.on_conflict_do_update(index_elements=["id"], set_=now))

    def booked(self, bookings: Collection[Booking]) -> Mapping[tuple[str, str], BookedMovement]:
        if not bookings:
            return {}
        wanted = [(booking.kind.value, booking.source_key) for booking in bookings]
        found = _moves().where(sa.tuple_(journals.c.kind, journals.c.source_key).in_(wanted))
        return {(row.kind, row.source_key): _booked(row) for row in self._uow.execute(found)}

    def settle(self, movement_ids: Collection[str], *, matches: Mapping[JournalId, str]) -> None:
        if movement_ids:
            self._uow.execute(sa.update(provider_movements).where(_movement.id.in_(movement_ids)).values(settled=True))
        if matches:
            rows = [{"journal_id": journal, "movement_id": movement} for journal, movement in matches.items()]
            self._uow.execute(insert(movement_journals).values(rows).on_conflict_do_nothing())

    def get(self, movement_id: str) -> Movement:
        row = self._uow.execute(sa.select(provider_movements).where(_movement.id == movement_id)).first()
        if row is None:
            raise NotFound(f"There is no movement {movement_id}.")
        return _of_provider(row)

    def unsettled(self, *, before: datetime, after: str, limit: int) -> Sequence[Movement]:
        found = (
            sa.select(provider_movements)
            .where(~_movement.settled, _movement.created_at < before, _movement.id > after)
            .order_by(_movement.id)
            .limit(limit)
        )
        return [_of_provider(row) for row in self._uow.execute(found)]

    def settled_among(self, movement_ids: Collection[str]) -> Collection[str]:
        found = sa.select(_movement.id).where(_movement.id.in_(movement_ids), _movement.settled)
        return set(self._uow.execute(found).scalars())

    def matched_among(self, journal_ids: Collection[JournalId]) -> Collection[JournalId]:
        found = sa.select(_matched.journal_id).where(_matched.journal_id.in_(journal_ids))
        return set(self._uow.execute(found).scalars())

    def unmatched_journals(
        self, *, before: datetime, after: JournalId, limit: int
    ) -> tuple[Sequence[BookedMovement], JournalId]:
        window = sa.select(journals.c.id, journals.c.occurred_at).where(journals.c.id > after)
        last = after
        for row in self._uow.execute(window.order_by(journals.c.id).limit(limit)):
            if row.occurred_at >= before:
                break
            last = row.id
        found = (
            _moves()
            .where(journals.c.id > after, journals.c.id <= last, _matched.journal_id.is_(None))
            .order_by(journals.c.id)
        )
        return [_booked(row) for row in self._uow.execute(found)], last

    def totals(self) -> Mapping[str, tuple[int, int]]:
        found = sa.select(
            _movement.currency,
            sa.func.sum(_movement.net).label("net"),
            sa.func.coalesce(sa.func.sum(_movement.net).filter(_RESERVES), 0).label("reserved"),
        ).group_by(_movement.currency)
        return {row.currency: (int(row.net), int(row.reserved)) for row in self._uow.execute(found)}


class PostgresDifferences(PostgresRepository[Difference], DifferenceRepository):
    table = ledger_differences
    noun = "difference"
    constraints: ClassVar = {"one_difference_a_subject": (Conflict, "This difference is known already.")}

    def known(self, kind: DifferenceKind, subjects: Collection[str]) -> Collection[str]:
        table = ledger_differences.c
        found = sa.select(table.subject).where(table.kind == kind.value, table.subject.in_(subjects))
        return set(self._execute(found).scalars())

    def open_after(self, after: DifferenceId, *, limit: int) -> Sequence[Difference]:
        table = ledger_differences.c
        found = (
            sa.select(ledger_differences)
            .where(table.resolved_at.is_(None), table.id > after)
            .order_by(table.id)
            .limit(limit)
            .with_for_update()
        )
        return [_difference(row) for row in self._execute(found)]

    def to_row(self, entity: Difference) -> dict[str, Any]:
        return {
            "id": entity.id,
            "kind": entity.kind.value,
            "subject": entity.subject,
            "currency": entity.currency,
            "ours": entity.ours,
            "theirs": entity.theirs,
            "detail": entity.detail,
            "movement_id": entity.movement_id,
            "journal_id": entity.journal_id,
            "opened_at": entity.opened_at,
            "resolution": None if entity.resolution is None else entity.resolution.value,
            "resolved_at": entity.resolved_at,
            "resolved_by": entity.resolved_by,
            "note": entity.note,
        }

    def from_row(self, row: Any) -> Difference:
        return _difference(row)


class PostgresReconciliations(PostgresRepository[Reconciliation], ReconciliationRepository):
    table = reconciliations
    noun = "reconciliation"
    constraints: ClassVar = {
        "one_reconciliation_at_a_time": (ReconciliationBusy, "The books are being compared right now.")
    }

    def latest_for_update(self) -> Reconciliation | None:
        row = self._execute(_latest().with_for_update()).first()
        return None if row is None else _run(row)

    def to_row(self, entity: Reconciliation) -> dict[str, Any]:
        return {name: getattr(entity, name) for name in _OF_RUN} | {
            "status": entity.status.value,
            "balances": {currency: dict(sides) for currency, sides in entity.balances.items()},
        }

    def from_row(self, row: Any) -> Reconciliation:
        return _run(row)


class PostgresReconciliationQueries(ReconciliationQueries):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def latest(self) -> Reconciliation | None:
        with translated({}), self._engine.connect() as connection:
            row = connection.execute(_latest()).first()
            return None if row is None else _run(row)

    def differences(self, request: PageRequest, *, is_open: bool | None = None) -> Page[Difference]:
        table = ledger_differences.c
        wanted = sa.select(ledger_differences)
        if is_open is not None:
            wanted = wanted.where(table.resolved_at.is_(None) if is_open else table.resolved_at.is_not(None))
        with translated({}), self._engine.connect() as connection:
            return paged(
                connection,
                wanted,
                keys=[table.opened_at, table.id],
                descending=True,
                request=request,
                view=_difference,
            )


_FIELDS = tuple(column.name for column in provider_movements.columns if column.name != "settled")
_OF_RUN = tuple(column.name for column in reconciliations.columns if column.name != "version")


def _moves() -> sa.Select[Any]:
    """Journals with what they move on our balance at the provider, and what they were matched with."""
    return (
        sa.select(journals, journal_lines.c.amount, _matched.movement_id)
        .join(
            journal_lines,
            sa.and_(journal_lines.c.journal_id == journals.c.id, journal_lines.c.account == STRIPE_BALANCE),
        )
        .outerjoin(movement_journals, _matched.journal_id == journals.c.id)
    )


def _latest() -> sa.Select[Any]:
    table = reconciliations.c
    return sa.select(reconciliations).order_by(table.started_at.desc(), table.id.desc()).limit(1)


def _booked(row: Any) -> BookedMovement:
    return BookedMovement(
        journal_id=row.id,
        kind=JournalKind(row.kind),
        source_key=row.source_key,
        currency=row.currency,
        amount=row.amount,
        occurred_at=row.occurred_at,
        movement_id=row.movement_id,
    )


def _of_provider(row: Any) -> Movement:
    return Movement(**{name: getattr(row, name) for name in _FIELDS})


def _difference(row: Any) -> Difference:
    return Difference(
        id=row.id,
        kind=DifferenceKind(row.kind),
        subject=row.subject,
        currency=row.currency,
        ours=row.ours,
        theirs=row.theirs,
        detail=row.detail,
        movement_id=row.movement_id,
        journal_id=row.journal_id,
        opened_at=row.opened_at,
        resolution=None if row.resolution is None else Resolution(row.resolution),
        resolved_at=row.resolved_at,
        resolved_by=row.resolved_by,
        note=row.note,
        version=row.version,
    )


def _run(row: Any) -> Reconciliation:
    fields = {name: getattr(row, name) for name in _OF_RUN}
    return Reconciliation(**{**fields, "status": RunStatus(row.status)}, version=row.version)
