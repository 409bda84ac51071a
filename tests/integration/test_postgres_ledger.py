"""The ledger in PostgreSQL keeps the ledger's promises, and the database defends them by itself."""

from functools import partial

import psycopg2
import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres.ledger import PostgresLedgerQueries
from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from marketplace.domain.ledger import UnbalancedJournal
from tests.contracts.ledger import LedgerContract, a_capture, post


@pytest.fixture
def engine(clean_database):
    engine = sa.create_engine(clean_database, pool_size=10)
    yield engine
    engine.dispose()


@pytest.fixture
def unit_of_work(engine):
    return partial(PostgresUnitOfWork, engine)


@pytest.fixture
def queries(engine):
    return PostgresLedgerQueries(engine)


class TestPostgresLedger(LedgerContract):
    pass


class TestTheDatabaseItself:
    """Whatever a future adapter, a console or an operator may try."""

    JOURNAL = (
        "insert into journals (kind, source_key, currency, occurred_at, line_count) values"
        " ('stripe_fee', 'fee:1', 'EUR', now(), 2) returning id"
    )
    LINE = (
        "insert into journal_lines (journal_id, position, account, amount)"
        " values (:journal, :position, 'assets:bank', :amount)"
    )

    @pytest.mark.parametrize(
        "statement",
        [
            "update journals set currency = 'USD'",
            "delete from journals",
            "truncate journals cascade",
            "update journal_lines set amount = 1",
            "delete from journal_lines",
            "truncate journal_lines",
        ],
    )
    def test_lets_nothing_be_changed_or_taken_out(self, engine, unit_of_work, statement):
        post(unit_of_work, a_capture())
        with engine.connect() as connection, pytest.raises(sa.exc.IntegrityError, match="append-only"):
            connection.execute(sa.text(statement))

    @pytest.mark.parametrize("amounts", [[], [5], [5, -3]])
    def test_refuses_a_journal_that_does_not_balance(self, engine, amounts):
        with engine.connect() as connection:
            journal = connection.execute(sa.text(self.JOURNAL)).scalar_one()
            for position, amount in enumerate(amounts, 1):
                connection.execute(sa.text(self.LINE), {"journal": journal, "position": position, "amount": amount})
            with pytest.raises(sa.exc.IntegrityError) as refused:
                connection.commit()
        assert isinstance(refused.value.orig, psycopg2.errors.CheckViolation)
        assert refused.value.orig.diag.constraint_name == "journal_balances"

    def test_takes_the_lines_of_a_journal_one_by_one(self, engine, queries):
        with engine.begin() as connection:
            journal = connection.execute(sa.text(self.JOURNAL)).scalar_one()
            for position, amount in enumerate([5, -5], 1):
                connection.execute(sa.text(self.LINE), {"journal": journal, "position": position, "amount": amount})
        assert [balance.balance.amount for balance in queries.balances()] == [0]

    def test_refuses_further_lines_for_a_journal_that_is_whole(self, engine, unit_of_work):
        post(unit_of_work, a_capture())
        with engine.connect() as connection:
            journal = connection.execute(sa.text("select id from journals")).scalar_one()
            two_more = (
                {"journal": journal, "position": 7, "amount": 5},
                {
                    "journal": journal,
                    "position": 8,
                    "amount": -5,
                },
            )
            with pytest.raises(sa.exc.IntegrityError, match="exactly the lines"):
                connection.execute(sa.text(self.LINE), list(two_more))

    def test_an_adapter_learns_that_a_journal_did_not_balance(self, engine, unit_of_work):
        with unit_of_work() as uow:
            uow.ledger.post(a_capture())
            uow.execute(sa.text(self.JOURNAL))
            with pytest.raises(UnbalancedJournal):
                uow.commit()
