"""Disputes and chargebacks in PostgreSQL, and two workers at one of them."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest

from marketplace.adapters.postgres.disputes import PostgresChargebackQueries, PostgresDisputeQueries
from marketplace.adapters.postgres.engine import create_engine
from marketplace.domain.orders.returning import NothingToRefund
from marketplace.domain.payments.payment import PaymentBusy
from tests.contracts.disputes import ChargebackStoreContract, DisputeQueriesContract, DisputeStoreContract, paid
from tests.integration.till_on_postgres import till_on


@pytest.fixture
def engine(clean_database):
    engine = create_engine(clean_database, pool_size=8, connect_timeout=30, statement_timeout=60)
    yield engine
    engine.dispose()


@pytest.fixture
def till(engine):
    return till_on(engine)


@pytest.fixture
def dispute_queries(engine):
    return PostgresDisputeQueries(engine)


@pytest.fixture
def chargeback_queries(engine):
    return PostgresChargebackQueries(engine)


class TestPostgresDisputes(DisputeStoreContract):
    pass


class TestPostgresChargebacks(ChargebackStoreContract):
    pass


class TestPostgresDisputeQueries(DisputeQueriesContract):
    pass


def at_once(*acts):
    """What each of them raised; None when it went through."""
    together, outcomes = Barrier(len(acts)), {}

    def run(number, act):
        together.wait()
        try:
            act()
        except Exception as error:
            outcomes[number] = error
        else:
            outcomes[number] = None

    threads = [Thread(target=run, args=each) for each in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return list(outcomes.values())


class TestTogether:
    def test_a_chargeback_that_two_workers_meet_is_opened_once(self, till):
        order_id = paid(till)
        id = till.provider.open_chargeback(till.payment(order_id).intent_id).id
        outcomes = at_once(*[lambda: till.check_chargeback(id)] * 2)
        assert [error for error in outcomes if not isinstance(error, PaymentBusy | None)] == []
        till.work_for(minutes=2)
        (chargeback,) = till.chargebacks(order_id)
        with till.market.unit_of_work() as uow:
            assert len(uow.disputes.of_chargeback_for_update(chargeback.id)) == 2

    def test_two_refunds_above_the_order_are_one(self, till):
        order_id = paid(till)
        outcomes = at_once(*[lambda: till.refund(order_id)] * 2)
        assert sorted(type(error).__name__ for error in outcomes) == sorted(["NoneType", NothingToRefund.__name__])
        assert len(till.refunds(order_id)) == 1
