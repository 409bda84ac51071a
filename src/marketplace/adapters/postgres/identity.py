"""Accounts, codes, sessions and addresses in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from marketplace.adapters.postgres.repository import PostgresRepository
from marketplace.adapters.postgres.tables.identity import (
    COMPANY_COLUMNS,
    accounts,
    addresses,
)
from marketplace.application.ports.identity import (
    AccountRepository,
    AddressRepository,
)
from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import Account, AccountType, EmailTaken, UsernameTaken
from marketplace.domain.identity.addresses import Address, AddressType
from marketplace.domain.identity.companies import Company
from marketplace.domain.identity.names import name_key
from marketplace.domain.shared.ids import AccountId, AddressId


class PostgresAccounts(PostgresRepository[Account], AccountRepository):
    table = accounts
    noun = "account"
    constraints: ClassVar = {
        "one_account_per_username": (UsernameTaken, "This user name is taken; choose another."),
        "one_account_per_email": (EmailTaken, "There is an account with this e-mail address; log in instead."),
    }

    def admins_for_update(self) -> Set[AccountId]:
        admins = (
            sa.select(accounts.c.id)
            .where(accounts.c.roles.contains([Role.ADMIN.value]), ~accounts.c.is_suspended)
            .order_by(accounts.c.id)
            .with_for_update(key_share=True)
        )
        return {row.id for row in self._uow.execute(admins)}

    def by_name(self, name: str) -> Account | None:
        if any("\ud800" <= character <= "\udfff" for character in name):
            return None  # half a character from a command line, which no statement can carry
        # No user name has an @ and every address has one, so that one index answers.
        column = accounts.c.email_key if "@" in name else accounts.c.username_key
        return self._first(column == name_key(name))

    def by_pending_email(self, email: str) -> Account | None:
        statement = (
            sa.select(accounts)
            .where(accounts.c.pending_email_key == name_key(email))
            .order_by(accounts.c.pending_email_at.desc(), accounts.c.id.desc())
            .limit(1)
        )
        row = self._execute(statement).first()
        return None if row is None else self.from_row(row)

    def add_all(self, new: Sequence[Account]) -> None:
        if new:
            self._execute(sa.insert(accounts), [{**self.to_row(account), "version": 1} for account in new])
        for account in new:
            account.version = 1
            self._record(account)

    def taken(self, *, usernames: Collection[str], emails: Collection[str]) -> Collection[str]:
        by_username = sa.select(accounts.c.username_key).where(accounts.c.username_key == sa.any_(_texts(usernames)))
        by_email = sa.select(accounts.c.email_key).where(accounts.c.email_key == sa.any_(_texts(emails)))
        return set(self._execute(sa.union_all(by_username, by_email)).scalars())

    def to_row(self, entity: Account) -> dict[str, Any]:
        return {
            "id": entity.id,
            "username": entity.username,
            "username_key": entity.username_key,
            "email": entity.email,
            "email_key": entity.email_key,
            "password_hash": entity.password_hash,
            "first_name": entity.first_name,
            "last_name": entity.last_name,
            "phone_number": entity.phone_number,
            "account_type": entity.account_type.value,
            "roles": sorted(role.value for role in entity.roles),
            "language": entity.language,
            "is_email_verified": entity.is_email_verified,
            "is_suspended": entity.is_suspended,
            "subscribed_to_newsletter": entity.subscribed_to_newsletter,
            "terms_version": entity.terms_version,
            "terms_accepted_at": entity.terms_accepted_at,
            "created_at": entity.created_at,
            "pending_email": entity.pending_email,
            "pending_email_key": entity.pending_email_key if entity.pending_email else None,
            "pending_email_at": entity.pending_email_at,
            **_company_columns(entity.company),
            "erased_at": entity.erased_at,
        }

    def from_row(self, row: Any) -> Account:
        return Account(
            id=row.id,
            username=row.username,
            email=row.email,
            password_hash=row.password_hash,
            first_name=row.first_name,
            last_name=row.last_name,
            phone_number=row.phone_number,
            account_type=AccountType(row.account_type),
            roles=frozenset(map(Role, row.roles)),
            language=row.language,
            is_email_verified=row.is_email_verified,
            is_suspended=row.is_suspended,
            subscribed_to_newsletter=row.subscribed_to_newsletter,
            terms_version=row.terms_version,
            terms_accepted_at=row.terms_accepted_at,
            created_at=row.created_at,
            pending_email=row.pending_email,
            pending_email_at=row.pending_email_at,
            company=_company(row),
            erased_at=row.erased_at,
            version=row.version,
        )


def _texts(values: Collection[str]) -> sa.ColumnElement[Any]:
    return sa.cast(list(values), ARRAY(sa.Text))


def _company_columns(company: Company | None) -> dict[str, Any]:
    return {name: None if company is None else getattr(company, name) for name in COMPANY_COLUMNS}


def _company(row: Any) -> Company | None:
    return None if row.company_name is None else Company(**{name: getattr(row, name) for name in COMPANY_COLUMNS})


class PostgresAddresses(PostgresRepository[Address], AddressRepository):
    table = addresses
    noun = "address"

    def remove(self, id: AddressId) -> None:
        self._execute(sa.delete(addresses).where(addresses.c.id == id))

    def count(self, account_id: AccountId) -> int:
        statement = sa.select(sa.func.count()).where(addresses.c.account_id == account_id)
        return int(self._execute(statement).scalar_one())

    def to_row(self, entity: Address) -> dict[str, Any]:
        return {
            "id": entity.id,
            "account_id": entity.account_id,
            "name": entity.name,
            "street_number": entity.street_number,
            "street": entity.street,
            "city": entity.city,
            "state": entity.state,
            "postal_code": entity.postal_code,
            "country": entity.country,
            "phone_number": entity.phone_number,
            "address_type": entity.address_type.value,
            "created_at": entity.created_at,
        }

    def from_row(self, row: Any) -> Address:
        return Address(
            id=row.id,
            account_id=row.account_id,
            name=row.name,
            street_number=row.street_number,
            street=row.street,
            city=row.city,
            state=row.state,
            postal_code=row.postal_code,
            country=row.country,
            phone_number=row.phone_number,
            address_type=AddressType(row.address_type),
            created_at=row.created_at,
            version=row.version,
        )
