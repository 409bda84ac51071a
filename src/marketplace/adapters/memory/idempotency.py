"""Idempotency keys in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.idempotency import (
    KEPT,
    LAPSES_AFTER,
    Answer,
    AttachedWork,
    Attempt,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    IdempotencyKeys,
)
from marketplace.domain.shared.errors import ConcurrencyConflict
from marketplace.domain.shared.ids import AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    account_id: AccountId
    key: str
    created_at: datetime
    fingerprint: str = ""
    attempt: int = 0
    running_until: datetime | None = None
    answer: Answer | None = None
    resource_id: int | None = None


class InMemoryIdempotencyKeys(IdempotencyKeys):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    @property
    def _records(self) -> dict[Any, Any]:
        return self._store.table(InMemoryAttachedWork.name)

    def begin(self, *, account_id: AccountId, key: str, fingerprint: str, now: datetime) -> Attempt | Answer:
        with self._store.lock:
            record: _Record | None = self._records.get((account_id, key))
            if record is None or record.created_at <= now - KEPT:
                record = _Record(account_id=account_id, key=key, created_at=now)
            if record.fingerprint not in ("", fingerprint):
                raise IdempotencyKeyReused.of(key)
            if record.answer is not None:
                return record.answer
            if record.running_until is not None and record.running_until > now:
                raise IdempotencyKeyInUse.of(key)
            number = record.attempt + 1
            self._records[account_id, key] = replace(
                record, fingerprint=fingerprint, attempt=number, running_until=now + LAPSES_AFTER
            )
            return Attempt(account_id=account_id, key=key, number=number)

    def complete(self, attempt: Attempt, answer: Answer) -> None:
        with self._store.lock:
            record = self._current(attempt)
            if record is not None:
                self._records[attempt.account_id, attempt.key] = replace(record, answer=answer, running_until=None)

    def release(self, attempt: Attempt) -> None:
        with self._store.lock:
            record = self._current(attempt)
            if record is None:
                return
            if record.resource_id is None:
                del self._records[attempt.account_id, attempt.key]
            else:
                self._records[attempt.account_id, attempt.key] = replace(record, running_until=None)

    def purge(self, *, now: datetime, limit: int) -> int:
        with self._store.lock:
            old = [id for id, record in self._records.items() if record.created_at <= now - KEPT][:limit]
            for id in old:
                del self._records[id]
            return len(old)

    def _current(self, attempt: Attempt) -> _Record | None:
        record: _Record | None = self._records.get((attempt.account_id, attempt.key))
        return record if record is not None and record.attempt == attempt.number and record.answer is None else None


class InMemoryAttachedWork(InMemoryRepository[_Record], AttachedWork):
    name = "idempotency_keys"
    noun = "idempotency key"

    def key(self, entity: _Record) -> Any:
        return entity.account_id, entity.key

    def attach(self, account_id: AccountId, key: str, resource_id: int, *, now: datetime) -> None:
        record: _Record | None = self._find((account_id, key))
        if record is not None and record.resource_id is not None:
            raise ConcurrencyConflict("Another attempt of this request has been quicker; repeat it.")
        fresh = record or _Record(account_id=account_id, key=key, created_at=now)
        self._stage((account_id, key), replace(fresh, resource_id=resource_id), version=0)

    def resource(self, account_id: AccountId, key: str) -> int | None:
        record: _Record | None = self._find((account_id, key))
        return None if record is None else record.resource_id
