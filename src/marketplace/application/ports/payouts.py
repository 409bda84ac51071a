"""Payouts and recoveries: what the use cases need of a store, and what sellers and operators see of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.payout_states import HoldReason, PayoutStatus
from marketplace.domain.payouts import Payout
from marketplace.domain.recoveries import Recovery, RecoveryStatus
from marketplace.domain.shared.ids import AccountId, OrderId, PayoutId, RecoveryId, SaleId
from marketplace.domain.shared.money import Money


@dataclass(frozen=True, kw_only=True, slots=True)
class DueSeller:
    """Minor units: what is due and not gathered yet, and what the seller owes."""

    seller_id: AccountId
    due: int
    owed: int


class PayoutRepository(Protocol):
    """One payout a sale. Locked after its order, several of one order by ascending id."""

    def add(self, payout: Payout) -> None:
        """Raises Conflict when the sale has one, at the latest on commit."""
        ...

    def get(self, id: PayoutId) -> Payout:
        """Raises NotFound."""
        ...

    def get_for_update(self, id: PayoutId) -> Payout:
        """As ``get``, locked until the unit ends. Raises NotFound."""
        ...

    def of_sale_for_update(self, sale_id: SaleId) -> Payout:
        """Locked until the unit ends. Raises NotFound until the sale is paid."""
        ...

    def of_order_for_update(self, order_id: OrderId) -> Sequence[Payout]:
        """By ascending id, locked until the unit ends."""
        ...

    def find_by_transfer(self, transfer_id: str) -> Payout | None:
        """By the provider's name for its transfer."""
        ...

    def next_due_for_update(self, *, now: datetime) -> Payout | None:
        """The longest overdue of those that are gathered or being sent, not leased, its order locked and it too.

        Passes over orders that somebody else has locked.
        """
        ...

    def next_to_hold_for_update(self) -> Payout | None:
        """One that is pending or due of a seller who is suspended; its order locked and it too."""
        ...

    def next_to_release_for_update(self) -> Payout | None:
        """One with an open hold for a suspension of its seller that is over; its order locked and it too."""
        ...

    def next_kept_long_for_update(self, *, since: datetime) -> Payout | None:
        """The oldest that was made before ``since``, is open, and was not told of; its order locked and it too."""
        ...

    def due_sellers(self, *, now: datetime, after: AccountId, limit: int) -> Sequence[DueSeller]:
        """Sellers, by ascending id above ``after``, with something due to be tried now that is not gathered yet."""
        ...

    def gather(self, seller_id: AccountId, *, batch_id: int, now: datetime) -> int:
        """Put what is due to be tried now of a seller, and is not locked, into one batch; gives the number."""
        ...

    def has_blocked(self, seller_id: AccountId) -> bool:
        """Whether a payout of the seller, due or being sent, was refused by an account that cannot receive it."""
        ...

    def make_due(self, seller_id: AccountId, *, now: datetime) -> int:
        """The seller's account can receive again: what waited for that is tried now; gives the number."""
        ...

    def save(self, payout: Payout) -> None:
        """Raises ConcurrencyConflict if it changed since it was read, at the latest on commit."""
        ...


class RecoveryRepository(Protocol):
    """Any number of recoveries a payout. Locked after the payout."""

    def add(self, recovery: Recovery) -> None:
        """Raises Conflict when the payout has one for that cause, at the latest on commit."""
        ...

    def get_for_update(self, id: RecoveryId) -> Recovery:
        """Locked until the unit ends. Raises NotFound."""
        ...

    def of_payout_for_update(self, payout_id: PayoutId) -> Sequence[Recovery]:
        """The oldest first, locked until the unit ends."""
        ...

    def owed_for_update(self, seller_id: AccountId, *, limit: int) -> Sequence[Recovery]:
        """What a seller owes (refused, and not netted or written off), the oldest first, locked until the unit ends."""
        ...

    def next_due_for_update(self, *, now: datetime) -> Recovery | None:
        """The longest overdue one, not leased; its order and its payout locked, and it too."""
        ...

    def save(self, recovery: Recovery) -> None:
        """Raises ConcurrencyConflict if it changed since it was read, at the latest on commit."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class PayoutView:
    """``amount`` is the seller's net as agreed; ``sent``: what was transferred; ``netted``: what paid a debt.

    ``is_blocked``: it waits for the seller's account at the provider, of which ``last_error`` tells then.
    """

    id: PayoutId
    sale_id: SaleId
    sale_reference: str
    order_id: OrderId
    seller_id: AccountId
    status: PayoutStatus
    amount: Money
    reversed: Money
    netted: Money
    sent: Money
    created_at: datetime
    due_at: datetime | None
    paid_at: datetime | None
    hold_reason: HoldReason | None
    is_blocked: bool
    last_error: str
    batch_id: int | None
    transfer_id: str | None
    next_try_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RecoveryView:
    """``left``: what of ``amount`` is still owed."""

    id: RecoveryId
    payout_id: PayoutId
    order_id: OrderId
    seller_id: AccountId
    status: RecoveryStatus
    cause: str
    amount: Money
    reversed: Money
    netted: Money
    written_off: Money
    left: Money
    decided_at: datetime
    last_error: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SellerBalance:
    """What a seller has coming, by where it stands. Minor units of ``currency``.

    ``receivable`` is what the seller owes; ``paid_total`` what was transferred ever, less what was reversed there.
    ``next_payout_at``: when what is due is tried next, None while nothing is.
    """

    currency: str
    pending: int
    on_hold: int
    due: int
    sending: int
    paid_total: int
    receivable: int
    next_payout_at: datetime | None


class PayoutQueries(Protocol):
    def payouts(
        self,
        request: PageRequest,
        *,
        seller_id: AccountId | None = None,
        statuses: Collection[PayoutStatus] = (),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Page[PayoutView]:
        """The last made first; made from ``since`` on and before ``until``."""
        ...

    def payout(self, id: PayoutId) -> PayoutView:
        """Anybody's: the caller asks ``access``. Raises NotFound."""
        ...

    def balance(self, seller_id: AccountId, *, currency: str) -> SellerBalance:
        """All of it nothing for whoever never sold."""
        ...

    def recoveries(
        self,
        request: PageRequest,
        *,
        seller_id: AccountId | None = None,
        payout_id: PayoutId | None = None,
        statuses: Collection[RecoveryStatus] = (),
        before: datetime | None = None,
    ) -> Page[RecoveryView]:
        """The last decided first; those decided before ``before``."""
        ...
