"""Identity in memory."""

import functools

import pytest

from marketplace.adapters.memory.identity import InMemoryIdentityQueries
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from tests.contracts.identity import AccountContract, AddressContract, CodeContract, SessionContract
from tests.contracts.members import MemberContract


@pytest.fixture
def store():
    return InMemoryStore()


@pytest.fixture
def unit_of_work(store):
    return functools.partial(InMemoryUnitOfWork, store)


@pytest.fixture
def queries(store):
    return InMemoryIdentityQueries(store)


class TestInMemoryAccounts(AccountContract):
    pass


class TestInMemoryMembers(MemberContract):
    pass


class TestInMemorySessions(SessionContract):
    pass


class TestInMemoryCodes(CodeContract):
    pass


class TestInMemoryAddresses(AddressContract):
    pass
