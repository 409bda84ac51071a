"""Claims on stock in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from marketplace.adapters.postgres.engine import create_engine
from tests.contracts.reservations import ReservationContract
from tests.integration.on_postgres import market_on, miscounted
from tests.market import Market


@pytest.fixture
def market(clean_database: str) -> Iterator[Market]:
    engine = create_engine(clean_database, pool_size=5, connect_timeout=30, statement_timeout=60)
    yield market_on(engine)
    assert miscounted(engine) == []
    engine.dispose()


class TestPostgresReservations(ReservationContract):
    pass
