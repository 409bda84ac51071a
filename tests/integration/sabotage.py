"""Ending a process between any two statements, and what has to be true after a worker has looked at what is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from marketplace.adapters.postgres.engine import create_engine
from marketplace.application.access import Actor
from marketplace.application.ports.pages import PageRequest
from marketplace.application.ports.payment_gateway import PaymentDeclined
from marketplace.domain.orders.events import OrderEndedUnpaid, OrderPaid
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.payment import PaymentStatus
from marketplace.domain.payments.refund import RefundStatus
from marketplace.domain.shared.ids import ListingId, OrderId
from tests.killing import ProcessDied
from tests.till import Till

PAGE = PageRequest()


def die() -> None:
    raise ProcessDied


class Saboteur:
    """Counts every statement and every commit of an engine, and ends the process before the chosen one.

    The simulated provider works in transactions of its own on the same engine: so its calls die before they have had
    an effect, in the middle, and after it. ``at_commits``: only before and after each commit, which is where anything
    can change for others.
    """

    def __init__(self, engine: sa.Engine, kill: Callable[[], None] = die, *, at_commits: bool = False) -> None:
        self._kill = kill
        self._last: int | None = None
        self._has_committed = False
        self._at_commits = at_commits
        self.steps = 0
        sa.event.listen(engine, "before_cursor_execute", self._execute)
        sa.event.listen(engine, "commit", self._commit)

    @contextmanager
    def watching(self, *, last: int) -> Iterator[None]:
        """Let ``last`` steps happen, and no more."""
        self.steps, self._last = 0, last
        try:
            yield
        finally:
            self._last = None

    def _execute(self, *_: Any) -> None:
        if self._has_committed or not self._at_commits:
            self._step()
        self._has_committed = False

    def _commit(self, *_: Any) -> None:
        self._step()
        self._has_committed = True

    def _step(self) -> None:
        if self._last is None:
            return
        if self.steps == self._last:
            self._last = None
            self._kill()
        self.steps += 1


def connect(url: str) -> sa.Engine:
    return create_engine(url, pool_size=4, connect_timeout=30, statement_timeout=60)


@dataclass(kw_only=True)
class Scene:
    """One buyer with two cards of one seller in the cart, nobody else wanting them."""

    till: Till
    buyer: Actor
    cards: list[ListingId]
    order_id: OrderId | None = None

    @classmethod
    def on(cls, till: Till, seller: Actor) -> Scene:
        buyer = till.market.buyer()
        cards = [till.market.listing(seller, stock=2) for _ in range(2)]
        for card in cards:
            till.market.add(buyer, card)
        return cls(till=till, buyer=buyer, cards=cards)

    # --- how far it has come before the process is in danger

    def with_an_order(self) -> Scene:
        self.order_id = self.till.market.order(self.buyer)
        self.till.start(self.order_id)
        return self

    def paid_at_the_provider(self) -> Scene:
        self.with_an_order().pay()
        return self

    def paid(self) -> Scene:
        self.paid_at_the_provider().work()
        return self

    # --- what the process does while it is in danger

    def check_out(self) -> None:
        self.order_id = self.till.market.order(self.buyer)
        self.till.start(self.order_id)

    def pay(self) -> None:
        self.till.pay(self.buyer, self._order_id)

    def pay_in_vain(self) -> None:
        with suppress(PaymentDeclined):
            self.till.pay(self.buyer, self._order_id, "pm_card_chargeDeclined")

    def work(self) -> None:
        self.till.work()

    def cancel(self) -> None:
        self.till.cancel(self.buyer, self._order_id)

    def lapse(self) -> None:
        self.till.market.later(minutes=31)
        self.work()

    def buy(self) -> None:
        """All of it."""
        self.check_out()
        self.pay()
        self.work()

    def refund(self) -> None:
        self.till.refund(self._order_id)
        self.work()

    # --- and afterwards

    def recover(self) -> None:
        """Another process takes over; nobody touches the order any more, and its window passes."""
        for minutes in (3, 40):
            self.till.market.later(minutes=minutes)
            self.till.work()

    def find_order(self) -> None:
        """The order that a process made which did not live to tell."""
        if self.order_id is None:
            found = self.till.market.order_queries.orders(self.buyer.account_id, PAGE).items
            self.order_id = OrderId(found[0].id) if found else None

    @property
    def _order_id(self) -> OrderId:
        assert self.order_id is not None
        return self.order_id


def judge(scene: Scene, *, must_be: tuple[OrderStatus, ...]) -> None:
    """The order has come to one of these ends, and provider, stock, refunds and news agree with it."""
    scene.find_order()
    stocks = [scene.till.stock(card)[:2] for card in scene.cards]
    if scene.order_id is None:
        assert OrderStatus.PENDING_PAYMENT in must_be, "there is no order"
        return
    order, payment = scene.till.order(scene.order_id), scene.till.payment(scene.order_id)
    assert order.status in must_be, order.status
    has_paid = order.paid_at is not None
    assert stocks == [(1, 0) if has_paid else (2, 0)] * 2
    assert payment.status is (PaymentStatus.SUCCEEDED if has_paid else PaymentStatus.CANCELED)
    assert scene.till.payments_at_the_provider(order.id) == 1
    provider = scene.till.provider.get_payment(payment.intent_id or "")
    assert provider.status is payment.status
    assert scene.till.market.states(scene.buyer) == ({} if has_paid else dict.fromkeys(scene.cards, ("expired", 1)))
    refunds = scene.till.refunds(order.id)
    assert [refund.status for refund in refunds] == (
        [RefundStatus.SUCCEEDED] if order.status is OrderStatus.REFUNDED else []
    )
    told = scene.till.events(order.id)
    assert sum(isinstance(event, OrderPaid) for event in told) == int(has_paid)
    assert sum(isinstance(event, OrderEndedUnpaid) for event in told) == int(not has_paid)
