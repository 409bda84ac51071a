"""Documents and statements in PostgreSQL: numbered without a gap by many at once, and never changed."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres.documents import PostgresDocumentQueries
from marketplace.adapters.postgres.engine import create_engine
from marketplace.adapters.postgres.identity_queries import PostgresIdentityQueries
from marketplace.adapters.postgres.statements import PostgresStatementQueries
from tests.cashier import Cashier
from tests.clerk import Clerk
from tests.contracts.documents import DocumentContract, StatementContract, a_draft
from tests.integration.till_on_postgres import till_on


@pytest.fixture
def engine(clean_database: str) -> Iterator[sa.Engine]:
    engine = create_engine(clean_database, pool_size=10, connect_timeout=30, statement_timeout=60)
    yield engine
    engine.dispose()


@pytest.fixture
def clerk(engine: sa.Engine) -> Clerk:
    reader = engine.execution_options(isolation_level="AUTOCOMMIT")
    return Clerk(
        cashier=Cashier(till_on(engine)),
        queries=PostgresDocumentQueries(reader),
        statement_queries=PostgresStatementQueries(reader),
        identity=PostgresIdentityQueries(reader, "2026-01"),
    )


class TestPostgresDocuments(DocumentContract):
    @pytest.mark.parametrize(
        "change", ["update documents set number = 'x'", "delete from documents", "truncate documents cascade"]
    )
    def test_are_never_changed(self, clerk: Clerk, engine: sa.Engine, change: str) -> None:
        clerk.issue.of_order(clerk.cashier.paid(clerk.cashier.seller()))
        with engine.connect() as connection, pytest.raises(sa.exc.IntegrityError, match="stays"):
            connection.exec_driver_sql(change)

    def test_many_workers_leave_no_gap_and_no_number_twice(self, clerk: Clerk) -> None:
        """Each of them issues every order's invoice, and every third unit is undone."""
        market, seller = clerk.cashier.market, clerk.cashier.seller()
        orders = [clerk.cashier.paid(seller) for _ in range(12)]
        drafts = [a_draft(clerk, order_id) for order_id in orders]
        failures: list[BaseException] = []

        def works(turn: int) -> None:
            try:
                for position, order_id in enumerate(orders):
                    if (position + turn) % 3 == 0:
                        with market.unit_of_work() as uow:
                            if uow.documents.find(drafts[position].fact) is None:
                                uow.documents.issue(drafts[position], now=market.clock.now())
                        continue
                    clerk.issue.of_order(order_id)
            except BaseException as error:
                failures.append(error)

        workers = [threading.Thread(target=works, args=(turn,)) for turn in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        # A draft that is issued by hand, and undone, may have met the real one: that is refused as it should be.
        assert {type(error).__name__ for error in failures} <= {"AlreadyIssued"}
        for order_id in orders:
            clerk.issue.of_order(order_id)
        numbers = sorted(int(document.number[-6:]) for document in clerk.issued())
        assert numbers == list(range(1, len(orders) + 1))
        assert clerk.queries.missing_numbers() == []

    def test_a_number_that_is_missing_is_found(self, clerk: Clerk, engine: sa.Engine) -> None:
        for _ in range(2):
            clerk.issue.of_order(clerk.cashier.paid(clerk.cashier.seller()))
        first, _ = clerk.issued()
        with engine.begin() as connection:
            connection.exec_driver_sql("set local session_replication_role = replica")
            connection.execute(sa.text("delete from documents where id = :id"), {"id": first.id})
        assert clerk.queries.missing_numbers() == [first.number]


class TestPostgresStatements(StatementContract):
    pass
