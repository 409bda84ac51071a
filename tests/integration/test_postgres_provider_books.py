"""The provider's movements are kept in PostgreSQL as everywhere."""

from functools import partial

import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres.provider_books import PostgresReconciliationQueries
from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from tests.contracts.provider_books import ProviderBooksContract


@pytest.fixture
def engine(clean_database):
    engine = sa.create_engine(clean_database, pool_size=10)
    yield engine
    engine.dispose()


@pytest.fixture
def unit_of_work(engine):
    return partial(PostgresUnitOfWork, engine)


@pytest.fixture
def queries(engine):
    return PostgresReconciliationQueries(engine)


class TestPostgresProviderBooks(ProviderBooksContract):
    pass
