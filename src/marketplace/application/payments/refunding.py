"""Refunds on their way: sent by a worker, followed until the provider is done with them, settled by hand if need be."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from marketplace.application.access import OPERATOR, Actor, require_role
from marketplace.application.payments.checking import LEASE_FOR, NO_REQUEST_LASTS, TURN
from marketplace.application.payments.returns import refuse_while_disputed
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.payment_gateway import (
    AlreadyInState,
    InvalidRequest,
    KeyReused,
    OutcomeUnknown,
    PaymentGateway,
    ProviderFailed,
    ProviderObjectUnknown,
    ProviderRefund,
    RefundNotPossible,
)
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain import journals, ledger
from marketplace.domain.identity import Role
from marketplace.domain.orders.order import Order
from marketplace.domain.payments.payment import PaymentBusy
from marketplace.domain.payments.refund import NotGivenBack, PaidBy, Refund, RefundStatus
from marketplace.domain.shared.errors import Unavailable
from marketplace.domain.shared.ids import RefundId

_REFUSED = (AlreadyInState, InvalidRequest, KeyReused, ProviderObjectUnknown, RefundNotPossible)

_log = logging.getLogger(__name__)


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
        if refund.is_given_up and not refund.is_sent:
            # News of an earlier attempt, say: nothing is sent because of them.
            return self._find(refund, intent_id), refund.failure_reason
        if refund.is_sent or not refund.key_is_remembered(self.clock.now()):
            # The first time as well: it may have been sent before a backup was restored.
            found = self._find(refund, intent_id)
            if found is not None:
                return found, ""
            if refund.is_sent:
                raise OutcomeUnknown(f"The provider does not show refund {refund.provider_refund_id}.")
            if refund.key_is_spent(self.clock.now()):
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
            return self._find(refund, intent_id), error.code
        except ProviderFailed:
            # An error that was answered is answered for a day, and a buyer need not wait as long. After silence this
            # very request may still be under way, unseen by a look-up.
            if refund.first_sent_at is None or self.clock.now() < refund.first_sent_at + NO_REQUEST_LASTS:
                raise
            found = self._find(refund, intent_id)
            if found is None:
                self._next_attempt(refund)
                raise
            return found, ""

    def _find(self, refund: Refund, intent_id: str) -> ProviderRefund | None:
        """This attempt of it, as far as the provider has it."""
        found = self.gateway.find_refund(intent_id, refund.id)
        return found if found is not None and refund.is_this(found.id) else None

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


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryRefund:
    """Send a refund once more that failed at the provider."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, refund_id: RefundId) -> None:
        """A worker sends it. Raises Forbidden, NotFound, RefundNotFailed, and ChargebackOpen."""
        require_role(actor, Role.ADMIN)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            order_id = uow.refunds.get(refund_id).order_id
            order = uow.orders.get_for_update(order_id)
            refuse_while_disputed(uow, order)
            refund = uow.refunds.get_for_update(refund_id)
            before = {"status": refund.status.value, "attempt": refund.attempt}
            refund.retry(now=now)
            uow.refunds.save(refund)
            after = {"status": refund.status.value, "attempt": refund.attempt}
            uow.audit.add(actor.did("refund.retried", "refund", refund_id, now=now, before=before, after=after))
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class SettleRefund:
    """Note that the buyer has got the money of a failed refund in another way."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, refund_id: RefundId, paid_by: PaidBy, note: str) -> None:
        """``note`` says how: the reference of the bank transfer, say.

        Raises Forbidden, NotFound, RefundNotFailed, Invalid without a note, and NotGivenBack for ``paid_by`` chargeback
        when none of the order was lost.
        """
        require_role(actor, Role.ADMIN)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            order = uow.orders.get_for_update(uow.refunds.get(refund_id).order_id)
            if paid_by is PaidBy.CHARGEBACK:
                _require_given_back(uow, order)
            refund = uow.refunds.get_for_update(refund_id)
            refund.settle_elsewhere(note=note, by=None if actor == OPERATOR else actor.account_id, now=now)
            uow.refunds.save(refund)
            uow.ledger.post(
                journals.refund_settled(
                    refund_id=refund.id,
                    order_id=refund.order_id,
                    currency=refund.amount.currency,
                    amount=refund.amount.amount,
                    source=_BORNE_BY[paid_by],
                    at=now,
                )
            )
            facts = {"status": refund.status.value, "paid_by": paid_by.value, "amount": refund.amount.decimal}
            uow.audit.add(
                actor.did("refund.settled", "refund", refund_id, now=now, reason=refund.settled_note, after=facts)
            )
            uow.commit()


def _require_given_back(uow: UnitOfWork, order: Order) -> None:
    """What settles a refund so was booked as lost before; else the buyer would have nothing, and we a gain."""
    if all(chargeback.lost is None for chargeback in uow.chargebacks.of_order(order.id)):
        raise NotGivenBack(
            f"No chargeback of order {order.reference} was lost: the buyer's bank has given nothing back. "
            "Pay the refund from our bank, or wait for the decision."
        )


_BORNE_BY = {PaidBy.BANK: ledger.BANK, PaidBy.CHARGEBACK: ledger.CHARGEBACK_LOSSES}
