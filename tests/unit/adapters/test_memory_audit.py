"""The audit trail in memory keeps the promises of one."""

from functools import partial

import pytest

from marketplace.adapters.memory.audit import InMemoryAuditQueries
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from tests.contracts.audit import AuditTrailContract


@pytest.fixture
def store():
    return InMemoryStore()


@pytest.fixture
def unit_of_work(store):
    return partial(InMemoryUnitOfWork, store)


@pytest.fixture
def queries(store):
    return InMemoryAuditQueries(store)


class TestInMemoryAuditTrail(AuditTrailContract):
    pass
