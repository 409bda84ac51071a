"""What the provider says of a payment, applied to its order: the one place where money changes anything.

Whoever spoke to the provider (for a webhook, a command of the buyer, the clock) comes here with the answer, and with
the lease it was asked for under. One transaction locks the order, its payment, then the listings, and does all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from marketplace.application.payments.returns import refund_pieces
from marketplace.application.payouts.positions import hold_payout, open_payouts
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.payment_gateway import ProviderPayment
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain import journals, ledger
from marketplace.domain.orders.order import Order
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.payment import CancelWish, Payment, PaymentBusy, PaymentStatus, ProviderAlarm
from marketplace.domain.payments.refund import RefundCause
from marketplace.domain.payout_states import HoldReason
from marketplace.domain.shared.ids import RefundId, SaleId, SaleLineId


@dataclass(frozen=True, kw_only=True, slots=True)
class Settlement:
    """Give an order what its payment has come to. Doing it again changes nothing."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    ids: IdSequence
    livemode: bool

    def __call__(self, leased: Payment, provider: ProviderPayment | None, *, cancel_refused: bool = False) -> Payment:
        """The payment as it is then. ``provider`` None: the provider has no such payment, and will not have it.

        Raises PaymentBusy when the lease ran out and somebody else took over.
        """
        now = self.clock.now()
        with self.unit_of_work() as uow:
            if provider is not None and provider.status.is_open:
                payment = still_leased(uow, leased)
                payment.started(provider.id)
                payment.observe(
                    provider.status, decline_code=provider.decline_code, cancel_refused=cancel_refused, now=now
                )
            else:
                # The order is locked before its payment, everywhere.
                order = uow.orders.get_for_update(leased.order_id)
                payment = still_leased(uow, leased)
                self._end_or_succeed(uow, order, payment, provider, now)
            uow.payments.save(payment)
            uow.commit()
            return payment

    def _not_there(self, uow: UnitOfWork, order: Order, payment: Payment, now: datetime) -> None:
        if payment.cancel_wanted:
            self._end(uow, order, payment, "", now)
        else:
            payment.cannot_be_made()

    def _end_or_succeed(
        self, uow: UnitOfWork, order: Order, payment: Payment, provider: ProviderPayment | None, now: datetime
    ) -> None:
        if provider is None:
            self._not_there(uow, order, payment, now)
            return
        payment.started(provider.id)
        if provider.status is PaymentStatus.SUCCEEDED:
            fault = self._fault(payment, provider)
            if fault or payment.quarantine:
                payment.put_in_quarantine(fault, now=now)
            else:
                self._succeed(uow, order, payment, provider, now)
        else:
            self._end(uow, order, payment, provider.decline_code, now)

    def _fault(self, payment: Payment, provider: ProviderPayment) -> str:
        """Why this money is not the order's; empty when it is."""
        if provider.livemode != self.livemode:
            return f"livemode is {provider.livemode}, not {self.livemode}"
        if provider.currency != payment.amount.currency:
            return f"paid in {provider.currency}, not in {payment.amount.currency}"
        if provider.amount_received != payment.amount.amount:
            return f"{provider.amount_received} minor units received, not {payment.amount.amount}"
        return ""

    def _succeed(
        self, uow: UnitOfWork, order: Order, payment: Payment, provider: ProviderPayment, now: datetime
    ) -> None:
        if payment.status is not PaymentStatus.SUCCEEDED:
            missing = uow.reservations.supply(order, now=now)
            order.pay(missing, now=now)
            payment.succeed(str(provider.charge_id), now=now)
            uow.ledger.post(_captured(order, payment, now))
            open_payouts(uow, order, ids=self.ids, now=now)
            if missing:
                # Late money: what is gone goes back at once, whole, with all of its fees.
                refund_pieces(
                    uow,
                    order,
                    payment,
                    _by_sale(order, missing),
                    id=RefundId(self.ids.next()),
                    cause=RefundCause.NOT_SHIPPED,
                    reason="could not be supplied any more when the money came",
                    ids=self.ids,
                    now=now,
                )
            uow.orders.save(order)
        if provider.settled_in not in (None, order.currency) and not payment.is_settled:
            self._keep_back(uow, order, str(provider.settled_in), now)
        payment.settled(provider.balance_transaction_id, now=now)
        if provider.balance_transaction_id is not None and provider.fee and provider.settled_in == order.currency:
            uow.ledger.post(
                journals.stripe_fee(
                    balance_transaction_id=provider.balance_transaction_id,
                    order_id=order.id,
                    currency=order.currency,
                    fee=provider.fee,
                    at=now,
                )
            )

    def _keep_back(self, uow: UnitOfWork, order: Order, settled_in: str, now: datetime) -> None:
        """Money that came to our balance in another currency cannot be sent on: an operator has to decide."""
        reason = f"the money came in {settled_in}, not in {order.currency}: its sellers cannot be paid out of it"
        uow.record(ProviderAlarm(occurred_at=now, subject=f"payment of order {order.id}", reason=reason))
        for payout in uow.payouts.of_order_for_update(order.id):
            hold_payout(uow, payout, key=f"currency:{order.id}", reason=HoldReason.CURRENCY, now=now)

    def _end(self, uow: UnitOfWork, order: Order, payment: Payment, decline_code: str, now: datetime) -> None:
        """The payment can never succeed any more, so the claims need not wait for it."""
        if order.status is OrderStatus.PENDING_PAYMENT:
            outcome, reason = _unpaid_end(payment, decline_code)
            order.end_unpaid(outcome, now=now, actor_id=payment.cancel_wanted_by, reason=reason)
            uow.reservations.free(order.id, now=now)
            uow.orders.save(order)
        payment.cancel(decline_code=decline_code)


def still_leased(uow: UnitOfWork, leased: Payment) -> Payment:
    """The payment, locked, as long as the lease stands. Raises PaymentBusy when somebody else has taken it over."""
    payment = uow.payments.get_for_update(leased.id)
    if payment.locked_until != leased.locked_until:
        raise PaymentBusy("Somebody else has taken this payment over; read it again.")
    return payment


def _unpaid_end(payment: Payment, decline_code: str) -> tuple[OrderStatus, str]:
    if payment.cancel_wanted is CancelWish.BUYER:
        return OrderStatus.CANCELLED, "cancelled before it was paid"
    if decline_code:
        return OrderStatus.PAYMENT_FAILED, f"the last attempt to pay was declined: {decline_code}"
    if payment.cancel_wanted is CancelWish.WINDOW:
        return OrderStatus.EXPIRED, "not paid in time"
    return OrderStatus.EXPIRED, "cancelled at the payment provider"


def _by_sale(order: Order, missing: Mapping[SaleLineId, int]) -> dict[SaleId, dict[SaleLineId, int]]:
    """The pieces that are missing of each sale, by ascending sale; sales that lack nothing are left out."""
    lacking = {
        sale.id: {line.id: missing[line.id] for line in sale.lines if missing.get(line.id)} for sale in order.sales
    }
    return {sale_id: lacking[sale_id] for sale_id in sorted(lacking) if lacking[sale_id]}


def _captured(order: Order, payment: Payment, now: datetime) -> ledger.Journal:
    return journals.payment_captured(
        charge_id=str(payment.charge_id),
        order_id=order.id,
        currency=order.currency,
        total=order.total.amount,
        sellers=[(sale.seller_id, sale.net, sale.commission, sale.seller_fees) for sale in order.sales],
        commission=order.commission,
        processing=order.processing,
        shipping=order.shipping,
        at=now,
    )
