"""Idempotency keys of the in-memory backend."""

import functools

import pytest

from marketplace.adapters.memory.idempotency import InMemoryIdempotencyKeys
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from tests.contracts.idempotency import IdempotencyContract


class TestInMemoryIdempotency(IdempotencyContract):
    @pytest.fixture
    def store(self):
        return InMemoryStore()

    @pytest.fixture
    def unit_of_work(self, store):
        return functools.partial(InMemoryUnitOfWork, store)

    @pytest.fixture
    def keys(self, store):
        return InMemoryIdempotencyKeys(store)
