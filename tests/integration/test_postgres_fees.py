"""Fee schedules in PostgreSQL, and that nothing ever changes one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres import migrate
from marketplace.adapters.postgres.engine import create_engine
from marketplace.adapters.postgres.fees import PostgresFeeScheduleQueries
from marketplace.application.ports.fees import FeeScheduleQueries
from tests.contracts.fees import FeeScheduleContract, add
from tests.integration.on_postgres import market_on
from tests.market import Market


@pytest.fixture
def engine(clean_database: str) -> Iterator[sa.Engine]:
    engine = create_engine(clean_database, pool_size=5, connect_timeout=30, statement_timeout=60)
    yield engine
    engine.dispose()


@pytest.fixture
def market(engine: sa.Engine) -> Market:
    return market_on(engine)


@pytest.fixture
def queries(engine: sa.Engine) -> FeeScheduleQueries:
    return PostgresFeeScheduleQueries(engine.execution_options(isolation_level="AUTOCOMMIT"))


def test_orders_from_before_know_the_rules_that_they_were_charged_by(database_factory: Callable[[], str]) -> None:
    """Their rates were columns: what the migration makes of those is what the domain would have frozen."""
    url = database_factory()
    engine = create_engine(url, pool_size=2, connect_timeout=30, statement_timeout=60)
    market = market_on(engine)
    buyer = market.buyer()
    for seller in (market.seller(), market.seller()):
        market.add(buyer, market.listing(seller, price=5005))
    placed = market.order_now(market.order(buyer))
    engine.dispose()
    migrate.downgrade(url, "0024_disputes")
    with engine.connect() as connection:
        before = connection.exec_driver_sql(
            "select commission_rate::text, processing_rate::text, processing_minimum, shipping_fee from orders"
        ).one()
    assert tuple(before) == ("0.05", "0.06", 500, 1000)
    engine.dispose()
    migrate.upgrade(url)
    migrated = market.order_now(placed.id)
    engine.dispose()
    assert (migrated.fee_schedule_id, migrated.fees) == (None, placed.fees)
    assert len(placed.fees) == 3


class TestPostgresFeeSchedules(FeeScheduleContract):
    @pytest.mark.parametrize(
        "change",
        ["update fee_schedules set note = 'x'", "delete from fee_schedules", "truncate fee_schedules cascade"],
    )
    def test_are_append_only(self, market: Market, engine: sa.Engine, change: str) -> None:
        add(market)
        with engine.connect() as connection, pytest.raises(sa.exc.IntegrityError, match="never changed"):
            connection.exec_driver_sql(change)
