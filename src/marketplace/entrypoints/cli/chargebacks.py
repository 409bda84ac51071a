"""`marketplace chargebacks`: what buyers' banks claim, and answering it."""

from __future__ import annotations

from typing import Any

import click

from marketplace.application.access import OPERATOR
from marketplace.application.ports.disputes import ChargebackView
from marketplace.application.ports.pages import MAX_PAGE_SIZE, PageRequest
from marketplace.domain.payments.chargebacks import EVIDENCE_FIELDS, ChargebackStage
from marketplace.domain.shared.ids import ChargebackId
from marketplace.domain.shared.money import Money
from marketplace.entrypoints.cli.console import json_option, show, with_container
from marketplace.entrypoints.container import Container

_ID = click.argument("chargeback_id", type=click.IntRange(1))
_COLUMNS = ("id", "order", "stage", "status", "reason", "amount", "evidence_due_at", "opened_at")
_MOVEMENT_COLUMNS = ("balance_transaction_id", "amount", "fee", "created_at")


@click.group()
def chargebacks() -> None:
    """Payments that buyers' banks take back, or ask about."""


@chargebacks.command("list")
@click.option("--stage", type=click.Choice([stage.value for stage in ChargebackStage]), help="Only these.")
@click.option("--limit", type=click.IntRange(1, MAX_PAGE_SIZE), default=50, show_default=True, help="So many at most.")
@json_option
@with_container
def list_chargebacks(container: Container, stage: str | None, limit: int, as_json: bool) -> None:
    """List chargebacks, the last opened first."""
    page = container.backend.chargeback_queries().chargebacks(
        PageRequest(size=limit), stages=[] if stage is None else [ChargebackStage(stage)]
    )
    show([_row(chargeback) for chargeback in page.items], as_json=as_json, columns=_COLUMNS)


@chargebacks.command("show")
@_ID
@json_option
@with_container
def show_chargeback(container: Container, chargeback_id: int, as_json: bool) -> None:
    """Print one chargeback with what it has moved and what was said against it."""
    _print(container, chargeback_id, as_json=as_json)


@chargebacks.command()
@_ID
@click.option(
    "texts",
    "--field",
    metavar="NAME=TEXT",
    multiple=True,
    help=f"What speaks against it; can be repeated. Names: {', '.join(sorted(EVIDENCE_FIELDS))}.",
)
@click.option("--submit", is_flag=True, help="Send all of it to the bank: nothing can be added afterwards.")
@json_option
@with_container
def evidence(container: Container, chargeback_id: int, texts: tuple[str, ...], submit: bool, as_json: bool) -> None:
    """Keep evidence at the payment provider, and send it to the bank when it is complete."""
    container.after_sales.submit_evidence()(
        actor=OPERATOR, chargeback_id=ChargebackId(chargeback_id), evidence=_evidence(texts), submit=submit
    )
    _print(container, chargeback_id, as_json=as_json)


@chargebacks.command()
@_ID
@click.option("--reason", default="", help="For the audit trail.")
@json_option
@with_container
def accept(container: Container, chargeback_id: int, reason: str, as_json: bool) -> None:
    """Give in: the buyer keeps the money, and everybody bears their part of it."""
    container.after_sales.accept_chargeback()(actor=OPERATOR, chargeback_id=ChargebackId(chargeback_id), reason=reason)
    _print(container, chargeback_id, as_json=as_json)


def _evidence(texts: tuple[str, ...]) -> dict[str, str]:
    named = {}
    for each in texts:
        name, sign, text = each.partition("=")
        if not sign:
            raise click.BadParameter(f"{each!r} is not NAME=TEXT.", param_hint="--field")
        named[name] = text
    return named


def _print(container: Container, chargeback_id: int, *, as_json: bool) -> None:
    found = container.backend.chargeback_queries().chargeback(ChargebackId(chargeback_id))
    currency = found.amount.currency
    movements = [
        {
            "balance_transaction_id": movement.balance_transaction_id,
            "amount": Money(movement.amount, currency).decimal,
            "fee": Money(movement.fee, currency).decimal,
            "created_at": movement.created_at,
        }
        for movement in found.movements
    ]
    summary = {
        **_row(found),
        "lost": None if found.lost is None else Money(found.lost, currency).decimal,
        "evidence_submitted_at": found.evidence_submitted_at,
        "decided_at": found.decided_at,
    }
    if as_json:
        show({**summary, "movements": movements, "evidence": dict(found.evidence)}, as_json=True)
        return
    show({**summary, **found.evidence}, as_json=False)
    if movements:
        click.echo()
        show(movements, as_json=False, columns=_MOVEMENT_COLUMNS)


def _row(chargeback: ChargebackView) -> dict[str, Any]:
    return {
        "id": chargeback.id,
        "provider_chargeback_id": chargeback.provider_chargeback_id,
        "order": chargeback.order_reference,
        "stage": None if chargeback.stage is None else chargeback.stage.value,
        "status": chargeback.status,
        "reason": chargeback.reason,
        "amount": chargeback.amount.decimal,
        "currency": chargeback.amount.currency,
        "evidence_due_at": chargeback.evidence_due_at,
        "opened_at": chargeback.opened_at,
    }
