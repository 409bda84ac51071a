"""A marketplace as it runs with Stripe: its real parts on PostgreSQL, the gateway to Stripe on the tests' Stripe, every
job of the worker, the addresses for events; and the one check with which every scenario of the catalogue ends.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import sqlalchemy as sa
import stripe
from werkzeug.test import TestResponse

from marketplace.adapters.memory.mailer import InMemoryMailer
from marketplace.adapters.postgres.tables.metadata import metadata
from marketplace.application.access import OPERATOR
from marketplace.application.payments.cancelling import Cancellation
from marketplace.application.ports.payment_gateway import PaymentDeclined
from marketplace.application.ports.saved_cards import CustomerRequest
from marketplace.domain.payments.chargebacks import Chargeback
from marketplace.domain.payments.payment import PaymentQuarantined, ProviderAlarm
from marketplace.domain.payments.refund import RefundFailed
from marketplace.domain.reconciliation import DifferenceId
from marketplace.domain.shared.errors import MarketplaceError
from marketplace.domain.shared.events import Event
from marketplace.domain.shared.ids import AccountId, OrderId
from marketplace.entrypoints.container import Container
from tests.cashier import Cashier
from tests.desk import Desk
from tests.integration.on_postgres import miscounted
from tests.integration.scenarios.premises import ADDRESSES, START, TIDYING, Premises, ScenarioTill
from tests.integration.till_on_postgres import till_on
from tests.stripe_stub import StripeStub, disputes
from tests.stripe_stub.answers import Call
from tests.stripe_stub.stub import Delivery
from tests.till import FaultyGateway

STEPS: tuple[Mapping[str, float], ...] = (
    {"minutes": 2},
    {"minutes": 15},
    {"minutes": 30},
    {"hours": 6},
    {"hours": 20},
    {"hours": 20},
)
"""How time goes by before the check: past every lease and pause, the window to pay in, the day of unmatched events."""


@dataclass
class World:
    """``till``, ``cashier`` and ``desk`` are the ways in which buyers, sellers, operators and workers act; ``stub`` is
    Stripe. Time stands still until a test moves it.
    """

    premises: Premises
    till: ScenarioTill = field(init=False)

    def __post_init__(self) -> None:
        # The time of the database is never looked at, and each test begins at the same moment.
        self.premises.clock.set(START)
        self.premises.mailer.behind = InMemoryMailer(self.premises.clock)
        till = till_on(self.engine)
        self.till = ScenarioTill(
            premises=self.premises,
            market=replace(till.market, clock=self.premises.clock),
            state=till.state,
            inbox=till.inbox,
            queries=till.queries,
            audit=till.audit,
            events=till.events,
            refusals=till.refusals,
            sweeps=till.sweeps,
        )
        self.market = self.till.market
        self.cashier, self.desk = Cashier(self.till), Desk(self.till)

    @property
    def container(self) -> Container:
        return self.premises.container

    @property
    def engine(self) -> sa.Engine:
        return self.premises.engine

    @property
    def stub(self) -> StripeStub:
        return self.premises.stub

    @property
    def gateway(self) -> FaultyGateway:
        """The gateway to Stripe, whose next calls fail on demand."""
        gateway: FaultyGateway = self.till.gateway
        return gateway

    @property
    def mails(self) -> list[str]:
        """The subjects of all letters, the oldest first."""
        return [mail.subject for mail in self.premises.mailer.messages(limit=1000)][::-1]

    # --- time, and what happens in it

    def now(self) -> datetime:
        return self.premises.clock.now()

    def later(self, **by: float) -> None:
        """Time goes by, and no worker runs."""
        self.premises.clock.advance(timedelta(**by))

    def work(self) -> None:
        self.till.work()

    def work_later(self, **by: float) -> None:
        self.later(**by)
        self.work()

    def post(self, told: Delivery) -> TestResponse:
        """Bring an event to its address."""
        return self.premises.browser.post(ADDRESSES[told.destination], data=told.body, headers=told.headers)

    def secrets_are(self, **secrets: Collection[str]) -> None:
        """Other secrets for events from here on, by the name of the address: ``platform``, ``connect``, ``thin``."""
        self.gateway.inner.gateway = self.premises.a_gateway(secrets)

    def times_out_after(self, seconds: float) -> None:
        """How long an answer of Stripe may take from here on."""
        self.gateway.inner.gateway = self.premises.a_gateway(patience=seconds)

    def use_key_elsewhere(self, key: str) -> None:
        """Somebody else with our account uses a key for something else."""
        somebody = CustomerRequest(
            account_id=AccountId(1), email="somebody@example.com", name="Somebody", language="en"
        )
        self.premises.a_gateway().create_customer(somebody, key=key)

    @contextmanager
    def sdk_raising(self, error: Exception) -> Iterator[None]:
        """The SDK stumbles over whatever Stripe answers to a POST, which is carried out."""
        requestor = stripe._api_requestor._APIRequestor
        ask = requestor.request

        def stumble(self: Any, method: str, *args: Any, **kwargs: Any) -> Any:
            answer = ask(self, method, *args, **kwargs)
            if method == "post":
                raise error
            return answer

        requestor.request = stumble  # type: ignore[method-assign]
        try:
            yield
        finally:
            requestor.request = ask  # type: ignore[method-assign]

    def decline(self, intent_id: str) -> None:
        """The buyer's browser tries a card that is declined."""
        with suppress(PaymentDeclined):
            self.premises.a_gateway().confirm_payment(
                intent_id, payment_method="pm_card_chargeDeclined", return_url="https://cards.example/", key=intent_id
            )

    def give_back_by_hand(self, order_id: OrderId) -> None:
        """What an operator does about money that does not fit: end the order, refund it at Stripe, book both."""
        intent = self.till.payment(order_id).intent_id or ""
        assert self.till.cancel(OPERATOR, order_id) is Cancellation.CANCELLED
        with self.stub.server.lock:
            disputes.refund(Call(world=self.stub.world, names={}, given={"payment_intent": intent}, path=""))
        self.book_the_unexplained()

    def book_the_unexplained(self) -> None:
        """Two hours later: what Stripe has moved for no reason of ours is booked as that, by an operator."""
        self.work_later(hours=2)
        self.container.ledger.reconcile()(force=True)
        for row in self.rows("ledger_differences", resolved_at=None):
            if row.kind == "movement_without_journal":
                self.container.ledger.book_to_suspense()(
                    actor=OPERATOR, id=DifferenceId(row.id), note="refunded at the provider"
                )

    # --- what there is

    def chargebacks_of(self, order_id: OrderId) -> list[Chargeback]:
        return self.till.chargebacks(order_id)

    def rows(self, table: str, **values: Any) -> list[sa.Row[Any]]:
        """The rows with these values, by their key."""
        of = metadata.tables[table]
        wanted = sa.select(of).where(*(of.c[name] == value for name, value in values.items()))
        with self.engine.connect() as connection:
            return list(connection.execute(wanted.order_by(*of.primary_key.columns)))

    def count(self, table: str, **values: Any) -> int:
        return len(self.rows(table, **values))

    def journals(self, kind: str = "", order_id: OrderId | None = None) -> list[str]:
        """The keys of the journals of a kind, or of all."""
        wanted: dict[str, Any] = {"kind": kind} if kind else {}
        if order_id is not None:
            wanted["order_id"] = order_id
        return [row.source_key for row in self.rows("journals", **wanted)]

    def balance(self, account: str) -> int:
        """What stands on an account of the ledger in euros, in minor units, debit above zero."""
        with self.till.audit.snapshot() as facts:
            return sum(entry.balance.amount for entry in facts.balances() if entry.account == account)

    def at_stripe(self, kind: str, **values: Any) -> list[dict[str, Any]]:
        """What Stripe has of a kind, with these values, the oldest first."""
        with self.stub.server.lock:
            return list(self.stub.world.find(kind, **values))

    def events(self, kind: type[Event], order_id: OrderId | None = None) -> list[Any]:
        """What we have told of, of this kind."""
        return [event for event in self.till.events(order_id) if isinstance(event, kind)]

    def alarms(self) -> list[str]:
        """What operators were told about the provider."""
        return [f"{alarm.subject}: {alarm.reason}" for alarm in self.events(ProviderAlarm)]

    def told_operators(self) -> list[str]:
        """The same, and what else waits for one of them."""
        failed = [f"refund {event.refund_id} failed: {event.reason}" for event in self.events(RefundFailed)]
        kept = [f"{event.order_id} in quarantine: {event.reason}" for event in self.events(PaymentQuarantined)]
        return self.alarms() + failed + kept

    def inbox(self) -> dict[str, int]:
        """How many events have each status; statuses that none has are left out."""
        return {status.value: number for status, number in self.till.inbox.counts().items() if number}


