"""`marketplace ledger`: the books, and the proof that they are right."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from marketplace.application.ledger import CheckResult
from marketplace.domain.shared.ids import AccountId
from marketplace.entrypoints.cli.console import json_option, show, with_container
from marketplace.entrypoints.container import Container


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


def _print(check: CheckResult) -> None:
    verdict = "skipped" if check.note else "ok" if check.ok else "FAILED"
    click.echo(f"{verdict:<8} {check.name}: {check.promise}")
    if check.note:
        click.echo(f"         {check.note}")
    for finding in check.findings:
        click.echo(f"         {finding.subject}: {finding.detail}")
    if hidden := check.count - len(check.findings):
        click.echo(f"         ... and {hidden} more")
