"""The two pools: one round trip for a read, and no request on a connection that died meanwhile."""

import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres import engine as engines
from marketplace.adapters.postgres.engine import create_engine, create_reader

POOL = {"pool_size": 2, "connect_timeout": 5, "statement_timeout": 5}


@pytest.fixture
def engine(clean_database):
    engine = create_engine(clean_database, **POOL)
    yield engine
    engine.dispose()


@pytest.fixture
def reader(engine):
    return create_reader(engine, **POOL)


def process_of(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(sa.text("select pg_backend_pid()")).scalar_one()


def end(process: int, engine: sa.Engine) -> None:
    with engine.connect() as connection:
        connection.execute(sa.text("select pg_terminate_backend(:process, 5000)"), {"process": process})


class TestReader:
    def test_begins_no_transaction(self, engine, reader):
        with reader.connect() as connection:
            process = connection.execute(sa.text("select pg_backend_pid()")).scalar_one()
            with engine.connect() as other:
                state, last = other.execute(
                    sa.text("select state, query from pg_stat_activity where pid = :process"), {"process": process}
                ).one()
        assert (state, last) == ("idle", "select pg_backend_pid()")

    def test_says_nothing_to_the_database_before_or_after_a_statement(self, engine, reader):
        process = process_of(reader)
        assert process_of(reader) == process
        with engine.connect() as other:
            last = other.execute(
                sa.text("select query from pg_stat_activity where pid = :process"), {"process": process}
            ).scalar_one()
        assert last == "select pg_backend_pid()"

    def test_is_disposed_of_with_its_engine(self, engine, reader):
        process_of(reader)
        assert reader.pool.checkedin() == 1
        engine.dispose()
        assert reader.pool.checkedin() == 0


class TestDeadConnections:
    @pytest.mark.parametrize("name", ["engine", "reader"])
    def test_one_that_was_unused_for_a_while_is_replaced_before_it_is_used(
        self, request, monkeypatch, name, clean_database
    ):
        pool = request.getfixturevalue(name)
        dead = process_of(pool)
        killer = create_engine(clean_database, **POOL)
        end(dead, killer)
        killer.dispose()
        monkeypatch.setattr(engines, "TRUSTED_SECONDS", 0.0)
        assert process_of(pool) != dead

    def test_one_that_was_just_used_is_not_asked(self, engine, reader):
        process = process_of(reader)
        end(process, engine)
        with pytest.raises(sa.exc.OperationalError):
            process_of(reader)
        assert process_of(reader) != process
