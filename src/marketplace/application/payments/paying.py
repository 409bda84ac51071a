"""Attempts to pay. None of them marks an order paid: the provider's event does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from marketplace.application.access import Actor, require_buyer
from marketplace.application.payments.checking import LEASE_FOR, PaymentCheck
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.payment_gateway import (
    AlreadyInState,
    NextAction,
    PaymentDeclined,
    PaymentGateway,
    ProviderPayment,
)
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.orders.order import Order
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.payment import AlreadyPaid, OrderNotPayable, Payment, PaymentStatus
from marketplace.domain.shared.errors import Conflict, MarketplaceError
from marketplace.domain.shared.ids import OrderId


class SavedElsewhere(Conflict):
    """The payment is in a name that the buyer had at the provider before they were deleted there."""

    code = "payment_method_unusable"


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentProgress:
    """``status`` is the provider's word of this moment; the order follows when the event arrives."""

    status: PaymentStatus
    client_secret: str | None = field(repr=False)
    next_action: NextAction | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PayOrder:
    """Try to pay an order with a payment method, or see how far its payment is.

    ``owner(actor=..., card_id=...)`` gives the provider's name of the caller when they saved that payment method, None
    when nobody did, and raises NotFound when somebody else did. ``return_url`` is where the buyer's bank sends them
    back to, with ``{order_id}`` in it.
    """

    unit_of_work: Callable[[], UnitOfWork]
    gateway: PaymentGateway
    clock: Clock
    check: PaymentCheck
    owner: Callable[..., str | None]
    return_url: str

    def __call__(self, *, actor: Actor, order_id: OrderId, payment_method: str | None = None) -> PaymentProgress:
        """Raises NotFound for another's order or payment method, AlreadyPaid, OrderNotPayable once it has ended,
        PaymentBusy, SavedElsewhere, Invalid for a payment method that the provider does not know, PaymentDeclined, and
        Unavailable when there is no answer."""
        payment = self._payable(actor, order_id)
        if payment.intent_id is None:
            payment = self.check(order_id).payment
        if payment.intent_id is None:
            raise OrderNotPayable("The payment provider does not take this payment; contact support.")
        if payment_method is None:
            provider = self.gateway.get_payment(str(payment.intent_id))
        else:
            saved_by = self.owner(actor=actor, card_id=payment_method)
            provider = self._attempt(self._begin(actor, order_id), payment_method, saved_by)
        return PaymentProgress(
            status=provider.status,
            client_secret=provider.client_secret if provider.status is not PaymentStatus.SUCCEEDED else None,
            next_action=provider.next_action,
        )

    def _payable(self, actor: Actor, order_id: OrderId) -> Payment:
        with self.unit_of_work() as uow:
            _require_pending(uow.orders.get(order_id), actor)
            return uow.payments.of_order(order_id)

    def _begin(self, actor: Actor, order_id: OrderId) -> Payment:
        """Record the attempt, before it is sent."""
        now = self.clock.now()
        with self.unit_of_work() as uow:
            _require_pending(uow.orders.get(order_id), actor)
            payment = uow.payments.of_order_for_update(order_id)
            if payment.has_lapsed(now):
                raise OrderNotPayable("The time to pay this order is over; place a new one.")
            payment.begin_attempt()
            payment.lease(now=now, until=now + LEASE_FOR)
            uow.payments.save(payment)
            uow.commit()
            return payment

    def _attempt(self, payment: Payment, payment_method: str, saved_by: str | None) -> ProviderPayment:
        """``saved_by``: the provider's name of the buyer, who has saved it; None for what is not saved."""
        intent_id = str(payment.intent_id)
        try:
            if saved_by is not None:
                self._name_buyer(payment, saved_by)
            provider = self.gateway.confirm_payment(
                intent_id,
                payment_method=payment_method,
                return_url=self.return_url.format(order_id=payment.order_id),
                key=payment.confirm_key,
            )
        except AlreadyInState:
            # An earlier attempt, whose answer never came, has moved it.
            provider = self.gateway.get_payment(intent_id)
        except PaymentDeclined as declined:
            code = str(declined.facts.get("decline_code", "generic_decline"))
            self._end(payment, PaymentStatus.REQUIRES_PAYMENT_METHOD, code)
            raise
        except MarketplaceError:
            self._let_go(payment)
            raise
        self._end(payment, provider.status, provider.decline_code)
        return provider

    def _name_buyer(self, payment: Payment, customer_id: str) -> None:
        """What a buyer saved pays only what is theirs. A payment is made in the name of a buyer who was known by then,
        and can be given one later, once."""
        if payment.customer_id == customer_id:
            return
        intent_id = str(payment.intent_id)
        named = self.gateway.get_payment(intent_id).customer_id
        if named is None:
            self.gateway.name_buyer(intent_id, customer_id, key=payment.name_buyer_key)
        elif named != customer_id:
            raise SavedElsewhere(
                "This order was placed before you saved this payment method anew: give the card itself, or cancel the"
                " order and place it again."
            )

    def _end(self, leased: Payment, status: PaymentStatus, decline_code: str) -> None:
        now = self.clock.now()
        with self.unit_of_work() as uow:
            payment = uow.payments.get_for_update(leased.id)
            if payment.locked_until == leased.locked_until:
                payment.attempt_ended(status, decline_code=decline_code, now=now)
                uow.payments.save(payment)
                uow.commit()

    def _let_go(self, leased: Payment) -> None:
        now = self.clock.now()
        with self.unit_of_work() as uow:
            payment = uow.payments.get_for_update(leased.id)
            if payment.locked_until == leased.locked_until:
                payment.let_go(now=now)
                uow.payments.save(payment)
                uow.commit()


def _require_pending(order: Order, actor: Actor) -> None:
    require_buyer(actor, order.buyer_id, order.id)
    if order.status is OrderStatus.PENDING_PAYMENT:
        return
    if order.is_unpaid_end:
        raise OrderNotPayable(f"Order {order.reference} is {order.status}; place a new one.")
    raise AlreadyPaid(f"Order {order.reference} is paid already.")
