"""Asking the provider about a payment: lease it, talk outside any transaction, apply the answer.

Every way to a payment's end leads through here: the first creation, an event, a cancellation, the end of the window.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.application.access import Actor, require_buyer
from marketplace.application.cards.losing import lose_customer
from marketplace.application.payments.settlement import Settlement, still_leased
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.payment_gateway import (
    AlreadyInState,
    CustomerUnknown,
    InvalidRequest,
    KeyReused,
    OutcomeUnknown,
    PaymentGateway,
    PaymentRequest,
    ProviderFailed,
    ProviderObjectUnknown,
    ProviderPayment,
)
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.orders.reference import public_reference
from marketplace.domain.payments.payment import CancelWish, Payment, PaymentBusy, PaymentStatus, ProviderAlarm
from marketplace.domain.shared.errors import Unavailable
from marketplace.domain.shared.ids import OrderId

LEASE_FOR = timedelta(minutes=1)
"""Longer than the provider's client waits for all of the calls that one check makes."""
NO_REQUEST_LASTS = timedelta(minutes=10)
"""So long after a request was sent it can have no effect any more that a look-up does not show."""
TURN = timedelta(seconds=20)
"""How long a worker begins new checks before its other jobs have their turn: a provider may take its time over each."""
CLOCKS_DIFFER_BY = timedelta(hours=1)
"""At most, ours and the provider's, or ours before and after it was put right."""

_log = logging.getLogger(__name__)


