"""Devices, codes and password resets in PostgreSQL."""

import functools

import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres.identity_queries import PostgresIdentityQueries
from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from tests.contracts.sessions import DeviceContract, PasswordResetContract


@pytest.fixture
def engine(clean_database):
    engine = sa.create_engine(clean_database)
    yield engine
    engine.dispose()


@pytest.fixture
def unit_of_work(engine):
    return functools.partial(PostgresUnitOfWork, engine)


@pytest.fixture
def queries(engine):
    return PostgresIdentityQueries(engine)


class TestPostgresDevices(DeviceContract):
    pass


class TestPostgresPasswordResets(PasswordResetContract):
    pass
