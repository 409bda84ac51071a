"""A program for one test: buys again and again, in a process each time, killed with -9 one step later each time.

    python kill_at_every_step.py DATABASE_URL

Prints a line of JSON for each purchase that was cut short, and one for the purchase that got through.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import replace
from itertools import count
from typing import Any

from marketplace.domain.orders.status import OrderStatus
from tests.integration.sabotage import Saboteur, Scene, connect, judge
from tests.integration.till_on_postgres import till_on


def kill_myself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def buy_and_die(url: str, scene: Scene, last: int) -> None:
    """In a child: connections of its own, and never a way back into the parent's program."""
    engine = connect(url)
    saboteur = Saboteur(engine, kill=kill_myself)
    doomed = replace(scene, till=till_on(engine, like=scene.till))
    with saboteur.watching(last=last):
        doomed.buy()
    os._exit(0)


def report(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()  # or a child would write it again


def main(url: str) -> None:
    engine = connect(url)
    till = till_on(engine)
    seller = till.market.seller()
    for last in count():
        scene = Scene.on(till, seller)
        # The child must not use the parent's connections, nor the names that the parent gives out.
        till.tokens = count(1_000_000 * (last + 1))
        child = os.fork()
        if child == 0:
            buy_and_die(url, scene, last)
        till.tokens = count(1_000_000 * (last + 1) + 500_000)
        _, status = os.waitpid(child, 0)
        scene.recover()
        scene.find_order()
        killed = os.WIFSIGNALED(status)
        end = None if scene.order_id is None else till.order(scene.order_id).status.value
        report({"last": last, "exit": os.waitstatus_to_exitcode(status), "end": end})
        judge(scene, must_be=(OrderStatus.PENDING_PAYMENT, OrderStatus.EXPIRED, OrderStatus.PAID))
        if not killed:
            break
    report({"findings": till.findings()})
    engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1])
