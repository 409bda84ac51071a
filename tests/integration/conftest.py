"""A real PostgreSQL for every test below this folder.

Each xdist worker starts a server of its own: that takes less than a second, happens in parallel, and no
worker depends on another one's life. The migrations run once for each worker, into a template of which
every database of the tests is a clone.
"""

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import sql

from marketplace.adapters.embedded_postgres import EmbeddedPostgres, start
from marketplace.adapters.postgres.migrate import upgrade
from tests.stripe_stub import StripeStub

# What the migrations put in. A test that changes it, as an import of cards may, changes it for itself alone.
REFERENCE_TABLES = ("alembic_version", "conditions", "games", "grades", "languages", "versions")

DatabaseFactory = Callable[[], str]

_TEMPLATE = "migrated"
_SHARED = "shared"


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """The server of this worker; `url_for(database)` is the address of one of its databases."""
    # Not pytest's folder: that one is closed, and the server does not run as root.
    home = Path(tempfile.mkdtemp(prefix="marketplace-tests-"))
    home.chmod(0o711)
    try:
        with start(home, fast=True) as server:
            yield server
        shutil.rmtree(server.folder)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_template(postgres: EmbeddedPostgres) -> str:
    """The name of the database in which all migrations ran, ready to be cloned."""
    _administer(postgres, sql.SQL("create database {}").format(sql.Identifier(_TEMPLATE)))
    upgrade(_sqlalchemy_url(postgres, _TEMPLATE))
    # A connection that is left to a template keeps it from being cloned, so none is let in.
    _administer(
        postgres,
        sql.SQL("alter database {} with allow_connections false is_template true").format(sql.Identifier(_TEMPLATE)),
    )
    return _TEMPLATE


@pytest.fixture(scope="session")
def database_url(postgres: EmbeddedPostgres, migrated_template: str) -> str:
    """A migrated database that the tests of this worker share, in SQLAlchemy's form; see `clean_database`."""
    url = _clone(postgres, migrated_template, _SHARED)
    with (
        closing(psycopg2.connect(postgres.url_for(_SHARED))) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("create schema pristine")
        for table in _reference_identifiers():
            cursor.execute(sql.SQL("create table pristine.{0} as table public.{0}").format(table))
    return url


@pytest.fixture(scope="session")
def _cleaner(postgres: EmbeddedPostgres, database_url: str) -> Iterator[Callable[[], None]]:
    """Empties the shared database over one connection: a new one takes most of its time to get to know the schema."""
    kept: list[psycopg2.extensions.connection] = []

    def clean() -> None:
        if not kept or kept[0].closed:
            kept[:] = [psycopg2.connect(postgres.url_for(_SHARED))]
        with kept[0] as connection, connection.cursor() as cursor:
            _empty(cursor)

    def clean_whatever_happened() -> None:
        try:
            clean()
        except psycopg2.OperationalError:
            # A test that ends every connection ended this one too.
            kept.clear()
            clean()

    yield clean_whatever_happened
    for connection in kept:
        connection.close()


@pytest.fixture
def clean_database(database_url: str, _cleaner: Callable[[], None]) -> str:
    """The shared database with nothing but its reference data in it. The usual choice."""
    _cleaner()
    return database_url


@pytest.fixture
def database_factory(postgres: EmbeddedPostgres, migrated_template: str) -> Iterator[DatabaseFactory]:
    """Makes new migrated databases, each its own, for tests that race or change the schema."""
    made: list[str] = []
    numbers = itertools.count(1)

    def make() -> str:
        name = f"own_{next(numbers)}"
        made.append(name)
        return _clone(postgres, migrated_template, name)

    yield make
    for name in made:
        _administer(postgres, sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def _reference_identifiers() -> list[sql.Identifier]:
    return [sql.Identifier(table) for table in REFERENCE_TABLES]


def _empty(cursor: psycopg2.extensions.cursor) -> None:
    # Neither foreign keys nor the triggers that keep the ledger append-only are in force here.
    cursor.execute("set session_replication_role = replica")
    cursor.execute(
        "select quote_ident(table_name) from information_schema.tables where table_schema = 'public'"
        " and table_type = 'BASE TABLE' and table_name <> all(%s)",
        [list(REFERENCE_TABLES)],
    )
    tables = [name for (name,) in cursor.fetchall()]
    # Most tables are empty after most tests, and deleting a few rows is quicker than TRUNCATE,
    # which makes new files for every table and its indexes.
    cursor.execute(";".join(f"delete from {table}" for table in tables) or "select 1")
    for table in _reference_identifiers():
        _restore(cursor, table)


def _restore(cursor: psycopg2.extensions.cursor, table: sql.Identifier) -> None:
    """Put a reference table back as the migrations made it, if a test changed it."""
    cursor.execute(
        sql.SQL(
            "select exists (table public.{0} except table pristine.{0})"
            " or exists (table pristine.{0} except table public.{0})"
        ).format(table)
    )
    (changed,) = cursor.fetchone()
    if changed:
        cursor.execute(sql.SQL("delete from public.{0}; insert into public.{0} table pristine.{0}").format(table))


def _clone(server: EmbeddedPostgres, template: str, name: str) -> str:
    _administer(
        server,
        sql.SQL("create database {} template {} strategy file_copy").format(
            sql.Identifier(name), sql.Identifier(template)
        ),
    )
    return _sqlalchemy_url(server, name)


def _sqlalchemy_url(server: EmbeddedPostgres, name: str) -> str:
    """SQLAlchemy 2.1 reads a bare `postgresql://` as psycopg 3, which is not installed."""
    return server.url_for(name).replace("postgresql://", "postgresql+psycopg2://", 1)


def _administer(server: EmbeddedPostgres, statement: sql.Composed) -> None:
    with closing(psycopg2.connect(server.url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.fixture(scope="session")
def stripe_stub() -> Iterator[StripeStub]:
    """A Stripe on loopback, one for all tests: each begins with its ``reset``."""
    stub = StripeStub()
    yield stub
    stub.close()
