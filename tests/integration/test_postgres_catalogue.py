"""The catalogue in PostgreSQL."""

import functools
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from marketplace.adapters.postgres.catalogue.imports import PostgresCatalogueImport
from marketplace.adapters.postgres.catalogue.queries import PostgresCatalogueQueries
from marketplace.adapters.postgres.engine import create_engine
from marketplace.adapters.postgres.ids import PostgresIdSequence
from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from marketplace.domain.catalogue.standard import GAMES, standard_attributes
from marketplace.domain.catalogue.variants import variant_key
from tests.builders import store_product, store_variant
from tests.contracts.catalogue import AttributesContract, CategoryContract, ProductContract, VariantsContract
from tests.contracts.catalogue_import import CatalogueImportContract
from tests.contracts.catalogue_offers import OffersContract
from tests.contracts.catalogue_queries import (
    ProductListContract,
    SearchContract,
    SetsAndCategoriesContract,
)


@pytest.fixture
def engine(clean_database):
    engine = create_engine(clean_database, pool_size=10, connect_timeout=60, statement_timeout=60)
    yield engine
    engine.dispose()


@pytest.fixture
def unit_of_work(engine):
    return functools.partial(PostgresUnitOfWork, engine)


@pytest.fixture
def queries(engine):
    return PostgresCatalogueQueries(engine)


@pytest.fixture
def catalogue_import(engine):
    return PostgresCatalogueImport(engine, PostgresIdSequence(engine))


class TestPostgresAttributes(AttributesContract):
    def test_are_exactly_the_standard_ones(self, database_factory):
        """The migration is written by hand; the memory backend takes the same from the domain."""
        engine = create_engine(database_factory(), pool_size=1, connect_timeout=60, statement_timeout=60)
        with PostgresUnitOfWork(engine) as uow:
            assert uow.catalogue.attributes() == standard_attributes()
            assert uow.catalogue.games() == dict(sorted(GAMES.items()))
        engine.dispose()


class TestRacesForAVariant:
    def test_make_one_variant(self, unit_of_work):
        product_id = store_product(unit_of_work)
        start = Barrier(8)

        def ask(_):
            start.wait()
            return store_variant(unit_of_work, product_id, condition="GRADED", grade="PSA 10")

        with ThreadPoolExecutor(8) as pool:
            answers = set(pool.map(ask, range(8)))
        assert len(answers) == 1

    def test_make_each_of_many_variants_once(self, unit_of_work):
        """In whatever order they are asked for, nobody waits for ever."""
        product_id = store_product(unit_of_work)
        keys = [
            variant_key(standard_attributes(), product_id=product_id, language=language, version="holo", condition="NM")
            for language in range(1, 17)
        ]
        start = Barrier(6)

        def ask(number):
            start.wait()
            with unit_of_work() as uow:
                made = uow.catalogue.variants_of(keys if number % 2 else keys[::-1])
                uow.commit()
            return frozenset(made.items())

        with ThreadPoolExecutor(6) as pool:
            answers = set(pool.map(ask, range(6)))
        assert len(answers) == 1


class TestPostgresVariants(VariantsContract):
    pass


class TestPostgresProducts(ProductContract):
    pass


class TestPostgresCategories(CategoryContract):
    pass


class TestPostgresCatalogueImport(CatalogueImportContract):
    pass


class TestPostgresProductList(ProductListContract):
    pass


class TestPostgresSearch(SearchContract):
    pass


class TestPostgresOffers(OffersContract):
    pass


class TestPostgresSetsAndCategories(SetsAndCategoriesContract):
    pass
