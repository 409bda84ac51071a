"""`marketplace stress money`: the proof that every cent arrives once, whatever workers and provider go through."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import click

from marketplace.domain.shared.money import Money
from marketplace.entrypoints.cli.console import json_option, progress, settings_from_environment, show
from marketplace.entrypoints.cli.stress.clock import FastClock
from marketplace.entrypoints.cli.stress.lives import LONGEST, Actors, Step, plan
from marketplace.entrypoints.cli.stress.proof import Proof
from marketplace.entrypoints.cli.stress.scratch import scratch_database
from marketplace.entrypoints.cli.stress.workers import Workers, WorkerTask
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.processes import opened_container
from marketplace.entrypoints.settings import Settings

ORDERS_A_DAY = 25
THREADS = 4
"""So many people act at a time."""
NIGHTS = (timedelta(hours=22), timedelta(hours=26), timedelta(hours=30))
"""How long nobody works: less than the provider knows a key for, and more."""
AFTERWARDS = (timedelta(days=15), timedelta(days=4), timedelta(days=1))
"""Leaps after the last that happens: sales complete by themselves, and what was put off is tried again."""
_QUIET_EVENINGS = 0.6
"""So often the workers finish before they die in the night; else they die with work in their hands."""
_BETWEEN_KILLS = (0.03, 0.4)
"""Seconds."""


@click.command()
@click.option("--orders", type=click.IntRange(1, 10_000), default=500, show_default=True)
@click.option("--kills", type=click.IntRange(0, 10_000), default=80, show_default=True, help="Of a single worker.")
@click.option(
    "--faults", type=click.IntRange(0, 500), default=0, show_default=True, help="Of 1000 calls to the provider."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Decides all that people do.")
@click.option("--letters", is_flag=True, help="Also write letters and documents, which takes as long again.")
@json_option
def money(orders: int, kills: int, faults: int, seed: int, letters: bool, as_json: bool) -> None:
    """Kill two workers over and over while orders are paid, sent, refunded and charged back, and count every cent.

    In a database of its own, on the simulated provider, with a clock of its own. Exit status 1 when a seller or a
    buyer did not get what is theirs exactly once, when our books and the provider's differ, or when something waits
    for ever.
    """
    begun = time.monotonic()
    with _stage(settings_from_environment(), faults=faults, letters=letters) as stage:
        wrong, figures = stage.run(seed, orders=orders, kills=kills)
    figures["seconds"] = round(time.monotonic() - begun, 1)
    if as_json:
        show({"ok": not wrong, "seed": seed, "figures": figures, "faults": wrong}, as_json=True)
    else:
        show(figures, as_json=False)
        for fault in wrong:
            click.echo(fault)
        click.echo("A promise was BROKEN." if wrong else "Everybody was paid exactly once.")
    if wrong:
        sys.exit(1)


@contextmanager
def _stage(configured: Settings, *, faults: int, letters: bool) -> Iterator[Stage]:
    """Nothing of it leaves the machine, or stays on it: no card is charged, no mail is sent."""
    with (
        scratch_database(configured, THREADS + 2) as settings,
        TemporaryDirectory(prefix="marketplace-stress-") as folder,
    ):
        settings = dataclasses.replace(
            settings,
            home=Path(folder),
            email_host="",
            payout_minimum=Money(0, settings.currency),
            complaint=timedelta(days=3),
            auto_complete=timedelta(days=14),
        )
        clock = FastClock.from_now()
        with opened_container(settings) as container:
            container.clock.override(clock)
            log = Path(folder) / "worker.log"
            task = WorkerTask(settings=settings, clock=clock, log=log, faults=faults, letters=letters)
            workers = Workers(task=task)
            try:
                yield Stage(container=container, clock=clock, workers=workers, currency=settings.currency)
            finally:
                workers.kill_all()


@dataclass(kw_only=True, slots=True)
class Stage:
    """The people, the workers and the clock."""

    container: Container
    clock: FastClock
    workers: Workers
    currency: str
    unfinished: list[Step] = field(default_factory=list)

    def run(self, seed: int, *, orders: int, kills: int) -> tuple[list[str], dict[str, Any]]:
        """What is wrong in the end, and the figures."""
        began = self.clock.now()
        days = max(3, -(-orders // ORDERS_A_DAY))
        people = Actors(container=self.container, currency=self.currency)
        people.move_in(seed, buyers=-(-orders // days) * days)
        by_day: dict[int, list[Step]] = defaultdict(list)
        for step in plan(seed, orders=orders, days=days):
            by_day[step.day].append(step)
        chance = Random(f"{seed}:kills")
        nights = 0
        with progress("Days", days + LONGEST) as at:
            for day in range(days + LONGEST):
                self.workers.start()
                self._live(people, by_day[day], kills=_share(kills, day, days + LONGEST), chance=chance)
                if chance.random() < _QUIET_EVENINGS:
                    self.workers.come_to_rest()
                self._night(chance.choice(NIGHTS))
                nights += 1
                at(day + 1)
        self._afterwards(people)
        accounts = dict(zip(people.sellers, people.accounts, strict=True))
        proof = Proof(
            container=self.container,
            orders=list(people.orders.values()),
            accounts=accounts,
            banked=people.banked,
            since=began - timedelta(days=1),
        )
        wrong, figures = proof()
        wrong += [f"never done: {step}" for step in self.unfinished if people.has_paid(step.order)]
        wrong += [f"worker: {error}" for error in self.workers.errors()]
        killed = {"orders": len(people.orders), "workers killed": self.workers.kills, "nights": nights}
        return wrong, {**killed, **figures, "what people did": dict(sorted(people.outcomes.items()))}

    def _live(self, people: Actors, steps: Sequence[Step], *, kills: int, chance: Random) -> None:
        """One day: people act at their own pace, and workers are killed meanwhile."""
        of_order: dict[int, list[Step]] = defaultdict(list)
        for step in [*self.unfinished, *steps]:
            of_order[step.order].append(step)
        self.unfinished = []
        with ThreadPoolExecutor(THREADS) as pool:
            acting = [pool.submit(self._act, people, of_one) for of_one in of_order.values()]
            for _ in range(kills):
                time.sleep(chance.uniform(*_BETWEEN_KILLS))
                self.workers.kill_one(chance)
            for done in acting:
                self.unfinished += done.result()

    @staticmethod
    def _act(people: Actors, steps: Sequence[Step]) -> list[Step]:
        """In their order; gives what has to be tried again another day."""
        for number, step in enumerate(steps):
            if not people.do(step):
                return list(steps[number:])
        return []

    def _night(self, length: timedelta) -> None:
        """All workers die at once, and nobody is there for so long."""
        self.workers.kill_all()
        self.clock.leap(length)

    def _afterwards(self, people: Actors) -> None:
        """Nobody is killed any more; the workers finish what is left."""
        for leap in AFTERWARDS:
            self.workers.start()
            self._live(people, (), kills=0, chance=Random(0))
            self.workers.come_to_rest()
            people.settle_failed_refunds()
            people.dismiss_open_disputes()
            self.workers.come_to_rest()
            self.workers.stop()
            self.clock.leap(leap)
        self.workers.come_to_rest()


def _share(total: int, part: int, parts: int) -> int:
    """Of ``total`` spread evenly over ``parts``."""
    return total * (part + 1) // parts - total * part // parts
