"""Migrations, without an ini file: Alembic driven from code.

Alembic is imported by whoever migrates: web workers only ask for ``head()``, and need not carry its 10 MiB.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from alembic.config import Config

_SCRIPTS = Path(__file__).with_name("migrations")


def configuration(url: str) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database to a revision. Several processes at once are safe: an advisory lock serialises them."""
    from alembic import command

    command.upgrade(configuration(url), revision)


def downgrade(url: str, revision: str) -> None:
    from alembic import command

    command.downgrade(configuration(url), revision)


def current(url: str) -> str | None:
    """The revision that the database is at, None before the first."""
    from alembic.migration import MigrationContext

    engine = sa.create_engine(url, poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def head() -> str:
    """The newest revision that this code knows: they are numbered, and each is called as its file is."""
    return max(script.stem for script in (_SCRIPTS / "versions").glob("[0-9]*.py"))
