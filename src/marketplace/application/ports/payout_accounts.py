"""What sellers' accounts at the payment provider need of a store."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from marketplace.domain.payout_accounts import PayoutAccount
from marketplace.domain.shared.ids import AccountId


class PayoutAccountRepository(Protocol):
    """Keyed by the seller's account. In a unit of work it is locked after the seller's account and profile."""

    def add(self, account: PayoutAccount) -> None:
        """Raises Conflict when the seller has one, at the latest on commit."""
        ...

    def find(self, account_id: AccountId) -> PayoutAccount | None:
        """The seller's; None until they have asked to be onboarded. Being vouched for makes none."""
        ...

    def find_by_provider(self, provider_account_id: str) -> PayoutAccount | None:
        """By the provider's name for it."""
        ...

    def get_for_update(self, account_id: AccountId) -> PayoutAccount:
        """Locked until the unit ends. Raises NotFound."""
        ...

    def next_due_for_update(self, *, now: datetime) -> PayoutAccount | None:
        """The one that has been due to be read for longest, neither leased nor locked by anybody else; locked."""
        ...

    def save(self, account: PayoutAccount) -> None:
        """Raises ConcurrencyConflict if it changed since it was read, at the latest on commit."""
        ...
