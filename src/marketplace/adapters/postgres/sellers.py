"""Seller profiles in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa

from marketplace.adapters.postgres.pages import paged
from marketplace.adapters.postgres.repository import PostgresRepository
from marketplace.adapters.postgres.selling import is_selling
from marketplace.adapters.postgres.tables.identity import accounts
from marketplace.adapters.postgres.tables.payout_accounts import payout_accounts
from marketplace.adapters.postgres.tables.sellers import seller_profiles
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.application.ports.sellers import (
    OwnSellerView,
    SellerQueries,
    SellerRecord,
    SellerRepository,
    SellerView,
)
from marketplace.domain.identity.names import name_key
from marketplace.domain.payout_accounts import AccountState, Transfers
from marketplace.domain.sellers import (
    Holiday,
    SellerExists,
    SellerProfile,
    SellerStatus,
    SellingStep,
    ShopNameTaken,
    missing_steps,
    shop_name_key,
)
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId

_columns = seller_profiles.c


class PostgresSellers(PostgresRepository[SellerProfile], SellerRepository):
    table = seller_profiles
    noun = "seller"
    key = "account_id"
    constraints: ClassVar = {
        "one_shop_name": (ShopNameTaken, "Another shop has this name already; choose another."),
        "seller_profiles_pkey": (SellerExists, "This account has a seller profile already."),
    }

    def find(self, account_id: AccountId) -> SellerProfile | None:
        return self._first(_columns.account_id == account_id)

    def has_shop(self, shop_name: str) -> bool:
        named = sa.select(_columns.account_id).where(_is_called(shop_name))
        return self._execute(named).first() is not None

    def to_row(self, entity: SellerProfile) -> dict[str, Any]:
        return {
            "account_id": entity.account_id,
            "shop_name": entity.shop_name,
            "shop_name_key": entity.shop_name_key,
            "description": entity.description,
            "status": entity.status.value,
            "status_reason": entity.status_reason,
            "email_verified": entity.email_verified,
            "kyc_verified": entity.kyc_verified,
            "payouts_ready": entity.payouts_ready,
            "holiday_from": None if entity.holiday is None else entity.holiday.begins_at,
            "holiday_until": None if entity.holiday is None else entity.holiday.ends_at,
            "rating": entity.rating,
            "may_sell": entity.may_sell,
            "created_at": entity.created_at,
        }

    def from_row(self, row: Any) -> SellerProfile:
        return SellerProfile(
            account_id=row.account_id,
            shop_name=row.shop_name,
            description=row.description,
            status=SellerStatus(row.status),
            status_reason=row.status_reason,
            email_verified=row.email_verified,
            kyc_verified=row.kyc_verified,
            payouts_ready=row.payouts_ready,
            holiday=_holiday(row),
            rating=row.rating,
            created_at=row.created_at,
            version=row.version,
        )


class PostgresSellerQueries(SellerQueries):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def seller(self, account_id: AccountId, *, now: datetime) -> SellerView:
        statement = sa.select(seller_profiles).where(
            _columns.account_id == account_id, _columns.status == SellerStatus.APPROVED.value
        )
        with self._engine.connect() as connection:
            found = connection.execute(statement).first()
        if found is None:
            raise NotFound(f"There is no seller {account_id}.")
        holiday = _holiday(found)
        return SellerView(
            id=found.account_id,
            shop_name=found.shop_name,
            description=found.description,
            rating=found.rating,
            back_at=holiday.ends_at if holiday is not None and holiday.covers(now) else None,
            created_at=found.created_at,
        )

    def own(self, account_id: AccountId, *, now: datetime) -> OwnSellerView:
        provider = payout_accounts.c
        statement = (
            sa.select(
                seller_profiles,
                is_selling(now).label("is_selling"),
                accounts.c.is_email_verified,
                provider.provider_account_id,
                provider.transfers,
                provider.payouts_enabled,
                provider.requirements_due,
                provider.disabled_reason,
            )
            .select_from(
                accounts.outerjoin(seller_profiles, _columns.account_id == accounts.c.id).outerjoin(
                    payout_accounts, provider.account_id == accounts.c.id
                )
            )
            .where(accounts.c.id == account_id)
        )
        with self._engine.connect() as connection:
            found = connection.execute(statement).first()
        if found is None:
            raise NotFound(f"There is no account {account_id}.")
        has_profile = found.account_id is not None
        status = SellerStatus(found.status) if has_profile else SellerStatus.NONE
        holiday = _holiday(found)
        return OwnSellerView(
            id=account_id,
            shop_name=found.shop_name,
            description=found.description or "",
            rating=found.rating,
            status=status,
            status_reason=found.status_reason or "",
            missing=_missing(found) if has_profile else _missing_without_profile(found.is_email_verified),
            holiday=holiday,
            on_holiday=holiday is not None and holiday.covers(now),
            is_selling=bool(found.is_selling),
            payout_account=None if found.provider_account_id is None else _account_state(found),
            created_at=found.created_at,
        )

    def sellers(self, request: PageRequest, *, status: SellerStatus | None, now: datetime) -> Page[SellerRecord]:
        statement = _records(now)
        if status is not None:
            statement = statement.where(_columns.status == status.value)
        with self._engine.connect() as connection:
            return paged(
                connection,
                statement,
                keys=[_columns.created_at, _columns.account_id],
                descending=False,
                request=request,
                view=lambda row: _record(row, now),
            )

    def record(self, account_id: AccountId, *, now: datetime) -> SellerRecord:
        with self._engine.connect() as connection:
            found = connection.execute(_records(now).where(_columns.account_id == account_id)).first()
        if found is None:
            raise NotFound(f"There is no seller {account_id}.")
        return _record(found, now)

    def account_called(self, name: str) -> AccountId:
        if not name.isprintable():  # half a character from a command line, which no statement can carry
            raise NotFound(f"There is no seller called {name!r}.")
        key = name_key(name)
        statement = (
            sa.select(_columns.account_id)
            .select_from(seller_profiles.join(accounts, accounts.c.id == _columns.account_id))
            .where(sa.or_(_is_called(name), accounts.c.username_key == key, accounts.c.email_key == key))
            .order_by(_is_called(name).desc())
            .limit(1)
        )
        with self._engine.connect() as connection:
            found = connection.execute(statement).scalar()
        if found is None:
            raise NotFound(f"There is no seller called {name!r}.")
        return AccountId(found)


def _records(now: datetime) -> sa.Select[Any]:
    return sa.select(
        seller_profiles, is_selling(now).label("is_selling"), accounts.c.username, accounts.c.email
    ).select_from(seller_profiles.join(accounts, accounts.c.id == _columns.account_id))


def _record(row: Any, now: datetime) -> SellerRecord:
    holiday = _holiday(row)
    return SellerRecord(
        id=row.account_id,
        username=row.username,
        email=row.email,
        shop_name=row.shop_name,
        description=row.description,
        rating=row.rating,
        status=SellerStatus(row.status),
        status_reason=row.status_reason,
        missing=_missing(row),
        holiday=holiday,
        on_holiday=holiday is not None and holiday.covers(now),
        is_selling=row.is_selling,
        created_at=row.created_at,
    )


def _missing(row: Any) -> tuple[SellingStep, ...]:
    return missing_steps(
        email_verified=row.email_verified,
        approved=row.status == SellerStatus.APPROVED,
        kyc_verified=row.kyc_verified,
        payouts_ready=row.payouts_ready,
    )


def _missing_without_profile(email_verified: bool) -> tuple[SellingStep, ...]:
    return missing_steps(email_verified=email_verified, approved=False, kyc_verified=False, payouts_ready=False)


def _holiday(row: Any) -> Holiday | None:
    if row.holiday_from is None:
        return None
    return Holiday(begins_at=row.holiday_from, ends_at=row.holiday_until)


def _account_state(row: Any) -> AccountState:
    return AccountState(
        transfers=Transfers(row.transfers),
        payouts_enabled=row.payouts_enabled,
        requirements_due=tuple(row.requirements_due),
        disabled_reason=row.disabled_reason,
    )


def _is_called(shop_name: str) -> sa.ColumnElement[bool]:
    return _columns.shop_name_key == shop_name_key(shop_name)
