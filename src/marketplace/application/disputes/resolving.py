"""Deciding a dispute: what verifiers and admins do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from marketplace.application.access import Actor, named, require_disinterested, require_role
from marketplace.application.payments.returns import RefundWish, chosen, end_if_all_is_back, refund
from marketplace.application.payouts import positions
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.disputes import Dispute, DisputeOutcome
from marketplace.domain.identity import Role
from marketplace.domain.orders.order import Order
from marketplace.domain.orders.status import SaleStatus
from marketplace.domain.payments.refund import Refund, RefundCause
from marketplace.domain.shared.errors import Conflict, Invalid
from marketplace.domain.shared.ids import DisputeId, RefundId


class ReplacementUnavailable(Conflict):
    """Sellers cannot be made to send a sale a second time yet."""

    code = "replacement_unavailable"


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolveDispute:
    """Give the buyer their money back, or a part of it, or nothing; then the seller's money goes its way again."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    ids: IdSequence

    def __call__(
        self,
        *,
        actor: Actor,
        dispute_id: DisputeId,
        outcome: DisputeOutcome,
        note: str,
        amount: str | None = None,
    ) -> None:
        """``amount``: item money, of a partial refund only, as a decimal of the order's currency.

        A refund gives back what is left of the sale, with all fees if it was never shipped, else with the commission.
        Raises Forbidden for who decides nothing, or is a party; NotFound; Invalid for an amount that does not go with
        the outcome; DecidedByTheBank for a chargeback; IllegalTransition when it is over; ReplacementUnavailable; and
        what a refund raises.
        """
        require_role(actor, Role.VERIFIER, Role.ADMIN)
        _refuse_a_wrong_amount(outcome, amount)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            order = uow.orders.get_for_update(uow.disputes.get(dispute_id).order_id)
            dispute = uow.disputes.get_for_update(dispute_id)
            require_disinterested(actor, dispute.buyer_id, dispute.seller_id)
            dispute.require_ours()
            dispute.require_open()
            before = {"status": dispute.status.value}
            given = None
            if outcome is not DisputeOutcome.DISMISSED:
                given = self._give_back(uow, order, dispute, amount, by=actor, now=now)
            dispute.resolve(
                outcome,
                note=note,
                now=now,
                by=named(actor),
                amount=None if given is None else given.amount,
                refund_id=None if given is None else given.id,
            )
            positions.release(uow, order, dispute.sale_id, key=dispute.hold_key, now=now)
            uow.disputes.save(dispute)
            after = {
                "status": dispute.status.value,
                "outcome": outcome.value,
                "amount": None if given is None else given.amount.decimal,
            }
            uow.audit.add(
                actor.did(
                    "dispute.resolved", "dispute", dispute_id, now=now, reason=dispute.note, before=before, after=after
                )
            )
            uow.commit()

    def _give_back(
        self, uow: UnitOfWork, order: Order, dispute: Dispute, amount: str | None, *, by: Actor, now: datetime
    ) -> Refund:
        sale = order.sale(dispute.sale_id)
        was_sent = sale.status is not SaleStatus.AWAITING_SHIPMENT
        given = refund(
            uow,
            order,
            uow.payments.of_order(order.id),
            chosen(order, RefundWish(sale_id=sale.id, amount=amount)),
            id=RefundId(self.ids.next()),
            cause=RefundCause.SELLER if was_sent else RefundCause.NOT_SHIPPED,
            reason=f"dispute about sale {sale.reference}: {dispute.reason.replace('_', ' ')}",
            ids=self.ids,
            now=now,
        )
        end_if_all_is_back(order, sale, now=now, actor_id=named(by), reason=given.reason)
        uow.orders.save(order)
        return given


def _refuse_a_wrong_amount(outcome: DisputeOutcome, amount: str | None) -> None:
    if outcome is DisputeOutcome.REPLACEMENT:
        raise ReplacementUnavailable(
            "A replacement cannot be shipped through the marketplace yet: resolve with a refund or a partial refund, "
            "or dismiss the dispute once buyer and seller have settled it between them."
        )
    if outcome is DisputeOutcome.PARTIAL_REFUND and amount is None:
        raise _wrong("A partial refund needs an amount.")
    if outcome is not DisputeOutcome.PARTIAL_REFUND and amount is not None:
        raise _wrong(f"The outcome {outcome} takes no amount; a partial refund does.")


def _wrong(message: str) -> Invalid:
    return Invalid(f"amount: {message}", errors={"amount": [message]})
