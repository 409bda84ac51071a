"""Random lives of a market in PostgreSQL: fewer and shorter than those in memory, with the same promises."""

from __future__ import annotations

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from marketplace.adapters.postgres.engine import create_engine
from tests.integration.conftest import DatabaseFactory
from tests.integration.on_postgres import miscounted, till_on
from tests.market_machine import MarketMachine
from tests.till import Till


def emptied(engine: sa.Engine) -> Till:
    with engine.begin() as connection:
        # Neither foreign keys nor the triggers that keep the ledger append-only are in force here.
        connection.exec_driver_sql("set local session_replication_role = replica")
        names = connection.exec_driver_sql(
            "select quote_ident(table_name) from information_schema.tables where table_schema = 'public' and table_name"
            " not in ('alembic_version', 'conditions', 'games', 'grades', 'languages', 'versions', 'categories')"
        ).scalars()
        connection.exec_driver_sql(";".join(f"delete from {name}" for name in names))
    return till_on(engine)


def test_random_lives_of_a_market_break_no_promise(database_factory: DatabaseFactory) -> None:
    engine = create_engine(database_factory(), pool_size=3, connect_timeout=30, statement_timeout=60)

    class PostgresMarketMachine(MarketMachine):
        def open_till(self) -> Till:
            return emptied(engine)

        def teardown(self) -> None:
            super().teardown()
            assert miscounted(engine) == []

    try:
        run_state_machine_as_test(
            PostgresMarketMachine,
            settings=settings(
                max_examples=6,
                stateful_step_count=15,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        engine.dispose()
