"""Second factors in memory."""

import functools

import pytest

from marketplace.adapters.memory.identity import InMemoryIdentityQueries
from marketplace.adapters.memory.second_factors import InMemorySecondFactorQueries
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from tests.contracts.second_factors import SecondFactorContract


class TestInMemorySecondFactors(SecondFactorContract):
    @pytest.fixture
    def store(self):
        return InMemoryStore()

    @pytest.fixture
    def unit_of_work(self, store):
        return functools.partial(InMemoryUnitOfWork, store)

    @pytest.fixture
    def queries(self, store):
        return InMemorySecondFactorQueries(store)

    @pytest.fixture
    def identity_queries(self, store):
        return InMemoryIdentityQueries(store)
