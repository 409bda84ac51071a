"""`marketplace catalogue`: the catalogue as files, in and out."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import click
import orjson

from marketplace.application.access import OPERATOR
from marketplace.application.catalogue.import_catalogue import MAX_LINE, CatalogueReport
from marketplace.entrypoints.cli.console import json_option, progress, show, with_container
from marketplace.entrypoints.container import Container

_File = BinaryIO | gzip.GzipFile
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def catalogue() -> None:
    """The catalogue as files, in and out."""


@catalogue.command("import")
@click.argument("directory", type=_FOLDER)
@json_option
@with_container
def import_catalogue(container: Container, directory: Path, as_json: bool) -> None:
    """Bring the catalogue up to date with sets.jsonl and cards.jsonl (or .gz) in DIRECTORY.

    Unchanged lines are skipped, broken ones are told with their number and the rest goes in. Exit status 0 when
    every line was good, 1 when some were refused.
    """
    with ExitStack() as open_files:
        sets, cards = _opened(directory, "sets"), _opened(directory, "cards")
        open_files.callback(sets.close)
        open_files.callback(cards.close)
        done = 0
        with progress("Importing the catalogue", total=_lines_in(directory)) as bar:

            def advance(lines: int) -> None:
                nonlocal done
                done += lines
                bar(done)

            report = container.catalogue.order_catalogue_import()(
                actor=OPERATOR, sets=_lines(sets), cards=_lines(cards), progress=advance
            )
    _print(report, as_json=as_json)
    if report.refused_count:
        sys.exit(1)


@catalogue.command("export")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--gzip", "packed", is_flag=True, help="Write .jsonl.gz files.")
@json_option
@with_container
def export_catalogue(container: Container, directory: Path, packed: bool, as_json: bool) -> None:
    """Write sets.jsonl and cards.jsonl (or .gz) into DIRECTORY, as `import` takes them; importing changes nothing.

    Products that belong to no set or have no number, and archived ones, are left out.
    """
    directory.mkdir(parents=True, exist_ok=True)
    source = container.backend.catalogue_import()
    with progress("Exporting the catalogue") as bar:
        sets = _write(directory, "sets", (each.document() for each in source.exported_sets()), packed)
        bar(sets)
        cards = _write(directory, "cards", (each.document() for each in source.exported_cards()), packed)
        bar(sets + cards)
    show({"sets": sets, "cards": cards}, as_json=as_json)


def _opened(directory: Path, name: str) -> _File:
    plain, packed = directory / f"{name}.jsonl", directory / f"{name}.jsonl.gz"
    try:
        if plain.is_file():
            return plain.open("rb")
        if packed.is_file():
            return gzip.open(packed, "rb")
    except OSError as error:
        raise click.ClickException(f"{error.filename} cannot be read: {error.strerror}.") from error
    raise click.UsageError(f"{directory} holds neither {plain.name} nor {packed.name}.")


def _lines(file: _File) -> Iterator[bytes]:
    """Line by line, whatever the lines' length: of one that is too long only a beginning, which is refused."""
    try:
        while line := file.readline(MAX_LINE + 1):
            yield line
            while len(line) > MAX_LINE and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise click.ClickException(f"{file.name} cannot be read to its end: {error}. Fetch it again.") from error


def _lines_in(directory: Path) -> int:
    """Counted beforehand, for the bar: a tenth of a second."""
    total = 0
    for name in ("sets", "cards"):
        with _opened(directory, name) as file:
            total += sum(1 for _ in _lines(file))
    return total


def _write(directory: Path, name: str, documents: Iterable[dict[str, Any]], packed: bool) -> int:
    path = directory / (f"{name}.jsonl.gz" if packed else f"{name}.jsonl")
    count = 0
    with gzip.open(path, "wb", compresslevel=6) if packed else path.open("wb") as file:
        for document in documents:
            file.write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))
            count += 1
    return count


def _print(report: CatalogueReport, *, as_json: bool) -> None:
    if as_json:
        show(asdict(report), as_json=True)
        return
    for line in report.refused:
        click.echo(f"{line.file} line {line.line}: {line.reason}", err=True)
    if report.refused_count > len(report.refused):
        click.echo(f"... and {report.refused_count - len(report.refused)} more refused lines", err=True)
    rows = [{"file": name, **asdict(getattr(report, name))} for name in ("sets", "cards")]
    show(rows, as_json=False, columns=("file", "added", "changed", "unchanged"))
    click.echo(f"refused: {report.refused_count}")
