"""`marketplace sales`: fulfilling for sellers and buyers who cannot do it themselves. Each act is recorded."""

from __future__ import annotations

from typing import Any

import click

from marketplace.application.access import OPERATOR
from marketplace.application.ports.orders import OrderView, SaleView
from marketplace.application.ports.pages import MAX_PAGE_SIZE, PageRequest
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.orders.status import SaleStatus
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId, OrderId, SaleId
from marketplace.domain.shared.money import Money
from marketplace.entrypoints.cli.console import json_option, show, with_container
from marketplace.entrypoints.container import Container

_REFERENCE = click.argument("reference")
_COLUMNS = ("reference", "status", "items", "subtotal", "paid_at", "carrier", "tracking_number", "asked_to_cancel")


@click.group()
def sales() -> None:
    """What sellers have to send. REFERENCE is a sale's, such as K7QM-2XPD-1."""


@sales.command("list")
@click.argument("seller")
@click.option(
    "--status",
    type=click.Choice([status.value for status in SaleStatus]),
    default=SaleStatus.AWAITING_SHIPMENT.value,
    show_default=True,
)
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="So many at most.")
@json_option
@with_container
def list_sales(container: Container, seller: str, status: str, limit: int, as_json: bool) -> None:
    """List the paid sales of SELLER, a username or an e-mail address, the first to be paid first."""
    seller_id = _seller_called(container, seller)
    rows: list[dict[str, Any]] = []
    asked = PageRequest(size=MAX_PAGE_SIZE, ordering="oldest")
    while len(rows) < limit:
        page = container.backend.order_queries().sales(seller_id, asked, statuses=[SaleStatus(status)])
        rows += (_row(sale) for sale in page.items)
        if page.next is None:
            break
        asked = PageRequest(size=MAX_PAGE_SIZE, ordering="oldest", after=page.next)
    show(rows[:limit], as_json=as_json, columns=_COLUMNS)


@sales.command()
@_REFERENCE
@click.option("--carrier", required=True, help="Who carries the parcel, such as Colissimo.")
@click.option("--tracking-number", required=True)
@json_option
@with_container
def ship(container: Container, reference: str, carrier: str, tracking_number: str, as_json: bool) -> None:
    """Note that the sale is on its way, or correct its carrier and number until it has arrived."""
    _, sale = _sale_called(container, reference)
    container.fulfilment.ship_sale()(
        actor=OPERATOR, sale_id=SaleId(sale.id), carrier=carrier, tracking_number=tracking_number
    )
    _print(container, reference, as_json=as_json)


@sales.command()
@_REFERENCE
@click.option("--reason", required=True, help="What buyer and seller are told.")
@click.option("--restock", is_flag=True, help="Put the pieces on offer again on their listings.")
@json_option
@with_container
def cancel(container: Container, reference: str, reason: str, restock: bool, as_json: bool) -> None:
    """Cancel a sale that is not sent; its buyer gets back all that was paid for it, fees included."""
    _, sale = _sale_called(container, reference)
    container.fulfilment.cancel_sale()(actor=OPERATOR, sale_id=SaleId(sale.id), reason=reason, restock=restock)
    _print(container, reference, as_json=as_json)


@sales.command()
@_REFERENCE
@json_option
@with_container
def confirm(container: Container, reference: str, as_json: bool) -> None:
    """Note that the buyer has the parcel; the sale completes COMPLAINT_DAYS later."""
    order, sale = _sale_called(container, reference)
    container.fulfilment.confirm_receipt()(actor=OPERATOR, order_id=OrderId(order.id), sale_id=SaleId(sale.id))
    _print(container, reference, as_json=as_json)


@sales.command()
@_REFERENCE
@click.option("--reason", required=True, help="What the history says.")
@json_option
@with_container
def complete(container: Container, reference: str, reason: str, as_json: bool) -> None:
    """Complete a sale that was sent before its time, so that its seller is paid."""
    _, sale = _sale_called(container, reference)
    container.fulfilment.complete_sale()(actor=OPERATOR, sale_id=SaleId(sale.id), reason=reason)
    _print(container, reference, as_json=as_json)


def _seller_called(container: Container, name: str) -> AccountId:
    unit: UnitOfWork = container.backend.unit_of_work()
    with unit as uow:
        account = uow.accounts.by_name(name)
    if account is None:
        raise NotFound(f"There is no account called {name!r}; give a username or an e-mail address.")
    return account.id


def _sale_called(container: Container, reference: str) -> tuple[OrderView, SaleView]:
    wanted = reference.strip().upper()
    order: OrderView = container.backend.order_queries().order_called(wanted.rpartition("-")[0])
    for sale in order.sales:
        if sale.reference == wanted:
            return order, sale
    known = ", ".join(sale.reference for sale in order.sales)
    raise NotFound(f"Order {order.reference} has no sale {reference!r}; it has {known}.")


def _print(container: Container, reference: str, *, as_json: bool) -> None:
    _, sale = _sale_called(container, reference)
    show({**_row(sale), "completes_at": sale.completes_at}, as_json=as_json)


def _row(sale: SaleView) -> dict[str, Any]:
    parcel, wish = sale.shipment, sale.cancellation
    return {
        "reference": sale.reference,
        "status": sale.status.value,
        "items": ", ".join(f"{item.quantity} x {item.title}" for item in sale.items),
        "subtotal": Money(sale.base, sale.currency).decimal,
        "currency": sale.currency,
        "paid_at": sale.paid_at,
        "carrier": "" if parcel is None else parcel.carrier,
        "tracking_number": "" if parcel is None else parcel.tracking_number,
        "asked_to_cancel": wish is not None and wish.is_open(sale.status, parcel),
    }