# --- side by side


def at_once(*jobs: Callable[[], object]) -> list[object]:
    """What each gave, in the order of the jobs, or the refusal that it met; anything else that is raised is raised."""
    barrier, results, faults = Barrier(len(jobs)), dict[int, object](), list[BaseException]()

    def run(number: int, job: Callable[[], object]) -> None:
        barrier.wait(30)
        try:
            results[number] = job()
        except MarketplaceError as error:
            results[number] = error
        except BaseException as error:
            faults.append(error)

    threads = [Thread(target=run, args=(number, job)) for number, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    for fault in faults:
        raise fault
    return [results[number] for number in range(len(jobs))]


class ProcessDied(BaseException):
    """Nothing in the program catches this, as nothing catches a kill."""


def die() -> None:
    raise ProcessDied


def dying(do: Callable[[], object]) -> None:
    """Do it in a process that dies on the way, of ``die``: by ``FaultyGateway.interrupt``, say."""
    died = False
    try:
        do()
    except ProcessDied:
        died = True
    assert died


# --- how every scenario ends

_TIMED = ("payments", "refunds", "payouts", "recoveries", "chargebacks")
_LEASED = (*_TIMED, "payout_accounts")
_OPEN: Mapping[str, Callable[[sa.Table], Any]] = {
    **dict.fromkeys(_TIMED, lambda table: table.c.next_check_at.is_not(None)),
    "webhook_inbox": lambda table: table.c.status.in_(["waiting", "unmatched"]),
    "outbox": lambda table: sa.and_(table.c.done_at.is_(None), table.c.dead_at.is_(None)),
}


def everything_is_in_order(
    world: World, *, waiting: Collection[str] = (), dead_events: int = 0, dead_letters: int = 0
) -> None:
    """Time goes by, and nothing is left to do, nobody holds anything, and the books are what the provider holds.

    ``waiting``: tables of which something may wait for what only people or the provider can do, as a payout does for a
    seller who cannot be paid: ``payments``, ``refunds``, ``payouts``, ``recoveries``, ``chargebacks``.
    """
    world.work()
    for step in STEPS:
        if not _left(world):
            break
        world.work_later(**step)
    for name, job in world.premises.jobs.items():
        if name.startswith(TIDYING):
            job()
    left = {name: rows for name, rows in _left(world).items() if name not in waiting}
    assert left == {}, "something waits for ever"
    assert _leases(world) == {}, "a lease was never given back"
    assert world.inbox().get("dead", 0) == dead_events
    assert len([row for row in world.rows("outbox") if row.dead_at is not None]) == dead_letters
    assert _forgotten_orders(world) == []
    assert [check.note for check in world.till.verify_ledger().checks if check.note] == []
    assert world.till.findings() == []
    world.container.ledger.reconcile()(force=True)
    assert [row.detail for row in world.rows("ledger_differences", resolved_at=None)] == []
    assert miscounted(world.engine) == []
    assert world.gateway.interruptions == {name: [] for name in world.gateway.interruptions}, "a fault was never met"
    world.stub.check()


def _left(world: World) -> dict[str, list[Any]]:
    """What a worker has to look at now or later, by table."""
    found: dict[str, list[Any]] = {}
    with world.engine.connect() as connection:
        for name, is_open in _OPEN.items():
            table = metadata.tables[name]
            if rows := connection.execute(sa.select(table).where(is_open(table))).all():
                found[name] = [dict(row._mapping) for row in rows]
    return found


def _leases(world: World) -> dict[str, list[Any]]:
    """Leases that nobody works under any more and that nobody will look for, and those that outlast their work."""
    found = {}
    with world.engine.connect() as connection:
        for name in _LEASED:
            table = metadata.tables[name]
            is_held = table.c.locked_until > world.now()
            is_lost = sa.and_(table.c.locked_until.is_not(None), table.c.next_check_at.is_(None))
            if rows := connection.execute(sa.select(table).where(sa.or_(is_held, is_lost))).all():
                found[name] = [dict(row._mapping) for row in rows]
    return found


def _forgotten_orders(world: World) -> list[int]:
    """Orders that wait for a payment that nobody will look at again; those in quarantine wait for an operator."""
    orders, payments = metadata.tables["orders"], metadata.tables["payments"]
    unpaid = (
        sa.select(orders.c.id)
        .join(payments, payments.c.order_id == orders.c.id)
        .where(orders.c.status == "pending_payment", payments.c.quarantine == "", payments.c.next_check_at.is_(None))
    )
    with world.engine.connect() as connection:
        return [row.id for row in connection.execute(unpaid)]
