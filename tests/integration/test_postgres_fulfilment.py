"""Parcels, wishes and what is due, in PostgreSQL; and who comes first when several move one sale."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres.engine import create_engine
from marketplace.domain.orders.status import OrderStatus, SaleStatus
from marketplace.domain.shared.errors import Conflict
from tests.contracts.fulfilment import FulfilmentStoreContract
from tests.desk import Desk
from tests.integration.till_on_postgres import till_on


@pytest.fixture
def engine(clean_database: str) -> Iterator[sa.Engine]:
    engine = create_engine(clean_database, pool_size=8, connect_timeout=30, statement_timeout=60)
    yield engine
    engine.dispose()


@pytest.fixture
def desk(engine: sa.Engine) -> Desk:
    return Desk(till_on(engine))


class TestPostgresFulfilment(FulfilmentStoreContract):
    pass


def at_once(*calls: Callable[[], object]) -> list[str]:
    """What came of each: empty, or the code of the conflict."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], object]) -> str:
        barrier.wait()
        try:
            call()
        except Conflict as error:
            return error.code
        return ""

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


class TestRaces:
    def test_sending_and_cancelling_one_wins_and_the_other_is_told(self, desk: Desk) -> None:
        for _ in range(4):
            deal = desk.paid()
            sent, cancelled = at_once(partial(desk.ship, deal), partial(desk.cancel, deal))
            assert (sent, cancelled) in {("", "already_shipped"), ("sale_ended", "")}
            is_sent = desk.sale(deal).status is SaleStatus.SHIPPED
            assert is_sent == (sent == "")
            assert len(desk.till.refunds(deal.order_id)) == (0 if is_sent else 1)
        assert desk.till.findings() == []

    def test_cancelling_and_refunding_give_the_money_back_once(self, desk: Desk) -> None:
        deal = desk.paid()
        outcomes = at_once(partial(desk.cancel, deal), partial(desk.till.refund, deal.order_id))
        assert sorted(outcomes) in [["", "nothing_to_refund"], ["", "sale_ended"]]
        assert len(desk.till.refunds(deal.order_id)) == 1
        desk.till.work()
        assert desk.till.findings() == []

    def test_two_workers_complete_each_sale_once(self, desk: Desk) -> None:
        deals = [desk.shipped() for _ in range(6)]
        desk.market.later(days=14)
        at_once(desk.complete_sales, desk.complete_sales)
        desk.complete_sales()  # what each left to the other, for it was locked
        assert {desk.order(deal).status for deal in deals} == {OrderStatus.COMPLETED}
        moves = [m for deal in deals for m in desk.market.order_queries.history(deal.order_id)]
        assert sum(move.to_status == "completed" and move.sale_id is not None for move in moves) == len(deals)
        assert desk.till.findings() == []


def test_what_is_due_is_found_by_an_index(desk: Desk, engine: sa.Engine) -> None:
    desk.shipped()
    due = (
        "select id from sales where status in ('shipped', 'delivered') and completes_at <= now() order by completes_at"
    )
    with engine.connect() as connection:
        connection.execute(sa.text("set enable_seqscan = off"))
        plan = connection.execute(sa.text(f"explain {due}, id limit 1")).scalars()
        assert "sales_to_complete_idx" in "".join(plan)
