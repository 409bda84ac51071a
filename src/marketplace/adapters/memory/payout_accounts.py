"""Sellers' accounts at the payment provider, in memory."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.application.ports.payout_accounts import PayoutAccountRepository
from marketplace.domain.payout_accounts import PayoutAccount
from marketplace.domain.shared.errors import Conflict
from marketplace.domain.shared.ids import AccountId


class InMemoryPayoutAccounts(InMemoryRepository[PayoutAccount], PayoutAccountRepository):
    name = "payout_accounts"
    noun = "payout account of the seller"

    def key(self, entity: PayoutAccount) -> AccountId:
        return entity.account_id

    def check_constraints(self, entities: Collection[PayoutAccount]) -> None:
        named = [entity.provider_account_id for entity in entities if entity.provider_account_id is not None]
        if len(set(named)) < len(named):
            raise Conflict("The provider's account belongs to another seller already.")

    def find(self, account_id: AccountId) -> PayoutAccount | None:
        return self._first(lambda account: account.account_id == account_id)

    def find_by_provider(self, provider_account_id: str) -> PayoutAccount | None:
        return self._first(lambda account: account.provider_account_id == provider_account_id)

    def get_for_update(self, account_id: AccountId) -> PayoutAccount:
        return self.get(account_id)

    def next_due_for_update(self, *, now: datetime) -> PayoutAccount | None:
        due = [
            (account.next_check_at, account.account_id, account)
            for account in self._all(lambda account: account.locked_until is None or account.locked_until <= now)
            if account.next_check_at is not None and account.next_check_at <= now
        ]
        return min(due, key=lambda each: each[:2])[2] if due else None
