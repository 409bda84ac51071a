"""Passwords that change: forgotten, and set anew by a code from the mailbox; or replaced by whoever knows them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime

from marketplace.application.access import Actor
from marketplace.application.identity.attempts import Attempt, AttemptGuard
from marketplace.application.identity.registration import IssuedCode
from marketplace.application.identity.second_factors import OwnerCheck
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.identity import PasswordHasher, Secrets
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.second_factors import SealBroken, Vault
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity.accounts import Account
from marketplace.domain.identity.attempts import AttemptPurpose
from marketplace.domain.identity.codes import WrongCode
from marketplace.domain.identity.names import name_key
from marketplace.domain.identity.password_resets import TOKEN_LIFETIME, InvalidResetToken, PasswordReset
from marketplace.domain.identity.passwords import checked_password, normal_form
from marketplace.domain.shared.errors import ConcurrencyConflict, Invalid
from marketplace.domain.shared.ids import AccountId, CodeId, SessionId

_NOBODY = AccountId(0)
_NEW = "new_password"


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestPasswordReset:
    """Ask for a code to the mailbox of an account whose password is forgotten.

    Nothing tells whether the address is somebody's, for it is not even looked up: the worker does that, and mails.
    """

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    ids: IdSequence
    secrets: Secrets
    vault: Vault

    def __call__(self, *, email: str) -> None:
        """Within a minute of the last time nothing is sent, and nothing says so."""
        now, id = self.clock.now(), CodeId(self.ids.next())
        address = address_hash(self.secrets, email)
        sealed = self.vault.seal(email, label=address)
        # Whoever asks for the same address at the same time has asked for this one too.
        with suppress(ConcurrencyConflict), self.unit_of_work() as uow:
            reset = uow.password_resets.by_address(address)
            if reset is None:
                reset = PasswordReset.ask(id=id, address_hash=address, sealed_address=sealed, now=now)
                uow.password_resets.add(reset)
            else:
                reset.ask_again(sealed_address=sealed, now=now)
                uow.password_resets.save(reset)  # even when it is as it was, for that takes as long
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuedResetCode:
    """Whom to mail which code."""

    account_id: AccountId
    issued: IssuedCode


@dataclass(frozen=True, kw_only=True, slots=True)
class IssueResetCode:
    """Make the code that was asked for, for nobody's address as well: tries at it have to be like any others."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    secrets: Secrets
    vault: Vault

    def __call__(self, *, reset_id: CodeId, requested_at: datetime) -> IssuedResetCode | None:
        """None when there is nobody to mail it to, or a later request is on its way."""
        with self.unit_of_work() as uow:
            reset = uow.password_resets.find(reset_id)
            if reset is None or requested_at < reset.requested_at:
                return None
            if reset.sealed_address:
                reset.address_to(self._found(uow, reset))
            digits = self.secrets.code()
            reset.issue(_code_hash(self.secrets, reset, digits), now=self.clock.now())
            uow.password_resets.save(reset)
            owner = _owner(uow, reset, self.secrets)
            uow.commit()
        if owner is None:
            return None
        issued = IssuedCode(email=owner.email, username=owner.username, language=owner.language, code=digits)
        return IssuedResetCode(account_id=owner.id, issued=issued)

    def _found(self, uow: UnitOfWork, reset: PasswordReset) -> AccountId | None:
        try:
            email = self.vault.open(reset.sealed_address, label=reset.address_hash)
        except SealBroken:
            return None  # the key is another one since; so are all digests, and whoever asked has to ask again
        account = uow.accounts.by_name(email)
        return None if account is None else account.id


