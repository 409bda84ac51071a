"""`marketplace ledger`: the books, and the proof that they are right."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime

import click

from marketplace.application.access import OPERATOR
from marketplace.application.ledger import CheckResult
from marketplace.application.ports.pages import MAX_PAGE_SIZE, PageRequest
from marketplace.domain.reconciliation import DifferenceId, Reconciliation
from marketplace.domain.shared.ids import MAX_ID, AccountId
from marketplace.domain.shared.money import Money
from marketplace.entrypoints.cli.audit import Moment
from marketplace.entrypoints.cli.console import json_option, show, with_container
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.ledger_bodies import difference_body, explanation_body, run_body

_DIFFERENCE_COLUMNS = ("id", "kind", "ours", "theirs", "currency", "opened_at", "resolution", "detail")
_ID = click.IntRange(min=1, max=MAX_ID)


@click.group()
def ledger() -> None:
    """The books."""


@ledger.command()
@json_option
@with_container
def verify(container: Container, as_json: bool) -> None:
    """Prove every invariant of money and stock; exit status 1 when one does not hold."""
    report = container.verify_ledger()()
    if as_json:
        checks = [{**asdict(check), "ok": check.ok} for check in report.checks]
        show({"ok": report.ok, "checks": checks}, as_json=True)
    else:
        for check in report.checks:
            _print(check)
        click.echo("The books are right." if report.ok else "The books are NOT right.")
    if not report.ok:
        sys.exit(1)


@ledger.command()
@click.option("--seller", type=int, help="Only the accounts of the seller with this id.")
@json_option
@with_container
def balances(container: Container, seller: int | None, as_json: bool) -> None:
    """Print what stands on each account: debit positive, credit negative."""
    entries = container.backend.ledger_queries().balances(seller_id=None if seller is None else AccountId(seller))
    rows = [
        {"account": entry.account, "balance": entry.balance.decimal, "currency": entry.balance.currency}
        for entry in entries
    ]
    show(rows, as_json=as_json, columns=("account", "balance", "currency"))


@ledger.command()
@click.option("--since", type=Moment(), help="Read the provider's movements from this instant on, not from the last.")
@json_option
@with_container
def reconcile(container: Container, since: datetime | None, as_json: bool) -> None:
    """Compare the books with the provider's now; exit status 1 when differences are open.

    The worker does so each day by itself.
    """
    run = container.ledger.reconcile()(since=since, force=True)
    still_open = container.backend.reconciliation_queries().differences(PageRequest(size=MAX_PAGE_SIZE), is_open=True)
    rows = [difference_body(difference) for difference in still_open.items]
    if as_json:
        show({**run_body(run), "open_differences": still_open.count, "differences": rows}, as_json=True)
    else:
        _print_run(run)
        click.echo(f"open differences: {still_open.count}")
        for row in rows:
            click.echo(f"  {row['id']} {row['kind']}: {row['detail']}")
    if still_open.count:
        sys.exit(1)


@ledger.command()
@click.option("--all", "everything", is_flag=True, help="Also those that were closed.")
@click.option("--limit", type=click.IntRange(1, MAX_PAGE_SIZE), default=20, show_default=True, help="At most so many.")
@json_option
@with_container
def differences(container: Container, everything: bool, limit: int, as_json: bool) -> None:
    """Print what comparing the books has left for an operator, the last found first."""
    queries = container.backend.reconciliation_queries()
    page = queries.differences(PageRequest(size=limit), is_open=None if everything else True)
    rows = [difference_body(difference) for difference in page.items]
    show(
        rows, as_json=as_json, columns=("id", "kind", "ours", "theirs", "currency", "opened_at", "resolution", "detail")
    )


@ledger.command("explain-difference")
@click.argument("difference", type=_ID)
@click.option("--note", required=True, help="What it is, for whoever audits the books.")
@click.option("--to-suspense", is_flag=True, help="Book the provider's movement to suspense as well.")
@json_option
@with_container
def explain_difference(container: Container, difference: int, note: str, to_suspense: bool, as_json: bool) -> None:
    """Close the DIFFERENCE with this id by a note. Nothing else is changed, unless --to-suspense."""
    command = container.ledger.book_to_suspense() if to_suspense else container.ledger.explain_difference()
    closed = command(actor=OPERATOR, id=DifferenceId(difference), note=note)
    show(difference_body(closed), as_json=as_json)


@ledger.command()
@click.argument("order")
@json_option
@with_container
def explain(container: Container, order: str, as_json: bool) -> None:
    """Tell how each amount of the ORDER (reference or id) came about, and where each cent is now."""
    explained = container.ledger.explain()(actor=OPERATOR, order=order)
    if as_json:
        show(explanation_body(explained), as_json=True)
    else:
        click.echo(explained.text)


@ledger.group()
def book() -> None:
    """Book what no event tells of."""


@book.command("carrier-paid")
@click.argument("amount")
@click.option("--reference", required=True, help="That of the carrier's bill: each is booked once.")
@json_option
@with_container
def carrier_paid(container: Container, amount: str, reference: str, as_json: bool) -> None:
    """A carrier's bill of AMOUNT was paid from our bank, of the shipping that buyers have paid."""
    paid = Money.parse(amount, container.settings().currency)
    container.ledger.book_carrier_paid()(actor=OPERATOR, reference=reference, amount=paid)
    show({"booked": "carrier_paid", "amount": paid.decimal, "currency": paid.currency}, as_json=as_json)


@book.command("topup")
@click.argument("amount")
@click.option("--movement", required=True, help="The provider's name for the movement, like txn_1.")
@json_option
@with_container
def book_topup(container: Container, amount: str, movement: str, as_json: bool) -> None:
    """AMOUNT came from our bank to our balance at the provider. Reconciling books it too."""
    came = Money.parse(amount, container.settings().currency)
    container.ledger.book_topup()(actor=OPERATOR, balance_transaction_id=movement, amount=came)
    show({"booked": "topup", "amount": came.decimal, "currency": came.currency}, as_json=as_json)


def _print_run(run: Reconciliation) -> None:
    body = run_body(run)
    for sides in body.pop("balances"):
        click.echo(", ".join(f"{name} {amount}" for name, amount in sides.items()))
    show(body, as_json=False)


def _print(check: CheckResult) -> None:
    verdict = "skipped" if check.note else "ok" if check.ok else "FAILED"
    click.echo(f"{verdict:<8} {check.name}: {check.promise}")
    if check.note:
        click.echo(f"         {check.note}")
    for finding in check.findings:
        click.echo(f"         {finding.subject}: {finding.detail}")
    if hidden := check.count - len(check.findings):
        click.echo(f"         ... and {hidden} more")
