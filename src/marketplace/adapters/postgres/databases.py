"""Whole databases: making, dropping, and seeing whether there is anything in one."""

from __future__ import annotations

import sqlalchemy as sa


def create_database(url: str, name: str) -> None:
    """Make the database ``name`` on the server of ``url``, unless it is there."""
    with _administrator(url) as connection:
        known = connection.execute(sa.text("select 1 from pg_database where datname = :name"), {"name": name}).scalar()
        if not known:
            connection.execute(sa.text(f"create database {_quoted(name)}"))


def drop_database(url: str, name: str) -> None:
    """Drop it with whatever is connected to it, if it is there."""
    with _administrator(url) as connection:
        connection.execute(sa.text(f"drop database if exists {_quoted(name)} with (force)"))


def named(url: str, name: str) -> str:
    """The address of another database on the same server."""
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)


def has_accounts(engine: sa.Engine) -> bool:
    """Whether anybody has registered: an empty marketplace has no accounts."""
    with engine.connect() as connection:
        return bool(connection.execute(sa.text("select exists (select 1 from accounts)")).scalar())


def _administrator(url: str) -> sa.Connection:
    # Neither statement runs in a transaction.
    return sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT").connect()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
