"""What buyers and sellers see of orders, one statement each: sales and items come as one JSON value."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON

from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.orders import address_of, cancellation_of, shipment_of
from marketplace.adapters.postgres.pages import paged
from marketplace.adapters.postgres.prepared import PreparedStatement
from marketplace.adapters.postgres.tables.orders import order_transitions, orders, sales
from marketplace.adapters.postgres.tables.payments import payments
from marketplace.adapters.postgres.tables.sellers import seller_profiles
from marketplace.application.ports.orders import (
    OLDEST_FIRST,
    OrderPaymentView,
    OrderQueries,
    OrderView,
    SaleItemView,
    SaleView,
)
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.orders.status import OrderStatus, SaleStatus, Transition
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId, OrderId, SaleId

_order, _sale = orders.c, sales.c

_ITEMS = """(
    select json_agg(json_build_object(
        'id', n.id, 'listing', n.listing_id, 'product', n.product_id, 'title', n.title, 'variant', n.variant,
        'quantity', n.quantity, 'unit_price', n.unit_price
    ) order by n.id)
    from sale_lines n where n.sale_id = sales.id
)"""
_SALES = f"""(
    select json_agg(json_build_object(
        'id', sales.id, 'reference', sales.reference, 'status', sales.status, 'seller_id', sales.seller_id,
        'shop_name', p.shop_name, 'base', sales.base, 'commission', sales.commission,
        'seller_fees', sales.seller_fees, 'carrier', sales.carrier, 'tracking_number', sales.tracking_number,
        'shipped_at', sales.shipped_at, 'delivered_at', sales.delivered_at,
        'tracking_corrections', sales.tracking_corrections, 'completes_at', sales.completes_at,
        'cancellation_requested_at', sales.cancellation_requested_at,
        'cancellation_reason', sales.cancellation_reason, 'items', {_ITEMS}
    ) order by sales.id)
    from sales join seller_profiles p on p.account_id = sales.seller_id
    where sales.order_id = orders.id
)"""
_ORDERS = sa.select(
    orders,
    payments.c.provider,
    payments.c.intent_id,
    payments.c.status.label("payment_status"),
    sa.literal_column(_SALES, JSON).label("sales"),
).select_from(orders.join(payments, payments.c.order_id == _order.id))
_BY_ID = PreparedStatement(_ORDERS.where(_order.id == sa.bindparam("name", type_=sa.BigInteger)))
_BY_REFERENCE = PreparedStatement(_ORDERS.where(_order.reference == sa.bindparam("name", type_=sa.Text)))
_SALES_OF_SELLERS = sa.select(
    _sale.id,
    _sale.order_id,
    _sale.reference,
    _sale.status,
    _sale.seller_id,
    seller_profiles.c.shop_name,
    _sale.base,
    _sale.commission,
    _sale.seller_fees,
    _sale.paid_at,
    _sale.carrier,
    _sale.tracking_number,
    _sale.shipped_at,
    _sale.delivered_at,
    _sale.tracking_corrections,
    _sale.completes_at,
    _sale.cancellation_requested_at,
    _sale.cancellation_reason,
    _order.currency,
    _order.shipping_address,
    sa.literal_column(_ITEMS, JSON).label("items"),
).select_from(
    sales.join(orders, _order.id == _sale.order_id).join(
        seller_profiles, seller_profiles.c.account_id == _sale.seller_id
    )
)


class PostgresOrderQueries(OrderQueries):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def order(self, id: OrderId) -> OrderView:
        return self._one(_BY_ID, id, f"order {id}")

    def order_called(self, reference: str) -> OrderView:
        return self._one(_BY_REFERENCE, reference.strip().upper(), f"order {reference}")

    def orders(
        self, buyer_id: AccountId, request: PageRequest, *, statuses: Collection[OrderStatus] = ()
    ) -> Page[OrderView]:
        mine = _ORDERS.where(_order.buyer_id == buyer_id)
        if statuses:
            mine = mine.where(_order.status.in_([status.value for status in statuses]))
        with translated({}), self._engine.connect() as connection:
            return paged(
                connection,
                mine,
                keys=[_order.created_at, _order.id],
                descending=request.ordering not in OLDEST_FIRST,
                request=request,
                view=_order_view,
            )

    def history(self, id: OrderId) -> Sequence[Transition]:
        moves = sa.select(order_transitions).where(order_transitions.c.order_id == id).order_by(order_transitions.c.id)
        with translated({}), self._engine.connect() as connection:
            return [transition(row) for row in connection.execute(moves)]

    def sale(self, seller_id: AccountId, id: SaleId) -> SaleView:
        with translated({}), self._engine.connect() as connection:
            row = connection.execute(
                _SALES_OF_SELLERS.where(_sale.id == id, _sale.seller_id == seller_id, _sale.paid_at.is_not(None))
            ).first()
        if row is None:
            raise NotFound(f"There is no sale {id}.")
        return _seller_view(row)

    def sales(
        self, seller_id: AccountId, request: PageRequest, *, statuses: Collection[SaleStatus] = ()
    ) -> Page[SaleView]:
        mine = _SALES_OF_SELLERS.where(_sale.seller_id == seller_id, _sale.paid_at.is_not(None))
        if statuses:
            mine = mine.where(_sale.status.in_([status.value for status in statuses]))
        with translated({}), self._engine.connect() as connection:
            return paged(
                connection,
                mine,
                keys=[_sale.paid_at, _sale.id],
                descending=request.ordering not in OLDEST_FIRST,
                request=request,
                view=_seller_view,
            )

    def _one(self, statement: PreparedStatement, name: int | str, what: str) -> OrderView:
        with translated({}), self._engine.connect() as connection:
            rows = statement.rows(connection, {"name": name})
        if not rows:
            raise NotFound(f"There is no {what}.")
        return _order_view(rows[0])


def _order_view(row: Any) -> OrderView:
    return OrderView(
        id=row.id,
        reference=row.reference,
        buyer_id=row.buyer_id,
        status=OrderStatus(row.status),
        currency=row.currency,
        base=row.base,
        commission=row.commission,
        processing=row.processing,
        shipping=row.shipping,
        shipping_address=address_of(row.shipping_address),
        billing_address=None if row.billing_address is None else address_of(row.billing_address),
        sales=[_sale_view(sale, row) for sale in row.sales],
        payment=OrderPaymentView(provider=row.provider, intent_id=row.intent_id, status=row.payment_status),
        created_at=row.created_at,
        payment_due_at=row.payment_due_at,
        paid_at=row.paid_at,
    )


def _sale_view(sale: dict[str, Any], order: Any) -> SaleView:
    progress = SimpleNamespace(**{**sale, **{name: _moment(sale[name]) for name in _MOMENTS}})
    return SaleView(
        id=sale["id"],
        order=order.id,
        reference=sale["reference"],
        status=SaleStatus(sale["status"]),
        seller_id=sale["seller_id"],
        shop_name=sale["shop_name"],
        items=_items(sale["items"]),
        currency=order.currency,
        base=sale["base"],
        platform_commission=sale["commission"],
        seller_fees=sale["seller_fees"],
        paid_at=order.paid_at,
        shipping_address=address_of(order.shipping_address),
        shipment=shipment_of(progress),
        completes_at=progress.completes_at,
        cancellation=cancellation_of(progress),
    )


_MOMENTS = ("shipped_at", "delivered_at", "completes_at", "cancellation_requested_at")


def _moment(text: str | None) -> datetime | None:
    """JSON has no type for it."""
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def _seller_view(row: Any) -> SaleView:
    return SaleView(
        id=row.id,
        order=row.order_id,
        reference=row.reference,
        status=SaleStatus(row.status),
        seller_id=row.seller_id,
        shop_name=row.shop_name,
        items=_items(row.items),
        currency=row.currency,
        base=row.base,
        platform_commission=row.commission,
        seller_fees=row.seller_fees,
        paid_at=row.paid_at,
        shipping_address=address_of(row.shipping_address),
        shipment=shipment_of(row),
        completes_at=row.completes_at,
        cancellation=cancellation_of(row),
    )


def _items(items: Sequence[dict[str, Any]]) -> list[SaleItemView]:
    return [SaleItemView(**item) for item in items]


def transition(row: Any) -> Transition:
    """Of a row of ``order_transitions``."""
    return Transition(
        sale_id=row.sale_id,
        from_status=row.from_status,
        to_status=row.to_status,
        at=row.at,
        actor_id=row.actor_id,
        reason=row.reason,
    )
