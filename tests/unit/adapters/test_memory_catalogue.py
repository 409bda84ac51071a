"""The catalogue of the in-memory backend."""

import functools

import pytest

from marketplace.adapters.memory.catalogue.imports import InMemoryCatalogueImport
from marketplace.adapters.memory.catalogue.queries import InMemoryCatalogueQueries
from marketplace.adapters.memory.store import InMemoryIdSequence, InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from tests.contracts.catalogue import AttributesContract, CategoryContract, ProductContract, VariantsContract
from tests.contracts.catalogue_import import CatalogueImportContract
from tests.contracts.catalogue_offers import OffersContract
from tests.contracts.catalogue_queries import (
    ProductListContract,
    SearchContract,
    SetsAndCategoriesContract,
)


@pytest.fixture
def store():
    return InMemoryStore()


@pytest.fixture
def unit_of_work(store):
    return functools.partial(InMemoryUnitOfWork, store)


@pytest.fixture
def queries(store):
    return InMemoryCatalogueQueries(store)


@pytest.fixture
def catalogue_import(store):
    return InMemoryCatalogueImport(store, InMemoryIdSequence())


class TestInMemoryAttributes(AttributesContract):
    pass


class TestInMemoryVariants(VariantsContract):
    pass


class TestInMemoryProducts(ProductContract):
    pass


class TestInMemoryCategories(CategoryContract):
    pass


class TestInMemoryCatalogueImport(CatalogueImportContract):
    pass


class TestInMemoryProductList(ProductListContract):
    pass


class TestInMemorySearch(SearchContract):
    pass


class TestInMemoryOffers(OffersContract):
    pass


class TestInMemorySetsAndCategories(SetsAndCategoriesContract):
    pass
