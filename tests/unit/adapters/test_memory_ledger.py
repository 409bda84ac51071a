"""The ledger in memory keeps the ledger's promises."""

from functools import partial

import pytest

from marketplace.adapters.memory.ledger import InMemoryLedgerQueries
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from tests.contracts.ledger import LedgerContract


@pytest.fixture
def store():
    return InMemoryStore()


@pytest.fixture
def unit_of_work(store):
    return partial(InMemoryUnitOfWork, store)


@pytest.fixture
def queries(store):
    return InMemoryLedgerQueries(store)


class TestInMemoryLedger(LedgerContract):
    pass
