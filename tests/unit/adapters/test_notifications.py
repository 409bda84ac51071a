"""Notifications and preferences in memory."""

from functools import partial

import pytest

from marketplace.adapters.memory.notifications import InMemoryNotificationQueries
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from tests.contracts.notifications import NotificationsContract, PreferencesContract


@pytest.fixture
def store():
    return InMemoryStore()


@pytest.fixture
def unit_of_work(store):
    return partial(InMemoryUnitOfWork, store)


@pytest.fixture
def queries(store):
    return InMemoryNotificationQueries(store)


class TestInMemoryNotifications(NotificationsContract):
    pass


class TestInMemoryPreferences(PreferencesContract):
    pass
