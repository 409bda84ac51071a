"""What orders and sales look like on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate

from marketplace.application.ports.orders import ORDER_ORDERINGS, OrderView, SaleItemView, SaleView
from marketplace.domain.orders.order import PostalAddress
from marketplace.domain.orders.sale import MAX_REASON
from marketplace.domain.orders.shipment import MAX_CARRIER, MAX_TRACKING_NUMBER, TRACKING_NUMBER
from marketplace.domain.orders.status import OrderStatus, SaleStatus
from marketplace.domain.payments.payment import PaymentStatus
from marketplace.domain.reservations import MAX_CART_ITEMS
from marketplace.domain.shared.ids import MAX_ID
from marketplace.domain.shared.money import Money
from marketplace.entrypoints.http.fields import FieldNames
from marketplace.entrypoints.http.identity_schemas import NewAddressSchema, PostalAddressSchema
from marketplace.entrypoints.http.pages import Ordering, PageArgs
from marketplace.entrypoints.http.reservations import CartItemSchema, TotalsSchema
from marketplace.entrypoints.http.schemas import BoundedList, Flag, Id, MoneyString, Pattern, Schema, Text
from marketplace.entrypoints.http.variants import VariantSchema


class AddressChoice(fields.Field[int | Mapping[str, Any]]):
    """The id of one of one's own addresses, or an address that is written out and not kept."""

    def __init__(self, **kwargs: Any) -> None:
        choices: list[dict[str, Any]] = [
            {"type": "integer", "minimum": 1, "maximum": MAX_ID},
            {"$ref": "#/components/schemas/NewAddress"},
        ]
        if kwargs.get("allow_none"):
            choices.append({"type": "null"})
        kwargs["metadata"] = {
            "description": "The id of one of your addresses, or an address written out.",
            "oneOf": choices,
        }
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int | Mapping[str, Any]:
        if type(value) is int and 1 <= value <= MAX_ID:
            return value
        if isinstance(value, dict):
            written: dict[str, Any] = NewAddressSchema().load(value)
            return written
        raise ValidationError("Neither the id of an address nor an address.")


class _ItemsSchema(Schema):
    cart_items = BoundedList(
        Id(),
        shortest=1,
        longest=MAX_CART_ITEMS,
        metadata={"description": "Items of the cart by id; everything that no order holds when left out."},
    )


class QuoteRequestSchema(_ItemsSchema):
    pass


class NewOrderSchema(_ItemsSchema):
    shipping_address = AddressChoice(required=True)
    billing_address = AddressChoice(load_default=None, allow_none=True)
    expected_total = MoneyString(
        metadata={"example": "121.00", "description": "Refused when the order costs anything else."}
    )


class QuoteSchema(Schema):
    items = fields.List(fields.Nested(CartItemSchema), required=True)
    totals = fields.Nested(TotalsSchema, required=True)
    currency = fields.String(required=True, metadata={"example": "EUR"})


class NewShipmentSchema(Schema):
    carrier = Text(required=True, shortest=1, longest=MAX_CARRIER, metadata={"example": "Colissimo"})
    tracking_number = Text(
        required=True,
        shortest=1,
        longest=MAX_TRACKING_NUMBER,
        validate=Pattern(TRACKING_NUMBER),
        metadata={"example": "6A12345678901"},
    )


class SaleCancellationSchema(Schema):
    reason = Text(required=True, shortest=1, longest=MAX_REASON, metadata={"description": "The buyer is told."})
    restock = Flag(
        load_default=False, metadata={"description": "Whether the pieces are on offer again on their listings."}
    )


class ShipmentSchema(Schema):
    carrier = fields.String(required=True)
    tracking_number = fields.String(required=True)
    tracking_url = fields.String(
        required=True, allow_none=True, metadata={"description": "The carrier's page; null where it is not known."}
    )
    shipped_at = fields.DateTime(required=True)
    delivered_at = fields.DateTime(required=True, allow_none=True)
    completes_at = fields.DateTime(
        required=True, metadata={"description": "When the sale completes if nobody complains, or did complete."}
    )


