"""Idempotency keys in PostgreSQL."""

import functools

import pytest

from marketplace.adapters.postgres.engine import create_engine
from marketplace.adapters.postgres.idempotency import PostgresIdempotencyKeys
from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from tests.contracts.idempotency import IdempotencyContract


class TestPostgresIdempotency(IdempotencyContract):
    @pytest.fixture
    def engine(self, clean_database):
        engine = create_engine(clean_database, pool_size=6, connect_timeout=5, statement_timeout=10)
        yield engine
        engine.dispose()

    @pytest.fixture
    def unit_of_work(self, engine):
        return functools.partial(PostgresUnitOfWork, engine)

    @pytest.fixture
    def keys(self, engine):
        return PostgresIdempotencyKeys(engine)
