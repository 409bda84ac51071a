"""What identity needs of the outside: accounts, codes, sessions and addresses kept; passwords hashed; secrets made."""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from marketplace.application.access import Actor
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import Account, AccountType
from marketplace.domain.identity.addresses import Address, AddressType
from marketplace.domain.identity.codes import CodePurpose, OneTimeCode
from marketplace.domain.identity.companies import CompanyAddress
from marketplace.domain.identity.devices import Device
from marketplace.domain.identity.password_resets import PasswordReset
from marketplace.domain.identity.sessions import Session
from marketplace.domain.shared.ids import AccountId, AddressId, CodeId, SessionId


class AccountRepository(Protocol):
    def add(self, account: Account) -> None:
        """Raises UsernameTaken or EmailTaken, whatever the case or Unicode form, at the latest on commit."""
        ...

    def get(self, id: AccountId) -> Account:
        """Raises NotFound."""
        ...

    def get_for_update(self, id: AccountId) -> Account:
        """As ``get``, and nobody else changes it, nor whatever is guarded by it, until the unit ends."""
        ...

    def save(self, account: Account) -> None:
        """Raises ConcurrencyConflict if it changed since it was read, at the latest on commit."""
        ...

    def admins_for_update(self) -> Set[AccountId]:
        """Every admin who is not suspended; who that is does not change until the unit ends."""
        ...

    def by_name(self, name: str) -> Account | None:
        """By user name or e-mail address, whatever the case or Unicode form."""
        ...

    def by_pending_email(self, email: str) -> Account | None:
        """Whose owner was the last to want this address instead of theirs, whatever the case or Unicode form."""
        ...

    def add_all(self, accounts: Sequence[Account]) -> None:
        """As ``add``, for many, in a number of statements that does not grow with them."""
        ...

    def taken(self, *, usernames: Collection[str], emails: Collection[str]) -> Collection[str]:
        """Which of these keys (of ``name_key``) some account has, in one statement; no user name is an address."""
        ...


class CodeRepository(Protocol):
    def add(self, code: OneTimeCode) -> None:
        """Raises ConcurrencyConflict if the account has one for this purpose, at the latest on commit."""
        ...

    def save(self, code: OneTimeCode) -> None:
        """Keep what became of a code that ``of`` gave in this unit."""
        ...

    def of(self, account_id: AccountId, purpose: CodePurpose) -> OneTimeCode | None:
        """Locked until the unit ends, so that no two tries count as one."""
        ...

    def purge(self, *, before: datetime, limit: int) -> int:
        """Forget at most ``limit`` that were asked for before then and expired before then; gives the number."""
        ...


class PasswordResetRepository(Protocol):
    """Whatever gives one gives it locked until the unit ends, so that no two tries count as one."""

    def add(self, reset: PasswordReset) -> None:
        """Raises ConcurrencyConflict if the address has one, at the latest on commit."""
        ...

    def save(self, reset: PasswordReset) -> None:
        """Keep what became of a reset that was read in this unit."""
        ...

    def find(self, id: CodeId) -> PasswordReset | None:
        """By its identity; None when there is none."""
        ...

    def by_address(self, address_hash: str) -> PasswordReset | None:
        """By the keyed hash of the e-mail address that it was asked for; None when there is none."""
        ...

    def by_token(self, token_hash: str) -> PasswordReset | None:
        """By the keyed hash of the token that its code was exchanged for; None when there is none."""
        ...

    def void_of(self, account_id: AccountId) -> None:
        """Whatever was sent to an account is worth nothing any more, as ``PasswordReset.void``."""
        ...

    def purge(self, *, before: datetime, limit: int) -> int:
        """Forget at most ``limit`` that were asked for before then and of which nothing was good since; gives the
        number."""
        ...


class SessionRepository(Protocol):
    def add(self, session: Session) -> None:
        """Open a new family of tokens."""
        ...

    def save(self, session: Session) -> None:
        """Remembers every token that the session ever had."""
        ...

    def by_token(self, token_hash: str) -> Session | None:
        """The family to which a token belongs, spent ones included; locked until the unit ends."""
        ...

    def get_for_update(self, id: SessionId) -> Session:
        """Raises NotFound. Locked until the unit ends."""
        ...

    def revoke_all(self, account_id: AccountId, *, now: datetime, but: SessionId | None = None) -> int:
        """End every open session of an account, ``but`` one; gives the number."""
        ...

    def revoke_oldest(self, account_id: AccountId, *, keep: int, now: datetime) -> int:
        """End the open sessions of an account but the ``keep`` last refreshed ones; gives the number."""
        ...

    def purge(self, *, expired_before: datetime, limit: int) -> int:
        """Forget at most ``limit`` sessions whose last token expired before then; gives the number."""
        ...

    def purge_tokens(self, *, expired_before: datetime, limit: int) -> int:
        """Forget at most ``limit`` spent tokens that would have expired before then; gives the number."""
        ...