class CancellationRequestSchema(Schema):
    requested_at = fields.DateTime(required=True)
    reason = fields.String(required=True)
    is_open = fields.Boolean(required=True, metadata={"description": "Whether the seller has not answered it yet."})


class SaleSellerSchema(Schema):
    id = fields.Integer(required=True)
    shop_name = fields.String(required=True)


class SaleItemSchema(Schema):
    id = fields.Integer(required=True)
    listing = fields.Integer(required=True)
    product = fields.Integer(required=True)
    title = fields.String(required=True)
    variant = fields.Nested(VariantSchema, required=True)
    quantity = fields.Integer(required=True)
    unit_price = fields.String(required=True, metadata={"example": "25.99"})
    subtotal = fields.String(required=True, metadata={"example": "51.98"})


class SaleSchema(Schema):
    id = fields.Integer(required=True)
    order = fields.Integer(required=True)
    reference = fields.String(required=True, metadata={"example": "K7QM-2XPD-1"})
    status = fields.String(required=True, metadata={"enum": [str(status) for status in SaleStatus]})
    seller = fields.Nested(SaleSellerSchema, required=True)
    items = fields.List(fields.Nested(SaleItemSchema), required=True)
    subtotal = fields.String(required=True, metadata={"example": "51.98"})
    currency = fields.String(required=True, metadata={"example": "EUR"})
    shipment = fields.Nested(ShipmentSchema, required=True, allow_none=True)
    cancellation_request = fields.Nested(CancellationRequestSchema, required=True, allow_none=True)


class SellerSaleSchema(SaleSchema):
    platform_commission = fields.String(required=True, metadata={"example": "2.60"})
    seller_fees = fields.String(required=True, metadata={"example": "0.00"})
    seller_net_amount = fields.String(required=True, metadata={"example": "49.38"})
    shipping_address = fields.Nested(PostalAddressSchema, required=True)
    paid_at = fields.DateTime(required=True)


class OrderPaymentSchema(Schema):
    provider = fields.String(required=True)
    intent_id = fields.String(required=True, allow_none=True)
    client_secret = fields.String(
        required=True, allow_none=True, metadata={"description": "For the buyer, while there is something to pay."}
    )
    publishable_key = fields.String(required=True, allow_none=True)
    status = fields.String(required=True, metadata={"enum": [str(status) for status in PaymentStatus]})


class OrderSchema(Schema):
    id = fields.Integer(required=True)
    reference = fields.String(required=True, metadata={"example": "K7QM-2XPD"})
    status = fields.String(required=True, metadata={"enum": [str(status) for status in OrderStatus]})
    currency = fields.String(required=True, metadata={"example": "EUR"})
    base_price = fields.String(required=True, metadata={"example": "100.00"})
    platform_commission = fields.String(required=True, metadata={"example": "5.00"})
    buyer_processing_fee = fields.String(required=True, metadata={"example": "6.00"})
    buyer_shipping_fee = fields.String(required=True, metadata={"example": "10.00"})
    buyer_total_price = fields.String(required=True, metadata={"example": "121.00"})
    shipping_address = fields.Nested(PostalAddressSchema, required=True)
    billing_address = fields.Nested(PostalAddressSchema, required=True, allow_none=True)
    sales = fields.List(fields.Nested(SaleSchema), required=True)
    payment = fields.Nested(OrderPaymentSchema, required=True)
    created_at = fields.DateTime(required=True)
    payment_due_at = fields.DateTime(required=True)
    paid_at = fields.DateTime(required=True, allow_none=True)


class OrderArgs(Schema):
    wanted = FieldNames(OrderSchema)


class OrdersArgs(PageArgs):
    status = fields.String(validate=validate.OneOf([str(status) for status in OrderStatus]))
    ordering = Ordering(*ORDER_ORDERINGS, both_ways=False)
    wanted = FieldNames(OrderSchema)


