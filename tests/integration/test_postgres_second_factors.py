"""Second factors in PostgreSQL."""

import functools

import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres.identity_queries import PostgresIdentityQueries
from marketplace.adapters.postgres.second_factors import PostgresSecondFactorQueries
from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from tests.contracts.second_factors import SecondFactorContract


@pytest.fixture
def engine(clean_database):
    engine = sa.create_engine(clean_database, pool_size=10, max_overflow=10, pool_timeout=60)
    yield engine
    engine.dispose()


@pytest.fixture
def unit_of_work(engine):
    return functools.partial(PostgresUnitOfWork, engine)


class TestPostgresSecondFactors(SecondFactorContract):
    @pytest.fixture
    def queries(self, engine):
        return PostgresSecondFactorQueries(engine)

    @pytest.fixture
    def identity_queries(self, engine):
        return PostgresIdentityQueries(engine)
