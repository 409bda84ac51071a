"""`marketplace orders`: looking at one, cancelling one, giving money back."""

from __future__ import annotations

import re
from typing import Any

import click

from marketplace.application.access import OPERATOR
from marketplace.application.payments.cancelling import Cancellation
from marketplace.application.payments.returns import RefundWish
from marketplace.application.ports.orders import OrderQueries, OrderView
from marketplace.application.ports.payments import RefundView
from marketplace.domain.orders.status import Transition
from marketplace.domain.payments.refund import RefundCause
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import MAX_ID, OrderId, SaleId, SaleLineId
from marketplace.domain.shared.money import Money
from marketplace.entrypoints.cli.console import json_option, show, with_container
from marketplace.entrypoints.container import Container

_SALE_COLUMNS = ("reference", "status", "seller", "items", "subtotal", "parcel")
_MOVE_COLUMNS = ("at", "what", "from", "to", "by", "reason")
REFUND_COLUMNS = ("id", "status", "amount", "cause", "reason", "failure_reason", "decided_at")
_NUMBER = re.compile(r"[1-9]\d{0,15}", re.ASCII)


@click.group()
def orders() -> None:
    """What buyers have ordered."""


@orders.command("show")
@click.argument("reference")
@json_option
@with_container
def show_order(container: Container, reference: str, as_json: bool) -> None:
    """Print the order called REFERENCE (or its id) with its sales, its payment, its refunds and its history."""
    order = _order_called(container, reference)
    payments = container.backend.payment_queries()
    payment = payments.of_orders([OrderId(order.id)]).get(OrderId(order.id))
    summary = {
        "id": order.id,
        "reference": order.reference,
        "status": order.status.value,
        "total": Money(order.total, order.currency).decimal,
        "currency": order.currency,
        "created_at": order.created_at,
        "paid_at": order.paid_at,
        "payment_status": None if payment is None else payment.status.value,
        "quarantine": "" if payment is None else payment.quarantine,
    }
    sales = [_sale(order, position) for position in range(len(order.sales))]
    refunds = [refund_row(refund) for refund in payments.refunds(OrderId(order.id))]
    history = [_move(move, order) for move in container.backend.order_queries().history(OrderId(order.id))]
    if as_json:
        show({**summary, "sales": sales, "refunds": refunds, "history": history}, as_json=True)
        return
    show(summary, as_json=False)
    for rows, columns in ((sales, _SALE_COLUMNS), (refunds, REFUND_COLUMNS), (history, _MOVE_COLUMNS)):
        if rows:
            click.echo()
            show(rows, as_json=False, columns=columns)


@orders.command()
@click.argument("reference")
@json_option
@with_container
def cancel(container: Container, reference: str, as_json: bool) -> None:
    """Cancel the unpaid order called REFERENCE, at the payment provider first."""
    order = _order_called(container, reference)
    done = container.cancel_order()(actor=OPERATOR, order_id=OrderId(order.id))
    status = "cancelled" if done is Cancellation.CANCELLED else "cancelling: the worker goes on with it"
    show({"reference": order.reference, "status": status}, as_json=as_json)


@orders.command()
@click.argument("reference")
@click.option("--sale", metavar="REFERENCE", help="Give back this sale only, such as K7QM-2XPD-1.")
@click.option(
    "items",
    "--item",
    metavar="ID=QUANTITY",
    multiple=True,
    help="Give back so many pieces of this item only; ids are in `orders show`. Can be repeated.",
)
@click.option("--amount", metavar="DECIMAL", help="Give back so much of a sale, and no fees.")
@click.option("--restock", is_flag=True, help="Put the pieces on offer again.")
@click.option(
    "--cause",
    type=click.Choice([cause.value for cause in RefundCause]),
    default=RefundCause.PLATFORM.value,
    show_default=True,
    help="Of a sale: not_shipped and platform give all fees back, seller and buyer the commission.",
)
@click.option("--reason", default="refunded by an operator", show_default=True, help="What the history says.")
@json_option
@with_container
def refund(
    container: Container,
    reference: str,
    sale: str | None,
    items: tuple[str, ...],
    amount: str | None,
    restock: bool,
    cause: str,
    reason: str,
    as_json: bool,
) -> None:
    """Give back what was paid for the order called REFERENCE; the worker sends it."""
    order = _order_called(container, reference)
    done = container.refund_order()(
        actor=OPERATOR,
        order_id=OrderId(order.id),
        reason=reason,
        cause=RefundCause(cause),
        wish=RefundWish(
            sale_id=None if sale is None else _sale_called(order, sale),
            items=_items(items),
            amount=amount,
            restock=restock,
        ),
    )
    decided = container.backend.payment_queries().refund(done.id)
    shown = {"reference": order.reference, **refund_row(decided)}
    if restock:
        left_out = [f"item {each.line_id}: {each.refusal}" for each in done.restocked if each.refusal]
        shown["restocked"] = sum(each.quantity for each in done.restocked if not each.refusal)
        shown["not_restocked"] = left_out if as_json else "; ".join(left_out)
    show(shown, as_json=as_json)


def _order_called(container: Container, reference: str) -> OrderView:
    """By its reference, which is never all digits, or by its id."""
    queries: OrderQueries = container.backend.order_queries()
    if reference.isascii() and reference.isdigit() and int(reference) <= MAX_ID:
        return queries.order(OrderId(int(reference)))
    return queries.order_called(reference)


def _sale_called(order: OrderView, reference: str) -> SaleId:
    for sale in order.sales:
        if sale.reference == reference.upper():
            return SaleId(sale.id)
    known = ", ".join(sale.reference for sale in order.sales)
    raise NotFound(f"Order {order.reference} has no sale {reference!r}; it has {known}.")


def _items(named: tuple[str, ...]) -> dict[SaleLineId, int]:
    """Pieces by item. An item that is named twice adds up."""
    pieces: dict[SaleLineId, int] = {}
    for each in named:
        id, _, quantity = each.partition("=")
        if not (_NUMBER.fullmatch(id) and _NUMBER.fullmatch(quantity)):
            raise click.BadParameter(f"{each!r} is not ID=QUANTITY, such as 1041=2.", param_hint="--item")
        pieces[SaleLineId(int(id))] = pieces.get(SaleLineId(int(id)), 0) + int(quantity)
    return pieces


def _sale(order: OrderView, position: int) -> dict[str, Any]:
    sale = order.sales[position]
    return {
        "reference": sale.reference,
        "status": sale.status.value,
        "seller": sale.shop_name,
        "items": ", ".join(f"{item.quantity} x {item.title} (item {item.id})" for item in sale.items),
        "subtotal": Money(sale.base, sale.currency).decimal,
        "parcel": "" if sale.shipment is None else f"{sale.shipment.carrier} {sale.shipment.tracking_number}",
    }


def _move(move: Transition, order: OrderView) -> dict[str, Any]:
    references = {sale.id: sale.reference for sale in order.sales}
    return {
        "at": move.at,
        "what": order.reference if move.sale_id is None else references[move.sale_id],
        "from": str(move.from_status),
        "to": str(move.to_status),
        "by": "system" if move.actor_id is None else move.actor_id,
        "reason": move.reason,
    }


def refund_row(refund: RefundView) -> dict[str, Any]:
    return {
        "id": refund.id,
        "status": refund.status.value,
        "amount": refund.amount.decimal,
        "currency": refund.amount.currency,
        "cause": refund.cause.value,
        "reason": refund.reason,
        "failure_reason": refund.failure_reason,
        "decided_at": refund.decided_at,
    }