class PaymentLost(OutcomeUnknown):
    """The provider does not know a payment that it made: it may be another environment's, which can take its money."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedPayment:
    """The payment as it is after a check, and what the provider said: None when it has nothing, or was not asked."""

    payment: Payment
    provider: ProviderPayment | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentCheck:
    """Bring one payment up to date with the provider, creating or cancelling it there as is due."""

    unit_of_work: Callable[[], UnitOfWork]
    gateway: PaymentGateway
    clock: Clock
    settlement: Settlement

    def __call__(self, order_id: OrderId) -> CheckedPayment:
        """Raises NotFound, PaymentBusy while somebody else does it, and Unavailable when there is no answer."""
        now = self.clock.now()
        with self.unit_of_work() as uow:
            payment = uow.payments.of_order_for_update(order_id)
            self.take(payment, now)
            uow.payments.save(payment)
            uow.commit()
        return self.go_on(payment)

    def if_open(self, actor: Actor, order_id: OrderId) -> CheckedPayment:
        """The same for its buyer, unless the payment is over: then nobody is asked. Raises as a call does."""
        now = self.clock.now()
        with self.unit_of_work() as uow:
            payment = uow.payments.of_order_for_update(order_id)
            require_buyer(actor, payment.buyer_id, order_id)
            if not payment.is_open:
                return CheckedPayment(payment=payment, provider=None)
            self.take(payment, now)
            uow.payments.save(payment)
            uow.commit()
        return self.go_on(payment)

    def take_next(self) -> Payment | None:
        """Lease the payment that has waited longest for it, to go on with; None when none is due."""
        now = self.clock.now()
        with self.unit_of_work() as uow:
            payment = uow.payments.next_due_for_update(now=now)
            if payment is None:
                return None
            self.take(payment, now)
            uow.payments.save(payment)
            uow.commit()
            return payment

    def take(self, payment: Payment, now: datetime) -> None:
        """Lease it, in the caller's transaction. Past its window it is to be cancelled. Raises PaymentBusy."""
        payment.lease(now=now, until=now + LEASE_FOR)
        if payment.has_lapsed(now):
            payment.want_cancel(CancelWish.WINDOW)

    def go_on(self, payment: Payment) -> CheckedPayment:
        """Talk to the provider about a leased payment, and apply what it says. Raises as a call does."""
        refused = False
        try:
            provider = self._read(payment)
            if provider is not None and provider.status.is_open and payment.cancel_wanted:
                provider, refused = self._cancel(payment, provider)
            if provider is not None and provider.status is PaymentStatus.SUCCEEDED and provider.charge_id is None:
                raise OutcomeUnknown(f"Payment {provider.id} has succeeded, but has no charge yet.")
        except Unavailable:
            self._note_silence(payment)
            raise
        return CheckedPayment(payment=self.settlement(payment, provider, cancel_refused=refused), provider=provider)

    def _read(self, payment: Payment) -> ProviderPayment | None:
        now = self.clock.now()
        if payment.intent_id is not None:
            try:
                return self.gateway.get_payment(payment.intent_id)
            except ProviderObjectUnknown as error:
                if payment.failures & (payment.failures - 1) == 0:  # ever more seldom: 0, 1, 2, 4, 8, ...
                    self._raise_alarm(payment, f"{error.code}: {error}", now)
                raise PaymentLost(str(error)) from error
        if not payment.key_is_remembered(now):
            return self._find(payment)
        try:
            return self._create(payment)
        except (InvalidRequest, KeyReused) as error:
            self._raise_alarm(payment, f"{error.code}: {error}", now)
            return self._find(payment)
        except ProviderFailed:
            # An error that was answered is answered for a day, and the buyer wants to pay now.
            found = self._find(payment)
            if found is None and not payment.cancel_wanted:
                self._next_attempt(payment)
                raise
            return found
        except OutcomeUnknown:
            # The order need not wait until the provider speaks again: nobody has the secret that its payment takes.
            if now < payment.due_at + NO_REQUEST_LASTS:
                raise
            return self._find(payment)

    def _create(self, payment: Payment) -> ProviderPayment:
        try:
            return self.gateway.create_payment(request_for(payment), key=payment.create_key)
        except CustomerUnknown:
            # Whoever has left the provider can still pay, with what they have not saved there.
            anew = self._let_buyer_go(payment)
            return self.gateway.create_payment(request_for(anew), key=anew.create_key)

    def _next_attempt(self, leased: Payment) -> None:
        with self.unit_of_work() as uow:
            payment = still_leased(uow, leased)
            payment.next_attempt()
            uow.payments.save(payment)
            uow.commit()

    def _let_buyer_go(self, leased: Payment) -> Payment:
        with self.unit_of_work() as uow:
            payment = still_leased(uow, leased)
            lose_customer(uow, payment.buyer_id, payment.customer_id)
            payment.let_buyer_go()
            uow.payments.save(payment)
            uow.commit()
        return payment

    def _find(self, payment: Payment) -> ProviderPayment | None:
        # It is found by its order. The time only bounds the search, and the provider has a clock of its own.
        return self.gateway.find_payment(payment.order_id, since=payment.created_at - CLOCKS_DIFFER_BY)

    def _cancel(self, payment: Payment, provider: ProviderPayment) -> tuple[ProviderPayment, bool]:
        """Cancelled, or what came before it; and whether the provider refused while it still works on it."""
        try:
            return self.gateway.cancel_payment(provider.id, key=payment.cancel_key), False
        except AlreadyInState:
            current = self.gateway.get_payment(provider.id)
            return current, current.status.is_open

    def _note_silence(self, leased: Payment) -> None:
        now = self.clock.now()
        with self.unit_of_work() as uow:
            payment = uow.payments.get_for_update(leased.id)
            if payment.locked_until == leased.locked_until:
                payment.failed_to_reach(now=now)
                uow.payments.save(payment)
                uow.commit()

    def _raise_alarm(self, payment: Payment, reason: str, now: datetime) -> None:
        with self.unit_of_work() as uow:
            uow.record(ProviderAlarm(occurred_at=now, subject=f"payment of order {payment.order_id}", reason=reason))
            uow.commit()


def request_for(payment: Payment) -> PaymentRequest:
    """What creates a payment: the same whenever it is asked, as its key demands."""
    return PaymentRequest(
        payment_id=payment.id,
        order_id=payment.order_id,
        amount=payment.amount,
        description=f"Order {public_reference(payment.order_id)}",
        customer_id=payment.customer_id,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckPayments:
    """Finish what was begun, read what may have changed, and end what was not paid in time: for a worker."""

    check: PaymentCheck
    limit: int = 100

    def __call__(self) -> int:
        """Check what is due, up to a bound; gives the number.

        What one payment's check raises is noted and goes no further. Raises Unavailable when the store does not answer.
        """
        done, until = 0, self.check.clock.now() + TURN
        # What fails here is no payment's fault, so that the job as a whole is tried again later.
        while done < self.limit and (payment := self.check.take_next()) is not None:
            try:
                self.check.go_on(payment)
            except (PaymentBusy, Unavailable):
                # Noted with its payment, which comes again later; the others need not wait for it.
                pass
            except Exception:
                # Nor for one that cannot be applied: it comes again when its lease is over.
                _log.exception("the check of the payment of order %s failed", payment.order_id)
            done += 1
            if self.check.clock.now() >= until:
                break
        return done
