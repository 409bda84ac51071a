"""Refunds: decided by an admin, sent by a worker, followed until the provider is done with them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from marketplace.application.access import OPERATOR, Actor, require_role
from marketplace.application.payments.checking import LEASE_FOR, TURN
from marketplace.application.payments.returns import refund_pieces
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.payment_gateway import (
    AlreadyInState,
    InvalidRequest,
    KeyReused,
    OutcomeUnknown,
    PaymentGateway,
    ProviderObjectUnknown,
    ProviderRefund,
    RefundNotPossible,
)
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain import journals
from marketplace.domain.identity import Role
from marketplace.domain.orders.order import Order, Sale
from marketplace.domain.payments.payment import PaymentBusy
from marketplace.domain.payments.refund import NothingToRefund, Refund, RefundCause, RefundStatus
from marketplace.domain.shared.errors import Unavailable
from marketplace.domain.shared.ids import OrderId, RefundId, SaleId

_REFUSED = (AlreadyInState, InvalidRequest, KeyReused, ProviderObjectUnknown, RefundNotPossible)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundOrder:
    """Give back all that has not gone back yet: of a whole order, or of one of its sales."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    ids: IdSequence

    def __call__(
        self, *, actor: Actor, order_id: OrderId, sale_id: SaleId | None = None, reason: str, cause: RefundCause
    ) -> RefundId:
        """The refund, which a worker sends. Of a whole order all three fees go back, whatever the cause.

        Raises Forbidden for anybody but an admin, NotFound, Invalid when the sale is another order's, and
        NothingToRefund when the order was not paid or everything has gone back.
        """
        require_role(actor, Role.ADMIN)
        by = None if actor == OPERATOR else actor.account_id
        now = self.clock.now()
        with self.unit_of_work() as uow:
            order = uow.orders.get_for_update(order_id)
            sales = _refundable(order, sale_id)
            refund = refund_pieces(
                uow,
                order,
                uow.payments.of_order(order_id),
                {sale.id: {line.id: line.open_quantity for line in sale.lines} for sale in sales},
                id=RefundId(self.ids.next()),
                cause=cause if sale_id is not None else RefundCause.PLATFORM,
                reason=reason,
                now=now,
            )
            for sale in sales:
                order.end_refunded(sale, now=now, actor_id=by, reason=reason)
            uow.orders.save(order)
            facts = {"refund_id": refund.id, "amount": refund.amount.decimal, "cause": refund.cause, "sale_id": sale_id}
            uow.audit.add(actor.did("order.refunded", "order", order_id, now=now, reason=reason, after=facts))
            uow.commit()
            return refund.id


def _refundable(order: Order, sale_id: SaleId | None) -> list[Sale]:
    if order.paid_at is None:
        raise NothingToRefund(f"Order {order.reference} is {order.status}: nothing was paid for it.")
    chosen = order.sales if sale_id is None else [order.sale(sale_id)]
    left = sorted((sale for sale in chosen if sale.returned < sale.base), key=lambda sale: sale.id)
    if not left:
        raise NothingToRefund(f"Everything has gone back already: order {order.reference} is {order.status}.")
    return left