class AddressRepository(Protocol):
    def add(self, address: Address) -> None:
        """Keep a new one; how many an account may have is for the caller to say."""
        ...

    def get(self, id: AddressId) -> Address:
        """Raises NotFound."""
        ...

    def save(self, address: Address) -> None:
        """Raises ConcurrencyConflict if it changed since it was read, at the latest on commit."""
        ...

    def remove(self, id: AddressId) -> None:
        """Forget it; orders keep their own copy. Harmless when it is not there."""
        ...

    def count(self, account_id: AccountId) -> int:
        """How many the account has."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountView:
    """An account as its owner and admins see it."""

    id: AccountId
    username: str
    email: str
    first_name: str
    last_name: str
    phone_number: str
    account_type: AccountType
    roles: tuple[Role, ...]
    is_email_verified: bool
    is_suspended: bool
    language: str
    subscribed_to_newsletter: bool
    created_at: datetime
    pending_email: str
    terms_version: str
    terms_accepted_at: datetime | None
    needs_to_accept_terms: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class CompanyView:
    """The company behind a professional account; all empty until its owner has told."""

    company_name: str = ""
    siret_number: str = ""
    vat_number: str = ""
    company_address: CompanyAddress = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class AddressView:
    id: AddressId
    name: str
    street_number: str
    street: str
    city: str
    state: str
    postal_code: str
    country: str
    phone_number: str
    address_type: AddressType
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionView:
    """A device that is signed in, as the owner of the account sees it; ``last_used_at`` is its last refresh."""

    id: SessionId
    device: Device
    started_at: datetime
    last_used_at: datetime
    expires_at: datetime


class IdentityQueries(Protocol):
    def actor(self, account_id: AccountId, session_id: SessionId) -> Actor | None:
        """Who is behind a session, now; None when it is revoked or not the account's, or the account is suspended."""
        ...

    def me(self, account_id: AccountId) -> AccountView:
        """Raises NotFound."""
        ...

    def company(self, account_id: AccountId) -> CompanyView:
        """Raises NotFound."""
        ...

    def accounts(
        self,
        *,
        page: PageRequest,
        role: Role | None = None,
        is_suspended: bool | None = None,
        starting_with: str = "",
    ) -> Page[AccountView]:
        """Accounts that have all that is asked for, ordered by ``id`` (the default) or ``-id``.

        ``starting_with`` is the beginning of a user name or an e-mail address, whatever its case or Unicode form.
        """
        ...

    def sessions(self, account_id: AccountId, *, now: datetime, page: PageRequest) -> Page[SessionView]:
        """Those that are open, the one begun last first."""
        ...

    def addresses(self, account_id: AccountId, *, page: PageRequest) -> Page[AddressView]:
        """The oldest first."""
        ...

    def address(self, account_id: AccountId, address_id: AddressId) -> AddressView:
        """Raises NotFound, also when it is another account's."""
        ...


class PasswordHasher(Protocol):
    def hash(self, password: str) -> str:
        """Salted: the same password never gives the same text twice. Raises Unavailable when too many are at it."""
        ...

    def verify(self, password_hash: str | None, password: str) -> bool:
        """None is no account's hash and never right, but takes as long as any. Raises Unavailable as ``hash``.

        Takes hashes of Django shops too (``pbkdf2_sha256``); any other text is a hash that no password fits.
        """
        ...

    def is_outdated(self, password_hash: str) -> bool:
        """Whether it was made with other parameters than those now in force, or elsewhere."""
        ...


class BusinessNumbers(Protocol):
    """Numbers by which authorities know a company: format and checksum only, nothing is asked of anybody."""

    def siret(self, number: str) -> str:
        """The fourteen digits of a French establishment. Raises Invalid, naming ``siret_number``."""
        ...

    def vat(self, number: str) -> str:
        """A VAT number with its country in front, without blanks. Raises Invalid, naming ``vat_number``."""
        ...


class Secrets(Protocol):
    """What nobody can guess, and what is kept of it."""

    def code(self) -> str:
        """Six decimal digits."""
        ...

    def token(self) -> str:
        """Text that is safe in URLs and headers, of at least 256 bits."""
        ...

    def recovery_code(self) -> str:
        """Three groups of four characters that are not taken for one another, of 60 bits."""
        ...

    def digest(self, *parts: str) -> str:
        """What is stored in place of a secret: keyed, so that not even six digits can be found from it."""
        ...
