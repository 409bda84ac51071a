"""Pieces that go back: priced by the fees they were sold under, counted on the order, owed to the buyer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain import journals, ledger
from marketplace.domain.fees import price_return
from marketplace.domain.orders.order import Order
from marketplace.domain.payments.payment import Payment
from marketplace.domain.payments.refund import Refund, RefundCause, RefundPart
from marketplace.domain.shared.ids import RefundId, SaleId, SaleLineId


def refund_pieces(
    uow: UnitOfWork,
    order: Order,
    payment: Payment,
    pieces: Mapping[SaleId, Mapping[SaleLineId, int]],
    *,
    id: RefundId,
    cause: RefundCause,
    reason: str,
    now: datetime,
) -> Refund:
    """Decide a refund of these pieces, in the transaction that has the order locked; the caller saves the order.

    Nothing is sent here: a worker sends what was decided. Raises Invalid when more would go back than was sold.
    """
    parts = []
    for sale_id, of_sale in pieces.items():
        sale = order.sale(sale_id)
        components = price_return(
            order.frozen_quote(),
            sale.seller_id,
            sum(line.unit_price.amount * of_sale.get(line.id, 0) for line in sale.lines),
            order.returned_of(sale),
            with_processing=cause.gives_all_fees_back,
            with_shipping=cause.gives_all_fees_back,
        )
        order.take_back(sale, of_sale, now=now, reason=reason)
        parts.append(RefundPart(sale_id=sale.id, seller_id=sale.seller_id, pieces=dict(of_sale), components=components))
    refund = Refund.decide(id=id, payment=payment, cause=cause, reason=reason, parts=parts, now=now)
    uow.refunds.add(refund)
    uow.ledger.post(
        journals.refund_decided(
            refund_id=refund.id,
            order_id=order.id,
            currency=order.currency,
            returns=[(ledger.pending(part.seller_id), part.components) for part in parts],
            at=now,
        )
    )
    return refund
