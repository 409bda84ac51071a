"""`marketplace reservations`: claims on stock."""

from __future__ import annotations

import click

from marketplace.entrypoints.cli.console import json_option, progress, show, with_container
from marketplace.entrypoints.container import Container


@click.group()
def reservations() -> None:
    """Claims on stock."""


@reservations.command()
@json_option
@with_container
def sweep(container: Container, as_json: bool) -> None:
    """End the claims that ran out, and forget those that limit nothing any more. The worker does this by itself."""
    once, done = container.sweep_reservations(), 0
    with progress("Sweeping reservations") as at:
        while batch := once():
            done += batch
            at(done)
    show({"swept": done}, as_json=as_json)
