"""What commands share: the database opened around them, data printed as text or JSON, progress.

@click.group()
def things() -> None: ...

@things.command("list")
@json_option
@with_container
def list_things(container: Container, as_json: bool) -> None:
    show(rows, as_json=as_json, columns=("id", "name"))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from marketplace.domain.shared.errors import Unavailable
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.processes import opened_container, opened_database, upgrade
from marketplace.entrypoints.settings import Settings, read_environment

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])


def settings_from_environment() -> Settings:
    """Raises BadConfiguration."""
    return Settings.from_env(read_environment())


def with_container(command: Callable[Concatenate[Container, P], R]) -> Callable[P, R]:
    """Give the command a container on a database that is there and migrated, as its first argument."""

    @wraps(command)
    def opened(*args: P.args, **kwargs: P.kwargs) -> R:
        with ready_container() as container:
            return command(container, *args, **kwargs)

    return opened


@contextmanager
def ready_container() -> Iterator[Container]:
    """The embedded database is migrated on the way; a database of your own is refused until it is."""
    configured = settings_from_environment()
    with opened_database(configured) as settings:
        if not configured.database_url:
            upgrade(settings.database_url)
        with opened_container(settings) as container:
            faults = container.backend.readiness().check()
            if faults:
                raise Unavailable(" ".join(faults.values()))
            yield container


def json_option(command: F) -> F:
    """``--json``, passed on as ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def show(data: Any, *, as_json: bool, columns: Sequence[str] = ()) -> None:
    """Print data: as JSON, or a list of mappings as a table, or a mapping line by line."""
    if as_json:
        click.echo(orjson.dumps(data, option=orjson.OPT_INDENT_2, default=str))
    elif isinstance(data, dict):
        for name, value in data.items():
            click.echo(f"{name}: {value}")
    else:
        _show_table(list(data), columns)


def _show_table(rows: list[dict[str, Any]], columns: Sequence[str]) -> None:
    names = columns or (list(rows[0]) if rows else ())
    table = [tuple(names), *(tuple("" if row.get(n) is None else str(row[n]) for n in names) for row in rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    for line in table:
        # Never cut: what is piped into another program is whole.
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    if not rows:
        click.echo("(none)")


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """A disk that takes nothing is a matter of one line, and exit status 1."""
    try:
        yield
    except OSError as error:
        raise click.FileError(str(error.filename or path), error.strerror) from error


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A bar on the standard error; call what it gives with the number done so far."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.update(task, completed=done)
