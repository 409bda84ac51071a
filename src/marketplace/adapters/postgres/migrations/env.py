"""Alembic's entry: runs the revisions on the URL that ``migrate`` was given, one process at a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from marketplace.adapters.postgres.schema import metadata

_LOCK = 7_231_977


def run() -> None:
    engine = sa.create_engine(context.config.attributes["url"], poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            connection.execute(sa.text("select pg_advisory_lock(:key)"), {"key": _LOCK})
            connection.commit()
            context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
            with context.begin_transaction():
                context.run_migrations()
            connection.execute(sa.text("select pg_advisory_unlock(:key)"), {"key": _LOCK})
            connection.commit()
    finally:
        engine.dispose()


run()
