"""What sellers need of a store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.payout_accounts import AccountState
from marketplace.domain.sellers import Holiday, SellerProfile, SellerStatus, SellingStep
from marketplace.domain.shared.ids import AccountId


class SellerRepository(Protocol):
    """Profiles, keyed by their account."""

    def add(self, profile: SellerProfile) -> None:
        """Raises ShopNameTaken, whatever the case or Unicode form, and SellerExists when the account has a profile."""
        ...

    def get(self, account_id: AccountId) -> SellerProfile:
        """Raises NotFound."""
        ...

    def get_for_update(self, account_id: AccountId) -> SellerProfile:
        """As ``get``, locked until the unit ends. Raises NotFound."""
        ...

    def find(self, account_id: AccountId) -> SellerProfile | None:
        """As ``get``, but None when the account has no profile."""
        ...

    def has_shop(self, shop_name: str) -> bool:
        """Whether a shop of that name exists, whatever the case or Unicode form."""
        ...

    def save(self, profile: SellerProfile) -> None:
        """Raises ConcurrencyConflict if it changed since it was read, and ShopNameTaken, at the latest on commit."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class SellerView:
    """A shop as the public sees it. ``back_at`` ends the holiday that it is on now; None when it is on none."""

    id: AccountId
    shop_name: str
    description: str
    rating: Decimal | None
    back_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnSellerView:
    """An account as a seller, to its owner; ``missing`` are the steps of the checklist that are not done.

    Without a profile the status is ``none``, and there is no shop name. ``payout_account`` is what the payment provider
    said last, None until the seller has an account there. ``holiday`` may be over or not begun.
    """

    id: AccountId
    shop_name: str | None
    description: str
    rating: Decimal | None
    status: SellerStatus
    status_reason: str
    missing: tuple[SellingStep, ...]
    holiday: Holiday | None
    on_holiday: bool
    is_selling: bool
    payout_account: AccountState | None
    created_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SellerRecord:
    """A seller as administrators see one; ``created_at`` is when they applied."""

    id: AccountId
    username: str
    email: str
    shop_name: str
    description: str
    rating: Decimal | None
    status: SellerStatus
    status_reason: str
    missing: tuple[SellingStep, ...]
    holiday: Holiday | None
    on_holiday: bool
    is_selling: bool
    created_at: datetime


class SellerQueries(Protocol):
    def seller(self, account_id: AccountId, *, now: datetime) -> SellerView:
        """A seller who was approved and is not suspended, on holiday or not. Raises NotFound for anybody else."""
        ...

    def own(self, account_id: AccountId, *, now: datetime) -> OwnSellerView:
        """Raises NotFound when there is no such account."""
        ...

    def sellers(self, request: PageRequest, *, status: SellerStatus | None, now: datetime) -> Page[SellerRecord]:
        """Who applied, whatever became of it, in the order in which they did."""
        ...

    def record(self, account_id: AccountId, *, now: datetime) -> SellerRecord:
        """Raises NotFound for who never applied."""
        ...

    def account_called(self, name: str) -> AccountId:
        """The seller with that shop name, username or e-mail address, whatever the case or Unicode form.

        A shop name goes before the others. Raises NotFound.
        """
        ...
