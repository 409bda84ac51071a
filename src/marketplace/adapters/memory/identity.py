"""Accounts, codes, sessions and addresses in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from marketplace.adapters.memory.pages import paged
from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.adapters.memory.sessions import session_view
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.access import Actor
from marketplace.application.ports.identity import (
    AccountRepository,
    AccountView,
    AddressRepository,
    AddressView,
    CompanyView,
    IdentityQueries,
    SessionView,
)
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import TERMS_VERSION, Account, EmailTaken, UsernameTaken
from marketplace.domain.identity.addresses import Address
from marketplace.domain.identity.companies import Company
from marketplace.domain.identity.names import name_key
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId, AddressId, SessionId

if TYPE_CHECKING:
    pass


class InMemoryAccounts(InMemoryRepository[Account], AccountRepository):
    name = "accounts"
    noun = "account"

    def check_constraints(self, entities: Collection[Account]) -> None:
        if len({account.username_key for account in entities}) < len(entities):
            raise UsernameTaken("This user name is taken; choose another.")
        if len({account.email_key for account in entities}) < len(entities):
            raise EmailTaken("There is an account with this e-mail address; log in instead.")

    def get_for_update(self, id: AccountId) -> Account:
        return self.get(id)  # units of work follow one another

    def admins_for_update(self) -> Set[AccountId]:
        return {account.id for account in self._scan() if Role.ADMIN in account.roles and not account.is_suspended}

    def by_name(self, name: str) -> Account | None:
        key = name_key(name)
        return self._first(lambda account: key in (account.username_key, account.email_key))

    def by_pending_email(self, email: str) -> Account | None:
        key = name_key(email)
        wanting = self._all(lambda account: account.pending_email_at is not None and account.pending_email_key == key)
        return max(wanting, key=_last_wanted, default=None)

    def add_all(self, accounts: Sequence[Account]) -> None:
        for account in accounts:
            self.add(account)

    def taken(self, *, usernames: Collection[str], emails: Collection[str]) -> Collection[str]:
        names = {key for account in self._scan() for key in (account.username_key, account.email_key)}
        return names.intersection({*usernames, *emails})


class InMemoryAddresses(InMemoryRepository[Address], AddressRepository):
    name = "addresses"
    noun = "address"

    def count(self, account_id: AccountId) -> int:
        return sum(address.account_id == account_id for address in self._scan())


class InMemoryIdentityQueries(IdentityQueries):
    def __init__(self, store: InMemoryStore, terms_version: str = TERMS_VERSION) -> None:
        self._store = store
        self._terms_version = terms_version

    def actor(self, account_id: AccountId, session_id: SessionId) -> Actor | None:
        with self._store.lock:
            account = self._store.table("accounts").get(account_id)
            session = self._store.table("sessions").get(session_id)
            factor = self._store.table("second_factors").get(account_id)
        if account is None or account.is_suspended or session is None:
            return None
        if session.account_id != account_id or session.revoked_at is not None:
            return None
        return Actor(
            account_id=account_id,
            roles=account.roles,
            is_email_verified=account.is_email_verified,
            has_accepted_terms=account.terms_accepted_at is not None,
            has_second_factor=factor is not None and factor.is_on,
        )

    def me(self, account_id: AccountId) -> AccountView:
        with self._store.lock:
            account = self._store.table("accounts").get(account_id)
            if account is None:
                raise NotFound(f"There is no account {account_id}.")
            return self._account_view(account)

    def company(self, account_id: AccountId) -> CompanyView:
        with self._store.lock:
            account = self._store.table("accounts").get(account_id)
            if account is None:
                raise NotFound(f"There is no account {account_id}.")
            company: Company | None = account.company
        if company is None:
            return CompanyView()
        return CompanyView(**{field.name: getattr(company, field.name) for field in fields(CompanyView)})

    def accounts(
        self,
        *,
        page: PageRequest,
        role: Role | None = None,
        is_suspended: bool | None = None,
        starting_with: str = "",
    ) -> Page[AccountView]:
        prefix = name_key(starting_with)
        with self._store.lock:
            found = [
                account
                for account in self._store.table("accounts").values()
                if (role is None or role in account.roles)
                and is_suspended in (None, account.is_suspended)
                and any(key.startswith(prefix) for key in (account.username_key, account.email_key))
            ]
            descending = page.ordering.startswith("-")
            return paged(found, key=_by_id, descending=descending, request=page, view=self._account_view)

    def sessions(self, account_id: AccountId, *, now: datetime, page: PageRequest) -> Page[SessionView]:
        with self._store.lock:
            sessions = self._store.table("sessions").values()
            found = [s for s in sessions if s.account_id == account_id and s.is_open(now=now)]
            return paged(
                found,
                key=lambda session: (session.started_at.isoformat(), session.id),
                descending=True,
                request=page,
                view=session_view,
            )

    def addresses(self, account_id: AccountId, *, page: PageRequest) -> Page[AddressView]:
        with self._store.lock:
            found = [a for a in self._store.table("addresses").values() if a.account_id == account_id]
            return paged(found, key=_by_id, descending=False, request=page, view=_address_view)

    def address(self, account_id: AccountId, address_id: AddressId) -> AddressView:
        with self._store.lock:
            address = self._store.table("addresses").get(address_id)
            if address is None or address.account_id != account_id:
                raise NotFound(f"There is no address {address_id}.")
            return _address_view(address)

    def _account_view(self, account: Account) -> AccountView:
        return AccountView(
            id=account.id,
            username=account.username,
            email=account.email,
            first_name=account.first_name,
            last_name=account.last_name,
            phone_number=account.phone_number,
            account_type=account.account_type,
            roles=tuple(sorted(account.roles)),
            is_email_verified=account.is_email_verified,
            is_suspended=account.is_suspended,
            language=account.language,
            subscribed_to_newsletter=account.subscribed_to_newsletter,
            created_at=account.created_at,
            pending_email=account.pending_email,
            terms_version=account.terms_version,
            terms_accepted_at=account.terms_accepted_at,
            needs_to_accept_terms=account.terms_version != self._terms_version,
        )


def _last_wanted(account: Account) -> tuple[datetime, int]:
    return account.pending_email_at or account.created_at, account.id


def _by_id(entity: Any) -> tuple[int]:
    return (entity.id,)


def _address_view(address: Address) -> AddressView:
    return AddressView(
        id=address.id,
        name=address.name,
        street_number=address.street_number,
        street=address.street,
        city=address.city,
        state=address.state,
        postal_code=address.postal_code,
        country=address.country,
        phone_number=address.phone_number,
        address_type=address.address_type,
        created_at=address.created_at,
    )
