"""What is offered and was sold of a product, in memory. Called under the store's lock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.adapters.memory.listings import available
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.domain.listings import ListingStatus
from marketplace.domain.orders.order import Order
from marketplace.domain.orders.status import SaleStatus
from marketplace.domain.shared.ids import ListingId, ProductId
from marketplace.domain.shared.money import half_up

MARKET_WINDOW = timedelta(days=90)
_NOT_SOLD = (SaleStatus.AWAITING_PAYMENT, SaleStatus.CANCELLED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Offers:
    lowest: int | None
    cheapest: ListingId | None
    """The oldest of those at the lowest price."""
    average: int | None
    pieces: int
    count: int


def offers_of(store: InMemoryStore, product_id: ProductId, now: datetime) -> Offers:
    """Of the active listings of sellers who may sell."""
    sellers = store.table("sellers")
    active = [
        listing
        for listing in store.table("listings").values()
        if listing.product_id == product_id
        and listing.status is ListingStatus.ACTIVE
        and sellers[listing.seller_id].is_selling(now)
    ]
    prices = [listing.price.amount for listing in active]
    lowest, cheapest = min(((listing.price.amount, listing.id) for listing in active), default=(None, None))
    return Offers(
        lowest=lowest,
        cheapest=cheapest,
        average=half_up(sum(prices), len(prices)) if prices else None,
        pieces=sum(available(store, listing, now) for listing in active),
        count=len(active),
    )


def market_price(store: InMemoryStore, product_id: ProductId, now: datetime) -> int | None:
    """The mean price of a piece in the sales of the last 90 days."""
    orders: list[Order] = list(store.table("orders").values())
    lines = [
        line
        for order in orders
        if order.paid_at is not None and order.paid_at > now - MARKET_WINDOW
        for sale in order.sales
        if sale.status not in _NOT_SOLD
        for line in sale.lines
        if line.product_id == product_id
    ]
    pieces = sum(line.quantity for line in lines)
    return half_up(sum(line.subtotal.amount for line in lines), pieces) if pieces else None
