"""`marketplace outbox`: events on their way, and those that were given up."""

from __future__ import annotations

from dataclasses import asdict

import click

from marketplace.application.access import OPERATOR
from marketplace.entrypoints.cli.console import json_option, show, with_container
from marketplace.entrypoints.container import Container


@click.group()
def outbox() -> None:
    """Events on their way, and those that were given up."""


@outbox.command()
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Show so many dead letters.")
@json_option
@with_container
def status(container: Container, limit: int, as_json: bool) -> None:
    """Print how many events wait, are being delivered, and were given up, and why the latter were."""
    events = container.backend.outbox()
    counts = asdict(events.status(now=container.clock().now()))
    letters = [asdict(letter) for letter in events.dead_letters(limit=limit)]
    if as_json:
        show({**counts, "dead_letters": letters}, as_json=True)
        return
    show(counts, as_json=False)
    if letters:
        click.echo()
        show(letters, as_json=False, columns=("id", "name", "occurred_at", "attempts", "last_error"))


@outbox.command()
@click.argument("ids", nargs=-1, type=click.IntRange(min=1))
@click.option("--all", "everything", is_flag=True, help="Every dead letter.")
@json_option
@with_container
def replay(container: Container, ids: tuple[int, ...], everything: bool, as_json: bool) -> None:
    """Deliver dead letters again: those with the given IDS, or --all."""
    if everything == bool(ids):
        raise click.UsageError("Name the dead letters by their ids, or give --all.")
    replayed = container.replay_dead_letters()(actor=OPERATOR, ids=None if everything else ids)
    show({"replayed": replayed}, as_json=as_json)
