"""Becoming a member: registration, and the code that proves whose mailbox it is."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime

from marketplace.application.access import Actor
from marketplace.application.identity.attempts import Attempt, AttemptGuard
from marketplace.application.identity.email_change import change_code_hash, note_email_change
from marketplace.application.identity.sessions import SessionOpener, SignedIn
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.identity import PasswordHasher, Secrets
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity.accounts import TERMS_VERSION, Account, AccountType, EmailTaken, UsernameTaken
from marketplace.domain.identity.attempts import AttemptPurpose
from marketplace.domain.identity.codes import CodePurpose, OneTimeCode, WrongCode
from marketplace.domain.identity.devices import Device
from marketplace.domain.identity.names import name_key
from marketplace.domain.identity.passwords import checked_password
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import AccountId, CodeId

_NOBODY = AccountId(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewMember:
    """What somebody says of themselves when they join."""

    username: str
    email: str
    password: str = field(repr=False)
    accept_terms: bool
    first_name: str = ""
    last_name: str = ""
    account_type: AccountType = AccountType.INDIVIDUAL
    language: str = "en"
    wants_to_sell: bool = False
    subscribed_to_newsletter: bool = False

    def account(
        self, id: AccountId, hasher: PasswordHasher, *, now: datetime, terms_version: str = TERMS_VERSION
    ) -> Account:
        """Raises Invalid, naming the field, before it takes the time to hash the password."""
        if not self.accept_terms:
            message = "Nobody can join without accepting the terms."
            raise Invalid(message, errors={"accept_terms": [message]})
        account = Account.open(
            id=id,
            username=self.username,
            email=self.email,
            password_hash="",
            first_name=self.first_name,
            last_name=self.last_name,
            account_type=self.account_type,
            language=self.language,
            subscribed_to_newsletter=self.subscribed_to_newsletter,
            terms_version=terms_version,
            now=now,
        )
        names = (self.username, self.email, self.first_name, self.last_name)
        account.rehash(hasher.hash(checked_password(self.password, names=names)))
        return account


def add_account(uow: UnitOfWork, account: Account) -> None:
    """Raises UsernameTaken or EmailTaken; whoever slips past here at the same time meets the database's own check."""
    if uow.accounts.by_name(account.username) is not None:
        raise UsernameTaken(f"The user name {account.username!r} is taken; choose another.")
    if uow.accounts.by_name(account.email) is not None:
        raise EmailTaken("There is an account with this e-mail address; log in instead.")
    uow.accounts.add(account)


