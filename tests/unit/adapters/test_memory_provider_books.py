"""The provider's movements are kept in memory as everywhere."""

from functools import partial

import pytest

from marketplace.adapters.memory.provider_books import InMemoryReconciliationQueries
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from tests.contracts.provider_books import ProviderBooksContract


@pytest.fixture
def store():
    return InMemoryStore()


@pytest.fixture
def unit_of_work(store):
    return partial(InMemoryUnitOfWork, store)


@pytest.fixture
def queries(store):
    return InMemoryReconciliationQueries(store)


class TestInMemoryProviderBooks(ProviderBooksContract):
    pass
