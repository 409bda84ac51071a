"""What a process may be in the middle of when it dies, as far as sellers' money goes, and what has to be true later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from marketplace.application.ports.payment_gateway import BalanceTransaction
from marketplace.domain.shared.ids import OrderId
from marketplace.entrypoints.cli.stress.proof import Ours, payout_faults, refund_faults, reversal_faults, unfinished
from tests.cashier import Cashier

_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
_LATER = (timedelta(minutes=3), timedelta(minutes=40), timedelta(hours=26))
"""After the lease, after pauses, and after the provider has forgotten the keys."""


class ProcessDied(BaseException):
    """Nothing in the program catches this, as nothing catches a kill."""


class KillSwitch:
    """Ends the process at the ``last`` step that it was allowed."""

    def __init__(self) -> None:
        self.last: int | None = None

    def step(self, *_: Any) -> None:
        if self.last is None:
            return
        if self.last == 0:
            self.last = None
            raise ProcessDied
        self.last -= 1


class DeadlyGateway:
    """A gateway that is one step before each call and one after it."""

    def __init__(self, inner: Any, switch: KillSwitch) -> None:
        self._inner, self._switch = inner, switch

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def called(*args: Any, **kwargs: Any) -> Any:
            self._switch.step()
            answer = found(*args, **kwargs)
            self._switch.step()
            return answer

        return called


# --- before the danger: orders that are about to be worked on


def one_due(cashier: Cashier) -> list[OrderId]:
    return [cashier.due(cashier.seller())]


def one_due_to_a_debtor(cashier: Cashier) -> list[OrderId]:
    seller = cashier.seller()
    first = cashier.sent(seller)
    cashier.till.provider.pay_seller_out(cashier.account(seller), with_pending=True)
    cashier.refund(first)
    cashier.till.work()
    return [first, cashier.due(seller, price=20_000)]


def one_taken_back(cashier: Cashier) -> list[OrderId]:
    order_id = cashier.sent(cashier.seller())
    cashier.refund(order_id, "10.00")
    return [order_id]


def one_sent(cashier: Cashier) -> list[OrderId]:
    return [cashier.sent(cashier.seller())]


def one_charged_back(cashier: Cashier) -> list[OrderId]:
    (order_id,) = one_sent(cashier)
    till = cashier.till
    name = till.provider.open_chargeback(str(till.payment(order_id).intent_id)).id
    till.check_chargeback(name)
    till.provider.decide_chargeback(name, is_won=False)
    return [order_id]


# --- what the process is doing


def pay_out(cashier: Cashier, orders: list[OrderId]) -> None:
    cashier.till.send_payouts()


def take_back(cashier: Cashier, orders: list[OrderId]) -> None:
    cashier.till.send_recoveries()
    cashier.till.send_refunds()


def refund_all(cashier: Cashier, orders: list[OrderId]) -> None:
    cashier.refund(orders[0])
    take_back(cashier, orders)


def lose(cashier: Cashier, orders: list[OrderId]) -> None:
    (chargeback,) = cashier.till.chargebacks(orders[0])
    cashier.till.check_chargeback(chargeback.provider_chargeback_id)
    take_back(cashier, orders)


FLOWS: dict[str, tuple[Callable[[Cashier], list[OrderId]], Callable[[Cashier, list[OrderId]], None]]] = {
    "a payout": (one_due, pay_out),
    "a payout that pays a debt": (one_due_to_a_debtor, pay_out),
    "a recovery and its refund": (one_taken_back, take_back),
    "a refund after the payout": (one_sent, refund_all),
    "a chargeback that is lost after the payout": (one_charged_back, lose),
}


# --- afterwards


def recover(cashier: Cashier) -> None:
    """Other workers take over, and time goes by."""
    for pause in _LATER:
        cashier.market.clock.advance(pause)
        cashier.till.work()


def faults(cashier: Cashier, orders: list[OrderId]) -> list[str]:
    """What is wrong with these orders, and with the books as a whole."""
    ours = Ours.read(cashier.market.unit_of_work, orders)
    movements = list(_movements(cashier))
    named = {id for order_id in orders for id in _names(cashier, order_id)}
    of_orders = [each for each in movements if each.source in named]
    transfers = [
        cashier.till.provider.get_transfer(each.source) for each in of_orders if each.reporting_category == "transfer"
    ]
    return [
        *payout_faults(ours, transfers),
        *reversal_faults(ours, of_orders),
        *refund_faults(ours, of_orders),
        *unfinished(ours),
        *cashier.till.findings(),
    ]


def _movements(cashier: Cashier) -> Iterator[BalanceTransaction]:
    after: str | None = None
    while page := cashier.till.provider.balance_transactions(since=_LONG_AGO, after=after, limit=100):
        yield from page
        after = page[-1].id


def _names(cashier: Cashier, order_id: OrderId) -> Iterator[str]:
    """What the provider has made of an order, by its own account of it."""
    with cashier.till.state.begin() as state:
        for transfer in state.children("transfer", str(order_id)):
            yield transfer["id"]
            yield from (each["id"] for each in state.children("transfer_reversal", transfer["id"]))
        for intent in state.children("payment_intent", str(order_id)):
            yield from (each["id"] for each in state.children("refund", intent["id"]))
