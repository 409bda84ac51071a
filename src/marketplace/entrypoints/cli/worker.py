"""`marketplace worker`: one worker process."""

from __future__ import annotations

import click

from marketplace.entrypoints import logs
from marketplace.entrypoints import worker as process
from marketplace.entrypoints.cli.console import with_container
from marketplace.entrypoints.container import Container


@click.command()
@with_container
def worker(container: Container) -> None:
    """Relay events and run what is due, until SIGTERM or Ctrl-C; any number may run side by side."""
    settings = container.settings()
    logs.configure(format=settings.log_format, level=settings.log_level, file=settings.log_file)
    process.run(container)
