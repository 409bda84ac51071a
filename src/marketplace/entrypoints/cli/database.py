"""`marketplace db`: the schema's revisions."""

from __future__ import annotations

import click

from marketplace.entrypoints.cli.console import json_option, settings_from_environment, show
from marketplace.entrypoints.container.processes import (
    current_revision,
    downgrade,
    newest_revision,
    opened_database,
    upgrade,
)


@click.group()
def db() -> None:
    """The database's schema."""


@db.command("upgrade")
@click.argument("revision", default="head")
def upgrade_schema(revision: str) -> None:
    """Bring the schema to REVISION, the newest by default."""
    with opened_database(settings_from_environment()) as settings:
        upgrade(settings.database_url, revision)
        click.echo(f"The database is at {current_revision(settings.database_url)}.")


@db.command("downgrade")
@click.argument("revision")
def downgrade_schema(revision: str) -> None:
    """Take the schema back to REVISION: one step with -1, everything with base. Data of what goes is lost."""
    with opened_database(settings_from_environment()) as settings:
        downgrade(settings.database_url, revision)
        click.echo(f"The database is at {current_revision(settings.database_url) or 'base'}.")


@db.command("current")
@json_option
def current(as_json: bool) -> None:
    """Print the schema's revision, and the newest that this version knows."""
    with opened_database(settings_from_environment()) as settings:
        show({"current": current_revision(settings.database_url), "newest": newest_revision()}, as_json=as_json)
