"""`marketplace users export` and `users erase`: for members who ask in writing."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from marketplace.application.access import OPERATOR
from marketplace.entrypoints.cli.console import json_option, show, with_container
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.http.personal_data_json import document


@click.command("export")
@click.argument("name")
@click.option("--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Instead of printing.")
@with_container
def export_user(container: Container, name: str, output: Path | None) -> None:
    """Write everything that is held on the account NAME as one JSON document; that it was done is recorded."""
    sections = container.personal_data.export_member()(actor=OPERATOR, name=name)
    pieces = document(sections, now=container.clock().now())
    if output is None:
        sys.stdout.buffer.writelines(pieces)
        sys.stdout.buffer.flush()
    else:
        with output.open("wb") as file:
            file.writelines(pieces)


@click.command("erase")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask again.")
@json_option
@with_container
def erase_user(container: Container, name: str, yes: bool, as_json: bool) -> None:
    """Forget the person behind the account NAME for good. First make sure who is asking; it cannot be undone."""
    if not yes:
        click.confirm(f"Erase {name}? Nothing of the person can be brought back.", abort=True)
    account_id = container.personal_data.erase_member()(actor=OPERATOR, name=name)
    show({"id": account_id, "erased": True}, as_json=as_json)