class SaleArgs(Schema):
    wanted = FieldNames(SellerSaleSchema)


class SalesArgs(PageArgs):
    status = fields.String(validate=validate.OneOf([str(status) for status in SaleStatus]))
    ordering = Ordering(*ORDER_ORDERINGS, both_ways=False)
    wanted = FieldNames(SellerSaleSchema)


def order_json(
    order: OrderView, *, publishable_key: str | None = None, client_secret: str | None = None
) -> dict[str, Any]:
    def amount(minor: int) -> str:
        return Money(minor, order.currency).decimal

    payment = order.payment
    return {
        "id": order.id,
        "reference": order.reference,
        "status": order.status.value,
        "currency": order.currency,
        "base_price": amount(order.base),
        "platform_commission": amount(order.commission),
        "buyer_processing_fee": amount(order.processing),
        "buyer_shipping_fee": amount(order.shipping),
        "buyer_total_price": amount(order.total),
        "shipping_address": postal_address_json(order.shipping_address),
        "billing_address": None if order.billing_address is None else postal_address_json(order.billing_address),
        "sales": [sale_json(sale) for sale in order.sales],
        "payment": {
            "provider": payment.provider,
            "intent_id": payment.intent_id,
            "client_secret": client_secret,
            "publishable_key": publishable_key,
            "status": payment.status,
        },
        "created_at": order.created_at,
        "payment_due_at": order.payment_due_at,
        "paid_at": order.paid_at,
    }


def sale_json(sale: SaleView) -> dict[str, Any]:
    return {
        "id": sale.id,
        "order": sale.order,
        "reference": sale.reference,
        "status": sale.status.value,
        "seller": {"id": sale.seller_id, "shop_name": sale.shop_name},
        "items": [_item_json(item, sale.currency) for item in sale.items],
        "subtotal": Money(sale.base, sale.currency).decimal,
        "currency": sale.currency,
        "shipment": _shipment_json(sale),
        "cancellation_request": _cancellation_json(sale),
    }


def _shipment_json(sale: SaleView) -> dict[str, Any] | None:
    parcel = sale.shipment
    if parcel is None:
        return None
    return {
        "carrier": parcel.carrier,
        "tracking_number": parcel.tracking_number,
        "tracking_url": parcel.tracking_url,
        "shipped_at": parcel.shipped_at,
        "delivered_at": parcel.delivered_at,
        "completes_at": sale.completes_at,
    }


def _cancellation_json(sale: SaleView) -> dict[str, Any] | None:
    wish = sale.cancellation
    if wish is None:
        return None
    return {
        "requested_at": wish.requested_at,
        "reason": wish.reason,
        "is_open": wish.is_open(sale.status, sale.shipment),
    }


def seller_sale_json(sale: SaleView) -> dict[str, Any]:
    """With what only its seller sees: their amounts, and where to send it."""
    return {
        **sale_json(sale),
        "platform_commission": Money(sale.platform_commission, sale.currency).decimal,
        "seller_fees": Money(sale.seller_fees, sale.currency).decimal,
        "seller_net_amount": Money(sale.seller_net_amount, sale.currency).decimal,
        "shipping_address": postal_address_json(sale.shipping_address),
        "paid_at": sale.paid_at,
    }


def _item_json(item: SaleItemView, currency: str) -> dict[str, Any]:
    return {
        "id": item.id,
        "listing": item.listing,
        "product": item.product,
        "title": item.title,
        "variant": item.variant,
        "quantity": item.quantity,
        "unit_price": Money(item.unit_price, currency).decimal,
        "subtotal": Money(item.unit_price * item.quantity, currency).decimal,
    }


def postal_address_json(address: PostalAddress) -> dict[str, str]:
    return {
        "name": address.name,
        "street_number": address.street_number,
        "street": address.street,
        "city": address.city,
        "state": address.state,
        "postal_code": address.postal_code,
        "country": address.country,
        "phone_number": address.phone_number,
    }
