"""Orders and sales: what the use cases need of a store, and what buyers and sellers see."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.orders.order import Order, PostalAddress
from marketplace.domain.orders.sale import CancellationRequest
from marketplace.domain.orders.shipment import Shipment
from marketplace.domain.orders.status import OrderStatus, SaleStatus, Transition
from marketplace.domain.shared.ids import AccountId, OrderId, SaleId


class OrderRepository(Protocol):
    """Orders with their sales, lines and history."""

    def add(self, order: Order) -> None:
        """Keep a new order with everything in it."""
        ...

    def get(self, id: OrderId) -> Order:
        """Raises NotFound."""
        ...

    def get_for_update(self, id: OrderId) -> Order:
        """As ``get``, the order and then its sales locked until the unit ends. Raises NotFound."""
        ...

    def of_sale_for_update(self, sale_id: SaleId) -> Order:
        """The order that a sale is part of, locked as above. Raises NotFound."""
        ...

    def next_to_complete_for_update(self, *, now: datetime, skip: Collection[SaleId]) -> tuple[Order, SaleId] | None:
        """The sale on its way or there whose time to complete is the longest over, its order locked as above.

        Orders that somebody else has locked are left out, and the sales of ``skip``. Whoever had it locked before may
        have moved the sale: look at it again.
        """
        ...

    def save(self, order: Order) -> None:
        """Store statuses, parcels, wishes and returns, and append the transitions to the history.

        Raises ConcurrencyConflict if it changed since it was read, at the latest on commit.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class SaleItemView:
    """Amounts in minor units of the order's currency."""

    id: int
    listing: int
    product: int
    title: str
    variant: Mapping[str, Any]
    quantity: int
    unit_price: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SaleView:
    """One seller's part, all of it: the door leaves out what only its seller may see. Minor units of ``currency``."""

    id: int
    order: int
    reference: str
    status: SaleStatus
    seller_id: int
    shop_name: str
    items: Sequence[SaleItemView]
    currency: str
    base: int
    platform_commission: int
    seller_fees: int
    paid_at: datetime | None
    shipping_address: PostalAddress
    shipment: Shipment | None = None
    completes_at: datetime | None = None
    cancellation: CancellationRequest | None = None

    @property
    def seller_net_amount(self) -> int:
        """What the seller gets, in minor units: the items without the commission and the fees."""
        return self.base - self.platform_commission - self.seller_fees


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderPaymentView:
    """The payment of an order as far as its buyer needs it; the client secret is not stored, hence not here."""

    provider: str
    intent_id: str | None
    status: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderView:
    """Amounts in minor units of ``currency``."""

    id: int
    reference: str
    buyer_id: int
    status: OrderStatus
    currency: str
    base: int
    commission: int
    processing: int
    shipping: int
    shipping_address: PostalAddress
    billing_address: PostalAddress | None
    sales: Sequence[SaleView]
    payment: OrderPaymentView
    created_at: datetime
    payment_due_at: datetime
    paid_at: datetime | None

    @property
    def total(self) -> int:
        """What the buyer pays in all, in minor units."""
        return self.base + self.commission + self.processing + self.shipping


ORDER_ORDERINGS = ("newest", "oldest", "-created_at", "created_at")
"""What ``PageRequest.ordering`` of a list of orders or sales may be; empty means the newest first."""
OLDEST_FIRST = frozenset({"oldest", "created_at"})


class OrderQueries(Protocol):
    """Reads, one statement each (a page: a second one for its count)."""

    def order(self, id: OrderId) -> OrderView:
        """Anybody's: the caller asks ``access``. Raises NotFound."""
        ...

    def order_called(self, reference: str) -> OrderView:
        """By its public reference, whatever the case of its letters. Raises NotFound."""
        ...

    def orders(
        self, buyer_id: AccountId, request: PageRequest, *, statuses: Collection[OrderStatus] = ()
    ) -> Page[OrderView]:
        """The buyer's orders; ``statuses``, when not empty, narrows them."""
        ...

    def history(self, id: OrderId) -> Sequence[Transition]:
        """Every move of the order and its sales, the oldest first."""
        ...

    def sale(self, seller_id: AccountId, id: SaleId) -> SaleView:
        """With the delivery address. Raises NotFound for another seller's sale, and until it is paid."""
        ...

    def sales(
        self, seller_id: AccountId, request: PageRequest, *, statuses: Collection[SaleStatus] = ()
    ) -> Page[SaleView]:
        """The seller's paid sales, ordered by when they were paid; with the delivery address."""
        ...
