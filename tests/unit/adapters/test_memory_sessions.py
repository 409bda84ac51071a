"""Devices, codes and password resets in memory."""

import functools

import pytest

from marketplace.adapters.memory.identity import InMemoryIdentityQueries
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from tests.contracts.sessions import DeviceContract, PasswordResetContract


@pytest.fixture
def store():
    return InMemoryStore()


@pytest.fixture
def unit_of_work(store):
    return functools.partial(InMemoryUnitOfWork, store)


@pytest.fixture
def queries(store):
    return InMemoryIdentityQueries(store)


class TestInMemoryDevices(DeviceContract):
    pass


class TestInMemoryPasswordResets(PasswordResetContract):
    pass
