"""Seller profiles in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection

from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.sellers import OwnSellerView, SellerQueries, SellerRepository, SellerView
from marketplace.domain.identity.accounts import Account
from marketplace.domain.identity.names import name_key
from marketplace.domain.sellers import SellerProfile, SellerStatus, ShopNameTaken, missing_steps
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId


class InMemorySellers(InMemoryRepository[SellerProfile], SellerRepository):
    name = "sellers"
    noun = "seller"

    def key(self, entity: SellerProfile) -> AccountId:
        return entity.account_id

    def check_constraints(self, entities: Collection[SellerProfile]) -> None:
        if len({profile.shop_name.lower() for profile in entities}) < len(entities):
            raise ShopNameTaken("Another shop has this name already; choose another.")

    def find(self, account_id: AccountId) -> SellerProfile | None:
        return self._first(lambda profile: profile.account_id == account_id)

    def has_shop(self, shop_name: str) -> bool:
        return any(profile.shop_name.lower() == shop_name.lower() for profile in self._scan())


class InMemorySellerQueries(SellerQueries):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def seller(self, account_id: AccountId) -> SellerView:
        found = self._one(lambda p: p.account_id == account_id and p.status is SellerStatus.APPROVED)
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
        with self._store.lock:
            account: Account | None = self._store.table("accounts").get(account_id)
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
                on_holiday=False,
                is_selling=False,
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
            on_holiday=found.holiday,
            is_selling=found.is_selling,
            created_at=found.created_at,
        )

    def account_called(self, name: str) -> AccountId:
        with self._store.lock:
            accounts: dict[AccountId, Account] = dict(self._store.table("accounts"))

        def is_owned(profile: SellerProfile) -> bool:
            owner = accounts[profile.account_id]
            return name_key(name) in (owner.username_key, owner.email_key)

        found = self._one(lambda p: p.shop_name.lower() == name.lower()) or self._one(is_owned)
        if found is None:
            raise NotFound(f"There is no seller called {name!r}.")
        return found.account_id

    def _one(self, matches: Callable[[SellerProfile], bool]) -> SellerProfile | None:
        with self._store.lock:
            return next((p for p in self._store.table(InMemorySellers.name).values() if matches(p)), None)