@dataclass(frozen=True, kw_only=True, slots=True)
class Register:
    """Join the marketplace; a code to verify the e-mail address is mailed afterwards."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    ids: IdSequence
    hasher: PasswordHasher
    sessions: SessionOpener
    guard: AttemptGuard
    terms_version: str = TERMS_VERSION

    def __call__(self, *, member: NewMember, origin: str = "", user_agent: str = "") -> SignedIn:
        """Raises Invalid, UsernameTaken, EmailTaken."""
        now = self.clock.now()
        account = member.account(AccountId(self.ids.next()), self.hasher, now=now, terms_version=self.terms_version)
        account.request_email_verification(now=now)
        if member.wants_to_sell:
            account.apply_to_sell(now=now)
        with self.unit_of_work() as uow:
            add_account(uow, account)
            uow.codes.add(_requested_code(self.ids, account.id, now=now))
            device = Device.seen(user_agent=user_agent, address=origin)
            signed_in = self.sessions.open(uow, account, now=now, device=device)
            self.guard.welcome(uow, account, origin=origin)  # nothing failed yet: only the place is noted
            uow.commit()
        return signed_in


@dataclass(frozen=True, kw_only=True, slots=True)
class ResendVerification:
    """Ask for another code: for the new e-mail address where one waits for its proof, else for the present one."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    ids: IdSequence

    def __call__(self, *, actor: Actor) -> None:
        """Raises Conflict when the address is verified already, CodeRequestedRecently within a minute."""
        now = self.clock.now()
        with self.unit_of_work() as uow:
            account = uow.accounts.get(actor.account_id)
            if account.pending_email:
                note_email_change(uow, self.ids, account, account.pending_email, now=now)
                uow.accounts.save(account)
                uow.commit()
                return
            account.request_email_verification(now=now)
            code = uow.codes.of(account.id, CodePurpose.VERIFY_EMAIL)
            if code is None:
                uow.codes.add(_requested_code(self.ids, account.id, now=now))
            else:
                code.request(now=now)
                uow.codes.save(code)
            uow.accounts.save(account)
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuedCode:
    """What has to be mailed, and is kept nowhere."""

    email: str
    username: str
    language: str
    code: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class IssueVerificationCode:
    """Make the code that was asked for: it is known to the mail alone, so that each attempt to send makes a new one."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    secrets: Secrets

    def __call__(self, *, account_id: AccountId, requested_at: datetime) -> IssuedCode | None:
        """None when no code is wanted any more: the address is verified, or a later request is on its way.

        Raises NotFound when there is no such account.
        """
        with self.unit_of_work() as uow:
            account = uow.accounts.get(account_id)
            code = uow.codes.of(account_id, CodePurpose.VERIFY_EMAIL)
            if code is None or account.is_email_verified or account.is_suspended or requested_at < code.requested_at:
                return None
            digits = self.secrets.code()
            code.issue(_code_hash(self.secrets, account, digits), now=self.clock.now())
            uow.codes.save(code)
            uow.commit()
        return IssuedCode(email=account.email, username=account.username, language=account.language, code=digits)


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifyEmail:
    """Prove, by the code that was mailed, that the address is one's own; a new address holds from then on."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    secrets: Secrets
    guard: AttemptGuard

    def __call__(self, *, email: str, code: str, origin: str = "") -> AccountId:
        """``origin`` is the client's address.

        Raises WrongCode, for an address that nobody has as well, and TooManyAttempts after ten of them over however
        many codes; a wrong code costs one of five tries. Raises EmailTaken when somebody got the address first.
        """
        with self.guard.attempt(AttemptPurpose.VERIFY_EMAIL, name=email, origin=origin) as attempt:
            return self._verify(attempt, email, code)

    def _verify(self, attempt: Attempt, email: str, code: str) -> AccountId:
        now = self.clock.now()
        with self.unit_of_work() as uow:
            # As much is looked up of an address that nobody has, and as much is written of it and of a code that cannot
            # be tried any more: the time it takes does not tell who is a member.
            owner, wanting = uow.accounts.by_name(email), uow.accounts.by_pending_email(email)
            changes = wanting is not None and (owner is None or owner.is_email_verified)
            account = wanting if changes else owner
            purpose = CodePurpose.CHANGE_EMAIL if changes else CodePurpose.VERIFY_EMAIL
            attempt.account_id = _NOBODY if account is None else account.id
            stored = uow.codes.of(attempt.account_id, purpose)
            if (
                account is None
                or stored is None
                or name_key(email) not in (account.email_key, account.pending_email_key)
            ):
                attempt.write_anyway(uow)
                uow.commit()
                raise WrongCode
            before = copy(stored)
            kept_as = change_code_hash if changes else _code_hash
            is_right = stored.redeem(kept_as(self.secrets, account, code), now=now)
            if is_right:
                prove = account.confirm_email_change if changes else account.verify_email
                prove(now=now)
                uow.accounts.save(account)
                attempt.welcome(uow, account)
            if stored != before:
                uow.codes.save(stored)
            else:
                attempt.write_anyway(uow)
            uow.commit()
        if not is_right:
            raise WrongCode
        return account.id


def _requested_code(ids: IdSequence, account_id: AccountId, *, now: datetime) -> OneTimeCode:
    return OneTimeCode(id=CodeId(ids.next()), account_id=account_id, purpose=CodePurpose.VERIFY_EMAIL, requested_at=now)


def _code_hash(secrets: Secrets, account: Account, code: str) -> str:
    return secrets.digest("code", CodePurpose.VERIFY_EMAIL, str(account.id), code)
