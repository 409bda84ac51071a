"""Signing in, staying signed in, signing out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from marketplace.application.access import Actor, require_self
from marketplace.application.identity.attempts import Attempt, AttemptGuard
from marketplace.application.identity.second_factors import FactorCodes
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.identity import PasswordHasher, Secrets
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity.accounts import Account, AccountIsSuspended
from marketplace.domain.identity.attempts import AttemptPurpose
from marketplace.domain.identity.devices import UNKNOWN_DEVICE, Device
from marketplace.domain.identity.passwords import normal_form, presented_form
from marketplace.domain.identity.second_factors import SecondFactorRequired, WrongSecondFactor
from marketplace.domain.identity.sessions import MAX_SESSIONS, InvalidCredentials, RefreshRefused, Session
from marketplace.domain.shared.errors import ConcurrencyConflict, Invalid, NotFound
from marketplace.domain.shared.ids import AccountId, SessionId

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedIn:
    """``refresh_token`` is known to nobody else and kept nowhere."""

    account_id: AccountId
    session_id: SessionId
    refresh_token: str = field(repr=False)
    refresh_expires_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionOpener:
    """How a session begins, wherever it does.

    The account is new, or locked by the caller: one more session than there may be ends the one used least lately.
    """

    ids: IdSequence
    secrets: Secrets
    lifetime: timedelta

    def open(self, uow: UnitOfWork, account: Account, *, now: datetime, device: Device = UNKNOWN_DEVICE) -> SignedIn:
        """Add a session to the unit; its lifetime counts from each refresh."""
        token = self.secrets.token()
        session = Session(
            id=SessionId(self.ids.next()),
            account_id=account.id,
            token_hash=token_hash(self.secrets, token),
            started_at=now,
            refreshed_at=now,
            expires_at=now + self.lifetime,
            device=device,
        )
        uow.sessions.revoke_oldest(account.id, keep=MAX_SESSIONS - 1, now=now)
        uow.sessions.add(session)
        return SignedIn(
            account_id=account.id,
            session_id=session.id,
            refresh_token=token,
            refresh_expires_at=session.expires_at,
        )


def token_hash(secrets: Secrets, token: str) -> str:
    return secrets.digest("refresh token", token)


class _PasswordReplaced(ConcurrencyConflict):
    """The password that was compared is not the account's any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LogIn:
    """Sign in with a user name, or an e-mail address, and the password."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    hasher: PasswordHasher
    sessions: SessionOpener
    guard: AttemptGuard
    second_factor: FactorCodes

    def __call__(
        self, *, name: str, password: str, otp: str | None = None, origin: str = "", user_agent: str = ""
    ) -> SignedIn:
        """``otp`` is a code of the second factor, ignored where there is none; ``origin`` the client's address,
        ``user_agent`` what it says of itself.

        Raises InvalidCredentials, and TooManyAttempts after ten of them; only who knows the password learns, by
        AccountIsSuspended and SecondFactorRequired, of a suspension and of a second factor. ConcurrencyConflict when
        the password keeps being changed at the same time.
        """
        with self.guard.attempt(AttemptPurpose.LOG_IN, name=name, origin=origin) as attempt:
            device = Device.seen(user_agent=user_agent, address=origin)
            try:
                signed_in = self._log_in(attempt, name, password, otp, device)
            except _PasswordReplaced:  # only what holds by now lets in; it may be the same, hashed anew
                signed_in = self._log_in(attempt, name, password, otp, device)
        if signed_in is None:
            raise SecondFactorRequired  # out here, since it is no failure: the password was right
        return signed_in

    def _log_in(self, attempt: Attempt, name: str, password: str, otp: str | None, device: Device) -> SignedIn | None:
        """None when a code is needed and none was sent."""
        with self.unit_of_work() as uow:
            account = uow.accounts.by_name(name)
        if account is not None:
            attempt.account_id = account.id
        # Outside of a transaction, since it takes long; as long for a name that nobody has.
        password_hash = None if account is None else account.password_hash
        if not self.hasher.verify(password_hash, presented_form(password, password_hash)) or account is None:
            raise InvalidCredentials("The name or the password is wrong.")
        outdated = self.hasher.is_outdated(account.password_hash)
        fresh_hash = self.hasher.hash(normal_form(password)) if outdated else None
        verified = account.password_hash
        if otp is None:
            return self._admit(attempt, account.id, verified, fresh_hash, device)
        with self.guard.attempt(AttemptPurpose.SECOND_FACTOR, name=account.id, origin=attempt.origin) as second:
            second.account_id = account.id
            return self._admit(attempt, account.id, verified, fresh_hash, device, otp=otp, second=second)

    def _admit(
        self,
        attempt: Attempt,
        account_id: AccountId,
        verified: str,
        fresh_hash: str | None,
        device: Device,
        *,
        otp: str | None = None,
        second: Attempt | None = None,
    ) -> SignedIn | None:
        """As ``_log_in``, once the password is known to fit the hash ``verified``.

        Raises WrongSecondFactor, and _PasswordReplaced when that hash is the account's no more.
        """
        with self.unit_of_work() as uow:
            # Locked, so that a suspension, or another password, comes before this or ends the session that this opens.
            account = uow.accounts.get_for_update(account_id)
            if account.password_hash != verified:
                raise _PasswordReplaced("The password was changed at the same time; log in again.")
            if account.is_suspended:
                raise AccountIsSuspended("This account is suspended; write to the marketplace.")
            factor = uow.second_factors.of(account_id)
            if factor is not None and factor.is_on:
                if otp is None or second is None:
                    return None
                if not self.second_factor.use(factor, otp):
                    raise WrongSecondFactor
                uow.second_factors.save(factor)
                second.welcome(uow, account)
            if fresh_hash is not None:
                account.rehash(fresh_hash)
                uow.accounts.save(account)
            signed_in = self.sessions.open(uow, account, now=self.clock.now(), device=device)
            attempt.welcome(uow, account)
            uow.commit()
        return signed_in


@dataclass(frozen=True, kw_only=True, slots=True)
class RefreshSession:
    """Spend a refresh token for the next one."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    secrets: Secrets
    lifetime: timedelta

    def __call__(self, *, refresh_token: str, origin: str = "", user_agent: str = "") -> SignedIn:
        """``origin`` is the client's address, ``user_agent`` what it says of itself.

        Raises RefreshRefused, or RefreshExpired. A token that was spent before ends its whole family: there is no time
        in which a second use of it is let pass, for that is what a thief would hurry for.
        """
        now = self.clock.now()
        presented, fresh = token_hash(self.secrets, refresh_token), self.secrets.token()
        with self.unit_of_work() as uow:
            session = uow.sessions.by_token(presented)
            if session is None:
                raise RefreshRefused
            is_refreshed = session.refresh(
                presented=presented,
                fresh=token_hash(self.secrets, fresh),
                now=now,
                lifetime=self.lifetime,
                device=Device.seen(user_agent=user_agent, address=origin) if origin or user_agent else None,
            )
            uow.sessions.save(session)
            uow.commit()
        if not is_refreshed:
            _log.warning(
                "a spent refresh token was shown: session %s of account %s ends", session.id, session.account_id
            )
            raise RefreshRefused
        return SignedIn(
            account_id=session.account_id,
            session_id=session.id,
            refresh_token=fresh,
            refresh_expires_at=session.expires_at,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class LogOut:
    """End the session that a refresh token belongs to, with every access token it gave."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    secrets: Secrets

    def __call__(self, *, actor: Actor, refresh_token: str) -> None:
        """Raises Invalid when the token is none of the actor's."""
        with self.unit_of_work() as uow:
            session = uow.sessions.by_token(token_hash(self.secrets, refresh_token))
            if session is None or session.account_id != actor.account_id:
                message = "It is not a refresh token of this account."
                raise Invalid(message, errors={"refresh": [message]})
            session.revoke(now=self.clock.now())
            uow.sessions.save(session)
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class EndSession:
    """Sign a device out, wherever it is."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, session_id: SessionId) -> None:
        """Raises NotFound when it is not an open session of the actor's own, not even for admins."""
        now = self.clock.now()
        with self.unit_of_work() as uow:
            session = uow.sessions.get_for_update(session_id)
            require_self(actor, session.account_id, f"session {session_id}")
            if not session.is_open(now=now):
                raise NotFound(f"There is no session {session_id}.")
            session.revoke(now=now)
            uow.sessions.save(session)
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class EndSessions:
    """Sign out everywhere."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, but: SessionId | None = None) -> None:
        """``but`` is a session that stays. Repeating it changes nothing."""
        with self.unit_of_work() as uow:
            uow.sessions.revoke_all(actor.account_id, now=self.clock.now(), but=but)
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class PurgeSessions:
    """Forget sessions that nobody can refresh any more, and spent tokens that would have expired long ago."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    keep_for: timedelta = timedelta(days=7)
    limit: int = 1_000

    def __call__(self) -> int:
        """One batch; gives the number. Raises Unavailable when the store does not answer."""
        with self.unit_of_work() as uow:
            long_ago = self.clock.now() - self.keep_for
            gone = uow.sessions.purge(expired_before=long_ago, limit=self.limit)
            gone += uow.sessions.purge_tokens(expired_before=long_ago, limit=self.limit)
            uow.commit()
        return gone


@dataclass(frozen=True, kw_only=True, slots=True)
class PurgeCodes:
    """Forget codes and password resets of which nothing has been good for long."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    keep_for: timedelta = timedelta(days=1)
    limit: int = 1_000

    def __call__(self) -> int:
        """Gives the number."""
        with self.unit_of_work() as uow:
            before = self.clock.now() - self.keep_for
            gone = uow.codes.purge(before=before, limit=self.limit)
            gone += uow.password_resets.purge(before=before, limit=self.limit)
            uow.commit()
        return gone
