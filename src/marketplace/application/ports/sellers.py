"""What sellers need of a store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from marketplace.domain.sellers import SellerProfile, SellerStatus, SellingStep
from marketplace.domain.shared.ids import AccountId


class SellerRepository(Protocol):
    """Profiles, keyed by their account."""

    def add(self, profile: SellerProfile) -> None:
        """Raises ShopNameTaken, whatever the case of its letters, and Conflict when the account has a profile."""
        ...

    def get(self, account_id: AccountId) -> SellerProfile:
        """Raises NotFound."""
        ...

    def find(self, account_id: AccountId) -> SellerProfile | None:
        """As ``get``, but None when the account has no profile."""
        ...

    def has_shop(self, shop_name: str) -> bool:
        """Whether a shop of that name exists, whatever the case of its letters."""
        ...

    def save(self, profile: SellerProfile) -> None:
        """Raises ConcurrencyConflict if it changed since it was read, and ShopNameTaken, at the latest on commit."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class SellerView:
    """A shop as the public sees it."""

    id: AccountId
    shop_name: str
    description: str
    rating: Decimal | None
    on_holiday: bool
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnSellerView:
    """An account as a seller, to its owner; ``missing`` are the steps of the checklist that are not done.

    Without a profile the status is ``none``, and there is no shop name.
    """

    id: AccountId
    shop_name: str | None
    description: str
    rating: Decimal | None
    status: SellerStatus
    status_reason: str
    missing: tuple[SellingStep, ...]
    on_holiday: bool
    is_selling: bool
    created_at: datetime | None


class SellerQueries(Protocol):
    def seller(self, account_id: AccountId) -> SellerView:
        """A seller who was approved and is not suspended, on holiday or not. Raises NotFound for anybody else."""
        ...

    def own(self, account_id: AccountId) -> OwnSellerView:
        """Raises NotFound when there is no such account."""
        ...

    def account_called(self, name: str) -> AccountId:
        """The seller with that shop name, username or e-mail address, whatever the case of its letters.

        A shop name goes before the others. Raises NotFound.
        """
        ...
