"""Sending what was sold, and confirming that it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from marketplace.application.access import Actor, acts_on_anothers, named
from marketplace.application.fulfilment.finding import sale_of_buyer, sale_of_seller
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.orders.shipment import Shipment
from marketplace.domain.shared.ids import OrderId, SaleId


@dataclass(frozen=True, kw_only=True, slots=True)
class ShipSale:
    """Note that a sale is on its way, or correct what was told of its parcel until that has arrived."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    auto_complete: timedelta

    def __call__(self, *, actor: Actor, sale_id: SaleId, carrier: str, tracking_number: str) -> None:
        """It completes by itself ``auto_complete`` after it was sent. The same again changes nothing.

        Raises Invalid on a carrier or number that cannot be; NotFound for another's sale and until it is paid;
        SaleEnded, AlreadyShipped when it has arrived, and TooManyCorrections.
        """
        now = self.clock.now()
        parcel = Shipment.of(carrier=carrier, tracking_number=tracking_number, now=now)
        with self.unit_of_work() as uow:
            order, sale = sale_of_seller(uow, actor, sale_id)
            before = {"status": sale.status.value}
            if not order.ship(sale, parcel, now=now, completes_at=now + self.auto_complete, actor_id=named(actor)):
                return
            uow.orders.save(order)
            if acts_on_anothers(actor, sale.seller_id):
                after = {"sale_id": sale.id, "status": sale.status.value, "carrier": parcel.carrier}
                uow.audit.add(actor.did("sale.shipped", "order", order.id, now=now, before=before, after=after))
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfirmReceipt:
    """Note that the buyer has the parcel."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    complaint: timedelta

    def __call__(self, *, actor: Actor, order_id: OrderId, sale_id: SaleId) -> None:
        """It completes ``complaint`` later. The same again changes nothing.

        Raises NotFound for another's order and a sale not of it; SaleNotPaid, SaleNotShipped and SaleEnded.
        """
        now = self.clock.now()
        with self.unit_of_work() as uow:
            order, sale = sale_of_buyer(uow, actor, order_id, sale_id)
            before = {"status": sale.status.value}
            if not order.deliver(sale, now=now, completes_at=now + self.complaint, actor_id=named(actor)):
                return
            uow.orders.save(order)
            if acts_on_anothers(actor, order.buyer_id):
                after = {"sale_id": sale.id, "status": sale.status.value}
                uow.audit.add(actor.did("sale.delivered", "order", order.id, now=now, before=before, after=after))
            uow.commit()
