"""Cancelling an order that is not paid: at the provider first, so that no money can come any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from marketplace.application.access import OPERATOR, Actor, acts_on_anothers, may_write_off, require_own
from marketplace.application.payments.checking import PaymentCheck, PaymentLost
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.orders.order import Order
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.payment import (
    AlreadyPaid,
    CancelWish,
    OrderNotPayable,
    Payment,
    PaymentBusy,
    PaymentStatus,
)
from marketplace.domain.shared.errors import Unavailable
from marketplace.domain.shared.ids import AccountId, OrderId


class Cancellation(StrEnum):
    CANCELLED = "cancelled"
    UNDER_WAY = "under_way"


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelOrder:
    """Cancel an order before it is paid. Its claims are free once the provider has confirmed."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    check: PaymentCheck

    def __call__(self, *, actor: Actor, order_id: OrderId) -> Cancellation:
        """``under_way`` while the provider has not confirmed: a worker goes on.

        Raises NotFound for another's order, AlreadyPaid when the payment won, and OrderNotPayable when the order ended
        otherwise, or when its money waits for an operator. An operator's own cancellation ends that wait: the provider
        keeps what it has until it is refunded there. It also ends the order of a payment that the provider has lost.
        """
        try:
            payment = self._record(actor, order_id)
            if payment is None:
                return Cancellation.CANCELLED
            after = self.check.go_on(payment).payment
        except PaymentLost:
            return self._forget_payment(actor, order_id) if may_write_off(actor) else Cancellation.UNDER_WAY
        except (Unavailable, PaymentBusy):
            return Cancellation.UNDER_WAY
        if after.quarantine and may_write_off(actor):
            return self._give_up(actor, order_id)
        if after.quarantine:
            raise OrderNotPayable("The money of this order is being looked into; contact support.")
        if after.status is PaymentStatus.SUCCEEDED:
            raise AlreadyPaid("The payment went through before it could be cancelled.")
        return Cancellation.CANCELLED if after.status is PaymentStatus.CANCELED else Cancellation.UNDER_WAY

    def _record(self, actor: Actor, order_id: OrderId) -> Payment | None:
        """Write the wish down and lease the payment. None: the order is cancelled already.

        Raises PaymentBusy, the wish written all the same, while somebody else speaks about it to the provider.
        """
        now = self.clock.now()
        with self.unit_of_work() as uow:
            order = uow.orders.get(order_id)
            require_own(actor, order.buyer_id, f"order {order_id}")
            if order.status is OrderStatus.CANCELLED:
                return None
            _require_pending(order)
            payment = uow.payments.of_order_for_update(order_id)
            payment.want_cancel(CancelWish.BUYER, by=_named(actor))
            is_busy = payment.is_leased(now)
            if not is_busy:
                self.check.take(payment, now)
            uow.payments.save(payment)
            self._note(uow, actor, order, now)
            uow.commit()
        if is_busy:
            raise PaymentBusy("The payment is being worked on; its cancellation follows.")
        return payment

    def _give_up(self, actor: Actor, order_id: OrderId) -> Cancellation:
        now = self.clock.now()
        with self.unit_of_work() as uow:
            order = uow.orders.get_for_update(order_id)
            self._end(uow, order, actor, f"its money does not fit: {uow.payments.of_order(order_id).quarantine}", now)
            uow.commit()
        return Cancellation.CANCELLED

    def _forget_payment(self, actor: Actor, order_id: OrderId) -> Cancellation:
        now = self.clock.now()
        with self.unit_of_work() as uow:
            order = uow.orders.get_for_update(order_id)
            payment = uow.payments.of_order_for_update(order_id)
            self._end(uow, order, actor, "the payment provider has lost its payment", now)
            payment.cancel(decline_code="")
            uow.payments.save(payment)
            uow.commit()
        return Cancellation.CANCELLED

    def _end(self, uow: UnitOfWork, order: Order, actor: Actor, reason: str, now: datetime) -> None:
        before = order.status
        order.end_unpaid(OrderStatus.CANCELLED, now=now, actor_id=_named(actor), reason=reason)
        uow.reservations.free(order.id, now=now)
        uow.orders.save(order)
        uow.audit.add(
            actor.did(
                "order.ended",
                "order",
                order.id,
                now=now,
                reason=reason,
                before={"status": before},
                after={"status": order.status},
            )
        )

    def _note(self, uow: UnitOfWork, actor: Actor, order: Order, now: datetime) -> None:
        """A buyer's own cancellation is no privilege; anybody else's is."""
        if acts_on_anothers(actor, order.buyer_id):
            uow.audit.add(actor.did("order.cancel_requested", "order", order.id, now=now))


def _named(actor: Actor) -> AccountId | None:
    return None if actor == OPERATOR else actor.account_id


def _require_pending(order: Order) -> None:
    if order.is_unpaid_end:
        raise OrderNotPayable(f"Order {order.reference} is {order.status} already.")
    if order.status is not OrderStatus.PENDING_PAYMENT:
        raise AlreadyPaid(f"Order {order.reference} is paid; it cannot be cancelled any more.")
