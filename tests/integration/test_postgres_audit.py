"""The audit trail in PostgreSQL keeps the promises of one, and the database defends it by itself."""

from functools import partial

import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres.audit import PostgresAuditQueries
from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from tests.contracts.audit import AuditTrailContract, an_act, record


@pytest.fixture
def engine(clean_database):
    engine = sa.create_engine(clean_database)
    yield engine
    engine.dispose()


@pytest.fixture
def unit_of_work(engine):
    return partial(PostgresUnitOfWork, engine)


@pytest.fixture
def queries(engine):
    return PostgresAuditQueries(engine)


class TestPostgresAuditTrail(AuditTrailContract):
    pass


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_entries set reason = 'another'",
        "update audit_entries set origin = '203.0.113.9'",
        "update audit_entries set origin = '(erased)', after = '{\"kyc_verified\": true}'",
        "update audit_entries set reason = '(erased)', actor_id = 6",
        "update audit_entries set occurred_at = now()",
        "delete from audit_entries",
        "truncate audit_entries",
    ],
)
def test_lets_nothing_be_changed_or_taken_out(engine, unit_of_work, statement):
    record(unit_of_work, an_act())
    with engine.connect() as connection, pytest.raises(sa.exc.IntegrityError, match="append-only"):
        connection.execute(sa.text(statement))


def test_forgets_where_from_and_why_and_nothing_else(engine, unit_of_work):
    record(unit_of_work, an_act())
    with engine.begin() as connection:
        connection.execute(sa.text("update audit_entries set origin = '(erased)', reason = '(erased)'"))
        assert connection.execute(sa.text("select origin, reason from audit_entries")).one() == ("(erased)", "(erased)")


@pytest.mark.parametrize(
    "condition",
    [
        "true",
        "actor_id = 5",
        "subject_type = 'seller' and subject_id = '5'",
        "subject_type = 'seller'",
        "action = 'seller.approved'",
        "action = 'seller.approved' and occurred_at >= '2026-01-01' and occurred_at < '2026-01-02'",
    ],
)
def test_every_list_is_read_from_an_index_in_its_order(engine, condition):
    """With so few rows the planner would sort, if an index did not give them in order already."""
    with engine.begin() as connection:
        connection.exec_driver_sql("set local enable_seqscan = off")
        connection.exec_driver_sql("set local enable_bitmapscan = off")
        plan = "\n".join(
            connection.exec_driver_sql(
                f"explain select * from audit_entries where {condition} order by occurred_at desc, id desc limit 21"
            ).scalars()
        )
    assert "Index" in plan
    assert "Sort" not in plan
