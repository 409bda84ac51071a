"""`marketplace openapi`: the API document, without a server."""

from __future__ import annotations

from pathlib import Path

import click
import orjson

from marketplace.entrypoints.cli.console import settings_from_environment
from marketplace.entrypoints.container import build_memory_container
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.http.blueprints import document_of


@click.group()
def openapi() -> None:
    """The API document."""


@openapi.command()
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path), default="-")
def export(file: Path) -> None:
    """Write the OpenAPI 3.1 document to FILE, or to the standard output."""
    app = create_app(build_memory_container(settings_from_environment()))
    text = orjson.dumps(document_of(app), option=orjson.OPT_INDENT_2) + b"\n"
    if str(file) == "-":
        click.echo(text, nl=False)
    else:
        file.write_bytes(text)
