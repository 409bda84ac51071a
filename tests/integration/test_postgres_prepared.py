"""Statements that each connection plans once."""

import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres.engine import create_engine, create_reader
from marketplace.adapters.postgres.prepared import PreparedStatement

GREATER = PreparedStatement(
    sa.select(sa.bindparam("a", type_=sa.Integer) + sa.literal(1), sa.literal("100%"), sa.bindparam("t", type_=sa.Text))
    .select_from(sa.text("generate_series(1, 2) as g"))
    .where(sa.column("g") <= sa.bindparam("a", type_=sa.Integer))
)
NAMES = sa.text("select count(*) from pg_prepared_statements")


@pytest.fixture
def reader(database_url):
    options = {"pool_size": 1, "connect_timeout": 60, "statement_timeout": 60}
    engine = create_engine(database_url, **options)
    yield create_reader(engine, **options)
    engine.dispose()


def test_run_with_the_values_of_each_run(reader):
    with reader.connect() as connection:
        assert GREATER.rows(connection, {"a": 1, "t": "o'clock %s"}) == [(2, "100%", "o'clock %s")]
        assert GREATER.rows(connection, {"a": 2, "t": ""}) == [(3, "100%", ""), (3, "100%", "")]


def test_are_planned_once_a_connection(reader):
    for number in range(3):
        with reader.connect() as connection:
            GREATER.rows(connection, {"a": number, "t": ""})
            assert connection.execute(NAMES).scalar_one() == 1


def test_need_no_values_at_all(reader):
    with reader.connect() as connection:
        assert PreparedStatement(sa.select(sa.text("7"))).rows(connection, {}) == [(7,)]


@pytest.mark.parametrize("what", ["deallocate all", "select 1"])
def test_run_as_they_are_where_another_server_connection_answers(reader, what):
    """A pooler hands out one that has not prepared the statement, or one that has though we think otherwise."""
    with reader.connect() as connection:
        GREATER.rows(connection, {"a": 1, "t": ""})
        connection.exec_driver_sql(what)
        if what == "select 1":
            connection.info["prepared"].clear()
        for _ in range(2):
            assert GREATER.rows(connection, {"a": 1, "t": "x"}) == [(2, "100%", "x")]


def test_tell_every_other_error(reader):
    wrong = PreparedStatement(sa.select(sa.text("1 / 0")))
    with reader.connect() as connection, pytest.raises(sa.exc.DBAPIError):
        wrong.rows(connection, {})
