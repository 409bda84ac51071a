"""What identity needs of the outside: accounts, codes, sessions and addresses kept; passwords hashed; secrets made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from marketplace.application.access import Actor
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import Account, AccountType
from marketplace.domain.identity.addresses import Address, AddressType
from marketplace.domain.identity.codes import CodePurpose, OneTimeCode
from marketplace.domain.identity.sessions import Session
from marketplace.domain.shared.ids import AccountId, AddressId, SessionId


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

    def by_name(self, name: str) -> Account | None:
        """By user name or e-mail address, whatever the case or Unicode form."""
        ...


class CodeRepository(Protocol):
    def add(self, code: OneTimeCode) -> None:
        """Raises ConcurrencyConflict if the account has one for this purpose, at the latest on commit."""
        ...

    def save(self, code: OneTimeCode) -> None: ...

    def of(self, account_id: AccountId, purpose: CodePurpose) -> OneTimeCode | None:
        """Locked until the unit ends, so that no two tries count as one."""
        ...


class SessionRepository(Protocol):
    def add(self, session: Session) -> None: ...

    def save(self, session: Session) -> None:
        """Remembers every token that the session ever had."""
        ...

    def by_token(self, token_hash: str) -> Session | None:
        """The family to which a token belongs, spent ones included; locked until the unit ends."""
        ...

    def revoke_all(self, account_id: AccountId, *, now: datetime) -> int:
        """End every open session of an account; gives the number."""
        ...

    def purge(self, *, expired_before: datetime, limit: int) -> int:
        """Forget at most ``limit`` sessions whose last token expired before then; gives the number."""
        ...


class AddressRepository(Protocol):
    def add(self, address: Address) -> None: ...

    def get(self, id: AddressId) -> Address:
        """Raises NotFound."""
        ...

    def save(self, address: Address) -> None:
        """Raises ConcurrencyConflict if it changed since it was read, at the latest on commit."""
        ...

    def remove(self, id: AddressId) -> None: ...

    def count(self, account_id: AccountId) -> int: ...


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


class IdentityQueries(Protocol):
    def actor(self, account_id: AccountId, session_id: SessionId) -> Actor | None:
        """Who is behind a session, now; None when it is revoked or not the account's, or the account is suspended."""
        ...

    def me(self, account_id: AccountId) -> AccountView:
        """Raises NotFound."""
        ...

    def accounts(self, *, page: PageRequest, role: Role | None = None) -> Page[AccountView]:
        """Every account, or those with a role, the newest id last."""
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
        """None is no account's hash and never right, but takes as long as any. Raises Unavailable as ``hash``."""
        ...

    def is_outdated(self, password_hash: str) -> bool:
        """Whether it was made with other parameters than those now in force."""
        ...


class Secrets(Protocol):
    """What nobody can guess, and what is kept of it."""

    def code(self) -> str:
        """Six decimal digits."""
        ...

    def token(self) -> str:
        """Text that is safe in URLs and headers, of at least 256 bits."""
        ...

    def digest(self, *parts: str) -> str:
        """What is stored in place of a secret: keyed, so that not even six digits can be found from it."""
        ...
