"""What buyers and sellers are told while a sale is fulfilled, each piece of news once.

Neither learns the other's e-mail address; what a seller is asked for is a wish of the buyer, without a name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.application.notifications.notify import Notify
from marketplace.application.notifications.orders import owed_for, piece
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.notifications import Kind
from marketplace.domain.orders.events import (
    CancellationRequested,
    SaleCancelled,
    SaleCompleted,
    SaleDelivered,
    SaleShipped,
    TrackingCorrected,
)
from marketplace.domain.orders.order import Order, Sale
from marketplace.domain.shared.ids import OrderId, SaleId

FulfilmentNews = SaleShipped | TrackingCorrected | SaleDelivered | SaleCompleted | SaleCancelled | CancellationRequested


@dataclass(frozen=True, kw_only=True, slots=True)
class TellFulfilmentNews:
    """Tell buyers and sellers how a sale gets on."""

    unit_of_work: Callable[[], UnitOfWork]
    notify: Notify

    def __call__(self, news: FulfilmentNews) -> None:
        """Raises Unavailable when a message was not taken. Doing it again tells nothing twice."""
        with self.unit_of_work() as uow:
            order = uow.orders.get(OrderId(news.order_id))
            sale = order.sale(SaleId(news.sale_id))
            profile = uow.sellers.find(sale.seller_id)
        shop = "" if profile is None else profile.shop_name
        match news:
            case SaleShipped() | TrackingCorrected():
                self._tell_of_parcel(news, order, sale, shop)
            case SaleCancelled():
                self._tell_of_cancellation(news, order, sale, shop)
            case CancellationRequested():
                reason = "" if sale.cancellation is None else sale.cancellation.reason
                self._tell_seller(
                    Kind.SALE_CANCELLATION_REQUESTED, news, sale, reason=reason, pieces=_unreturned(sale, order)
                )
            case SaleDelivered():
                self._tell_seller(Kind.SALE_DELIVERED, news, sale, completes_at=sale.completes_at)
            case _:
                self._tell_seller(Kind.SALE_COMPLETED, news, sale, owed=owed_for(sale, order.currency))

    def _tell_of_parcel(self, news: SaleShipped | TrackingCorrected, order: Order, sale: Sale, shop: str) -> None:
        if sale.shipment is None:
            return  # sent for nothing: it is to be sent anew
        self._tell_buyer(
            Kind.ORDER_SHIPPED,
            news,
            order,
            sale,
            shop=shop,
            carrier=sale.shipment.carrier,
            tracking_number=sale.shipment.tracking_number,
            tracking_url=sale.shipment.tracking_url or "",
            pieces=_unreturned(sale, order),
            completes_at=sale.completes_at,
            corrected=isinstance(news, TrackingCorrected),
        )

    def _tell_of_cancellation(self, news: SaleCancelled, order: Order, sale: Sale, shop: str) -> None:
        pieces = [piece(line, line.returned, order.currency) for line in sale.lines if line.returned]
        by_us = news.by != "seller"
        self._tell_buyer(
            Kind.ORDER_SALE_CANCELLED, news, order, sale, shop=shop, reason=news.reason, pieces=pieces, by_us=by_us
        )
        if by_us:
            self._tell_seller(Kind.SALE_CANCELLED, news, sale, reason=news.reason, pieces=pieces)

    def _tell_buyer(self, kind: Kind, news: FulfilmentNews, order: Order, sale: Sale, **values: Any) -> None:
        self.notify(
            kind,
            account=order.buyer_id,
            occasion=_occasion(kind, news),
            link=f"/orders/{order.id}/",
            order=order.reference,
            sale=sale.reference,
            **values,
        )

    def _tell_seller(self, kind: Kind, news: FulfilmentNews, sale: Sale, **values: Any) -> None:
        self.notify(
            kind,
            account=sale.seller_id,
            occasion=_occasion(kind, news),
            link=f"/sellers/me/sales/{sale.id}/",
            sale=sale.reference,
            **values,
        )


def _occasion(kind: Kind, news: FulfilmentNews) -> str:
    """A sale may be sent twice, its number corrected and its end asked for again: the moment tells them apart."""
    return f"{kind.value}-{news.sale_id}-{news.occurred_at:%Y%m%dT%H%M%S%f}"


def _unreturned(sale: Sale, order: Order) -> Sequence[Mapping[str, Any]]:
    return [piece(line, line.open_quantity, order.currency) for line in sale.lines if line.open_quantity]
