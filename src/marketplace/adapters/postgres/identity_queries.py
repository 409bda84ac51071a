"""What screens and the door ask of accounts: one statement each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.pages import paged
from marketplace.adapters.postgres.prepared import PreparedStatement
from marketplace.adapters.postgres.sessions import OPEN_SESSION, session_view
from marketplace.adapters.postgres.tables.identity import COMPANY_COLUMNS, accounts, addresses, sessions
from marketplace.adapters.postgres.tables.second_factors import second_factors
from marketplace.application.access import Actor
from marketplace.application.ports.identity import AccountView, AddressView, CompanyView, IdentityQueries, SessionView
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import TERMS_VERSION, AccountType
from marketplace.domain.identity.addresses import AddressType
from marketplace.domain.identity.names import name_key
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId, AddressId, SessionId

_ACTOR = PreparedStatement(
    sa.select(
        accounts.c.roles,
        accounts.c.is_email_verified,
        accounts.c.terms_accepted_at,
        sa.exists()
        .where(second_factors.c.account_id == accounts.c.id, second_factors.c.confirmed_at.is_not(None))
        .label("has_second_factor"),
    )
    .select_from(accounts)
    .join(sessions, sessions.c.account_id == accounts.c.id)
    .where(
        sessions.c.id == sa.bindparam("session_id", type_=sa.BigInteger),
        accounts.c.id == sa.bindparam("account_id", type_=sa.BigInteger),
        sessions.c.revoked_at.is_(None),
        ~accounts.c.is_suspended,
    )
)
_ACCOUNT = sa.select(
    accounts.c.id,
    accounts.c.username,
    accounts.c.email,
    accounts.c.first_name,
    accounts.c.last_name,
    accounts.c.phone_number,
    accounts.c.account_type,
    accounts.c.roles,
    accounts.c.is_email_verified,
    accounts.c.is_suspended,
    accounts.c.language,
    accounts.c.subscribed_to_newsletter,
    accounts.c.created_at,
    accounts.c.pending_email,
    accounts.c.terms_version,
    accounts.c.terms_accepted_at,
)
_COMPANY = sa.select(*(accounts.c[name] for name in COMPANY_COLUMNS))
_ADDRESS = sa.select(
    addresses.c.id,
    addresses.c.name,
    addresses.c.street_number,
    addresses.c.street,
    addresses.c.city,
    addresses.c.state,
    addresses.c.postal_code,
    addresses.c.country,
    addresses.c.phone_number,
    addresses.c.address_type,
    addresses.c.created_at,
)


class PostgresIdentityQueries(IdentityQueries):
    def __init__(self, engine: sa.Engine, terms_version: str = TERMS_VERSION) -> None:
        self._engine = engine
        self._terms_version = terms_version

    def actor(self, account_id: AccountId, session_id: SessionId) -> Actor | None:
        with translated({}), self._engine.connect() as connection:
            rows = _ACTOR.rows(connection, {"account_id": account_id, "session_id": session_id})
        if not rows:
            return None
        row = rows[0]
        return Actor(
            account_id=account_id,
            roles=frozenset(map(Role, row.roles)),
            is_email_verified=row.is_email_verified,
            has_accepted_terms=row.terms_accepted_at is not None,
            has_second_factor=row.has_second_factor,
        )

    def me(self, account_id: AccountId) -> AccountView:
        with translated({}), self._engine.connect() as connection:
            row = connection.execute(_ACCOUNT.where(accounts.c.id == account_id)).first()
        if row is None:
            raise NotFound(f"There is no account {account_id}.")
        return self._account_view(row)

    def company(self, account_id: AccountId) -> CompanyView:
        with translated({}), self._engine.connect() as connection:
            row = connection.execute(_COMPANY.where(accounts.c.id == account_id)).first()
        if row is None:
            raise NotFound(f"There is no account {account_id}.")
        return CompanyView() if row.company_name is None else CompanyView(**row._mapping)

    def accounts(
        self,
        *,
        page: PageRequest,
        role: Role | None = None,
        is_suspended: bool | None = None,
        starting_with: str = "",
    ) -> Page[AccountView]:
        statement, prefix = _ACCOUNT, name_key(starting_with)
        if role is not None:
            statement = statement.where(accounts.c.roles.contains([role.value]))
        if is_suspended is not None:
            statement = statement.where(accounts.c.is_suspended if is_suspended else ~accounts.c.is_suspended)
        if prefix:
            names = (accounts.c.username_key, accounts.c.email_key)
            statement = statement.where(sa.or_(*(name.startswith(prefix, autoescape=True) for name in names)))
        descending = page.ordering.startswith("-")
        with translated({}), self._engine.connect() as connection:
            return paged(
                connection,
                statement,
                keys=[accounts.c.id],
                descending=descending,
                request=page,
                view=self._account_view,
            )

    def sessions(self, account_id: AccountId, *, now: datetime, page: PageRequest) -> Page[SessionView]:
        statement = OPEN_SESSION.where(sessions.c.account_id == account_id, sessions.c.expires_at > now)
        with translated({}), self._engine.connect() as connection:
            return paged(
                connection,
                statement,
                keys=[sessions.c.started_at, sessions.c.id],
                descending=True,
                request=page,
                view=session_view,
            )

    def addresses(self, account_id: AccountId, *, page: PageRequest) -> Page[AddressView]:
        statement = _ADDRESS.where(addresses.c.account_id == account_id)
        with translated({}), self._engine.connect() as connection:
            return paged(
                connection, statement, keys=[addresses.c.id], descending=False, request=page, view=_address_view
            )

    def address(self, account_id: AccountId, address_id: AddressId) -> AddressView:
        owned = (addresses.c.id == address_id, addresses.c.account_id == account_id)
        with translated({}), self._engine.connect() as connection:
            row = connection.execute(_ADDRESS.where(*owned)).first()
        if row is None:
            raise NotFound(f"There is no address {address_id}.")
        return _address_view(row)

    def _account_view(self, row: Any) -> AccountView:
        return AccountView(
            id=row.id,
            username=row.username,
            email=row.email,
            first_name=row.first_name,
            last_name=row.last_name,
            phone_number=row.phone_number,
            account_type=AccountType(row.account_type),
            roles=tuple(map(Role, row.roles)),
            is_email_verified=row.is_email_verified,
            is_suspended=row.is_suspended,
            language=row.language,
            subscribed_to_newsletter=row.subscribed_to_newsletter,
            created_at=row.created_at,
            pending_email=row.pending_email,
            terms_version=row.terms_version,
            terms_accepted_at=row.terms_accepted_at,
            needs_to_accept_terms=row.terms_version != self._terms_version,
        )


def _address_view(row: Any) -> AddressView:
    return AddressView(
        id=row.id,
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
    )
