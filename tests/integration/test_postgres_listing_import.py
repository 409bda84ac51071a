"""Importing stock into PostgreSQL: the promises, the whole real file, and two imports at once."""

import functools
from collections import Counter

import pytest
import sqlalchemy as sa

from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.postgres.catalogue.imports import PostgresCatalogueImport
from marketplace.adapters.postgres.ids import PostgresIdSequence
from marketplace.adapters.postgres.listing_queries import PostgresListingQueries
from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from marketplace.application.access import OPERATOR
from marketplace.application.catalogue.import_catalogue import ImportCatalogue
from marketplace.application.listings.export_listings import ExportListings
from marketplace.application.listings.import_listings import ImportListings
from marketplace.domain.shared.errors import Conflict
from tests.builders import store_seller
from tests.catalogue_files import real_catalogue, real_lines
from tests.contracts.listing_import import ListingImportContract, import_excerpt
from tests.contracts.outbox import run_together
from tests.stock_files import excerpt_key, key_of, stock_excerpt


@pytest.fixture
def engine(clean_database):
    engine = sa.create_engine(clean_database, pool_size=10, max_overflow=10, pool_timeout=60)
    yield engine
    # Prints are reference data that clearing the database leaves alone; those that an import added go.
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "delete from reservations; delete from listings; delete from variants; delete from versions where id > 100"
        )
    engine.dispose()


@pytest.fixture
def unit_of_work(engine):
    return functools.partial(PostgresUnitOfWork, engine)


@pytest.fixture
def queries(engine):
    return PostgresListingQueries(engine)


@pytest.fixture
def ids(engine):
    return PostgresIdSequence(engine)


@pytest.fixture
def importing(unit_of_work, ids):
    return ImportListings(unit_of_work=unit_of_work, ids=ids, clock=FixedClock(), currency="EUR")


def offered(engine):
    """External id, stock and price of every listing, by listing."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "select l.id, p.external_id, l.stock, l.price from listings l join products p on p.id = l.product_id"
        )
        return {row[0]: (row[1], row[2], row[3]) for row in rows}


class TestImportIntoPostgres(ListingImportContract):
    @pytest.fixture(autouse=True)
    def catalogue(self, engine, ids):
        import_excerpt(PostgresCatalogueImport(engine, ids))

    def test_needs_no_more_statements_for_more_rows(self, engine, importing, seller):
        counted = Counter()
        sa.event.listen(engine, "after_cursor_execute", lambda *_: counted.update(["statements"]))
        lines = stock_excerpt().splitlines(keepends=True)
        seen = []
        for rows in (20, 77):
            counted.clear()
            importing(actor=OPERATOR, seller_id=seller, data=b"".join(lines[: rows + 1]))
            seen.append(counted["statements"])
        # One more now and then, to fetch identities.
        assert max(seen) <= 11

    def test_two_imports_at_once_make_no_listing_twice(self, engine, importing, seller):
        outcomes = []

        def run():
            try:
                importing(actor=OPERATOR, seller_id=seller, data=stock_excerpt())
                outcomes.append("done")
            except Conflict:
                outcomes.append("beaten")

        run_together([run] * 4)
        assert "done" in outcomes
        assert sorted(offered(engine).values()) == sorted(excerpt_key().values())


@pytest.mark.slow
@pytest.mark.volume
class TestTheWholeFile:
    def test_makes_of_5000_rows_what_the_key_says_and_nothing_more_the_second_time(
        self, engine, unit_of_work, ids, importing, queries
    ):
        folder = real_catalogue()
        ImportCatalogue(clock=FixedClock(), catalogue=PostgresCatalogueImport(engine, ids))(
            sets=real_lines("sets"), cards=real_lines("cards")
        )
        seller = store_seller(unit_of_work)
        data = (folder / "seller_stock.csv").read_bytes()

        report = importing(actor=OPERATOR, seller_id=seller, data=data)
        assert report.counts == {"created": 5000, "updated": 0, "unchanged": 0, "refused": 0}
        listings = offered(engine)
        assert {row.row: listings[row.listing_id] for row in report.rows} == key_of(folder / "seller_stock_key.csv")
        assert (len(listings), sum(stock for _, stock, _ in listings.values())) == (5000, 13_869)
        assert sum(stock * price for _, stock, price in listings.values()) == 8_646_524

        assert importing(actor=OPERATOR, seller_id=seller, data=data).counts["unchanged"] == 5000
        exported = ExportListings(queries=queries, currency="EUR")(actor=OPERATOR, seller_id=seller).text
        assert importing(actor=OPERATOR, seller_id=seller, data=exported.encode()).counts["unchanged"] == 5000
        assert sorted(exported.splitlines()) == sorted(data.decode().splitlines())
