"""Refunds that an admin decides: of a whole order, of a sale, of some of its pieces, or of an amount."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.application.access import OPERATOR, Actor, require_role
from marketplace.application.payments.returns import (
    RefundWish,
    Restocked,
    chosen,
    end_dispute,
    end_if_all_is_back,
    refund,
    restock,
)
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity import Role
from marketplace.domain.payments.refund import RefundCause
from marketplace.domain.shared.ids import OrderId, RefundId


@dataclass(frozen=True, kw_only=True, slots=True)
class DecidedRefund:
    """``restocked`` are the pieces that were to be put on offer again, with why some were not."""

    id: RefundId
    restocked: Sequence[Restocked] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundOrder:
    """Give back what an admin names of an order that is paid."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    ids: IdSequence

    def __call__(
        self,
        *,
        actor: Actor,
        order_id: OrderId,
        reason: str,
        cause: RefundCause = RefundCause.PLATFORM,
        wish: RefundWish | None = None,
    ) -> DecidedRefund:
        """The refund, which a worker sends. Of a whole order all three fees go back, whatever the cause.

        Raises Forbidden for anybody but an admin, NotFound, Invalid for what is not the order's and for an amount
        without its sale, NothingToRefund when the order was not paid or everything has gone back, RefundAboveRest, and
        ChargebackOpen.
        """
        require_role(actor, Role.ADMIN)
        by = None if actor == OPERATOR else actor.account_id
        wish = wish or RefundWish()
        now = self.clock.now()
        with self.unit_of_work() as uow:
            order = uow.orders.get_for_update(order_id)
            going_back = chosen(order, wish)
            decided = refund(
                uow,
                order,
                uow.payments.of_order(order_id),
                going_back,
                id=RefundId(self.ids.next()),
                cause=RefundCause.PLATFORM if wish.is_whole else cause,
                reason=reason,
                ids=self.ids,
                now=now,
            )
            sales = [each.sale for each in going_back]
            for sale in sales:
                end_if_all_is_back(order, sale, now=now, actor_id=by, reason=decided.reason)
                end_dispute(
                    uow,
                    sale,
                    order,
                    amount=decided.amount_of(sale.id),
                    note=decided.reason,
                    now=now,
                    by=by,
                    refund_id=decided.id,
                )
            uow.orders.save(order)
            pieces = {line: count for each in going_back for line, count in each.pieces.items()}
            restocked = restock(uow, sales, pieces, now=now) if wish.restock else []
            facts: dict[str, Any] = {
                "refund_id": decided.id,
                "amount": decided.amount.decimal,
                "cause": decided.cause,
                "sale_id": wish.sale_id,
            }
            if wish.restock:
                facts["restocked"] = sum(each.quantity for each in restocked if not each.refusal)
            uow.audit.add(actor.did("order.refunded", "order", order_id, now=now, reason=decided.reason, after=facts))
            uow.commit()
        return DecidedRefund(id=decided.id, restocked=tuple(restocked))
