"""The audit on PostgreSQL keeps the audit's promises, whoever switched the database's own defences off."""

from functools import partial
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres.engine import create_engine
from marketplace.adapters.postgres.ledger_audit import PostgresLedgerAudit
from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from marketplace.application.ledger import VerifyLedger
from tests.contracts.ledger_audit import LedgerAuditContract, Provider
from tests.purchases import ORDER, store_market, store_paid_order


def unguarded(url: str | sa.URL, *, statement_timeout: int = 0) -> sa.Engine:
    """An engine on whose connections neither foreign keys nor triggers are in force."""
    engine = create_engine(url, pool_size=4, connect_timeout=5, statement_timeout=10)

    @sa.event.listens_for(engine, "connect")
    def let_down_the_guard(connection: Any, record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("set session_replication_role = replica")
            cursor.execute(f"set statement_timeout = {statement_timeout}")
        connection.commit()

    return engine


class Tamper:
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def _update(self, table: str, id: int, fields: dict[str, Any]) -> None:
        changes = ", ".join(f"{name} = :{name}" for name in fields)
        with self._engine.begin() as connection:
            connection.execute(sa.text(f"update {table} set {changes} where id = :id"), {"id": id, **fields})

    def order(self, id: int, **fields: Any) -> None:
        self._update("orders", id, fields)

    def sale(self, id: int, **fields: Any) -> None:
        self._update("sales", id, fields)

    def line(self, id: int, **fields: Any) -> None:
        self._update("sale_lines", id, fields)

    def listing(self, id: int, **fields: Any) -> None:
        self._update("listings", id, fields)

    def refund(self, id: int, **fields: Any) -> None:
        self._update("refunds", id, fields)

    def payout(self, id: int, **fields: Any) -> None:
        self._update("payouts", id, fields)

    def remove_journal(self, source_key: str) -> None:
        with self._engine.begin() as connection:
            for statement in (
                "delete from journal_lines where journal_id = (select id from journals where source_key = :key)",
                "delete from journals where source_key = :key",
            ):
                connection.execute(sa.text(statement), {"key": source_key})

    def rebook(self, source_key: str, account: str, *, to: str | None = None, amount: int | None = None) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                sa.text(
                    "update journal_lines set account = coalesce(:to, account), amount = coalesce(:amount, amount)"
                    " where account = :account and journal_id = (select id from journals where source_key = :key)"
                ),
                {"key": source_key, "account": account, "to": to, "amount": amount},
            )


@pytest.fixture
def engine(database_factory):
    engine = unguarded(database_factory())
    with engine.begin() as connection:
        for constraint in ("stock_not_negative", "claims_within_stock", "sold_out_is_the_stocks_fact"):
            connection.execute(sa.text(f"alter table listings drop constraint {constraint}"))
    yield engine
    engine.dispose()


@pytest.fixture
def unit_of_work(engine):
    return partial(PostgresUnitOfWork, engine)


@pytest.fixture
def audit(engine):
    return PostgresLedgerAudit(engine)


@pytest.fixture
def tamper(engine):
    return Tamper(engine)


class TestPostgresLedgerAudit(LedgerAuditContract):
    def test_sees_one_instant_whatever_is_written_meanwhile(self, unit_of_work, audit):
        store_market(unit_of_work)
        store_paid_order(unit_of_work)
        with audit.snapshot() as facts:
            assert [order.id for order in facts.orders()] == [ORDER]
            other = Thread(target=store_paid_order, args=(unit_of_work, ORDER + 5))
            other.start()
            other.join()
            assert [order.id for order in facts.orders()] == [ORDER]
            assert {b.account: b.balance.amount for b in facts.balances()}["assets:stripe_balance"] == 11905
        with audit.snapshot() as facts:
            assert [order.id for order in facts.orders()] == [ORDER, ORDER + 5]

    def test_may_take_longer_than_a_request(self, engine, unit_of_work, tamper):
        hasty = unguarded(engine.url, statement_timeout=1)
        try:
            assert VerifyLedger(audit=PostgresLedgerAudit(hasty), gateway=Provider(None))().ok
        finally:
            hasty.dispose()
