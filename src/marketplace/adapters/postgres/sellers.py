"""Seller profiles in PostgreSQL."""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa

from marketplace.adapters.postgres.repository import PostgresRepository
from marketplace.adapters.postgres.tables.identity import accounts
from marketplace.adapters.postgres.tables.sellers import seller_profiles
from marketplace.application.ports.sellers import OwnSellerView, SellerQueries, SellerRepository, SellerView
from marketplace.domain.identity.names import name_key
from marketplace.domain.sellers import SellerProfile, SellerStatus, ShopNameTaken, missing_steps
from marketplace.domain.shared.errors import Conflict, NotFound
from marketplace.domain.shared.ids import AccountId

_columns = seller_profiles.c


class PostgresSellers(PostgresRepository[SellerProfile], SellerRepository):
    table = seller_profiles
    noun = "seller"
    key = "account_id"
    constraints: ClassVar = {
        "one_shop_name": (ShopNameTaken, "Another shop has this name already; choose another."),
        "seller_profiles_pkey": (Conflict, "This account has a seller profile already."),
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
            "description": entity.description,
            "status": entity.status.value,
            "status_reason": entity.status_reason,
            "email_verified": entity.email_verified,
            "kyc_verified": entity.kyc_verified,
            "payouts_ready": entity.payouts_ready,
            "holiday": entity.holiday,
            "rating": entity.rating,
            "is_selling": entity.is_selling,
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
            holiday=row.holiday,
            rating=row.rating,
            created_at=row.created_at,
            version=row.version,
        )


class PostgresSellerQueries(SellerQueries):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def seller(self, account_id: AccountId) -> SellerView:
        found = self._one(_columns.account_id == account_id, _columns.status == SellerStatus.APPROVED.value)
        if found is None:
            raise NotFound(f"There is no seller {account_id}.")
        return SellerView(
            id=found.account_id,
            shop_name=found.shop_name,
            description=found.description,
            rating=found.rating,
            on_holiday=found.holiday,
            created_at=found.created_at,
        )

    def own(self, account_id: AccountId) -> OwnSellerView:
        statement = (
            sa.select(seller_profiles, accounts.c.is_email_verified)
            .select_from(accounts.outerjoin(seller_profiles, _columns.account_id == accounts.c.id))
            .where(accounts.c.id == account_id)
        )
        with self._engine.connect() as connection:
            found = connection.execute(statement).first()
        if found is None:
            raise NotFound(f"There is no account {account_id}.")
        has_profile = found.account_id is not None
        status = SellerStatus(found.status) if has_profile else SellerStatus.NONE
        return OwnSellerView(
            id=account_id,
            shop_name=found.shop_name,
            description=found.description or "",
            rating=found.rating,
            status=status,
            status_reason=found.status_reason or "",
            missing=missing_steps(
                email_verified=found.email_verified if has_profile else found.is_email_verified,
                approved=status is SellerStatus.APPROVED,
                kyc_verified=bool(found.kyc_verified),
                payouts_ready=bool(found.payouts_ready),
            ),
            on_holiday=bool(found.holiday),
            is_selling=bool(found.is_selling),
            created_at=found.created_at,
        )

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

    def _one(self, *where: sa.ColumnElement[bool]) -> Any:
        with self._engine.connect() as connection:
            return connection.execute(sa.select(seller_profiles).where(*where)).first()


def _is_called(shop_name: str) -> sa.ColumnElement[bool]:
    return sa.func.lower(_columns.shop_name) == sa.func.lower(shop_name)
