"""Idempotency keys in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.tables.idempotency import idempotency_keys as keys
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
from marketplace.domain.shared.errors import ConcurrencyConflict, Unavailable
from marketplace.domain.shared.ids import AccountId

if TYPE_CHECKING:
    from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork

_TRIES = 5


class PostgresIdempotencyKeys(IdempotencyKeys):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def begin(self, *, account_id: AccountId, key: str, fingerprint: str, now: datetime) -> Attempt | Answer:
        for _ in range(_TRIES):
            with translated({}), self._engine.begin() as connection:
                number = connection.execute(_begun(account_id, key, fingerprint, now)).scalar()
                if number is not None:
                    return Attempt(account_id=account_id, key=key, number=number)
                row = connection.execute(
                    sa.select(keys.c.fingerprint, keys.c.status, keys.c.body, keys.c.headers).where(
                        keys.c.account_id == account_id, keys.c.key == key
                    )
                ).first()
            if row is None:
                continue  # released between the two statements: begin again
            if row.fingerprint not in ("", fingerprint):
                raise IdempotencyKeyReused.of(key)
            if row.status is None:
                raise IdempotencyKeyInUse.of(key)
            return Answer(status=row.status, body=row.body, headers=row.headers)
        raise Unavailable("Too many requests carry this Idempotency-Key at once; ask again in a moment.")

    def complete(self, attempt: Attempt, answer: Answer) -> None:
        with translated({}), self._engine.begin() as connection:
            connection.execute(
                sa.update(keys)
                .where(*_is_current(attempt))
                .values(status=answer.status, body=answer.body, headers=dict(answer.headers), running_until=None)
            )

    def release(self, attempt: Attempt) -> None:
        with translated({}), self._engine.begin() as connection:
            connection.execute(sa.delete(keys).where(*_is_current(attempt), keys.c.resource_id.is_(None)))
            connection.execute(sa.update(keys).where(*_is_current(attempt)).values(running_until=None))

    def purge(self, *, now: datetime, limit: int) -> int:
        old = (
            sa.select(keys.c.account_id, keys.c.key)
            .where(keys.c.created_at <= now - KEPT)
            .order_by(keys.c.created_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        with translated({}), self._engine.begin() as connection:
            return connection.execute(sa.delete(keys).where(sa.tuple_(keys.c.account_id, keys.c.key).in_(old))).rowcount


def _begun(account_id: AccountId, key: str, fingerprint: str, now: datetime) -> Any:
    """One statement: the key is new, expired, released or lapsed, and this attempt's; or no row comes back."""
    fresh = insert(keys).values(
        account_id=account_id,
        key=key,
        fingerprint=fingerprint,
        attempt=1,
        running_until=now + LAPSES_AFTER,
        created_at=now,
    )
    expired = keys.c.created_at <= now - KEPT
    free = sa.and_(
        keys.c.fingerprint.in_(("", fingerprint)),
        keys.c.status.is_(None),
        sa.or_(keys.c.running_until.is_(None), keys.c.running_until <= now),
    )
    return fresh.on_conflict_do_update(
        index_elements=[keys.c.account_id, keys.c.key],
        set_={
            "fingerprint": fresh.excluded.fingerprint,
            "attempt": keys.c.attempt + 1,
            "running_until": fresh.excluded.running_until,
            "status": None,
            "body": None,
            "headers": sa.null(),
            "resource_id": sa.case((expired, None), else_=keys.c.resource_id),
            "created_at": sa.case((expired, fresh.excluded.created_at), else_=keys.c.created_at),
        },
        where=sa.or_(expired, free),
    ).returning(keys.c.attempt)


def _is_current(attempt: Attempt) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        keys.c.account_id == attempt.account_id,
        keys.c.key == attempt.key,
        keys.c.attempt == attempt.number,
        keys.c.status.is_(None),
    )


class PostgresAttachedWork(AttachedWork):
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    def attach(self, account_id: AccountId, key: str, resource_id: int, *, now: datetime) -> None:
        row = insert(keys).values(account_id=account_id, key=key, resource_id=resource_id, created_at=now)
        done = self._uow.execute(
            row.on_conflict_do_update(
                index_elements=[keys.c.account_id, keys.c.key],
                set_={"resource_id": row.excluded.resource_id},
                where=keys.c.resource_id.is_(None),
            )
        )
        if done.rowcount == 0:
            raise ConcurrencyConflict("Another attempt of this request has been quicker; repeat it.")

    def resource(self, account_id: AccountId, key: str) -> int | None:
        found: int | None = self._uow.execute(
            sa.select(keys.c.resource_id).where(keys.c.account_id == account_id, keys.c.key == key).with_for_update()
        ).scalar()
        return found
