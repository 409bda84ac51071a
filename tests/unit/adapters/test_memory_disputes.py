"""Disputes and chargebacks in memory."""

from __future__ import annotations

import pytest

from marketplace.adapters.memory.disputes import InMemoryChargebackQueries, InMemoryDisputeQueries
from tests.contracts.disputes import ChargebackStoreContract, DisputeQueriesContract, DisputeStoreContract
from tests.till import Till


@pytest.fixture
def till():
    return Till.in_memory()


@pytest.fixture
def dispute_queries(till):
    return InMemoryDisputeQueries(till.market.unit_of_work().store)


@pytest.fixture
def chargeback_queries(till):
    return InMemoryChargebackQueries(till.market.unit_of_work().store)


class TestInMemoryDisputes(DisputeStoreContract):
    pass


class TestInMemoryChargebacks(ChargebackStoreContract):
    pass


class TestInMemoryDisputeQueries(DisputeQueriesContract):
    pass
