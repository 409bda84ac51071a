"""A process that dies between any two statements leaves what a worker finishes or undoes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.shared.ids import OrderId
from tests.cashier import Cashier
from tests.integration.sabotage import Saboteur, Scene, connect, judge
from tests.integration.till_on_postgres import till_on
from tests.killing import FLOWS as FLOWS_OF_MONEY
from tests.killing import ProcessDied, faults, recover

ENDED = (OrderStatus.EXPIRED,)
NEVER_PLACED = OrderStatus.PENDING_PAYMENT
FLOWS: dict[str, tuple[Callable[[Scene], object], Callable[[Scene], None], tuple[OrderStatus, ...]]] = {
    "checkout": (lambda scene: None, Scene.check_out, (NEVER_PLACED, OrderStatus.EXPIRED)),
    "an attempt to pay": (Scene.with_an_order, Scene.pay, (OrderStatus.EXPIRED, OrderStatus.PAID)),
    "a declined attempt": (
        Scene.with_an_order,
        Scene.pay_in_vain,
        (OrderStatus.EXPIRED, OrderStatus.PAYMENT_FAILED),
    ),
    "settlement": (Scene.paid_at_the_provider, Scene.work, (OrderStatus.PAID,)),
    "cancellation": (Scene.with_an_order, Scene.cancel, (OrderStatus.EXPIRED, OrderStatus.CANCELLED)),
    "the end of the window": (Scene.with_an_order, Scene.lapse, (OrderStatus.EXPIRED,)),
    "refund": (Scene.paid, Scene.refund, (OrderStatus.PAID, OrderStatus.REFUNDED)),
}


@pytest.mark.slow
@pytest.mark.volume
@pytest.mark.parametrize("flow", FLOWS)
def test_whatever_step_a_process_dies_at(clean_database, flow):
    prepare, act, must_be = FLOWS[flow]
    engine = connect(clean_database)
    till = till_on(engine)
    seller = till.market.seller()
    ends = set()
    for last in count():
        scene = Scene.on(till, seller)
        prepare(scene)
        died = died_after(last, scene, act, clean_database)
        scene.recover()
        if not died:
            break
        judge(scene, must_be=must_be)
        ends.add(None if scene.order_id is None else till.order(scene.order_id).status)
    assert last > 10
    assert ends == {None if status is NEVER_PLACED else status for status in must_be}
    assert till.findings() == []
    engine.dispose()


@pytest.mark.slow
@pytest.mark.volume
@pytest.mark.parametrize("flow", ["a payout that pays a debt", "a refund after the payout"])
def test_whatever_commit_a_process_dies_at_while_sellers_are_paid(clean_database, flow):
    prepare, act = FLOWS_OF_MONEY[flow]
    engine = connect(clean_database)
    cashier = Cashier(till_on(engine))
    for last in count():
        orders = prepare(cashier)
        if not died_at_commit(last, cashier, orders, act, clean_database):
            break
        recover(cashier)
        assert faults(cashier, orders) == [], f"after {last} steps"
    assert last > 5
    engine.dispose()


@pytest.mark.slow
@pytest.mark.volume
def test_whatever_step_of_a_purchase_a_real_process_is_killed_at(clean_database):
    program = Path(__file__).with_name("kill_at_every_step.py")
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "error", str(program), clean_database],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'src'}"},
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    *purchases, books = map(json.loads, done.stdout.splitlines())
    assert books == {"findings": []}
    assert [purchase["exit"] for purchase in purchases] == [-signal.SIGKILL] * (len(purchases) - 1) + [0]
    # The earlier it died, the less there is: no order, an order that nobody paid, and at last a paid one.
    ends = [purchase["end"] for purchase in purchases]
    assert ends == sorted(ends, key=[None, "expired", "paid"].index)
    assert set(ends) == {None, "expired", "paid"}


def died_after(last: int, scene: Scene, act: Callable[[Scene], None], url: str) -> bool:
    """Whether a process that was to live for ``last`` steps died: it had not done all by then."""
    engine = connect(url)
    saboteur = Saboteur(engine)
    doomed = replace(scene, till=till_on(engine, like=scene.till))
    try:
        with saboteur.watching(last=last):
            act(doomed)
    except ProcessDied:
        return True
    else:
        return False
    finally:
        engine.dispose()


def died_at_commit(
    last: int, cashier: Cashier, orders: list[OrderId], act: Callable[[Cashier, list[OrderId]], None], url: str
) -> bool:
    """The same, of steps that are commits. What the process held is free once its connections are closed."""
    engine = connect(url)
    saboteur = Saboteur(engine, at_commits=True)
    doomed = Cashier(till_on(engine, like=cashier.till))
    try:
        with saboteur.watching(last=last):
            act(doomed, orders)
    except ProcessDied:
        return True
    else:
        return False
    finally:
        engine.dispose()
