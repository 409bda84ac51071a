"""The sale that somebody wants to move: locked with its order, and theirs."""

from __future__ import annotations

from marketplace.application.access import Actor, require_party
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.orders.order import Order, Sale
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import OrderId, SaleId


def sale_of_seller(uow: UnitOfWork, actor: Actor, sale_id: SaleId) -> tuple[Order, Sale]:
    """The order is locked until the unit ends. Raises NotFound for another's sale, and until it is paid."""
    order = uow.orders.of_sale_for_update(sale_id)
    sale = order.sale(sale_id)
    require_party(actor, sale.seller_id, f"sale {sale_id}")
    if order.paid_at is None:
        raise NotFound(f"There is no sale {sale_id}.")
    return order, sale


def sale_of_buyer(uow: UnitOfWork, actor: Actor, order_id: OrderId, sale_id: SaleId) -> tuple[Order, Sale]:
    """The order is locked until the unit ends. Raises NotFound for another's order, and for a sale not of it."""
    order = uow.orders.get_for_update(order_id)
    require_party(actor, order.buyer_id, f"order {order_id}")
    for sale in order.sales:
        if sale.id == sale_id:
            return order, sale
    raise NotFound(f"There is no sale {sale_id} in order {order.reference}.")
