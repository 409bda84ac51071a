"""What signing in needs, in PostgreSQL: codes, password resets, sessions and their tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from marketplace.adapters.postgres.repository import PostgresRepository
from marketplace.adapters.postgres.tables.identity import one_time_codes, password_resets, session_tokens, sessions
from marketplace.application.ports.identity import (
    CodeRepository,
    PasswordResetRepository,
    SessionRepository,
    SessionView,
)
from marketplace.domain.identity.codes import CodePurpose, OneTimeCode
from marketplace.domain.identity.devices import Device
from marketplace.domain.identity.password_resets import PasswordReset
from marketplace.domain.identity.sessions import Session
from marketplace.domain.shared.errors import ConcurrencyConflict
from marketplace.domain.shared.ids import AccountId, CodeId, SessionId

_ASKED_TWICE = (ConcurrencyConflict, "Somebody else asked for a code at the same time; repeat.")


class PostgresCodes(PostgresRepository[OneTimeCode], CodeRepository):
    table = one_time_codes
    noun = "code"
    constraints: ClassVar = {"one_code_per_purpose": _ASKED_TWICE}

    def of(self, account_id: AccountId, purpose: CodePurpose) -> OneTimeCode | None:
        columns = one_time_codes.c
        return self._first(columns.account_id == account_id, columns.purpose == purpose.value, lock=True)

    def purge(self, *, before: datetime, limit: int) -> int:
        columns = one_time_codes.c
        old = (
            sa.select(columns.id)
            .where(columns.requested_at < before, _is_over(columns.expires_at, before))
            .order_by(columns.requested_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return self._execute(sa.delete(one_time_codes).where(columns.id.in_(old))).rowcount

    def to_row(self, entity: OneTimeCode) -> dict[str, Any]:
        return {
            "id": entity.id,
            "account_id": entity.account_id,
            "purpose": entity.purpose.value,
            "requested_at": entity.requested_at,
            "code_hash": entity.code_hash,
            "expires_at": entity.expires_at,
            "tries": entity.tries,
            "used_at": entity.used_at,
        }

    def from_row(self, row: Any) -> OneTimeCode:
        return OneTimeCode(
            id=row.id,
            account_id=row.account_id,
            purpose=CodePurpose(row.purpose),
            requested_at=row.requested_at,
            code_hash=row.code_hash,
            expires_at=row.expires_at,
            tries=row.tries,
            used_at=row.used_at,
            version=row.version,
        )


class PostgresPasswordResets(PostgresRepository[PasswordReset], PasswordResetRepository):
    table = password_resets
    noun = "password reset"
    constraints: ClassVar = {"one_reset_per_address": _ASKED_TWICE}

    def find(self, id: CodeId) -> PasswordReset | None:
        return self._first(password_resets.c.id == id, lock=True)

    def by_address(self, address_hash: str) -> PasswordReset | None:
        return self._first(password_resets.c.address_hash == address_hash, lock=True)

    def by_token(self, token_hash: str) -> PasswordReset | None:
        return self._first(password_resets.c.token_hash == token_hash, lock=True)

    def void_of(self, account_id: AccountId) -> None:
        nothing = {"code_hash": None, "expires_at": None, "token_hash": None, "token_expires_at": None}
        columns = password_resets.c
        statement = sa.update(password_resets).where(columns.account_id == account_id)
        self._execute(statement.values(**nothing, version=columns.version + 1))

    def purge(self, *, before: datetime, limit: int) -> int:
        columns = password_resets.c
        old = (
            sa.select(columns.id)
            .where(
                columns.requested_at < before,
                _is_over(columns.expires_at, before),
                _is_over(columns.token_expires_at, before),
            )
            .order_by(columns.requested_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return self._execute(sa.delete(password_resets).where(columns.id.in_(old))).rowcount

    def to_row(self, entity: PasswordReset) -> dict[str, Any]:
        return {
            "id": entity.id,
            "address_hash": entity.address_hash,
            "sealed_address": entity.sealed_address,
            "account_id": entity.account_id,
            "requested_at": entity.requested_at,
            "code_hash": entity.code_hash,
            "expires_at": entity.expires_at,
            "tries": entity.tries,
            "used_at": entity.used_at,
            "token_hash": entity.token_hash,
            "token_expires_at": entity.token_expires_at,
        }

    def from_row(self, row: Any) -> PasswordReset:
        return PasswordReset(
            id=row.id,
            address_hash=row.address_hash,
            sealed_address=row.sealed_address,
            account_id=row.account_id,
            requested_at=row.requested_at,
            code_hash=row.code_hash,
            expires_at=row.expires_at,
            tries=row.tries,
            used_at=row.used_at,
            token_hash=row.token_hash,
            token_expires_at=row.token_expires_at,
            version=row.version,
        )


def _is_over(end: sa.ColumnElement[Any], at: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(end.is_(None), end < at)


class PostgresSessions(PostgresRepository[Session], SessionRepository):
    table = sessions
    noun = "session"

    def add(self, entity: Session) -> None:
        super().add(entity)
        self._remember_token(entity)

    def save(self, entity: Session) -> None:
        super().save(entity)
        self._remember_token(entity)

    def by_token(self, token_hash: str) -> Session | None:
        # PostgreSQL reads the session again once it has the lock: whoever comes second sees the first one's refresh.
        statement = (
            sa.select(sessions)
            .join(session_tokens, session_tokens.c.session_id == sessions.c.id)
            .where(session_tokens.c.token_hash == token_hash)
            .with_for_update(of=sessions)
        )
        row = self._execute(statement).first()
        return None if row is None else self.from_row(row)

    def revoke_all(self, account_id: AccountId, *, now: datetime, but: SessionId | None = None) -> int:
        others = sa.true() if but is None else sessions.c.id != but
        return self._revoke(sessions.c.account_id == account_id, others, now=now)

    def revoke_oldest(self, account_id: AccountId, *, keep: int, now: datetime) -> int:
        oldest = (
            sa.select(sessions.c.id)
            .where(sessions.c.account_id == account_id, sessions.c.revoked_at.is_(None))
            .order_by(sessions.c.refreshed_at.desc(), sessions.c.id.desc())
            .offset(keep)
        )
        return self._revoke(sessions.c.id.in_(oldest), now=now)

    def purge(self, *, expired_before: datetime, limit: int) -> int:
        old = (
            sa.select(sessions.c.id)
            .where(sessions.c.expires_at < expired_before)
            .order_by(sessions.c.expires_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return self._execute(sa.delete(sessions).where(sessions.c.id.in_(old))).rowcount

    def purge_tokens(self, *, expired_before: datetime, limit: int) -> int:
        old = (
            sa.select(session_tokens.c.token_hash)
            .where(session_tokens.c.expires_at < expired_before)
            .order_by(session_tokens.c.expires_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return self._execute(sa.delete(session_tokens).where(session_tokens.c.token_hash.in_(old))).rowcount

    def _revoke(self, *where: sa.ColumnElement[bool], now: datetime) -> int:
        statement = (
            sa.update(sessions)
            .where(*where, sessions.c.revoked_at.is_(None))
            .values(revoked_at=now, version=sessions.c.version + 1)
        )
        return self._execute(statement).rowcount

    def _remember_token(self, session: Session) -> None:
        token = {"token_hash": session.token_hash, "session_id": session.id, "expires_at": session.expires_at}
        self._execute(insert(session_tokens).values(**token).on_conflict_do_nothing())

    def to_row(self, entity: Session) -> dict[str, Any]:
        return {
            "id": entity.id,
            "account_id": entity.account_id,
            "token_hash": entity.token_hash,
            "started_at": entity.started_at,
            "refreshed_at": entity.refreshed_at,
            "expires_at": entity.expires_at,
            "revoked_at": entity.revoked_at,
            "device": entity.device.name,
            "ip": entity.device.address,
        }

    def from_row(self, row: Any) -> Session:
        return Session(
            id=row.id,
            account_id=row.account_id,
            token_hash=row.token_hash,
            started_at=row.started_at,
            refreshed_at=row.refreshed_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            device=Device(name=row.device, address=row.ip),
            version=row.version,
        )


OPEN_SESSION = sa.select(
    sessions.c.id,
    sessions.c.device,
    sessions.c.ip,
    sessions.c.started_at,
    sessions.c.refreshed_at,
    sessions.c.expires_at,
).where(sessions.c.revoked_at.is_(None))


def session_view(row: Any) -> SessionView:
    return SessionView(
        id=row.id,
        device=Device(name=row.device, address=row.ip),
        started_at=row.started_at,
        last_used_at=row.refreshed_at,
        expires_at=row.expires_at,
    )
