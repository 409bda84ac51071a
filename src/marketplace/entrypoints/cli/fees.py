"""`marketplace fees`: what the marketplace charges, version by version."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from marketplace.application.access import OPERATOR
from marketplace.application.ports.pages import MAX_PAGE_SIZE, PageRequest
from marketplace.domain.fees import FeeSchedule, written
from marketplace.domain.fees.rules import ACCOUNT_TYPES
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import MAX_ID, AccountId, FeeScheduleId
from marketplace.entrypoints.cli.console import json_option, show, with_container
from marketplace.entrypoints.container import Container

_RULE_COLUMNS = (
    *("component", "payer", "percent", "fixed", "floor", "cap"),
    *("account_type", "seller", "category"),
)
_KEYS = ("currency", "effective_from", "note", "rules")


@click.group()
def fees() -> None:
    """What the marketplace charges, version by version."""


@fees.command("list")
@click.option("--limit", type=click.IntRange(1, MAX_PAGE_SIZE), default=20, show_default=True, help="At most so many.")
@json_option
@with_container
def list_schedules(container: Container, limit: int, as_json: bool) -> None:
    """List the versions, the one that takes effect last first."""
    now = container.clock().now()
    current = container.fees.in_force().schedule(now)
    page = container.backend.fee_queries().schedules(PageRequest(size=limit))
    rows = [
        {
            "id": schedule.id,
            "effective_from": schedule.effective_from,
            "in_force": "yes" if schedule == current else "",
            "rules": len(schedule.rules),
            "note": schedule.note,
        }
        for schedule in page.items
    ]
    show(rows, as_json=as_json, columns=("id", "effective_from", "in_force", "rules", "note"))


@fees.command("show")
@click.argument("schedule", required=False, type=click.IntRange(1, MAX_ID))
@json_option
@with_container
def show_schedule(container: Container, schedule: int | None, as_json: bool) -> None:
    """Show the version with the id SCHEDULE, or the one in force."""
    if schedule is None:
        found = container.fees.in_force().schedule(container.clock().now())
    else:
        found = container.backend.fee_queries().schedule(FeeScheduleId(schedule))
    _print(found, as_json=as_json)


@fees.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@with_container
def add(container: Container, file: Path, as_json: bool) -> None:
    """Add the version that FILE holds: a JSON object with rules, and optionally effective_from, note and currency."""
    asked = _read(file)
    added = container.fees.add()(
        actor=OPERATOR,
        rules=asked.get("rules"),
        currency=asked.get("currency"),
        effective_from=_instant(asked.get("effective_from")),
        note=str(asked.get("note", "")),
    )
    _print(added, as_json=as_json)


@fees.command()
@click.option("--price", required=True, help="Of one piece, like 25.99.")
@click.option("--quantity", type=click.IntRange(min=1), default=1, show_default=True, help="So many pieces.")
@click.option(
    "--seller", type=click.IntRange(1, MAX_ID), help="The id of a seller; by default one without rules of their own."
)
@click.option("--category", help="The id or slug of a category.")
@click.option("--account-type", type=click.Choice(ACCOUNT_TYPES), help="Instead of a seller.")
@json_option
@with_container
def preview(
    container: Container,
    price: str,
    quantity: int,
    seller: int | None,
    category: str | None,
    account_type: str | None,
    as_json: bool,
) -> None:
    """Print what a sale would cost its buyer and bring its seller by the fees in force, and why."""
    found = container.fees.preview()(
        actor=OPERATOR,
        price=price,
        quantity=quantity,
        category=int(category) if category is not None and category.isdecimal() else category,
        seller_id=None if seller is None else AccountId(seller),
        account_type=account_type,
    )
    quote, (share,) = found.quote, found.quote.sellers
    amounts = {
        "schedule": found.schedule.id,
        "currency": quote.currency,
        "base_price": quote.money(quote.base).decimal,
        "buyer_commission": quote.money(quote.commission).decimal,
        "buyer_processing_fee": quote.money(quote.processing).decimal,
        "buyer_shipping_fee": quote.money(quote.shipping).decimal,
        "buyer_total_price": quote.money(quote.total).decimal,
        "seller_commission": quote.money(share.commission).decimal,
        "seller_fees": quote.money(share.fees).decimal,
        "seller_net_amount": quote.money(share.net).decimal,
    }
    explanations = [str(fee) for fee in quote.applied]
    if as_json:
        show({**amounts, "fees": explanations}, as_json=True)
    else:
        show(amounts, as_json=False)
        for explanation in explanations:
            click.echo(f"  {explanation}")


def _print(schedule: FeeSchedule, *, as_json: bool) -> None:
    about = {
        "id": schedule.id,
        "currency": schedule.currency,
        "effective_from": schedule.effective_from,
        "note": schedule.note,
    }
    rules = [written(rule, schedule.currency) for rule in schedule.rules]
    if as_json:
        show({**about, "rules": rules}, as_json=True)
        return
    show({**about, "id": schedule.id or "none: the standard fees, of the settings"}, as_json=False)
    show(rules, as_json=False, columns=_RULE_COLUMNS)


def _read(file: Path) -> dict[str, Any]:
    """Raises Invalid on what is no JSON object, or has other keys."""
    try:
        asked = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{file} is no JSON: {error}") from error
    if not isinstance(asked, dict) or not set(asked) <= set(_KEYS):
        raise Invalid(f"{file} has to hold an object with {', '.join(_KEYS)}, and nothing else.")
    return asked


def _instant(text: object) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(str(text))
    except ValueError as error:
        raise Invalid(f"effective_from: {text!r} is no instant; write it like 2027-01-01T00:00:00+00:00.") from error
