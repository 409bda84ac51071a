"""The outbox of the in-memory backend."""

import functools

import pytest

from marketplace.adapters.memory.outbox import InMemoryOutbox
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from tests.contracts.outbox import OutboxContract


class TestInMemoryOutbox(OutboxContract):
    @pytest.fixture
    def store(self):
        return InMemoryStore()

    @pytest.fixture
    def unit_of_work(self, store):
        return functools.partial(InMemoryUnitOfWork, store)

    @pytest.fixture
    def outbox(self, store):
        return InMemoryOutbox(store)
