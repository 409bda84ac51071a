"""What buyers and sellers are told of an order, each piece of news once.

A seller never learns the buyer's e-mail address, nor what other sellers sold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.application.notifications.notify import Notify
from marketplace.application.ports.orders import OrderQueries, OrderView, SaleView
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.notifications import Kind
from marketplace.domain.orders.events import ItemsMissing, OrderEndedUnpaid, OrderPaid, SaleMade
from marketplace.domain.orders.order import Order, PostalAddress, Sale, SaleLine
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.refund import RefundDecided, RefundFailed, RefundPart
from marketplace.domain.shared.ids import AccountId, OrderId, RefundId, SaleId
from marketplace.domain.shared.money import Money, half_up, step

OrderNews = OrderPaid | SaleMade | OrderEndedUnpaid | ItemsMissing | RefundDecided | RefundFailed

_ENDS = {
    OrderStatus.CANCELLED: Kind.ORDER_CANCELLED,
    OrderStatus.PAYMENT_FAILED: Kind.ORDER_PAYMENT_FAILED,
    OrderStatus.EXPIRED: Kind.ORDER_EXPIRED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class TellOrderNews:
    """Tell buyers and sellers what has happened to an order."""

    unit_of_work: Callable[[], UnitOfWork]
    order_queries: OrderQueries
    notify: Notify

    def __call__(self, news: OrderNews) -> None:
        """Raises Unavailable when a message was not taken. Doing it again tells nothing twice."""
        match news:
            case OrderPaid():
                self._confirm(OrderId(news.order_id))
            case SaleMade():
                self._tell_seller_of_sale(OrderId(news.order_id), SaleId(news.sale_id))
            case OrderEndedUnpaid():
                self._tell_of_end(OrderId(news.order_id), OrderStatus(news.outcome))
            case ItemsMissing():
                self._tell_of_missing(OrderId(news.order_id), SaleId(news.sale_id))
            case RefundDecided():
                self._tell_of_refund(news)
            case _:
                self._tell_of_failed_refund(OrderId(news.order_id), RefundId(news.refund_id))

    def _order(self, id: OrderId) -> Order:
        with self.unit_of_work() as uow:
            return uow.orders.get(id)

    def _tell_buyer(self, kind: Kind, order: Order, occasion: str, **values: Any) -> None:
        self.notify(
            kind,
            account=order.buyer_id,
            occasion=occasion,
            link=f"/orders/{order.id}/",
            order=order.reference,
            **values,
        )

    def _tell_seller(self, kind: Kind, sale: Sale, occasion: str, **values: Any) -> None:
        self.notify(
            kind,
            account=sale.seller_id,
            occasion=occasion,
            link=f"/sellers/me/sales/{sale.id}/",
            sale=sale.reference,
            **values,
        )

    def _confirm(self, order_id: OrderId) -> None:
        order = self.order_queries.order(order_id)
        amounts = {
            "base": order.base,
            "commission": order.commission,
            "processing": order.processing,
            "shipping": order.shipping,
            "total": order.total,
        }
        parts: dict[str, Any] = {name: Money(amount, order.currency) for name, amount in amounts.items()}
        self.notify(
            Kind.ORDER_CONFIRMED,
            account=AccountId(order.buyer_id),
            occasion=f"order-{order.id}-paid",
            link=f"/orders/{order.id}/",
            order=order.reference,
            ordered_at=order.created_at,
            sales=[_sold(sale, order) for sale in order.sales],
            delivery=_address(order.shipping_address),
            **parts,
        )

    def _tell_seller_of_sale(self, order_id: OrderId, sale_id: SaleId) -> None:
        order = self._order(order_id)
        sale = order.sale(sale_id)
        self._tell_seller(
            Kind.SALE_MADE,
            sale,
            f"sale-{sale.id}-made",
            pieces=[piece(line, line.open_quantity, order.currency) for line in sale.lines if line.open_quantity],
            owed=owed_for(sale, order.currency),
            delivery=_address(order.shipping_address),
        )

    def _tell_of_end(self, order_id: OrderId, outcome: OrderStatus) -> None:
        order = self._order(order_id)
        self._tell_buyer(_ENDS[outcome], order, f"order-{order.id}-{outcome}")

    def _tell_of_missing(self, order_id: OrderId, sale_id: SaleId) -> None:
        order = self._order(order_id)
        sale = order.sale(sale_id)
        missing = [piece(line, line.returned, order.currency) for line in sale.lines if line.returned]
        self._tell_buyer(Kind.ORDER_ITEMS_MISSING, order, f"sale-{sale.id}-missing-buyer", pieces=missing)
        self._tell_seller(
            Kind.SALE_ITEMS_MISSING, sale, f"sale-{sale.id}-missing-seller", pieces=missing, left=_left(sale)
        )

    def _tell_of_refund(self, news: RefundDecided) -> None:
        with self.unit_of_work() as uow:
            refund = uow.refunds.get(RefundId(news.refund_id))
            order = uow.orders.get(refund.order_id)
        self._tell_buyer(
            Kind.REFUND_DECIDED, order, f"refund-{refund.id}-decided", amount=refund.amount, reason=refund.reason
        )
        for part in refund.parts:
            self._tell_seller_of_refund(order, part, refund.id)

    def _tell_seller_of_refund(self, order: Order, part: RefundPart, refund_id: RefundId) -> None:
        sale = order.sale(part.sale_id)
        returned = ((line, part.pieces.get(line.id, 0)) for line in sale.lines)
        self._tell_seller(
            Kind.SALE_REFUNDED,
            sale,
            f"refund-{refund_id}-sale-{sale.id}",
            less=Money(part.components.seller_net, order.currency),
            pieces=[piece(line, quantity, order.currency) for line, quantity in returned if quantity],
            left=_left(sale),
        )

    def _tell_of_failed_refund(self, order_id: OrderId, refund_id: RefundId) -> None:
        with self.unit_of_work() as uow:
            refund = uow.refunds.get(refund_id)
        order = self._order(order_id)
        self._tell_buyer(Kind.REFUND_FAILED, order, f"refund-{refund.id}-failed", amount=refund.amount)


def owed_for(sale: Sale, currency: str) -> Money:
    """What its seller gets for what has not gone back."""
    return Money(sale.net - half_up(sale.net * sale.returned, sale.base, step(currency)), currency)


def _left(sale: Sale) -> int:
    """Pieces that still have to be sent."""
    return sum(line.open_quantity for line in sale.lines)


def _sold(sale: SaleView, order: OrderView) -> Mapping[str, Any]:
    return {
        "shop": sale.shop_name,
        "sale": sale.reference,
        "pieces": [
            _item(item.title, item.variant, item.quantity, Money(item.unit_price, order.currency))
            for item in sale.items
        ],
    }


def piece(line: SaleLine, quantity: int, currency: str) -> Mapping[str, Any]:
    """A row of what a letter lists: so many of a line."""
    return _item(line.title, line.variant, quantity, Money(line.unit_price.amount, currency))


def _item(title: str, variant: Mapping[str, Any], quantity: int, unit_price: Money) -> Mapping[str, Any]:
    return {"quantity": quantity, "title": title, "kind": _kind(variant), "amount": unit_price * quantity}


def _kind(variant: Mapping[str, Any]) -> str:
    """What kind of copy it is: language, print, condition, grade."""
    grade = variant.get("grade")
    words = [
        variant.get("language", {}).get("name"),
        variant.get("version", {}).get("name"),
        f"{grade['grader']} {grade['value']}" if grade else variant.get("condition", {}).get("label"),
    ]
    return ", ".join(word for word in words if word)


def _address(address: PostalAddress) -> Sequence[str]:
    lines = (
        address.name,
        f"{address.street_number} {address.street}".strip(),
        f"{address.postal_code} {address.city}".strip(),
        address.state,
        address.country,
        address.phone_number,
    )
    return [line for line in lines if line]
