"""Importing stock into memory."""

import functools

import pytest

from marketplace.adapters.memory.catalogue.imports import InMemoryCatalogueImport
from marketplace.adapters.memory.listing_queries import InMemoryListingQueries
from marketplace.adapters.memory.store import InMemoryIdSequence, InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from tests.contracts.listing_import import AnyStockContract, import_excerpt


@pytest.fixture(scope="module")
def full():
    """A store with the catalogue in it, imported once."""
    store = InMemoryStore()
    import_excerpt(InMemoryCatalogueImport(store, InMemoryIdSequence()))
    return store


class TestImportIntoMemory(AnyStockContract):
    @pytest.fixture
    def store(self, full):
        # What is stored is replaced, never changed, so that the rows can be shared.
        return InMemoryStore(tables={name: dict(rows) for name, rows in full.tables.items()})

    @pytest.fixture
    def unit_of_work(self, store):
        return functools.partial(InMemoryUnitOfWork, store)

    @pytest.fixture
    def queries(self, store):
        return InMemoryListingQueries(store)

    @pytest.fixture
    def ids(self):
        return InMemoryIdSequence(start=1_000_000)
