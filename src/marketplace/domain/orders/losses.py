"""Who bears a chargeback that is lost.

The money that is gone is item money first, of all sales in proportion to what is left of them; then the buyer's
commission, then the processing fee, as far as they have not gone back before; what remains is ours to bear: the postage
that is spent, and whatever was refunded already. Of the item money each seller bears what they would have given back on
a return (fee specification, "Refunds"), and we the rest. A chargeback of the whole payment therefore takes exactly what
each has of it (payment design, "chargeback lost").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.domain.fees import Return, Returned, price_return
from marketplace.domain.orders.order import Order
from marketplace.domain.orders.sale import Sale
from marketplace.domain.shared.ids import SaleId
from marketplace.domain.shared.money import allocate, step


@dataclass(frozen=True, kw_only=True, slots=True)
class SaleLoss:
    """``items`` minor units of a sale's item money are gone, and what of that its seller and we bear."""

    sale_id: SaleId
    items: int
    components: Return


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """Minor units; ``losses`` is what nobody else bears."""

    sales: tuple[SaleLoss, ...]
    commission: int
    processing: int
    losses: int

    @property
    def seller_commission(self) -> int:
        return sum(sale.components.seller_commission for sale in self.sales)

    @property
    def seller_fees(self) -> int:
        return sum(sale.components.seller_fees for sale in self.sales)


def share_out(order: Order, gone: int, *, back: Sequence[Return] = (), is_first: bool = True) -> Loss:
    """Share ``gone`` minor units out, after all that went ``back`` before.

    Of a chargeback that is not the ``is_first`` to be lost on the order, the fees are not told from other losses: both
    are ours.
    """
    open_sales = sorted((sale for sale in order.sales if sale.returned < sale.base), key=lambda sale: sale.id)
    # In steps that can be sent and taken back: less than one of them is nobody's but ours.
    of_items = min(gone - gone % step(order.currency), sum(sale.base - sale.returned for sale in open_sales))
    fees = gone - of_items if is_first else 0
    commission = min(fees, order.commission - sum(part.commission for part in back))
    processing = min(fees - commission, order.processing - sum(part.processing for part in back))
    return Loss(
        sales=_by_sale(order, open_sales, of_items),
        commission=commission,
        processing=processing,
        losses=gone - of_items - commission - processing,
    )


def _by_sale(order: Order, open_sales: Sequence[Sale], of_items: int) -> tuple[SaleLoss, ...]:
    shares = allocate(of_items, [sale.base - sale.returned for sale in open_sales], step(order.currency))
    losses, returned = [], order.returned
    for sale, items in zip(open_sales, shares, strict=True):
        if items:
            already = Returned(order=returned, seller=sale.returned)
            components = price_return(order.frozen_quote(), sale.seller_id, items, already, with_commission=False)
            losses.append(SaleLoss(sale_id=sale.id, items=items, components=components))
            returned += items
    return tuple(losses)
