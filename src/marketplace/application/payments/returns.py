"""What goes back to a buyer: priced by the fees it was sold under, taken from its seller, counted on the order, owed.

Everything here runs in the transaction that has the order locked; the caller saves the order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from marketplace.application.payouts import positions
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain import journals
from marketplace.domain.disputes import DisputeOutcome
from marketplace.domain.fees import price_return
from marketplace.domain.listings import ListingStatus
from marketplace.domain.orders.order import Order
from marketplace.domain.orders.returning import NothingToRefund, RefundAboveRest, worth_of
from marketplace.domain.orders.sale import Sale
from marketplace.domain.orders.status import SaleStatus
from marketplace.domain.payments.chargebacks import ChargebackOpen
from marketplace.domain.payments.payment import Payment
from marketplace.domain.payments.refund import Refund, RefundCause, RefundPart
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import AccountId, ListingId, RefundId, SaleId, SaleLineId
from marketplace.domain.shared.money import Money, step


@dataclass(frozen=True, kw_only=True, slots=True)
class GoingBack:
    """What goes back of one sale: ``items`` minor units of item money, for these pieces or for none.

    ``with_commission``: whether the buyer's commission goes back with it, and by the cause the other fees.
    """

    sale: Sale
    pieces: Mapping[SaleLineId, int]
    items: int
    with_commission: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Restocked:
    """Pieces of a listing that are on sale again, or why they are not: ``refusal`` is empty then."""

    line_id: SaleLineId
    listing_id: ListingId
    quantity: int
    refusal: str = ""


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


def refund_pieces(
    uow: UnitOfWork,
    order: Order,
    payment: Payment,
    pieces: Mapping[SaleId, Mapping[SaleLineId, int]],
    *,
    id: RefundId,
    cause: RefundCause,
    reason: str,
    ids: IdSequence,
    now: datetime,
) -> Refund:
    """Decide a refund of these pieces. Raises as ``refund``, and as ``worth_of`` for pieces that cannot go back."""
    going_back = [pieces_of(order, sale_id, of_sale) for sale_id, of_sale in pieces.items()]
    return refund(uow, order, payment, going_back, id=id, cause=cause, reason=reason, ids=ids, now=now)


def pieces_of(order: Order, sale_id: SaleId, pieces: Mapping[SaleLineId, int]) -> GoingBack:
    """What these pieces are worth. Raises as ``worth_of``, and Invalid when the sale is another order's."""
    sale = order.sale(sale_id)
    return GoingBack(sale=sale, pieces=dict(pieces), items=worth_of(sale, pieces, order.currency))


def amount_of(order: Order, sale: Sale, amount: Money) -> GoingBack:
    """Money without a piece, which brings no fees back. Raises RefundAboveRest when less is left of the sale."""
    rest = Money(sale.base - sale.returned, order.currency)
    if amount.amount > rest.amount:
        raise RefundAboveRest(f"{amount} is more than is left of sale {sale.reference}: {rest}.", left=rest.decimal)
    return GoingBack(sale=sale, pieces={}, items=amount.amount, with_commission=False)


def refund(
    uow: UnitOfWork,
    order: Order,
    payment: Payment,
    going_back: Sequence[GoingBack],
    *,
    id: RefundId,
    cause: RefundCause,
    reason: str,
    ids: IdSequence,
    now: datetime,
) -> Refund:
    """Owe the buyer what goes back, from wherever the sellers' money stands now. A worker sends what was decided.

    Raises ChargebackOpen while the buyer's bank has the payment in dispute, and Invalid on a reason that cannot be
    kept.
    """
    refuse_while_disputed(uow, order)
    by_sale = sorted(going_back, key=lambda each: each.sale.id)
    parts = [_taken_back(order, each, cause, reason=reason, now=now) for each in by_sale]
    decided = Refund.decide(id=id, payment=payment, cause=cause, reason=reason, parts=parts, now=now)
    uow.refunds.add(decided)
    accounts = [
        positions.take_from_seller(
            uow, order, part.sale_id, part.components.seller_net, cause=f"refund:{id}", ids=ids, now=now
        )
        for part in parts
    ]
    uow.ledger.post(
        journals.refund_decided(
            refund_id=decided.id,
            order_id=order.id,
            currency=order.currency,
            returns=list(zip(accounts, (part.components for part in parts), strict=True)),
            at=now,
        )
    )
    return decided


def refuse_while_disputed(uow: UnitOfWork, order: Order) -> None:
    """Before money goes back. Raises ChargebackOpen while the buyer's bank has the payment in dispute."""
    if any(chargeback.blocks_refunds for chargeback in uow.chargebacks.of_order(order.id)):
        raise ChargebackOpen(
            f"The buyer's bank disputes the payment of order {order.reference}: it may give the money back already. "
            "Wait for its decision, or accept the chargeback."
        )


def restock(
    uow: UnitOfWork, sales: Sequence[Sale], pieces: Mapping[SaleLineId, int], *, now: datetime
) -> list[Restocked]:
    """Put pieces back on the listings that they were sold from, as long as those still offer the same.

    After everything else that is locked: listings by ascending id.
    """
    lines = {line.listing_id: line for sale in sales for line in sale.lines if pieces.get(line.id)}
    listings = uow.listings.lock_many(sorted(lines), now)
    done = []
    for listing in listings:
        line = lines[listing.id]
        refusal = ""
        if listing.status is ListingStatus.ARCHIVED:
            refusal = "the listing is archived"
        elif listing.variant_id != line.variant_id:
            refusal = "the listing offers another variant now"
        else:
            listing.put_back(pieces[line.id], now=now)
        done.append(Restocked(line_id=line.id, listing_id=listing.id, quantity=pieces[line.id], refusal=refusal))
    uow.listings.save_all(listings)
    return done


def _taken_back(order: Order, what: GoingBack, cause: RefundCause, *, reason: str, now: datetime) -> RefundPart:
    with_fees = what.with_commission and cause.gives_all_fees_back
    components = price_return(
        order.frozen_quote(),
        what.sale.seller_id,
        what.items,
        order.returned_of(what.sale),
        with_commission=what.with_commission,
        with_processing=with_fees,
        with_shipping=with_fees,
    )
    order.take_back(what.sale, what.pieces, items=what.items, now=now, reason=reason)
    return RefundPart(
        sale_id=what.sale.id, seller_id=what.sale.seller_id, pieces=dict(what.pieces), components=components
    )


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


def end_dispute(
    uow: UnitOfWork,
    sale: Sale,
    order: Order,
    *,
    amount: Money,
    note: str,
    now: datetime,
    by: AccountId | None = None,
    refund_id: RefundId | None = None,
) -> None:
    """Nothing of a sale is left for its buyer to claim: what they dispute is settled, whichever way it went back.

    ``amount`` is what has just gone back of the sale. After the payout of it has been taken back; a sale of which
    something is left, or that nobody disputes, stays as it is.
    """
    if sale.returned < sale.base:
        return
    dispute = uow.disputes.open_by_buyer_for_update(sale.id)
    if dispute is not None:
        dispute.resolve(DisputeOutcome.REFUND, note=note, now=now, by=by, amount=amount, refund_id=refund_id)
        positions.release(uow, order, sale.id, key=dispute.hold_key, now=now)
        uow.disputes.save(dispute)


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
