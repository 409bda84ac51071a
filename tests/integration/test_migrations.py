"""Migrations lead to the schema that the code describes, back again, and bear company."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing

import psycopg2
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from marketplace.adapters.embedded_postgres import EmbeddedPostgres
from marketplace.adapters.postgres import migrate
from marketplace.adapters.postgres.schema import metadata


@pytest.fixture
def empty_database(postgres: EmbeddedPostgres, request: pytest.FixtureRequest) -> str:
    name = f"empty_{abs(hash(request.node.name))}"
    with closing(psycopg2.connect(postgres.url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"drop database if exists {name}")
            cursor.execute(f"create database {name}")
    return postgres.url_for(name).replace("postgresql://", "postgresql+psycopg2://", 1)


def _objects(url: str) -> dict[str, list[str]]:
    """Everything in the public schema that carries an invariant, as text."""
    queries = {
        "columns": "select format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default)"
        " from information_schema.columns where table_schema = 'public'",
        "constraints": "select format('%s %s', conname, pg_get_constraintdef(oid)) from pg_constraint"
        " where connamespace = cast('public' as regnamespace)",
        "indexes": "select indexdef from pg_indexes where schemaname = 'public'",
        "triggers": "select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal",
        "functions": "select cast(cast(p.oid as regprocedure) as text) || p.prosrc from pg_proc p"
        " left join pg_depend d on d.objid = p.oid and d.deptype = 'e'"
        " where pronamespace = cast('public' as regnamespace) and d.objid is null",
    }
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return {name: sorted(connection.execute(sa.text(query)).scalars()) for name, query in queries.items()}


def test_migrated_schema_equals_the_tables(database_url: str) -> None:
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True, "target_metadata": metadata}
        )
        assert compare_metadata(context, metadata) == []


def test_check_constraints_are_those_of_the_tables(database_url: str) -> None:
    """Alembic does not compare check constraints, so their names are compared here."""
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        migrated = set(
            connection.exec_driver_sql(
                "select cast(cast(conrelid as regclass) as text) || '.' || conname from pg_constraint"
                " where contype = 'c' and connamespace = cast('public' as regnamespace)"
            ).scalars()
        )
    described = {
        f"{table.name}.{constraint.name}"
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, sa.CheckConstraint)
    }
    assert described == migrated


def test_every_migration_can_be_undone_and_done_again(empty_database: str) -> None:
    migrate.upgrade(empty_database)
    first = _objects(empty_database)
    migrate.downgrade(empty_database, "base")
    left = {
        name: [o for o in objects if "alembic_version" not in o] for name, objects in _objects(empty_database).items()
    }
    assert left == {name: [] for name in first}
    migrate.upgrade(empty_database)
    assert _objects(empty_database) == first
    assert migrate.current(empty_database) == migrate.head()


def test_several_processes_may_migrate_at_once(empty_database: str) -> None:
    command = "import sys; from marketplace.adapters.postgres.migrate import upgrade; upgrade(sys.argv[1])"
    processes = [subprocess.Popen([sys.executable, "-c", command, empty_database]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert migrate.current(empty_database) == migrate.head()
