"""`marketplace webhooks`: the payment provider's events, and those that were given up."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import click

from marketplace.application.access import OPERATOR
from marketplace.entrypoints.cli.console import json_option, show, with_container
from marketplace.entrypoints.container import Container


@click.group()
def webhooks() -> None:
    """The payment provider's events, and those that were given up."""


@webhooks.command()
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Show so many dead events.")
@json_option
@with_container
def status(container: Container, limit: int, as_json: bool) -> None:
    """Print how many events have which status, what was given up and why, and what was refused lately."""
    inbox = container.backend.webhook_inbox()
    counts = {status.value: number for status, number in inbox.counts().items()}
    dead = [asdict(event) for event in inbox.dead(limit=limit)]
    refused = container.backend.webhook_refusals().since(container.clock().now() - timedelta(days=1))
    if as_json:
        show({**counts, "dead_events": dead, "refused": [asdict(each) for each in refused]}, as_json=True)
        return
    show(counts, as_json=False)
    if dead:
        click.echo()
        show(dead, as_json=False, columns=("id", "type", "object_id", "received_at", "attempts", "last_error"))
    if refused:
        click.echo()
        columns = ("source", "refusal", "count", "last_at", "seconds_off")
        show([asdict(each) for each in refused], as_json=False, columns=columns)


@webhooks.command()
@click.argument("ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every dead event.")
@json_option
@with_container
def replay(container: Container, ids: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Work on dead events again: those with the given IDS, or --all."""
    if everything == bool(ids):
        raise click.UsageError("Name the dead events by their ids, or give --all.")
    replayed = container.webhooks.replay()(actor=OPERATOR, ids=None if everything else ids)
    show({"replayed": replayed}, as_json=as_json)