@dataclass(frozen=True, kw_only=True, slots=True)
class ResetGrant:
    """``reset_token`` is known to nobody else and kept nowhere."""

    reset_token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifyResetCode:
    """Exchange the code that was mailed for a token that sets a new password."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    secrets: Secrets
    guard: AttemptGuard

    def __call__(self, *, email: str, code: str, origin: str = "") -> ResetGrant:
        """``origin`` is the client's address.

        Raises WrongCode, for an address that nobody has as well, and TooManyAttempts after ten of them over however
        many codes; a wrong code costs one of five tries.
        """
        with self.guard.attempt(AttemptPurpose.RESET_PASSWORD, name=email, origin=origin) as attempt:
            return self._verify(attempt, email, code)

    def _verify(self, attempt: Attempt, email: str, code: str) -> ResetGrant:
        now, token = self.clock.now(), self.secrets.token()
        with self.unit_of_work() as uow:
            reset = uow.password_resets.by_address(address_hash(self.secrets, email))
            if reset is None:
                raise WrongCode
            attempt.account_id = reset.account_id or _NOBODY
            before = copy(reset)
            is_right = reset.redeem(_code_hash(self.secrets, reset, code), now=now)
            owner = _owner(uow, reset, self.secrets) if is_right else None
            if owner is not None:
                reset.grant(_token_hash(self.secrets, token), now=now)
                attempt.welcome(uow, owner)
            if reset != before:
                uow.password_resets.save(reset)
                uow.commit()
        if owner is None:
            raise WrongCode
        return ResetGrant(reset_token=token, expires_at=now + TOKEN_LIFETIME)


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfirmPasswordReset:
    """Set the new password: every device is signed out, and the address is verified, for its mailbox was read."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    secrets: Secrets
    hasher: PasswordHasher
    guard: AttemptGuard

    def __call__(self, *, reset_token: str, new_password: str, origin: str = "") -> None:
        """``origin`` is the client's address.

        Raises InvalidResetToken, and Invalid, naming ``new_password``, on a weak one, after which the token is still
        good.
        """
        presented = _token_hash(self.secrets, reset_token)
        with self.unit_of_work() as uow:
            account = self._owner(uow, presented)
        # Outside of a transaction, since it takes long, and for nobody without a token.
        password_hash = self.hasher.hash(checked_password(new_password, names=_names(account), field=_NEW))
        now = self.clock.now()
        with self.unit_of_work() as uow:
            # The account first, as whoever changes a password does, then the token: it may have been used meanwhile.
            account = uow.accounts.get_for_update(account.id)
            if self._owner(uow, presented).id != account.id:
                raise InvalidResetToken
            account.set_password(password_hash, now=now, by_reset=True)
            uow.accounts.save(account)
            uow.sessions.revoke_all(account.id, now=now)
            uow.password_resets.void_of(account.id)
            self.guard.welcome(uow, account, AttemptPurpose.LOG_IN, AttemptPurpose.RESET_PASSWORD, origin=origin)
            uow.commit()

    def _owner(self, uow: UnitOfWork, presented: str) -> Account:
        """Whose password the token sets. Raises InvalidResetToken."""
        reset = uow.password_resets.by_token(presented)
        if reset is None or not reset.accepts(presented, now=self.clock.now()):
            raise InvalidResetToken
        owner = _owner(uow, reset, self.secrets)
        if owner is None:
            raise InvalidResetToken
        return owner


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangePassword:
    """Replace a password that is known; every other device is signed out."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    hasher: PasswordHasher
    owner: OwnerCheck

    def __call__(self, *, actor: Actor, session_id: SessionId, current_password: str, new_password: str) -> None:
        """``session_id`` is the session that stays.

        Raises Invalid, naming the field, on a wrong, a weak and an unchanged password, TooManyAttempts after ten wrong
        ones, and ConcurrencyConflict when the password was changed at the same time.
        """
        verified = self.owner.password(actor, current_password, field="current_password")
        with self.unit_of_work() as uow:
            account = uow.accounts.get(actor.account_id)
        checked = checked_password(new_password, names=_names(account), field=_NEW)
        if checked == normal_form(current_password):
            message = "It is the password that you have already; choose another."
            raise Invalid(f"{_NEW}: {message}", errors={_NEW: [message]})
        password_hash = self.hasher.hash(checked)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            account = uow.accounts.get_for_update(actor.account_id)
            account.require_password_unchanged(verified)
            account.set_password(password_hash, now=now)
            uow.accounts.save(account)
            uow.sessions.revoke_all(account.id, now=now, but=session_id)
            uow.password_resets.void_of(account.id)
            uow.commit()


def address_hash(secrets: Secrets, email: str) -> str:
    """What is kept of an address that somebody asked to reset the password of, whatever its spelling."""
    return secrets.digest("reset address", name_key(email))


def _code_hash(secrets: Secrets, reset: PasswordReset, code: str) -> str:
    return secrets.digest("reset code", str(reset.id), code)


def _token_hash(secrets: Secrets, token: str) -> str:
    return secrets.digest("reset token", token)


def _owner(uow: UnitOfWork, reset: PasswordReset, secrets: Secrets) -> Account | None:
    """Whose password it resets; nobody's when the account has another address by now, or is suspended."""
    if reset.account_id is None:
        return None
    account = uow.accounts.get(reset.account_id)
    is_theirs = address_hash(secrets, account.email) == reset.address_hash
    return account if is_theirs and not account.is_suspended else None


def _names(account: Account) -> tuple[str, ...]:
    return account.username, account.email, account.first_name, account.last_name
