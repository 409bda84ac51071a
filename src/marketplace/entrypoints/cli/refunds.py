"""`marketplace refunds`: what is owed to buyers, and settling what the payment provider could not send."""

from __future__ import annotations

import click

from marketplace.application.access import OPERATOR
from marketplace.application.ports.pages import MAX_PAGE_SIZE, PageRequest
from marketplace.domain.payments.refund import PaidBy, RefundStatus
from marketplace.domain.shared.ids import RefundId
from marketplace.entrypoints.cli.console import json_option, show, with_container
from marketplace.entrypoints.cli.orders import REFUND_COLUMNS, refund_row
from marketplace.entrypoints.container import Container

_COLUMNS = ("order", *REFUND_COLUMNS)
_ID = click.argument("refund_id", type=click.IntRange(1))


@click.group()
def refunds() -> None:
    """Money on its way back to buyers."""


@refunds.command("list")
@click.option("--status", type=click.Choice([status.value for status in RefundStatus]), help="Only these.")
@click.option("--limit", type=click.IntRange(1, MAX_PAGE_SIZE), default=50, show_default=True, help="So many at most.")
@json_option
@with_container
def list_refunds(container: Container, status: str | None, limit: int, as_json: bool) -> None:
    """List refunds, the last decided first. Those that failed are owed until they are settled."""
    page = container.backend.payment_queries().refunds_page(
        PageRequest(size=limit), statuses=[] if status is None else [RefundStatus(status)]
    )
    show([{**refund_row(row), "order": row.order_id} for row in page.items], as_json=as_json, columns=_COLUMNS)


@refunds.command()
@_ID
@json_option
@with_container
def retry(container: Container, refund_id: int, as_json: bool) -> None:
    """Send a refund once more that failed; the worker does it."""
    container.after_sales.retry_refund()(actor=OPERATOR, refund_id=RefundId(refund_id))
    show(refund_row(container.backend.payment_queries().refund(RefundId(refund_id))), as_json=as_json)


@refunds.command("settle-elsewhere")
@_ID
@click.option("--note", required=True, help="How it was paid, such as the reference of a bank transfer.")
@click.option(
    "--paid-by",
    type=click.Choice([way.value for way in PaidBy]),
    default=PaidBy.BANK.value,
    show_default=True,
    help="chargeback: the buyer's bank has given the money back already.",
)
@json_option
@with_container
def settle_elsewhere(container: Container, refund_id: int, note: str, paid_by: str, as_json: bool) -> None:
    """Note that the buyer has got the money of a failed refund in another way."""
    settle = container.after_sales.settle_refund()
    settle(actor=OPERATOR, refund_id=RefundId(refund_id), paid_by=PaidBy(paid_by), note=note)
    show(refund_row(container.backend.payment_queries().refund(RefundId(refund_id))), as_json=as_json)
