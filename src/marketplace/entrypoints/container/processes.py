"""Databases and processes, for the commands that start them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

from marketplace.adapters import embedded_postgres, process_guard
from marketplace.adapters.postgres import databases, migrate
from marketplace.domain.shared.errors import Conflict, Unavailable
from marketplace.entrypoints.container import Container, build_container
from marketplace.entrypoints.settings import Settings

EmbeddedPostgresError = embedded_postgres.EmbeddedPostgresError
GuardedProcess = process_guard.GuardedProcess
start_guarded = process_guard.spawn
upgrade, downgrade, current_revision, newest_revision = (
    migrate.upgrade,
    migrate.downgrade,
    migrate.current,
    migrate.head,
)
create_database, drop_database, named_database = databases.create_database, databases.drop_database, databases.named

_DATABASE = "marketplace"


class DatabaseInUse(Conflict):
    """Another process of ours owns the embedded server of this home."""

    code = "home_in_use"


@contextmanager
def opened_database(settings: Settings, *, as_owner: bool = False) -> Iterator[Settings]:
    """The same settings with the address of a database that is there for as long as the block lasts.

    DATABASE_URL wins. Otherwise the embedded server of MARKETPLACE_HOME is joined, or started and stopped again.
    ``as_owner`` insists on starting it, since it would end with whoever else did. Raises DatabaseInUse, Unavailable.
    """
    if settings.database_url:
        yield settings
        return
    try:
        server = embedded_postgres.start(settings.home, bin_dir=settings.pg_bin_dir)
    except EmbeddedPostgresError as error:
        raise Unavailable(str(error)) from error
    with server:
        if as_owner and not server.owner:
            raise DatabaseInUse(
                f"Another marketplace process is running on {settings.home}: stop it, wait until its command is done, "
                "or set MARKETPLACE_HOME (and PORT) to run a second one beside it."
            )
        url = _driver_named(server.url)
        create_database(url, _DATABASE)
        yield dataclasses.replace(settings, database_url=named_database(url, _DATABASE))


@contextmanager
def opened_container(settings: Settings) -> Iterator[Container]:
    """``build_container``, with its connections closed at the end."""
    container = build_container(settings)
    try:
        yield container
    finally:
        container.backend.engine().dispose()


def is_empty(container: Container) -> bool:
    """Whether the marketplace has no account yet."""
    return not databases.has_accounts(container.backend.reader())


def _driver_named(url: str) -> str:
    return "postgresql+psycopg2" + url[url.index("://") :]
