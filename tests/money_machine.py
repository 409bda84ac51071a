"""Random sequences of everything that moves a buyer's money, over the real use cases on the stores in memory.

A sequence begins with a purchase that was paid, and ends when the workers have caught up. What is stored is copied
shallowly here, which makes ten thousand sequences affordable; so no step may be one that is refused in the middle.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from marketplace.adapters.memory.ledger import InMemoryLedgerQueries
from marketplace.adapters.memory.provider_books import InMemoryReconciliationQueries
from marketplace.application.access import OPERATOR, Actor
from marketplace.application.ledger.platform_payouts import PlatformPayoutCheck
from marketplace.application.ledger.reconciling import ReconcileLedger
from marketplace.application.payments.returns import RefundWish
from marketplace.application.ports.pages import PageRequest
from marketplace.application.ports.payment_gateway import OutcomeUnknown
from marketplace.domain.orders.order import Order
from marketplace.domain.payments.chargebacks import Chargeback
from marketplace.domain.payments.refund import RefundCause
from marketplace.domain.payout_states import HoldReason, PayoutStatus
from marketplace.domain.payouts import Payout
from marketplace.domain.recoveries import RecoveryStatus
from marketplace.domain.shared.ids import OrderId
from marketplace.domain.shared.money import Money
from tests.cashier import Cashier
from tests.till import Till

QUIET = timedelta(days=8)
"""So long after the last step nothing that was put off is still waiting, but for what a seller owes."""

CHANGING = frozenset({"orders", "payments", "refunds", "payouts", "recoveries", "disputes", "chargebacks"})
"""Tables whose rows are changed by the steps; of all others rows are only added, or replaced."""


@dataclass(frozen=True, slots=True)
class World:
    """Purchases that were paid, as they are stored: the beginning of any number of sequences."""

    till: Till
    cashier: Cashier
    sellers: tuple[Actor, ...]
    orders: tuple[OrderId, ...]
    rewind: Callable[[], None]

    @classmethod
    def of(cls, random: Random) -> World:
        """One to three sellers in the first order, the first of them alone in a second one."""
        till = Till.in_memory()
        cashier = Cashier(till)
        sellers = tuple(cashier.seller() for _ in range(random.randint(1, 3)))
        first = _bought(till, sellers, random)
        orders = (first, _bought(till, sellers[:1], random))
        till.work()
        store = till.market.unit_of_work().store  # type: ignore[attr-defined]  # in memory it has one
        kept = {name: table for name, table in store.tables.items() if name not in CHANGING}
        changing = pickle.dumps({name: table for name, table in store.tables.items() if name in CHANGING})
        provider, now = till.state.contents, till.market.clock.now()  # type: ignore[attr-defined]

        def rewind() -> None:
            store.tables = {name: dict(table) for name, table in kept.items()} | pickle.loads(changing)
            store.outbox = {}
            till.state.contents = provider  # type: ignore[attr-defined]
            till.gateway.interruptions.clear()
            till.market.clock.set(now)

        return cls(till, cashier, sellers, orders, rewind)


def _bought(till: Till, sellers: tuple[Actor, ...], random: Random) -> OrderId:
    buyer = till.market.buyer()
    price = random.choice([random.randint(1, 300), random.randint(300, 30_000)])
    listings = [till.market.listing(seller, price=price + random.randint(0, 99), stock=9) for seller in sellers]
    order_id = till.ordered(buyer, *listings, quantity=random.randint(1, 3))
    till.pay(buyer, order_id)
    till.work()
    return order_id


class Sequence:
    """One of them. ``steps`` tells what was done, for whoever has to find out why it went wrong."""

    def __init__(self, world: World, random: Random) -> None:
        world.rewind()
        self.world, self.random, self.till = world, random, world.till
        self.steps: list[str] = []
        self.holds: set[tuple[OrderId, int, str]] = set()
        self.chargebacks: list[str] = []
        self.seen: list[str] = []

    def run(self, length: int) -> None:
        if self.random.random() < 0.5:
            self._pay_sellers()
        kinds = [getattr(self, name) for name in STEPS]
        look_after = self.random.randrange(length)
        for number, step in enumerate(self.random.choices(kinds, WEIGHTS, k=length)):
            self.steps.append(f"{step.__name__}: {step()}")
            if number == look_after:
                # The provider may be ahead of us here, the books have to be right at any moment.
                self.seen = [fault for fault in self.till.findings() if not fault.startswith("provider_agrees")]
        self.finish()

    def _pay_sellers(self) -> None:
        for order_id in self.random.choice((self.world.orders, self.world.orders[:1], self.world.orders[1:])):
            for sale in range(len(self.till.payouts(order_id))):
                self.world.cashier.complete(order_id, sale)
        self.steps.append(f"complete, {self.till.send_payouts()} sent")
        if self.random.random() < 0.4:
            self.steps.append(f"emptied: {self.empty()}")

    def finish(self) -> None:
        """Nothing fails any more, banks decide what is open, and the workers catch up."""
        self.till.gateway.interruptions.clear()
        for name in self.chargebacks:
            found = self._chargeback(name)
            if found.decided_at is None:
                self.till.provider.decide_chargeback(name, is_won=self.random.random() < 0.5)
                self.till.check_chargeback(name)
        for order_id, sale, key in sorted(self.holds):
            self.world.cashier.release(order_id, sale, key=key)
        self._jobs()
        self.till.market.clock.advance(QUIET)
        if self.random.random() < 0.7:
            for order_id in self.world.orders:
                for sale in range(len(self.till.payouts(order_id))):
                    self.world.cashier.complete(order_id, sale)
        self._jobs()

    def _jobs(self) -> None:
        """What workers do but for events, which tell of nothing that was not looked at here."""
        till = self.till
        while till.send_refunds() + till.send_payouts() + till.send_recoveries() + till.check_chargebacks():
            pass

    # --- what can happen

    def complete(self) -> str:
        order_id, sale, payout = self._payout()
        if payout.due_at is None and not payout.has_claim():
            self.world.cashier.complete(order_id, sale)
        return f"{order_id}/{sale}"

    def send(self) -> str:
        self._later(minutes=20)
        return str(self.till.send_payouts() + self.till.send_recoveries())

    def refund_amount(self) -> str:
        order, sale = self._refundable()
        if order is None:
            return "-"
        rest = order.sales[sale].base - order.sales[sale].returned
        amount = Money(self.random.randint(1, rest), order.currency).decimal
        return self._refund(order, RefundWish(sale_id=order.sales[sale].id, amount=amount), amount)

    def refund_sale(self) -> str:
        order, sale = self._refundable()
        if order is None or order.sales[sale].returned or not order.sales[sale].open_pieces:
            return "-"
        return self._refund(order, RefundWish(sale_id=order.sales[sale].id), "all")

    def refund_piece(self) -> str:
        order, sale = self._refundable()
        if order is None or not order.sales[sale].open_pieces:
            return "-"
        line = order.sales[sale].lines[0]
        if line.unit_price.amount > order.sales[sale].base - order.sales[sale].returned:
            return "-"
        return self._refund(order, RefundWish(sale_id=order.sales[sale].id, items={line.id: 1}), "1 piece")

    def send_refunds(self) -> str:
        self._later(minutes=1)
        return str(self.till.send_refunds())

    def hold(self) -> str:
        order_id, sale, _ = self._payout()
        key = self.random.choice(("dispute:900", "restriction:900"))
        reason = HoldReason.DISPUTE if key.startswith("dispute") else HoldReason.OPERATOR
        self.world.cashier.hold(order_id, sale, key=key, reason=reason)
        self.holds.add((order_id, sale, key))
        return f"{order_id}/{sale} {key}"

    def release(self) -> str:
        if not self.holds:
            return "-"
        order_id, sale, key = self.random.choice(sorted(self.holds))
        self.world.cashier.release(order_id, sale, key=key)
        self.holds.remove((order_id, sale, key))
        return f"{order_id}/{sale} {key}"

    def charge_back(self) -> str:
        order = self.till.order(self.random.choice(self.world.orders))
        if self.till.chargebacks(order.id):
            return "-"
        left = order.total.amount - sum(refund.amount.amount for refund in self.till.refunds(order.id))
        if left <= 0:
            return "-"
        amount = self.random.choice((left, self.random.randint(1, left)))
        intent = str(self.till.payment(order.id).intent_id)
        name = self.till.provider.open_chargeback(intent, is_inquiry=False, amount=amount).id
        self.till.check_chargeback(name)
        self.chargebacks.append(name)
        return f"{order.id} {amount}"

    def decide(self) -> str:
        undecided = [name for name in self.chargebacks if self._chargeback(name).decided_at is None]
        if not undecided:
            return "-"
        is_won = self.random.random() < 0.5
        self.till.provider.decide_chargeback(undecided[0], is_won=is_won)
        self.till.check_chargeback(undecided[0])
        return f"{undecided[0]} {'won' if is_won else 'lost'}"

    def empty(self) -> str:
        """A seller has their money sent to their bank: what is reversed afterwards is refused."""
        seller = self.random.choice(self.world.sellers)
        self.till.provider.pay_seller_out(self.world.cashier.account(seller), with_pending=True)
        return str(seller.account_id)

    def lose_an_answer(self) -> str:
        method = self.random.choice(("create_transfer", "reverse_transfer", "refund"))
        when = self.random.choice(("before", "after"))
        self.till.gateway.interrupt(method, when=when, by=OutcomeUnknown("lost"))
        return f"{method} {when}"

    def write_off(self) -> str:
        for order_id in self.world.orders:
            for payout in self.till.payouts(order_id):
                for recovery in self.till.recoveries(payout):
                    if recovery.status is RecoveryStatus.REFUSED:
                        self._later(days=181)
                        self.till.write_off(actor=OPERATOR, recovery_id=recovery.id, reason="a test")
                        return str(recovery.id)
        return "-"

    def work(self) -> str:
        self._later(**self.random.choice(({"minutes": 30}, {"days": 2})))
        self.till.work()
        return ""

    # --- what of it is possible

    def _later(self, **time: float) -> None:
        self.till.market.clock.advance(timedelta(**time))

    def _payout(self) -> tuple[OrderId, int, Payout]:
        order_id = self.random.choice(self.world.orders)
        payouts = self.till.payouts(order_id)
        sale = self.random.randrange(len(payouts))
        return order_id, sale, payouts[sale]

    def _refundable(self) -> tuple[Order | None, int]:
        order = self.till.order(self.random.choice(self.world.orders))
        left = [n for n, sale in enumerate(order.sales) if sale.returned < sale.base]
        if not left or any(chargeback.blocks_refunds for chargeback in self.till.chargebacks(order.id)):
            return None, 0
        return order, self.random.choice(left)

    def _refund(self, order: Order, wish: RefundWish, what: str) -> str:
        cause = self.random.choice(list(RefundCause))
        self.till.refund_order(actor=OPERATOR, order_id=order.id, wish=wish, reason="a test", cause=cause)
        return f"{order.id} {what} {cause}"

    def _chargeback(self, name: str) -> Chargeback:
        found = (each for order_id in self.world.orders for each in self.till.chargebacks(order_id))
        return next(each for each in found if each.provider_chargeback_id == name)

    # --- what must hold

    def differences(self) -> list[str]:
        """What comparing the books with the provider's finds, when all of it ought to have met."""
        till = self.till
        writing: dict[str, Any] = {"unit_of_work": till.market.unit_of_work, "clock": till.market.clock}
        store = till.market.unit_of_work().store  # type: ignore[attr-defined]  # in memory it has one
        till.provider.top_up(Money(1_000_000, "EUR"))
        till.market.clock.advance(QUIET)
        paid_out = till.provider.pay_out(Money(100, "EUR"))
        till.provider.end_payout(paid_out.id, is_paid=self.random.random() < 0.5)
        till.market.clock.advance(timedelta(days=2))
        run = ReconcileLedger(
            **writing,
            gateway=till.gateway,
            queries=InMemoryLedgerQueries(store),
            ids=till.market.ids,
            check_payout=PlatformPayoutCheck(**writing, gateway=till.gateway),
        )(force=True)
        assert run is not None
        assert run.matched == run.seen > 0
        found = InMemoryReconciliationQueries(store).differences(PageRequest(size=100))
        return [*(difference.detail for difference in found.items), *till.findings()]

    def faults(self) -> list[str]:
        """What is wrong with the books, and who waits for ever."""
        stuck = [
            f"payout {payout.id} is {payout.status}: {payout.last_error}"
            for order_id in self.world.orders
            for payout in self.till.payouts(order_id)
            if payout.status in (PayoutStatus.DUE, PayoutStatus.SENDING, PayoutStatus.ON_HOLD)
        ]
        return [*self.seen, *self.till.findings(), *stuck]


STEPS = {
    "complete": 6,
    "send": 5,
    "refund_amount": 4,
    "refund_sale": 2,
    "refund_piece": 3,
    "send_refunds": 2,
    "hold": 2,
    "release": 2,
    "charge_back": 2,
    "decide": 2,
    "empty": 2,
    "lose_an_answer": 2,
    "write_off": 1,
    "work": 2,
}
WEIGHTS = list(STEPS.values())
