"""Refunds that an admin decides: of a whole order, of a sale, of some of its pieces, or of an amount."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from marketplace.application.access import OPERATOR, Actor, require_role
from marketplace.application.payments.returns import (
    GoingBack,
    Restocked,
    amount_of,
    pieces_of,
    refund,
    restock,
)
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity import Role
from marketplace.domain.orders.order import Order, Sale
from marketplace.domain.orders.status import SaleStatus
from marketplace.domain.payments.refund import NothingToRefund, RefundCause
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import AccountId, OrderId, RefundId, SaleId, SaleLineId
from marketplace.domain.shared.money import Money, step


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundWish:
    """What of an order is to go back; nothing named: all that is left of it.

    ``items`` are pieces by item of a sale; ``amount`` is a decimal of the order's currency, of one sale.
    """

    sale_id: SaleId | None = None
    items: Mapping[SaleLineId, int] = field(default_factory=dict)
    amount: str | None = None
    restock: bool = False

    def __post_init__(self) -> None:
        if self.amount is not None and self.items:
            raise _refused("amount", "Name items or an amount, not both.")
        if self.amount is not None and self.restock:
            raise _refused("restock", "With an amount no pieces come back that could be put on offer again.")

    @property
    def is_whole(self) -> bool:
        return self.sale_id is None and not self.items and self.amount is None


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


def chosen(order: Order, wish: RefundWish) -> list[GoingBack]:
    """What of the order the wish means. Raises as ``RefundOrder`` does."""
    if order.paid_at is None:
        raise NothingToRefund(f"Order {order.reference} is {order.status}: nothing was paid for it.")
    if wish.amount is not None:
        sale = _only_sale(order, wish.sale_id)
        return [amount_of(order, sale, _amount(wish.amount, order.currency))]
    if wish.items:
        return _chosen_pieces(order, wish)
    sales = order.sales if wish.sale_id is None else [order.sale(wish.sale_id)]
    left = [sale for sale in sales if sale.returned < sale.base]
    if not left:
        raise NothingToRefund(f"Everything has gone back already: order {order.reference} is {order.status}.")
    return [pieces_of(order, sale.id, sale.open_pieces) for sale in left]


def end_if_all_is_back(order: Order, sale: Sale, *, now: datetime, actor_id: AccountId | None, reason: str) -> None:
    """Nothing of a sale is left: it ends refunded, unless it has been cancelled."""
    if sale.returned == sale.base and sale.status is not SaleStatus.CANCELLED:
        order.end_refunded(sale, now=now, actor_id=actor_id, reason=reason)


def _chosen_pieces(order: Order, wish: RefundWish) -> list[GoingBack]:
    sales = order.sales if wish.sale_id is None else [order.sale(wish.sale_id)]
    lines = {line.id: sale for sale in sales for line in sale.lines}
    if unknown := sorted(set(wish.items) - set(lines)):
        where = f"order {order.reference}" if wish.sale_id is None else f"sale {sales[0].reference}"
        names = ", ".join(map(str, unknown))
        raise _refused("items", f"No item of {where} has the id {names}.")
    by_sale: dict[SaleId, dict[SaleLineId, int]] = {}
    for line_id, quantity in wish.items.items():
        by_sale.setdefault(lines[line_id].id, {})[line_id] = quantity
    return [pieces_of(order, sale_id, pieces) for sale_id, pieces in by_sale.items()]


def _only_sale(order: Order, sale_id: SaleId | None) -> Sale:
    if sale_id is not None:
        return order.sale(sale_id)
    if len(order.sales) > 1:
        raise _refused("sale", f"Order {order.reference} has {len(order.sales)} sales; say of which the amount is.")
    return order.sales[0]


def _amount(text: str, currency: str) -> Money:
    try:
        amount = Money.parse(text, currency)
    except Invalid as error:
        raise _refused("amount", str(error)) from error
    unit = step(currency)
    if amount.amount <= 0 or amount.amount % unit:
        raise _refused("amount", f"It must be above zero, in steps of {Money(unit, currency)}.")
    return amount


def _refused(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", errors={field: [message]})
