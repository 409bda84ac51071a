"""A variant change and an import that make the same variant wait for each other in one order, and never both."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.postgres.catalogue.imports import PostgresCatalogueImport
from marketplace.adapters.postgres.engine import create_engine
from marketplace.adapters.postgres.ids import PostgresIdSequence
from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from marketplace.application.access import OPERATOR
from marketplace.application.listings.create_listing import VariantRef
from marketplace.application.listings.import_listings import ImportListings
from marketplace.application.listings.update_listing import UpdateListing
from marketplace.domain.listings import Listing
from marketplace.domain.shared.ids import AccountId, ListingId
from tests.builders import store_seller
from tests.contracts.listing_import import CHARIZARD, import_excerpt
from tests.integration.conftest import DatabaseFactory
from tests.stock_files import stock_file

PLAYED = CHARIZARD.replace(",NM,", ",PL,").replace(",2,", ",7,")
PATIENCE = 20
"""Seconds; the server takes one to find a deadlock."""


@pytest.fixture
def engine(database_factory: DatabaseFactory) -> Iterator[sa.Engine]:
    engine = create_engine(database_factory(), pool_size=5, connect_timeout=30, statement_timeout=60)
    yield engine
    engine.dispose()


@pytest.fixture
def unit_of_work(engine: sa.Engine) -> Callable[[], PostgresUnitOfWork]:
    return lambda: PostgresUnitOfWork(engine)


@pytest.fixture
def seller(engine: sa.Engine, unit_of_work: Callable[[], PostgresUnitOfWork]) -> AccountId:
    import_excerpt(PostgresCatalogueImport(engine, PostgresIdSequence(engine)))
    return store_seller(unit_of_work)


def importing(engine: sa.Engine, unit_of_work: Callable[[], PostgresUnitOfWork]) -> ImportListings:
    return ImportListings(unit_of_work=unit_of_work, ids=PostgresIdSequence(engine), clock=FixedClock(), currency="EUR")


def wait_until_somebody_waits(engine: sa.Engine) -> None:
    """Until a transaction of this database waits for another one."""
    until = time.monotonic() + PATIENCE
    with engine.connect() as connection:
        while time.monotonic() < until:
            waiting = connection.exec_driver_sql(
                "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
            ).scalar_one()
            if waiting:
                return
            connection.rollback()
            time.sleep(0.01)
    raise AssertionError("Nobody waits for anybody.")


def test_a_variant_change_waits_without_keeping_an_import_from_its_listing(
    engine: sa.Engine, unit_of_work: Callable[[], PostgresUnitOfWork], seller: AccountId
) -> None:
    """The import has made the variant and goes on to lock the listing that is to become it."""
    [row] = importing(engine, unit_of_work)(actor=OPERATOR, seller_id=seller, data=stock_file(CHARIZARD)).rows
    listing_id = ListingId(row.listing_id or 0)
    with unit_of_work() as uow:
        product = uow.listings.get(listing_id).product_id
    change = UpdateListing(unit_of_work=unit_of_work, clock=FixedClock(), currency="EUR")
    changes: list[Future[Listing]] = []

    with ThreadPoolExecutor(1) as threads:

        def meeting_a_change() -> PostgresUnitOfWork:
            uow = unit_of_work()
            lock = uow.listings.lock_imported

            def lock_once_the_change_waits(*given: Any) -> Any:
                played = VariantRef(product=product, language="en", version="holo", condition="PL")
                changes.append(threads.submit(change, actor=OPERATOR, listing_id=listing_id, variant=played))
                wait_until_somebody_waits(engine)
                return lock(*given)

            uow.listings.lock_imported = lock_once_the_change_waits  # type: ignore[method-assign]  # this one's alone
            return uow

        report = importing(engine, meeting_a_change)(
            actor=OPERATOR, seller_id=seller, data=stock_file(CHARIZARD.replace(",2,", ",5,"), PLAYED)
        )
        [moved] = [change.result(PATIENCE) for change in changes]

    assert report.counts == {"created": 1, "updated": 1, "unchanged": 0, "refused": 0}
    made = next(row.listing_id for row in report.rows if row.outcome == "created")
    with unit_of_work() as uow:
        assert uow.listings.get(ListingId(made or 0)).variant_id == moved.variant_id
        kept = uow.listings.get(listing_id)
    assert (kept.variant_id, kept.stock, kept.source) == (moved.variant_id, 5, None)
