"""`marketplace listings`: a seller's stock as a file, in and out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from marketplace.application.access import OPERATOR
from marketplace.application.listings.import_listings import ImportReport, Outcome
from marketplace.application.listings.stock_file import MAX_BYTES
from marketplace.entrypoints.cli.console import json_option, progress, show, with_container
from marketplace.entrypoints.container import Container


@click.group()
def listings() -> None:
    """A seller's stock as a file."""


@listings.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--seller", required=True, help="Name of the shop, or username or e-mail address of its owner.")
@json_option
@with_container
def import_listings(container: Container, file: Path, seller: str, as_json: bool) -> None:
    """Bring the listings of a seller in line with FILE; rows that are refused are told, the rest goes in."""
    seller_id = container.backend.seller_queries().account_called(seller)
    with file.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    with progress("Importing listings") as bar:
        report = container.import_listings()(
            actor=OPERATOR, seller_id=seller_id, data=data, progress=lambda done, total: bar(done)
        )
    if as_json:
        show(_document(report), as_json=True)
    else:
        for row in report.rows:
            if row.outcome is Outcome.REFUSED:
                click.echo(f"row {row.row}: {row.reason}", err=True)
        show(report.counts, as_json=False)


@listings.command("export")
@click.option("--seller", required=True, help="Name of the shop, or username or e-mail address of its owner.")
@click.option("--all", "by_hand_too", is_flag=True, help="Those made by hand too; an import would double them.")
@click.option("--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Instead of printing.")
@with_container
def export_listings(container: Container, seller: str, by_hand_too: bool, output: Path | None) -> None:
    """Write the listings that imports made as a file that an import takes; importing it changes nothing."""
    seller_id = container.backend.seller_queries().account_called(seller)
    file = container.export_listings()(actor=OPERATOR, seller_id=seller_id, by_hand_too=by_hand_too)
    if output is None:
        sys.stdout.buffer.write(file.text.encode())
        sys.stdout.buffer.flush()
    else:
        output.write_bytes(file.text.encode())
    if file.left_out:
        click.echo(f"{file.left_out} listings made by hand were left out; --all includes them.", err=True)


def _document(report: ImportReport) -> dict[str, Any]:
    return {
        "counts": report.counts,
        "rows": [
            {"row": row.row, "outcome": str(row.outcome), "listing": row.listing_id, "reason": row.reason}
            for row in report.rows
        ],
    }
