"""Counters of tries in memory."""

import functools

import pytest

from marketplace.adapters.memory.store import InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from tests.contracts.attempts import AttemptContract


@pytest.fixture
def unit_of_work():
    return functools.partial(InMemoryUnitOfWork, InMemoryStore())


class TestInMemoryAttempts(AttemptContract):
    pass
