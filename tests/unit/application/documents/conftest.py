"""A clerk in memory."""

from __future__ import annotations

import pytest

from marketplace.adapters.memory.documents import InMemoryDocumentQueries
from marketplace.adapters.memory.identity import InMemoryIdentityQueries
from marketplace.adapters.memory.statements import InMemoryStatementQueries
from tests.cashier import Cashier
from tests.clerk import Clerk
from tests.till import Till


def clerk_in_memory() -> Clerk:
    till = Till.in_memory()
    store = till.market.unit_of_work().store  # type: ignore[attr-defined]  # it is the one in memory
    return Clerk(
        cashier=Cashier(till),
        queries=InMemoryDocumentQueries(store),
        statement_queries=InMemoryStatementQueries(store),
        identity=InMemoryIdentityQueries(store),
    )


@pytest.fixture
def clerk() -> Clerk:
    return clerk_in_memory()


@pytest.fixture
def cashier(clerk: Clerk) -> Cashier:
    return clerk.cashier
