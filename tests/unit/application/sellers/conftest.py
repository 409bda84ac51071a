"""A market in memory, somebody who has applied to sell, and the operator who decides."""

from __future__ import annotations

import functools

import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from marketplace.application.access import OPERATOR
from marketplace.application.sellers.applying import ApplyToSell
from tests.builders import an_actor, store_account


@pytest.fixture
def store():
    return InMemoryStore()


@pytest.fixture
def unit_of_work(store):
    return functools.partial(InMemoryUnitOfWork, store)


@pytest.fixture
def decide(unit_of_work):
    """A use case of the decisions, done by the operator unless somebody else is named."""

    def decide(use_case, account, *, actor=OPERATOR, **said):
        return use_case(unit_of_work=unit_of_work, clock=FixedClock())(actor=actor, account=account, **said)

    return decide


@pytest.fixture
def applicant(unit_of_work):
    account = store_account(unit_of_work, "misty")
    ApplyToSell(unit_of_work=unit_of_work, clock=FixedClock())(actor=an_actor(account), shop_name="Card Cave")
    return account