@dataclass(frozen=True, kw_only=True, slots=True)
class LeasedRefund:
    """``intent_id`` is the provider's name for the payment that the money came by."""

    refund: Refund
    intent_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundCheck:
    """Bring one refund up to date with the provider, sending it first if that is due."""

    unit_of_work: Callable[[], UnitOfWork]
    gateway: PaymentGateway
    clock: Clock

    def __call__(self, refund_id: RefundId) -> Refund:
        """Raises NotFound, PaymentBusy while somebody else does it, and Unavailable when there is no answer."""
        with self.unit_of_work() as uow:
            refund = uow.refunds.get_for_update(refund_id)
            leased = self._take(uow, refund)
            uow.commit()
        return self.go_on(leased)

    def take_next(self) -> LeasedRefund | None:
        """Lease the refund that has waited longest for it, to go on with; None when none is due."""
        with self.unit_of_work() as uow:
            refund = uow.refunds.next_due_for_update(now=self.clock.now())
            if refund is None:
                return None
            leased = self._take(uow, refund)
            uow.commit()
            return leased

    def _take(self, uow: UnitOfWork, refund: Refund) -> LeasedRefund:
        now = self.clock.now()
        refund.lease(now=now, until=now + LEASE_FOR)
        uow.refunds.save(refund)
        return LeasedRefund(refund=refund, intent_id=str(uow.payments.get(refund.payment_id).intent_id))

    def go_on(self, leased: LeasedRefund) -> Refund:
        """Talk to the provider about a leased refund, and apply what it says. Raises as a call does."""
        refund = leased.refund
        try:
            answer, refusal = self._talk(refund, leased.intent_id)
        except Unavailable:
            self._note_silence(refund)
            raise
        return self._apply(refund, answer, refusal)

    def _talk(self, refund: Refund, intent_id: str) -> tuple[ProviderRefund | None, str]:
        """The refund as the provider has it, or why it never will."""
        if refund.is_sent or not refund.key_is_remembered(self.clock.now()):
            found = self.gateway.find_refund(intent_id, refund.id)
            if found is not None:
                return found, ""
            if refund.is_sent:
                raise OutcomeUnknown(f"The provider does not show refund {refund.provider_refund_id}.")
            refund = self._next_attempt(refund)
        try:
            return (
                self.gateway.refund(
                    intent_id,
                    amount=refund.amount,
                    reason="requested_by_customer",
                    metadata={"order_id": str(refund.order_id), "refund_id": str(refund.id)},
                    key=refund.key,
                ),
                "",
            )
        except _REFUSED as error:
            return self.gateway.find_refund(intent_id, refund.id), error.code

    def _apply(self, leased: Refund, answer: ProviderRefund | None, refusal: str) -> Refund:
        now = self.clock.now()
        with self.unit_of_work() as uow:
            refund = self._still_leased(uow, leased)
            if answer is None:
                refund.settle(RefundStatus.FAILED, reason=refusal, now=now)
            else:
                refund.accepted(answer.id)
                has_failed = answer.status is RefundStatus.FAILED
                for journal in (
                    (journals.refund_created, journals.refund_failed) if has_failed else (journals.refund_created,)
                ):
                    uow.ledger.post(
                        journal(
                            provider_refund_id=answer.id,
                            order_id=refund.order_id,
                            currency=refund.amount.currency,
                            amount=refund.amount.amount,
                            at=now,
                        )
                    )
                refund.settle(answer.status, reason=answer.failure_reason, now=now)
            uow.refunds.save(refund)
            uow.commit()
            return refund

    def _next_attempt(self, leased: Refund) -> Refund:
        with self.unit_of_work() as uow:
            refund = self._still_leased(uow, leased)
            refund.next_attempt(now=self.clock.now())
            uow.refunds.save(refund)
            uow.commit()
            return refund

    def _note_silence(self, leased: Refund) -> None:
        with self.unit_of_work() as uow:
            refund = uow.refunds.get_for_update(leased.id)
            if refund.locked_until == leased.locked_until:
                refund.failed_to_reach(now=self.clock.now())
                uow.refunds.save(refund)
                uow.commit()

    def _still_leased(self, uow: UnitOfWork, leased: Refund) -> Refund:
        refund = uow.refunds.get_for_update(leased.id)
        if refund.locked_until != leased.locked_until:
            raise PaymentBusy("Somebody else has taken this refund over; read it again.")
        return refund


@dataclass(frozen=True, kw_only=True, slots=True)
class SendRefunds:
    """Send what was decided, and follow what is pending: for a worker."""

    check: RefundCheck
    limit: int = 100

    def __call__(self) -> int:
        """Check what is due, up to a bound; gives the number.

        What one refund's check raises is noted and goes no further. Raises Unavailable when the store does not answer.
        """
        done, until = 0, self.check.clock.now() + TURN
        # What fails here is no refund's fault, so that the job as a whole is tried again later.
        while done < self.limit and (leased := self.check.take_next()) is not None:
            try:
                self.check.go_on(leased)
            except (PaymentBusy, Unavailable):
                # Noted with its refund, which comes again later; the others need not wait for it.
                pass
            except Exception:
                # Nor for one that cannot be applied: it comes again when its lease is over.
                _log.exception("the check of refund %s failed", leased.refund.id)
            done += 1
            if self.check.clock.now() >= until:
                break
        return done
