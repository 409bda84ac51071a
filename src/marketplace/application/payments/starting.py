"""Starting a payment at the provider, and reading the secret that lets its buyer pay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from marketplace.application.access import Actor, require_buyer
from marketplace.application.payments.checking import PaymentCheck
from marketplace.application.ports.payment_gateway import PaymentGateway, ProviderObjectUnknown
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.payments.payment import Payment, PaymentBusy, PaymentStatus
from marketplace.domain.shared.errors import Unavailable
from marketplace.domain.shared.ids import OrderId


@dataclass(frozen=True, kw_only=True, slots=True)
class StartedPayment:
    """``client_secret`` is None while the provider is silent, and once the payment is over."""

    provider: str
    status: PaymentStatus
    intent_id: str | None
    client_secret: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class StartPayment:
    """Make the payment of a new order known to the provider, so that its buyer can pay.

    When the provider is silent the order stands all the same, and a worker finishes this.
    """

    unit_of_work: Callable[[], UnitOfWork]
    check: PaymentCheck

    def __call__(self, *, actor: Actor, order_id: OrderId) -> StartedPayment:
        """Raises NotFound, for another's order too: who is given the secret can pay."""
        try:
            checked = self.check.if_open(actor, order_id)
        except (PaymentBusy, Unavailable):
            with self.unit_of_work() as uow:
                return _started(uow.payments.of_order(order_id), None)
        if checked.provider is None or not checked.payment.is_open:
            return _started(checked.payment, None)
        return _started(checked.payment, checked.provider.client_secret)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadClientSecret:
    """The secret that lets the buyer of an order, and nobody else, go on paying. It is never stored, only read."""

    unit_of_work: Callable[[], UnitOfWork]
    gateway: PaymentGateway

    def __call__(self, *, actor: Actor, order_id: OrderId) -> str | None:
        """None when there is nothing to pay, or when the provider is silent. Raises NotFound, for another's order too:
        not even an admin pays in another's name."""
        with self.unit_of_work() as uow:
            payment = uow.payments.of_order(order_id)
        require_buyer(actor, payment.buyer_id, order_id)
        if not payment.is_open or payment.intent_id is None:
            return None
        try:
            return self.gateway.get_payment(payment.intent_id).client_secret
        except (Unavailable, ProviderObjectUnknown):
            return None


def _started(payment: Payment, client_secret: str | None) -> StartedPayment:
    return StartedPayment(
        provider=payment.provider,
        status=payment.status,
        intent_id=payment.intent_id,
        client_secret=client_secret,
    )
