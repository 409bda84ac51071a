"""Payouts and recoveries in memory."""

from __future__ import annotations

import pytest

from marketplace.adapters.memory.payouts import InMemoryPayoutQueries
from tests.contracts.payouts import PayoutQueriesContract, PayoutStoreContract
from tests.till import Till


@pytest.fixture
def till():
    return Till.in_memory()


@pytest.fixture
def payout_queries(till):
    with till.market.unit_of_work() as uow:
        return InMemoryPayoutQueries(uow.store)


class TestInMemoryPayouts(PayoutStoreContract):
    pass


class TestInMemoryPayoutQueries(PayoutQueriesContract):
    pass
