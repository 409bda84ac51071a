"""Orders, sales and their history in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from marketplace.adapters.memory.pages import paged
from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.orders import (
    OLDEST_FIRST,
    OrderPaymentView,
    OrderQueries,
    OrderRepository,
    OrderView,
    SaleItemView,
    SaleView,
)
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.orders.order import Order, Sale
from marketplace.domain.orders.status import OrderStatus, SaleStatus, Transition
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId, OrderId, SaleId


class InMemoryOrders(InMemoryRepository[Order], OrderRepository):
    """``transitions`` of a stored order is its whole history; what is handed out has none, as it starts afresh."""

    name = "orders"
    noun = "order"

    def get(self, key: OrderId) -> Order:
        order = super().get(key)
        order.transitions.clear()
        return order

    def get_for_update(self, id: OrderId) -> Order:
        return self.get(id)

    def of_sale_for_update(self, sale_id: SaleId) -> Order:
        for order in self._scan():
            if any(sale.id == sale_id for sale in order.sales):
                return self.get_for_update(order.id)
        raise NotFound(f"There is no sale {sale_id}.")

    def next_to_complete_for_update(self, *, now: datetime, skip: Collection[SaleId]) -> tuple[Order, SaleId] | None:
        due = [
            (sale.completes_at, sale.id, order.id)
            for order in self._scan()
            for sale in order.sales
            if sale.status in (SaleStatus.SHIPPED, SaleStatus.DELIVERED)
            and sale.completes_at is not None
            and sale.completes_at <= now
            and sale.id not in skip
        ]
        if not due:
            return None
        _, sale_id, order_id = min(due)
        return self.get_for_update(order_id), sale_id

    def save(self, entity: Order) -> None:
        stored = self._find(entity.id)
        if stored is not None:
            entity.transitions[:0] = stored.transitions
        super().save(entity)
        entity.transitions.clear()


class InMemoryOrderQueries(OrderQueries):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def order(self, id: OrderId) -> OrderView:
        return self._one(lambda order: order.id == id, f"order {id}")

    def order_called(self, reference: str) -> OrderView:
        return self._one(lambda order: order.reference == reference.strip().upper(), f"order {reference}")

    def orders(
        self, buyer_id: AccountId, request: PageRequest, *, statuses: Collection[OrderStatus] = ()
    ) -> Page[OrderView]:
        with self._store.lock:
            return paged(
                [
                    order
                    for order in self._orders()
                    if order.buyer_id == buyer_id and (not statuses or order.status in statuses)
                ],
                key=lambda order: (order.created_at.isoformat(), order.id),
                descending=request.ordering not in OLDEST_FIRST,
                request=request,
                view=self._view,
            )

    def history(self, id: OrderId) -> Sequence[Transition]:
        with self._store.lock:
            found = self._store.table("orders").get(id)
            return [] if found is None else list(found.transitions)

    def sale(self, seller_id: AccountId, id: SaleId) -> SaleView:
        with self._store.lock:
            for order, sale in self._paid_sales(seller_id):
                if sale.id == id:
                    return self._sale_view(order, sale)
        raise NotFound(f"There is no sale {id}.")

    def sales(
        self, seller_id: AccountId, request: PageRequest, *, statuses: Collection[SaleStatus] = ()
    ) -> Page[SaleView]:
        def key(row: tuple[Order, Sale]) -> tuple[Any, ...]:
            return _paid_at(row[0]).isoformat(), row[1].id

        with self._store.lock:
            return paged(
                [
                    (order, sale)
                    for order, sale in self._paid_sales(seller_id)
                    if not statuses or sale.status in statuses
                ],
                key=key,
                descending=request.ordering not in OLDEST_FIRST,
                request=request,
                view=lambda row: self._sale_view(*row),
            )

    def _orders(self) -> list[Order]:
        return list(self._store.table("orders").values())

    def _one(self, matches: Callable[[Order], bool], what: str) -> OrderView:
        with self._store.lock:
            found = next((order for order in self._orders() if matches(order)), None)
            if found is None:
                raise NotFound(f"There is no {what}.")
            return self._view(found)

    def _paid_sales(self, seller_id: AccountId) -> list[tuple[Order, Sale]]:
        return [
            (order, sale)
            for order in self._orders()
            if order.paid_at is not None
            for sale in order.sales
            if sale.seller_id == seller_id
        ]

    def _view(self, order: Order) -> OrderView:
        payment = next(p for p in self._store.table("payments").values() if p.order_id == order.id)
        return OrderView(
            id=order.id,
            reference=order.reference,
            buyer_id=order.buyer_id,
            status=order.status,
            currency=order.currency,
            base=order.base,
            commission=order.commission,
            processing=order.processing,
            shipping=order.shipping,
            shipping_address=order.shipping_address,
            billing_address=order.billing_address,
            sales=[self._sale_view(order, sale) for sale in order.sales],
            payment=OrderPaymentView(
                provider=payment.provider, intent_id=payment.intent_id, status=payment.status.value
            ),
            created_at=order.created_at,
            payment_due_at=order.payment_due_at,
            paid_at=order.paid_at,
        )

    def _sale_view(self, order: Order, sale: Sale) -> SaleView:
        return SaleView(
            id=sale.id,
            order=order.id,
            reference=sale.reference,
            status=sale.status,
            seller_id=sale.seller_id,
            shop_name=self._store.table("sellers")[sale.seller_id].shop_name,
            items=[
                SaleItemView(
                    id=line.id,
                    listing=line.listing_id,
                    product=line.product_id,
                    title=line.title,
                    variant=dict(line.variant),
                    quantity=line.quantity,
                    unit_price=line.unit_price.amount,
                )
                for line in sale.lines
            ],
            currency=order.currency,
            base=sale.base,
            platform_commission=sale.commission,
            seller_fees=sale.seller_fees,
            paid_at=order.paid_at,
            shipping_address=order.shipping_address,
            shipment=sale.shipment,
            completes_at=sale.completes_at,
            cancellation=sale.cancellation,
        )


def _paid_at(order: Order) -> datetime:
    assert order.paid_at is not None
    return order.paid_at
