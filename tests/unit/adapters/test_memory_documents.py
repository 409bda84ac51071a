"""Documents and statements in memory."""

from __future__ import annotations

import pytest

from marketplace.adapters.memory.documents import InMemoryDocumentQueries
from marketplace.adapters.memory.identity import InMemoryIdentityQueries
from marketplace.adapters.memory.statements import InMemoryStatementQueries
from tests.cashier import Cashier
from tests.clerk import Clerk
from tests.contracts.documents import DocumentContract, StatementContract
from tests.till import Till


@pytest.fixture
def clerk() -> Clerk:
    till = Till.in_memory()
    store = till.market.unit_of_work().store  # type: ignore[attr-defined]  # it is the one in memory
    return Clerk(
        cashier=Cashier(till),
        queries=InMemoryDocumentQueries(store),
        statement_queries=InMemoryStatementQueries(store),
        identity=InMemoryIdentityQueries(store),
    )


class TestInMemoryDocuments(DocumentContract):
    def test_a_number_that_is_missing_is_found(self, clerk: Clerk) -> None:
        for _ in range(3):
            clerk.issue.of_order(clerk.cashier.paid(clerk.cashier.seller()))
        _, second, _ = clerk.issued()
        del clerk.cashier.market.unit_of_work().store.table("documents")[second.id]  # type: ignore[attr-defined]
        assert clerk.queries.missing_numbers() == [second.number]


class TestInMemoryStatements(StatementContract):
    pass
