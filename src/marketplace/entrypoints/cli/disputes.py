"""`marketplace disputes`: what buyers claim, and deciding it."""

from __future__ import annotations

from typing import Any

import click

from marketplace.application.access import OPERATOR
from marketplace.application.ports.disputes import DisputeFilter, DisputeView
from marketplace.application.ports.pages import MAX_PAGE_SIZE, PageRequest
from marketplace.domain.disputes import DisputeOutcome, DisputeStatus
from marketplace.domain.shared.ids import DisputeId
from marketplace.entrypoints.cli.console import json_option, show, with_container
from marketplace.entrypoints.container import Container

_ID = click.argument("dispute_id", type=click.IntRange(1))
_COLUMNS = ("id", "sale", "status", "reason", "outcome", "amount", "opened_at", "respond_by")


@click.group()
def disputes() -> None:
    """Claims of buyers on what they were sold."""


@disputes.command("list")
@click.option("--status", type=click.Choice([status.value for status in DisputeStatus]), help="Only these.")
@click.option("--limit", type=click.IntRange(1, MAX_PAGE_SIZE), default=50, show_default=True, help="So many at most.")
@json_option
@with_container
def list_disputes(container: Container, status: str | None, limit: int, as_json: bool) -> None:
    """List disputes, the last opened first."""
    wanted = DisputeFilter(statuses=[] if status is None else [DisputeStatus(status)])
    page = container.backend.dispute_queries().disputes(PageRequest(size=limit), wanted)
    show([_row(dispute) for dispute in page.items], as_json=as_json, columns=_COLUMNS)


@disputes.command("show")
@_ID
@json_option
@with_container
def show_dispute(container: Container, dispute_id: int, as_json: bool) -> None:
    """Print one dispute."""
    show(_row(container.backend.dispute_queries().dispute(DisputeId(dispute_id))), as_json=as_json)


@disputes.command()
@_ID
@click.option("--outcome", type=click.Choice([outcome.value for outcome in DisputeOutcome]), required=True)
@click.option("--amount", metavar="DECIMAL", help="Of a partial refund: item money of the sale.")
@click.option("--note", default="", help="Both parties read it.")
@json_option
@with_container
def resolve(container: Container, dispute_id: int, outcome: str, amount: str | None, note: str, as_json: bool) -> None:
    """Decide a dispute; what goes back to the buyer is sent by the worker."""
    container.after_sales.resolve_dispute()(
        actor=OPERATOR, dispute_id=DisputeId(dispute_id), outcome=DisputeOutcome(outcome), amount=amount, note=note
    )
    show(_row(container.backend.dispute_queries().dispute(DisputeId(dispute_id))), as_json=as_json)


def _row(dispute: DisputeView) -> dict[str, Any]:
    return {
        "id": dispute.id,
        "order": dispute.order,
        "sale": dispute.sale_reference,
        "buyer": dispute.buyer_id,
        "seller": dispute.seller_id,
        "status": dispute.status.value,
        "reason": dispute.reason.value,
        "description": dispute.description,
        "desired_outcome": None if dispute.desired_outcome is None else dispute.desired_outcome.value,
        "outcome": None if dispute.outcome is None else dispute.outcome.value,
        "amount": None if dispute.amount is None else dispute.amount.decimal,
        "currency": dispute.currency,
        "note": dispute.note,
        "opened_at": dispute.opened_at,
        "respond_by": dispute.respond_by,
        "resolved_at": dispute.resolved_at,
    }
