"""Fee schedules in memory."""

from __future__ import annotations

import pytest

from marketplace.adapters.memory.fees import InMemoryFeeScheduleQueries
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.fees import FeeScheduleQueries
from tests.contracts.fees import FeeScheduleContract
from tests.market import Market


@pytest.fixture
def stored() -> tuple[Market, InMemoryStore]:
    return Market.in_memory()


@pytest.fixture
def market(stored: tuple[Market, InMemoryStore]) -> Market:
    return stored[0]


@pytest.fixture
def queries(stored: tuple[Market, InMemoryStore]) -> FeeScheduleQueries:
    return InMemoryFeeScheduleQueries(stored[1])


class TestInMemoryFeeSchedules(FeeScheduleContract):
    pass
