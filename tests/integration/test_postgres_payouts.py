"""Payouts and recoveries in PostgreSQL: the same promises as in memory, several workers at once, and constraints."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres import migrate
from marketplace.adapters.postgres.payout_queries import PostgresPayoutQueries
from marketplace.adapters.postgres.tables.payouts import payouts, recoveries
from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from marketplace.application.ports.payment_gateway import OutcomeUnknown
from marketplace.domain.payout_states import PayoutSent, PayoutStatus
from marketplace.domain.recoveries import RecoveryStatus
from marketplace.domain.shared.ids import AccountId
from tests.cashier import Cashier
from tests.contracts.payouts import PayoutQueriesContract, PayoutStoreContract
from tests.integration.sabotage import ProcessDied, Saboteur, connect
from tests.integration.test_payment_races import at_once
from tests.integration.till_on_postgres import till_on

MUCH_LATER = datetime(2040, 1, 1, tzinfo=UTC)


@pytest.fixture
def till(clean_database):
    engine = connect(clean_database)
    yield till_on(engine)
    engine.dispose()


@pytest.fixture
def engine(clean_database):
    engine = connect(clean_database)
    yield engine
    engine.dispose()


@pytest.fixture
def payout_queries(engine):
    return PostgresPayoutQueries(engine)


@pytest.fixture
def cashier(till):
    return Cashier(till)


class TestPostgresPayouts(PayoutStoreContract):
    pass


class TestPostgresPayoutQueries(PayoutQueriesContract):
    pass


class TestWorkersSideBySide:
    def test_send_each_payout_once(self, till, cashier):
        seller = cashier.seller()
        orders = cashier.due_together(seller, seller, cashier.seller(), cashier.seller())
        at_once(*[till.send_payouts] * 4)
        assert [cashier.payout(order_id).status for order_id in orders] == [PayoutStatus.PAID] * 4
        assert [cashier.transfers(order_id) for order_id in orders] == [1] * 4
        assert sum(isinstance(event, PayoutSent) for event in till.events()) == 4

    def test_take_back_each_recovery_once(self, till, cashier):
        orders = [cashier.sent(cashier.seller()) for _ in range(3)]
        for order_id in orders:
            cashier.refund(order_id, "40.00")
        at_once(*[till.send_recoveries] * 3)
        till.work()
        assert [cashier.recovery(order_id).status for order_id in orders] == [RecoveryStatus.REVERSED] * 3
        taken = [till.provider.get_transfer(cashier.payout(o).transfer_id).amount_reversed for o in orders]
        assert taken == [3_800] * 3

    def test_hold_a_payout_or_send_it(self, till, cashier):
        """Scenario 44: either paid before, or held."""
        seller = cashier.seller()
        orders = cashier.due_together(*[seller] * 4)
        at_once(till.send_payouts, *[lambda order_id=order_id: cashier.hold(order_id) for order_id in orders])
        till.work()
        for order_id in orders:
            payout = cashier.payout(order_id)
            is_sent = payout.status is PayoutStatus.PAID
            assert is_sent or payout.status is PayoutStatus.ON_HOLD
            assert cashier.transfers(order_id) == is_sent
        held = sum(cashier.payout(order_id).remaining for order_id in orders)
        assert cashier.books(seller) == ({"on_hold": held} if held else {})

    def test_net_a_debt_once(self, till, cashier):
        seller = cashier.seller()
        order_id = cashier.sent(seller)
        cashier.refund(order_id, "40.00")
        till.gateway.interrupt("reverse_transfer", when="before", by=OutcomeUnknown("no answer"))
        till.work()
        with till.market.unit_of_work() as uow:
            debt = uow.recoveries.of_payout_for_update(cashier.payout(order_id).id)[0]
            debt.refuse("nothing left", now=till.market.clock.now())
            uow.recoveries.save(debt)
            uow.commit()
        orders = cashier.due_together(*[seller] * 3)
        at_once(*[till.send_payouts] * 3)
        till.work()
        assert sum(cashier.payout(o).netted_amount for o in orders) == 3_800
        assert cashier.books(seller) == {}


class TestAWorkerThatDies:
    def test_between_the_call_and_its_commit_is_followed_by_one_that_finishes(self, till, cashier):
        """Scenario 7: what is sent again has the same key."""

        class Died(BaseException):
            pass

        order_id = cashier.due(cashier.seller())
        till.gateway.interrupt("create_transfer", when="after", by=_raising(Died()))
        with pytest.raises(Died):
            till.send_payouts()
        assert cashier.payout(order_id).status is PayoutStatus.SENDING
        till.market.clock.advance(timedelta(minutes=1))
        till.work()
        assert (cashier.payout(order_id).status, cashier.payout(order_id).attempt) == (PayoutStatus.PAID, 1)
        assert cashier.transfers(order_id) == 1


@pytest.mark.slow
@pytest.mark.volume
def test_whatever_step_a_worker_dies_at_sellers_are_paid_once_and_pay_back_once(clean_database):
    """A payout is sent, a refund takes part of it back; the worker dies before every other statement of that."""
    engine = connect(clean_database)
    till = till_on(engine)
    cashier, saboteur = Cashier(till), Saboteur(engine)
    seller = cashier.seller()
    for last in count(step=2):
        order_id = cashier.due(seller)
        is_dead = False
        try:
            with saboteur.watching(last=last):
                till.send_payouts()
                cashier.refund(order_id, "40.00")
                till.send_recoveries()
        except ProcessDied:
            is_dead = True
        till.market.later(minutes=3)
        till.work()
        payout = cashier.payout(order_id)
        assert (payout.status, cashier.transfers(order_id), cashier.books(seller)) == (PayoutStatus.PAID, 1, {})
        taken = till.provider.get_transfer(payout.transfer_id).amount_reversed
        assert taken == payout.reversed_amount == sum(each.reversed_amount for each in till.recoveries(payout))
        if not is_dead:
            break
    assert last > 40
    engine.dispose()


def test_sales_that_were_paid_before_there_were_payouts_get_one(database_factory):
    """What went back of them is withheld; what went back whole is reversed."""
    url = database_factory()
    engine = connect(url)
    cashier = Cashier(till_on(engine))
    seller = cashier.seller()
    orders = [cashier.paid(seller, cashier.seller()) for _ in range(3)]
    cashier.till.placed(cashier.market.buyer(), cashier.market.listing(seller))
    cashier.refund(orders[0], "40.00")
    cashier.refund(orders[1])
    cashier.till.work()

    def kept():
        names = ("sale_id", "order_id", "seller_id", "status", "amount", "withheld_amount", "created_at", "version")
        with engine.connect() as connection:
            rows = connection.execute(sa.select(payouts).order_by(payouts.c.sale_id))
            return [{name: getattr(row, name) for name in names} | {"version": 1} for row in rows]

    before = kept()
    engine.dispose()
    migrate.downgrade(url, "0025_fee_schedules")
    migrate.upgrade(url)
    engine = connect(url)
    assert kept() == before
    assert sorted(row["status"] for row in before) == ["pending"] * 5 + ["reversed"]
    assert len({payout.id for order_id in orders for payout in Cashier(till_on(engine)).till.payouts(order_id)}) == 6
    engine.dispose()


@pytest.mark.parametrize(
    ("index", "look"),
    [
        ("payouts_to_send_idx", lambda uow: uow.payouts.next_due_for_update(now=MUCH_LATER)),
        ("payouts_to_gather_idx", lambda uow: uow.payouts.due_sellers(now=MUCH_LATER, after=AccountId(0), limit=9)),
        ("payouts_to_hold_idx", lambda uow: uow.payouts.next_to_hold_for_update()),
    ],
)
def test_workers_find_few_payouts_among_many(engine, index, look):
    """Most are over or pending, and nobody is suspended: looking must not go through all of them."""
    asked = []
    with engine.begin() as connection:
        # What they belong to is not there.
        connection.exec_driver_sql("set local session_replication_role = replica")
        connection.exec_driver_sql(
            """
            insert into payouts (id, order_id, sale_id, seller_id, status, amount, currency, created_at, paid_at,
                next_check_at, version)
            select 10000000 + g, g, 10000000 + g, g %% 500, s.status, 100, 'EUR', now(), now(),
                case when s.status = 'due' then now() end, 1
            from generate_series(1, 20000) g
            cross join lateral (select (array['pending', 'due', 'paid', 'paid'])[g %% 4 + 1] as status) s
            """
        )
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("analyze payouts")
    sa.event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2:4]))
    with PostgresUnitOfWork(engine) as uow:
        look(uow)
    statement, parameters = next(each for each in asked if "from payouts" in each[0])
    with engine.connect() as connection:
        plan = "\n".join(connection.exec_driver_sql(f"explain {statement}", parameters).scalars())
    assert index in plan, plan


IMPOSSIBLE_PAYOUTS = {
    "known_payout_status": {"status": "lost"},
    "payout_not_below_zero": {"withheld_amount": -1},
    "no_more_reversed_than_owed": {"reclaimed_amount": 9_501},
    "no_more_paid_than_owed": {"netted_amount": 9_501},
    "transfer_recorded_before_sent": {"status": "sending"},
    "transferred_by_a_transfer": {"transfer_id": None},
    "paid_payout_has_a_day": {"paid_at": None},
}
IMPOSSIBLE_RECOVERIES = {
    "known_recovery_status": {"status": "lost"},
    "no_more_recovered_than_owed": {"netted_amount": 3_801},
    "ended_recovery_is_whole": {"status": "settled"},
    "reversal_recorded_before_sent": {"status": "sending", "sending_amount": 0},
}


def test_the_schema_refuses_what_cannot_be(cashier, engine):
    order_id = cashier.sent(cashier.seller())
    cashier.refund(order_id, "40.00")
    for table, impossible in ((payouts, IMPOSSIBLE_PAYOUTS), (recoveries, IMPOSSIBLE_RECOVERIES)):
        for constraint, changes in impossible.items():
            statement = sa.update(table).where(table.c.order_id == order_id).values(**changes)
            with engine.connect() as connection, pytest.raises(sa.exc.IntegrityError, match=constraint):
                connection.execute(statement)


def _raising(error):
    def act():
        raise error

    return act
