"""Seller profiles in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from marketplace.adapters.memory.pages import paged
from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.application.ports.sellers import (
    OwnSellerView,
    SellerQueries,
    SellerRecord,
    SellerRepository,
    SellerView,
)
from marketplace.domain.identity.accounts import Account
from marketplace.domain.identity.names import name_key
from marketplace.domain.payout_accounts import PayoutAccount
from marketplace.domain.sellers import (
    SellerExists,
    SellerProfile,
    SellerStatus,
    ShopNameTaken,
    missing_steps,
    shop_name_key,
)
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId


class InMemorySellers(InMemoryRepository[SellerProfile], SellerRepository):
    name = "sellers"
    noun = "seller"

    def key(self, entity: SellerProfile) -> AccountId:
        return entity.account_id

    def check_constraints(self, entities: Collection[SellerProfile]) -> None:
        if len({profile.shop_name_key for profile in entities}) < len(entities):
            raise ShopNameTaken("Another shop has this name already; choose another.")

    def add(self, entity: SellerProfile) -> None:
        if self._find(entity.account_id) is not None:
            raise SellerExists("This account has a seller profile already.")
        super().add(entity)

    def get_for_update(self, account_id: AccountId) -> SellerProfile:
        return self.get(account_id)

    def find(self, account_id: AccountId) -> SellerProfile | None:
        return self._first(lambda profile: profile.account_id == account_id)

    def has_shop(self, shop_name: str) -> bool:
        return any(profile.shop_name_key == shop_name_key(shop_name) for profile in self._scan())


class InMemorySellerQueries(SellerQueries):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def seller(self, account_id: AccountId, *, now: datetime) -> SellerView:
        found = self._one(lambda p: p.account_id == account_id and p.status is SellerStatus.APPROVED)
        if found is None:
            raise NotFound(f"There is no seller {account_id}.")
        return SellerView(
            id=found.account_id,
            shop_name=found.shop_name,
            description=found.description,
            rating=found.rating,
            back_at=found.holiday.ends_at if found.holiday is not None and found.is_on_holiday(now) else None,
            created_at=found.created_at,
        )

    def own(self, account_id: AccountId, *, now: datetime) -> OwnSellerView:
        with self._store.lock:
            account: Account | None = self._store.table("accounts").get(account_id)
            paid_at: PayoutAccount | None = self._store.table("payout_accounts").get(account_id)
        if account is None:
            raise NotFound(f"There is no account {account_id}.")
        found = self._one(lambda p: p.account_id == account_id)
        if found is None:
            return OwnSellerView(
                id=account_id,
                shop_name=None,
                description="",
                rating=None,
                status=SellerStatus.NONE,
                status_reason="",
                missing=missing_steps(
                    email_verified=account.is_email_verified, approved=False, kyc_verified=False, payouts_ready=False
                ),
                holiday=None,
                on_holiday=False,
                is_selling=False,
                payout_account=None,
                created_at=None,
            )
        return OwnSellerView(
            id=found.account_id,
            shop_name=found.shop_name,
            description=found.description,
            rating=found.rating,
            status=found.status,
            status_reason=found.status_reason,
            missing=found.missing,
            holiday=found.holiday,
            on_holiday=found.is_on_holiday(now),
            is_selling=found.is_selling(now),
            payout_account=None if paid_at is None or paid_at.provider_account_id is None else paid_at.state,
            created_at=found.created_at,
        )

    def sellers(self, request: PageRequest, *, status: SellerStatus | None, now: datetime) -> Page[SellerRecord]:
        with self._store.lock:
            profiles: list[SellerProfile] = list(self._store.table(InMemorySellers.name).values())
        wanted = [profile for profile in profiles if status is None or profile.status is status]
        return paged(
            wanted,
            key=lambda profile: (profile.created_at.isoformat(), profile.account_id),
            descending=False,
            request=request,
            view=lambda profile: self._record(profile, now),
        )

    def record(self, account_id: AccountId, *, now: datetime) -> SellerRecord:
        found = self._one(lambda p: p.account_id == account_id)
        if found is None:
            raise NotFound(f"There is no seller {account_id}.")
        return self._record(found, now)

    def account_called(self, name: str) -> AccountId:
        with self._store.lock:
            accounts: dict[AccountId, Account] = dict(self._store.table("accounts"))

        def is_owned(profile: SellerProfile) -> bool:
            owner = accounts[profile.account_id]
            return name_key(name) in (owner.username_key, owner.email_key)

        found = self._one(lambda p: p.shop_name_key == shop_name_key(name)) or self._one(is_owned)
        if found is None:
            raise NotFound(f"There is no seller called {name!r}.")
        return found.account_id

    def _record(self, profile: SellerProfile, now: datetime) -> SellerRecord:
        with self._store.lock:
            owner: Account = self._store.table("accounts")[profile.account_id]
        return SellerRecord(
            id=profile.account_id,
            username=owner.username,
            email=owner.email,
            shop_name=profile.shop_name,
            description=profile.description,
            rating=profile.rating,
            status=profile.status,
            status_reason=profile.status_reason,
            missing=profile.missing,
            holiday=profile.holiday,
            on_holiday=profile.is_on_holiday(now),
            is_selling=profile.is_selling(now),
            created_at=profile.created_at,
        )

    def _one(self, matches: Callable[[SellerProfile], bool]) -> SellerProfile | None:
        with self._store.lock:
            return next((p for p in self._store.table(InMemorySellers.name).values() if matches(p)), None)
