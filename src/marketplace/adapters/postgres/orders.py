"""Orders, sales and their history in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.adapters.postgres.fee_rules import fee_json, fee_of
from marketplace.application.ports.orders import OrderRepository
from marketplace.domain.orders.order import Order, PostalAddress, Sale, SaleLine
from marketplace.domain.orders.sale import CancellationRequest
from marketplace.domain.orders.shipment import Shipment
from marketplace.domain.orders.status import OrderStatus, SaleStatus
from marketplace.domain.shared.errors import ConcurrencyConflict, NotFound
from marketplace.domain.shared.ids import OrderId, SaleId
from marketplace.domain.shared.money import Money

if TYPE_CHECKING:
    from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork

# One statement for the whole order: the parts that a CTE inserts are checked against each other at its end.
_ADD = text(
    """
    with new_order as (
        insert into orders (
            id, reference, buyer_id, status, currency, fee_schedule_id, fees, base, commission, processing,
            shipping, shipping_address, billing_address, created_at,
            payment_due_at, paid_at, version
        ) values (
            :id, :reference, :buyer_id, :status, :currency, :fee_schedule_id, :fees, :base, :commission, :processing,
            :shipping, :shipping_address, :billing_address,
            :created_at, :payment_due_at, :paid_at, 1
        )
    ), new_sales as (
        insert into sales (id, order_id, seller_id, reference, status, base, commission, seller_fees, returned, paid_at)
        select x.id, :id, x.seller_id, x.reference, x.status, x.base, x.commission, x.seller_fees, x.returned, :paid_at
        from jsonb_to_recordset(:sales) as x (
            id bigint, seller_id bigint, reference text, status text, base bigint, commission bigint,
            seller_fees bigint, returned bigint
        )
    )
    insert into sale_lines (
        id, sale_id, listing_id, product_id, variant_id, title, variant, quantity, unit_price, returned
    )
    select x.id, x.sale_id, x.listing_id, x.product_id, x.variant_id, x.title, x.variant, x.quantity, x.unit_price,
        x.returned
    from jsonb_to_recordset(:lines) as x (
        id bigint, sale_id bigint, listing_id bigint, product_id bigint, variant_id bigint, title text, variant jsonb,
        quantity integer, unit_price bigint, returned integer
    )
    """
).bindparams(
    bindparam("fees", type_=JSONB),
    bindparam("shipping_address", type_=JSONB),
    bindparam("billing_address", type_=JSONB(none_as_null=True)),
    bindparam("sales", type_=JSONB),
    bindparam("lines", type_=JSONB),
)
_GET = text("select * from orders where id = :id")
_LOCK = text("select * from orders where id = :id for no key update")
_PARTS = """
    select s.seller_id, s.reference, s.status, s.base, s.commission, s.seller_fees,
        s.returned as sale_returned, s.carrier, s.tracking_number, s.shipped_at, s.delivered_at,
        s.tracking_corrections, s.completes_at, s.cancellation_requested_at, s.cancellation_reason, n.*
    from sales s join sale_lines n on n.sale_id = s.id
    where s.order_id = :id
    order by s.id, n.id
    """
_ORDER_OF_SALE = text("select order_id from sales where id = :id")
_GET_PARTS = text(_PARTS)
_LOCK_PARTS = text(_PARTS + " for no key update of s")
# Through the orders, which are locked before their sales everywhere; who has one locked is left alone.
_NEXT_TO_COMPLETE = text(
    """
    select s.order_id, s.id
    from sales s join orders o on o.id = s.order_id
    where s.status in ('shipped', 'delivered') and s.completes_at <= :now and s.id <> all(:except)
    order by s.completes_at, s.id
    limit 1
    for no key update of o skip locked
    """
)
_SAVE = text(
    """
    with saved as (
        update orders set status = :status, paid_at = :paid_at, version = version + 1
        where id = :id and version = :version
        returning id
    ), saved_sales as (
        update sales s set
            status = x.status, returned = x.returned, paid_at = :paid_at, carrier = x.carrier,
            tracking_number = x.tracking_number, shipped_at = x.shipped_at, delivered_at = x.delivered_at,
            tracking_corrections = x.tracking_corrections, completes_at = x.completes_at,
            cancellation_requested_at = x.cancellation_requested_at, cancellation_reason = x.cancellation_reason
        from jsonb_to_recordset(:sales) as x (
            id bigint, status text, returned bigint, carrier text, tracking_number text, shipped_at timestamptz,
            delivered_at timestamptz, tracking_corrections integer, completes_at timestamptz,
            cancellation_requested_at timestamptz, cancellation_reason text
        )
        where s.id = x.id and (
            s.status, s.returned, s.paid_at, s.carrier, s.tracking_number, s.delivered_at, s.completes_at,
            s.cancellation_requested_at
        ) is distinct from (
            x.status, x.returned, :paid_at, x.carrier, x.tracking_number, x.delivered_at, x.completes_at,
            x.cancellation_requested_at
        )
    ), saved_lines as (
        update sale_lines n set returned = x.returned
        from jsonb_to_recordset(:lines) as x (id bigint, returned integer)
        where n.id = x.id and n.returned <> x.returned
    ), history as (
        insert into order_transitions (order_id, sale_id, from_status, to_status, at, actor_id, reason)
        select :id, x.sale_id, x.from_status, x.to_status, x.at, x.actor_id, x.reason
        from rows from (
            jsonb_to_recordset(:transitions) as (
                sale_id bigint, from_status text, to_status text, at timestamptz, actor_id bigint, reason text
            )
        ) with ordinality as x (sale_id, from_status, to_status, at, actor_id, reason, place)
        order by x.place
    )
    select id from saved
    """
).bindparams(bindparam("sales", type_=JSONB), bindparam("lines", type_=JSONB), bindparam("transitions", type_=JSONB))


class PostgresOrders(OrderRepository):
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    def add(self, order: Order) -> None:
        self._uow.execute(
            _ADD,
            {
                "id": order.id,
                "reference": order.reference,
                "buyer_id": order.buyer_id,
                "status": order.status.value,
                "currency": order.currency,
                "fee_schedule_id": order.fee_schedule_id,
                "fees": [fee_json(fee) for fee in order.fees],
                "base": order.base,
                "commission": order.commission,
                "processing": order.processing,
                "shipping": order.shipping,
                "shipping_address": _address_row(order.shipping_address),
                "billing_address": _address_row(order.billing_address),
                "created_at": order.created_at,
                "payment_due_at": order.payment_due_at,
                "paid_at": order.paid_at,
                "sales": [_sale_row(sale) for sale in order.sales],
                "lines": [_line_row(sale, line) for sale in order.sales for line in sale.lines],
            },
        )
        order.version = 1
        self._record(order)

    def get(self, id: OrderId) -> Order:
        return self._read(id, lock=False)

    def get_for_update(self, id: OrderId) -> Order:
        return self._read(id, lock=True)

    def _read(self, id: OrderId, *, lock: bool) -> Order:
        row = self._uow.execute(_LOCK if lock else _GET, {"id": id}).first()
        if row is None:
            raise NotFound(f"There is no order {id}.")
        sales: dict[int, Sale] = {}
        for part in self._uow.execute(_LOCK_PARTS if lock else _GET_PARTS, {"id": id}):
            sale = sales.get(part.sale_id)
            if sale is None:
                sale = sales[part.sale_id] = _sale(part)
            sale.lines.append(_line(part, row.currency))
        return _order(row, list(sales.values()))

    def of_sale_for_update(self, sale_id: SaleId) -> Order:
        found = self._uow.execute(_ORDER_OF_SALE, {"id": sale_id}).first()
        if found is None:
            raise NotFound(f"There is no sale {sale_id}.")
        return self.get_for_update(found.order_id)

    def next_to_complete_for_update(self, *, now: datetime, skip: Collection[SaleId]) -> tuple[Order, SaleId] | None:
        found = self._uow.execute(_NEXT_TO_COMPLETE, {"now": now, "except": list(skip)}).first()
        return None if found is None else (self.get_for_update(found.order_id), found.id)

    def save(self, order: Order) -> None:
        saved = self._uow.execute(
            _SAVE,
            {
                "id": order.id,
                "version": order.version,
                "status": order.status.value,
                "paid_at": order.paid_at,
                "sales": [_progress_row(sale) for sale in order.sales],
                "lines": [{"id": n.id, "returned": n.returned} for s in order.sales for n in s.lines],
                "transitions": [
                    {
                        "sale_id": move.sale_id,
                        "from_status": move.from_status,
                        "to_status": move.to_status,
                        "at": move.at,
                        "actor_id": move.actor_id,
                        "reason": move.reason,
                    }
                    for move in order.transitions
                ],
            },
        ).first()
        if saved is None:
            raise ConcurrencyConflict(f"Order {order.reference} was changed meanwhile; read it again and repeat.")
        order.version += 1
        order.transitions.clear()
        self._record(order)

    def _record(self, order: Order) -> None:
        for event in order.events:
            self._uow.record(event)
        order.events.clear()


_ADDRESS_PARTS = tuple(field.name for field in fields(PostalAddress))


def _address_row(address: PostalAddress | None) -> dict[str, str] | None:
    return None if address is None else {part: getattr(address, part) for part in _ADDRESS_PARTS}


def address_of(stored: dict[str, str]) -> PostalAddress:
    return PostalAddress(**stored)


def _sale_row(sale: Sale) -> dict[str, Any]:
    return {
        "id": sale.id,
        "seller_id": sale.seller_id,
        "reference": sale.reference,
        "status": sale.status.value,
        "base": sale.base,
        "commission": sale.commission,
        "seller_fees": sale.seller_fees,
        "returned": sale.returned,
    }


def _progress_row(sale: Sale) -> dict[str, Any]:
    """What changes of a sale after it was made."""
    parcel, wish = sale.shipment, sale.cancellation
    return {
        "id": sale.id,
        "status": sale.status.value,
        "returned": sale.returned,
        "carrier": None if parcel is None else parcel.carrier,
        "tracking_number": None if parcel is None else parcel.tracking_number,
        "shipped_at": None if parcel is None else parcel.shipped_at,
        "delivered_at": None if parcel is None else parcel.delivered_at,
        "tracking_corrections": 0 if parcel is None else parcel.corrections,
        "completes_at": sale.completes_at,
        "cancellation_requested_at": None if wish is None else wish.requested_at,
        "cancellation_reason": None if wish is None else wish.reason,
    }


def _line_row(sale: Sale, line: SaleLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "sale_id": sale.id,
        "listing_id": line.listing_id,
        "product_id": line.product_id,
        "variant_id": line.variant_id,
        "title": line.title,
        "variant": line.variant,
        "quantity": line.quantity,
        "unit_price": line.unit_price.amount,
        "returned": line.returned,
    }


def _order(row: Any, sales: list[Sale]) -> Order:
    return Order(
        id=row.id,
        reference=row.reference,
        buyer_id=row.buyer_id,
        currency=row.currency,
        fee_schedule_id=row.fee_schedule_id,
        fees=tuple(fee_of(fee, row.currency) for fee in row.fees),
        base=row.base,
        commission=row.commission,
        processing=row.processing,
        shipping=row.shipping,
        sales=sales,
        shipping_address=address_of(row.shipping_address),
        billing_address=None if row.billing_address is None else address_of(row.billing_address),
        created_at=row.created_at,
        payment_due_at=row.payment_due_at,
        status=OrderStatus(row.status),
        paid_at=row.paid_at,
        version=row.version,
    )


def _sale(part: Any) -> Sale:
    return Sale(
        id=part.sale_id,
        seller_id=part.seller_id,
        reference=part.reference,
        lines=[],
        base=part.base,
        commission=part.commission,
        seller_fees=part.seller_fees,
        status=SaleStatus(part.status),
        returned=part.sale_returned,
        shipment=shipment_of(part),
        completes_at=part.completes_at,
        cancellation=cancellation_of(part),
    )


def shipment_of(part: Any) -> Shipment | None:
    """The parcel of a row of ``sales``."""
    if part.shipped_at is None:
        return None
    return Shipment(
        carrier=part.carrier,
        tracking_number=part.tracking_number,
        shipped_at=part.shipped_at,
        delivered_at=part.delivered_at,
        corrections=part.tracking_corrections,
    )


def cancellation_of(part: Any) -> CancellationRequest | None:
    """The wish of a row of ``sales``."""
    if part.cancellation_requested_at is None:
        return None
    return CancellationRequest(requested_at=part.cancellation_requested_at, reason=part.cancellation_reason)


def _line(part: Any, currency: str) -> SaleLine:
    return SaleLine(
        id=part.id,
        listing_id=part.listing_id,
        product_id=part.product_id,
        variant_id=part.variant_id,
        title=part.title,
        variant=part.variant,
        quantity=part.quantity,
        unit_price=Money(part.unit_price, currency),
        returned=part.returned,
    )
