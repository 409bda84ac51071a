"""What signing in needs, in memory: codes, password resets, sessions and their tokens."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.application.ports.identity import (
    CodeRepository,
    PasswordResetRepository,
    SessionRepository,
    SessionView,
)
from marketplace.domain.identity.codes import CodePurpose, OneTimeCode
from marketplace.domain.identity.password_resets import PasswordReset
from marketplace.domain.identity.sessions import Session
from marketplace.domain.shared.errors import ConcurrencyConflict
from marketplace.domain.shared.ids import AccountId, CodeId, SessionId

if TYPE_CHECKING:
    from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork


class InMemoryCodes(InMemoryRepository[OneTimeCode], CodeRepository):
    name = "one_time_codes"
    noun = "code"

    def check_constraints(self, entities: Collection[OneTimeCode]) -> None:
        if len({(code.account_id, code.purpose) for code in entities}) < len(entities):
            raise ConcurrencyConflict("Somebody else asked for a code at the same time; repeat.")

    def of(self, account_id: AccountId, purpose: CodePurpose) -> OneTimeCode | None:
        return self._first(lambda code: (code.account_id, code.purpose) == (account_id, purpose))

    def purge(self, *, before: datetime, limit: int) -> int:
        old = self._all(lambda code: code.requested_at < before and _is_over(code.expires_at, before))[:limit]
        for code in old:
            self.remove(code.id)
        return len(old)


class InMemoryPasswordResets(InMemoryRepository[PasswordReset], PasswordResetRepository):
    name = "password_resets"
    noun = "password reset"

    def check_constraints(self, entities: Collection[PasswordReset]) -> None:
        if len({reset.address_hash for reset in entities}) < len(entities):
            raise ConcurrencyConflict("Somebody else asked for a code at the same time; repeat.")

    def find(self, id: CodeId) -> PasswordReset | None:
        return self._first(lambda reset: reset.id == id)

    def by_address(self, address_hash: str) -> PasswordReset | None:
        return self._first(lambda reset: reset.address_hash == address_hash)

    def by_token(self, token_hash: str) -> PasswordReset | None:
        return self._first(lambda reset: reset.token_hash == token_hash)

    def void_of(self, account_id: AccountId) -> None:
        for reset in self._all(lambda reset: reset.account_id == account_id):
            reset.void()
            self.save(reset)

    def purge(self, *, before: datetime, limit: int) -> int:
        old = [reset for reset in self._all(lambda reset: reset.requested_at < before) if _is_spent(reset, before)]
        for reset in old[:limit]:
            self.remove(reset.id)
        return len(old[:limit])


def _is_over(end: datetime | None, at: datetime) -> bool:
    return end is None or end < at


def _is_spent(reset: PasswordReset, at: datetime) -> bool:
    return _is_over(reset.expires_at, at) and _is_over(reset.token_expires_at, at)


@dataclass(frozen=True, slots=True)
class _Token:
    token_hash: str = field(repr=False)
    session_id: SessionId
    expires_at: datetime


class _InMemoryTokens(InMemoryRepository[_Token]):
    """Every token of every session, the spent ones included."""

    name = "session_tokens"
    noun = "refresh token"

    def key(self, entity: _Token) -> str:
        return entity.token_hash

    def session_of(self, token_hash: str) -> SessionId | None:
        found: _Token | None = self._find(token_hash)
        return None if found is None else found.session_id

    def forget(self, session_id: SessionId) -> None:
        for token in self._all(lambda token: token.session_id == session_id):
            self.remove(token.token_hash)

    def purge(self, *, expired_before: datetime, limit: int) -> int:
        old = self._all(lambda token: token.expires_at < expired_before)[:limit]
        for token in old:
            self.remove(token.token_hash)
        return len(old)


class InMemorySessions(InMemoryRepository[Session], SessionRepository):
    name = "sessions"
    noun = "session"

    def __init__(self, uow: InMemoryUnitOfWork) -> None:
        super().__init__(uow)
        self._tokens = _InMemoryTokens(uow)

    def add(self, entity: Session) -> None:
        super().add(entity)
        self._remember_token(entity)

    def save(self, entity: Session) -> None:
        super().save(entity)
        self._remember_token(entity)

    def get_for_update(self, id: SessionId) -> Session:
        return self.get(id)  # units of work follow one another

    def by_token(self, token_hash: str) -> Session | None:
        session_id = self._tokens.session_of(token_hash)
        return None if session_id is None else self.get(session_id)

    def revoke_all(self, account_id: AccountId, *, now: datetime, but: SessionId | None = None) -> int:
        return self._revoke([session for session in self._open_ones(account_id) if session.id != but], now=now)

    def revoke_oldest(self, account_id: AccountId, *, keep: int, now: datetime) -> int:
        latest_first = sorted(self._open_ones(account_id), key=lambda s: (s.refreshed_at, s.id), reverse=True)
        return self._revoke(latest_first[keep:], now=now)

    def purge(self, *, expired_before: datetime, limit: int) -> int:
        old = self._all(lambda session: session.expires_at < expired_before)[:limit]
        for session in old:
            self._tokens.forget(session.id)
            self.remove(session.id)
        return len(old)

    def purge_tokens(self, *, expired_before: datetime, limit: int) -> int:
        return self._tokens.purge(expired_before=expired_before, limit=limit)

    def _open_ones(self, account_id: AccountId) -> list[Session]:
        return self._all(lambda session: session.account_id == account_id and session.revoked_at is None)

    def _revoke(self, sessions: Sequence[Session], *, now: datetime) -> int:
        for session in sessions:
            session.revoke(now=now)
            self.save(session)
        return len(sessions)

    def _remember_token(self, session: Session) -> None:
        self._tokens.save(_Token(session.token_hash, session.id, session.expires_at))


def session_view(session: Session) -> SessionView:
    return SessionView(
        id=session.id,
        device=session.device,
        started_at=session.started_at,
        last_used_at=session.refreshed_at,
        expires_at=session.expires_at,
    )
