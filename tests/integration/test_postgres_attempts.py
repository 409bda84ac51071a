"""Counters of tries in PostgreSQL."""

from functools import partial

import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from tests.contracts.attempts import AttemptContract


@pytest.fixture
def unit_of_work(clean_database):
    engine = sa.create_engine(clean_database, pool_size=24)
    yield partial(PostgresUnitOfWork, engine)
    engine.dispose()


class TestPostgresAttempts(AttemptContract):
    pass
