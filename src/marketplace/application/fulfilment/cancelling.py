"""Sales that are not supplied: cancelled by their seller, or asked to be by their buyer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from marketplace.application.access import Actor, acts_on_anothers, named, require_own, require_party
from marketplace.application.fulfilment.finding import sale_of_seller
from marketplace.application.payments.returns import end_dispute, refund_pieces
from marketplace.application.payments.returns import restock as restock_pieces
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.orders.sale import checked_reason
from marketplace.domain.orders.status import SaleStatus
from marketplace.domain.payments.refund import RefundCause
from marketplace.domain.shared.ids import OrderId, RefundId, SaleId


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelSale:
    """Do not supply a sale that was not sent, and give its buyer everything back that was paid for it."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    ids: IdSequence

    def __call__(self, *, actor: Actor, sale_id: SaleId, reason: str, restock: bool = False) -> None:
        """All three fees go back. ``restock`` puts the pieces on offer again. The same again changes nothing.

        Raises Invalid without a reason; NotFound for another's sale and until it is paid; AlreadyShipped and SaleEnded;
        and ChargebackOpen while the buyer's bank has the payment in dispute.
        """
        reason = checked_reason(reason)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            order, sale = sale_of_seller(uow, actor, sale_id)
            if sale.status is SaleStatus.CANCELLED:
                return
            before, pieces = {"status": sale.status.value}, sale.open_pieces
            order.cancel_sale(sale, now=now, actor_id=named(actor), reason=reason)
            refund = refund_pieces(
                uow,
                order,
                uow.payments.of_order(order.id),
                {sale.id: pieces},
                id=RefundId(self.ids.next()),
                cause=RefundCause.NOT_SHIPPED,
                reason=reason,
                ids=self.ids,
                now=now,
            )
            end_dispute(
                uow,
                sale,
                order,
                amount=refund.amount,
                note=reason,
                now=now,
                by=named(actor),
                refund_id=refund.id,
            )
            uow.orders.save(order)
            if restock:
                restock_pieces(uow, [sale], pieces, now=now)
            if acts_on_anothers(actor, sale.seller_id):
                after = {"sale_id": sale.id, "status": sale.status.value, "restock": restock}
                uow.audit.add(
                    actor.did("sale.cancelled", "order", order.id, now=now, reason=reason, before=before, after=after)
                )
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestCancellation:
    """Ask the sellers of a paid order to cancel what they have not sent yet. Each answers by cancelling or sending."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, order_id: OrderId, reason: str = "") -> Sequence[SaleId] | None:
        """The sales that are asked for; None of an order that is not paid, which can be cancelled without asking.

        A seller who was asked and has not answered is not asked twice. Raises Invalid on a reason that cannot be
        shown, NotFound for another's order, and NothingToCancel.
        """
        reason = checked_reason(reason, needed=False)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            order = uow.orders.get_for_update(order_id)
            require_own(actor, order.buyer_id, f"order {order_id}")
            if order.paid_at is None:
                return None
            require_party(actor, order.buyer_id, f"order {order_id}")
            asked = order.request_cancellation(now=now, reason=reason)
            uow.orders.save(order)
            uow.commit()
        return [sale.id for sale in asked]
