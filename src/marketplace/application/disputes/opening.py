"""Opening a dispute, and withdrawing it: what its buyer does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.application.access import Actor, require_dispute_visible, require_self
from marketplace.application.payouts import positions
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.disputes import (
    AlreadyDisputed,
    Dispute,
    DisputeOutcome,
    DisputeReason,
    NotDisputable,
)
from marketplace.domain.orders.order import Order
from marketplace.domain.orders.sale import Sale
from marketplace.domain.orders.status import SaleStatus
from marketplace.domain.payout_states import HoldReason
from marketplace.domain.shared.errors import Forbidden, Invalid
from marketplace.domain.shared.ids import DisputeId, SaleId


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenDispute:
    """Claim that something is wrong with a sale, and keep its seller's money back until that is settled."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    ids: IdSequence
    unshipped_after: timedelta
    seller_has: timedelta

    def __call__(
        self,
        *,
        actor: Actor,
        sale_id: SaleId,
        reason: DisputeReason,
        description: str,
        desired_outcome: DisputeOutcome | None = None,
    ) -> DisputeId:
        """From the shipment of a sale on, or some days after its payment if it is not shipped, until it completes.

        Raises NotFound for another's sale and until it is paid, Invalid for a reason or an outcome that buyers do not
        choose and on a description that cannot be kept, NotDisputable, and AlreadyDisputed.
        """
        _refuse_what_is_not_theirs_to_say(reason, desired_outcome)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            order = uow.orders.of_sale_for_update(sale_id)
            require_self(actor, order.buyer_id, f"sale {sale_id}")
            sale = order.sale(sale_id)
            self._require_disputable(order, sale, now)
            if uow.disputes.is_open(sale_id):
                raise AlreadyDisputed(f"A dispute is open on sale {sale.reference} already.")
            dispute = Dispute.open(
                id=DisputeId(self.ids.next()),
                order_id=order.id,
                sale_id=sale_id,
                buyer_id=order.buyer_id,
                seller_id=sale.seller_id,
                reason=reason,
                description=description,
                currency=order.currency,
                now=now,
                desired_outcome=desired_outcome,
                respond_by=now + self.seller_has,
            )
            positions.hold(uow, order, sale_id, key=dispute.hold_key, reason=HoldReason.DISPUTE, now=now)
            uow.disputes.add(dispute)
            uow.commit()
            return dispute.id

    def _require_disputable(self, order: Order, sale: Sale, now: datetime) -> None:
        if sale.status in (SaleStatus.SHIPPED, SaleStatus.DELIVERED):
            return
        if order.paid_at is None or sale.status is not SaleStatus.AWAITING_SHIPMENT:
            raise NotDisputable(f"Sale {sale.reference} is {sale.status}; only a sale under way can be disputed.")
        disputable_from = order.paid_at + self.unshipped_after
        if now < disputable_from:
            raise NotDisputable(
                f"Sale {sale.reference} has not been shipped yet; it can be disputed from "
                f"{disputable_from:%Y-%m-%d %H:%M} UTC on. Until then you can ask its seller to cancel it.",
                disputable_from=disputable_from.isoformat(),
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class WithdrawDispute:
    """The buyer no longer claims anything: the seller's money goes its way again."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, dispute_id: DisputeId) -> None:
        """Raises NotFound for who may not see it, Forbidden for anybody but its buyer, DecidedByTheBank for a
        chargeback, and IllegalTransition when it is over."""
        now = self.clock.now()
        with self.unit_of_work() as uow:
            seen = uow.disputes.get(dispute_id)
            require_dispute_visible(actor, dispute_id, buyer_id=seen.buyer_id, seller_id=seen.seller_id)
            if actor.account_id != seen.buyer_id:
                raise Forbidden("Only the buyer withdraws a dispute.", missing=["ownership"])
            order = uow.orders.get_for_update(seen.order_id)
            dispute = uow.disputes.get_for_update(dispute_id)
            dispute.require_ours()
            dispute.withdraw(now=now)
            positions.release(uow, order, dispute.sale_id, key=dispute.hold_key, now=now)
            uow.disputes.save(dispute)
            uow.commit()


def _refuse_what_is_not_theirs_to_say(reason: DisputeReason, desired_outcome: DisputeOutcome | None) -> None:
    if reason is DisputeReason.CHARGEBACK:
        raise Invalid("A chargeback is opened by the buyer's bank.", errors={"reason": ["Not a reason of a buyer."]})
    if desired_outcome is DisputeOutcome.DISMISSED:
        message = "Nobody asks for a dismissal; withdraw the dispute instead."
        raise Invalid(message, errors={"desired_outcome": [message]})
