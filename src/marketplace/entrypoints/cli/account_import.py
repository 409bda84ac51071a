"""`marketplace users import`: the accounts of a Django shop."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from marketplace.application.access import OPERATOR
from marketplace.application.identity.account_file import MAX_BYTES
from marketplace.application.identity.import_accounts import AccountImportReport, Outcome
from marketplace.entrypoints.cli.console import json_option, progress, show, with_container
from marketplace.entrypoints.container import Container


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only tell what would become of each row.")
@click.option("--with-staff", is_flag=True, help="Make administrators of the rows that say is_staff.")
@click.option("--rename", is_flag=True, help="Make a user name where a row's cannot be one here, or is taken.")
@json_option
@with_container
def import_accounts(
    container: Container, file: Path, dry_run: bool, with_staff: bool, rename: bool, as_json: bool
) -> None:
    """Take in the accounts of a Django shop from FILE, with their passwords: CSV with a header, or JSON lines.

    Columns: username, email, password (the hash); and if there are any first_name, last_name, is_active, date_joined,
    is_staff, is_email_verified, phone_number, language, account_type. Accounts that are there are left alone, by their
    e-mail address, so that it may be run again; rows that are refused are told, the rest goes in. Exit status 0 when
    every row was good, 1 when some were refused.
    """
    with file.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    with progress("Importing accounts") as bar:
        report = container.members.import_accounts()(
            actor=OPERATOR,
            data=data,
            dry_run=dry_run,
            with_staff=with_staff,
            rename=rename,
            progress=lambda done, total: bar(done),
        )
    if as_json:
        show(_document(report, dry_run=dry_run), as_json=True)
    else:
        _print(report, current=container.settings().imported_pbkdf2_iterations)
    if report.counts[Outcome.REFUSED]:
        sys.exit(1)


def _print(report: AccountImportReport, *, current: int) -> None:
    for row in report.rows:
        if row.reason:
            click.echo(f"line {row.line}: {row.outcome} {row.username}: {row.reason}", err=True)
    if report.ignored_columns:
        click.echo(f"Columns that are not known here: {', '.join(report.ignored_columns)}.", err=True)
    if report.iterations > current:
        click.echo(
            f"Set IMPORTED_PBKDF2_ITERATIONS={report.iterations} for as long as such hashes are left, so that a log-in"
            " does not tell by its time who was imported.",
            err=True,
        )
    show(report.counts, as_json=False)


def _document(report: AccountImportReport, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "counts": report.counts,
        "ignored_columns": list(report.ignored_columns),
        "pbkdf2_iterations": report.iterations,
        "rows": [
            {"line": row.line, "outcome": str(row.outcome), "username": row.username, "reason": row.reason}
            for row in report.rows
        ],
    }
