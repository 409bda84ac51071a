"""The audit trail in memory."""

from __future__ import annotations

from dataclasses import replace

from marketplace.adapters.memory.pages import paged
from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.audit import AuditFilter, AuditQueries, AuditTrail
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.audit import AuditEntry


class InMemoryAuditTrail(InMemoryRepository[AuditEntry], AuditTrail):
    name = "audit_entries"
    noun = "audit entry"

    def add(self, entity: AuditEntry) -> None:
        super().add(replace(entity, id=sum(1 for _ in self._scan()) + 1))


class InMemoryAuditQueries(AuditQueries):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def entries(self, request: PageRequest, *, wanted: AuditFilter) -> Page[AuditEntry]:
        with self._store.lock:
            entries: list[AuditEntry] = list(self._store.table("audit_entries").values())
        return paged(
            [entry for entry in entries if _matches(entry, wanted)],
            key=lambda entry: (entry.occurred_at.isoformat(), entry.id),
            descending=True,
            request=request,
            view=lambda entry: entry,
        )


def _matches(entry: AuditEntry, wanted: AuditFilter) -> bool:
    return (
        wanted.actor_id in (None, entry.actor_id)
        and wanted.subject_type in (None, entry.subject_type)
        and wanted.subject_id in (None, entry.subject_id)
        and wanted.action in (None, entry.action)
        and (wanted.since is None or entry.occurred_at >= wanted.since)
        and (wanted.until is None or entry.occurred_at < wanted.until)
    )
