"""Fee schedules in PostgreSQL, and that nothing ever changes one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

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


class TestPostgresFeeSchedules(FeeScheduleContract):
    @pytest.mark.parametrize(
        "change",
        ["update fee_schedules set note = 'x'", "delete from fee_schedules", "truncate fee_schedules cascade"],
    )
    def test_are_append_only(self, market: Market, engine: sa.Engine, change: str) -> None:
        add(market)
        with engine.connect() as connection, pytest.raises(sa.exc.IntegrityError, match="never changed"):
            connection.exec_driver_sql(change)
