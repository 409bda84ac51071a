"""The audit trail in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.pages import paged
from marketplace.adapters.postgres.tables.audit import audit_entries
from marketplace.application.ports.audit import AuditFilter, AuditQueries, AuditTrail
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.audit import AuditEntry
from marketplace.domain.shared.ids import AccountId

if TYPE_CHECKING:
    from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork

_ENTRY = audit_entries.c


class PostgresAuditTrail(AuditTrail):
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    def add(self, entry: AuditEntry) -> None:
        self._uow.execute(
            sa.insert(audit_entries),
            {
                "occurred_at": entry.occurred_at,
                "actor_id": entry.actor_id,
                "roles": list(entry.roles),
                "action": entry.action,
                "subject_type": entry.subject_type,
                "subject_id": entry.subject_id,
                "origin": entry.origin,
                "reason": entry.reason,
                "before": dict(entry.before),
                "after": dict(entry.after),
            },
        )


class PostgresAuditQueries(AuditQueries):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def entries(self, request: PageRequest, *, wanted: AuditFilter) -> Page[AuditEntry]:
        statement = sa.select(audit_entries)
        for column, value in (
            (_ENTRY.actor_id, wanted.actor_id),
            (_ENTRY.subject_type, wanted.subject_type),
            (_ENTRY.subject_id, wanted.subject_id),
            (_ENTRY.action, wanted.action),
        ):
            if value is not None:
                statement = statement.where(column == value)
        if wanted.since is not None:
            statement = statement.where(_ENTRY.occurred_at >= wanted.since)
        if wanted.until is not None:
            statement = statement.where(_ENTRY.occurred_at < wanted.until)
        keys = [_ENTRY.occurred_at, _ENTRY.id]
        with translated({}), self._engine.connect() as connection:
            return paged(connection, statement, keys=keys, descending=True, request=request, view=_entry)


def _entry(row: Any) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        occurred_at=row.occurred_at,
        actor_id=None if row.actor_id is None else AccountId(row.actor_id),
        roles=tuple(row.roles),
        action=row.action,
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        origin=row.origin,
        reason=row.reason,
        before=row.before,
        after=row.after,
    )
