"""`marketplace stress stock`: the proof that nothing is oversold, by trying hard."""

from __future__ import annotations

import multiprocessing
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic
from typing import Any

import click

from marketplace.application.access import Actor
from marketplace.application.ports.pages import MAX_PAGE_SIZE, PageRequest
from marketplace.domain.reservations import InsufficientStock
from marketplace.domain.shared.errors import ConcurrencyConflict, MarketplaceError
from marketplace.domain.shared.ids import AccountId, ListingId
from marketplace.entrypoints.cli.console import json_option, progress, settings_from_environment, show
from marketplace.entrypoints.cli.stress.scratch import ADDRESS, Town, scratch_database
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.processes import opened_container
from marketplace.entrypoints.settings import Settings

PAYMENT_JOBS = ("deliver simulated events", "process webhooks", "check payments", "send refunds")
COLUMNS = ("test", "buyers", "pieces", "sold", "oversold", "too_late", "deadlocks", "other_errors", "seconds")
_PRICE = 1_000
_CARTS = 4
"""Listings in each of the carts that are filled in opposite orders."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shopper:
    """A buyer, what they put in the cart, in that order, and whether they pay or cancel."""

    buyer_id: AccountId
    listings: tuple[ListingId, ...]
    pays: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one test. ``sold`` are paid pieces; ``oversold`` those of them that were never there."""

    test: str
    buyers: int
    pieces: int
    sold: int
    oversold: int
    outcomes: Counter[str]
    seconds: float

    @property
    def row(self) -> dict[str, Any]:
        expected = {"ordered", "too_late"}
        return {
            "test": self.test,
            "buyers": self.buyers,
            "pieces": self.pieces,
            "sold": self.sold,
            "oversold": self.oversold,
            "too_late": self.outcomes["too_late"],
            "deadlocks": self.outcomes["concurrent_change"],
            "other_errors": sum(n for name, n in self.outcomes.items() if name not in expected | {"concurrent_change"}),
            "seconds": round(self.seconds, 1),
        }


@click.command()
@click.option("--buyers", type=click.IntRange(2, 5_000), default=200, show_default=True, help="In each race.")
@click.option("--pieces", type=click.IntRange(1, 1_000), default=5, show_default=True, help="Of the listing raced for.")
@click.option("--rounds", type=click.IntRange(1, 100), default=5, show_default=True, help="Races for a listing.")
@click.option("--processes", type=click.IntRange(1, 16), default=2, show_default=True)
@click.option("--threads", type=click.IntRange(1, 50), default=10, show_default=True, help="In each process.")
@json_option
def stock(buyers: int, pieces: int, rounds: int, processes: int, threads: int, as_json: bool) -> None:
    """Let hundreds of buyers race for one listing, and fill carts in opposite orders, in a database of its own.

    Exit status 1 when anything was oversold, when two of them locked each other up, or when the books are wrong.
    """
    with (
        scratch_database(settings_from_environment(), threads + 1) as settings,
        opened_container(settings) as container,
    ):
        crowd = Crowd(container=container, settings=settings, processes=processes, threads=threads)
        outcomes = crowd.compete(buyers=buyers, pieces=pieces, rounds=rounds)
        faults = [
            f"{check.name}: {finding.subject} {finding.detail}"
            for check in container.verify_ledger()().checks
            for finding in check.findings
        ]
    rows = [outcome.row for outcome in outcomes]
    held = not faults and not any(row["oversold"] or row["deadlocks"] or row["other_errors"] for row in rows)
    if as_json:
        show({"ok": held, "tests": rows, "faults": faults}, as_json=True)
    else:
        show(rows, as_json=False, columns=COLUMNS)
        for fault in faults:
            click.echo(fault)
        click.echo("Nothing was oversold." if held else "A promise was BROKEN.")
    if not held:
        sys.exit(1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Crowd:
    """Buyers in several processes with several threads each, all going through the use cases that everybody does."""

    container: Container
    settings: Settings
    processes: int
    threads: int

    def compete(self, *, buyers: int, pieces: int, rounds: int) -> list[Outcome]:
        town = Town(container=self.container, currency=self.settings.currency)
        seller = town.seller()
        everybody = [town.account(f"buyer-{n}") for n in range(buyers)]
        outcomes = []
        # Fresh interpreters: a forked one would share our connections.
        spawned = multiprocessing.get_context("spawn")
        with (
            ProcessPoolExecutor(self.processes, mp_context=spawned) as processes,
            progress("Stress", rounds + 1) as at,
        ):
            for round in range(1, rounds + 1):
                listing = town.listing(seller, pieces=pieces, price=_PRICE)
                race = [Shopper(buyer_id=buyer, listings=(listing,)) for buyer in everybody]
                outcomes.append(self._run(processes, f"race {round}", seller, race, {listing: pieces}))
                at(round)
            listings = tuple(town.listing(seller, pieces=buyers, price=_PRICE) for _ in range(_CARTS))
            carts = [
                Shopper(buyer_id=buyer, listings=listings[:: 1 if n % 2 else -1], pays=n % 4 < 2)
                for n, buyer in enumerate(everybody)
            ]
            stocks = dict.fromkeys(listings, buyers)
            outcomes.append(self._run(processes, "opposite carts", seller, carts, stocks))
            at(rounds + 1)
        return outcomes

    def _run(
        self,
        processes: ProcessPoolExecutor,
        test: str,
        seller: AccountId,
        shoppers: Sequence[Shopper],
        stocks: dict[ListingId, int],
    ) -> Outcome:
        begun = monotonic()
        running: list[Future[Counter[str]]] = [
            processes.submit(shop_together, self.settings, shoppers[n :: self.processes], self.threads)
            for n in range(self.processes)
        ]
        outcomes: Counter[str] = Counter()
        for done in running:
            outcomes += done.result()
        self._settle()
        seconds = monotonic() - begun
        sold = self._sold(seller, set(stocks))
        return Outcome(
            test=test,
            buyers=len(shoppers),
            pieces=sum(stocks.values()),
            sold=sum(sold.values()),
            oversold=sum(self._missing(listing, had, sold[listing]) for listing, had in stocks.items()),
            outcomes=outcomes,
            seconds=seconds,
        )

    def _settle(self) -> None:
        """Do what a worker would, until the payments have nothing more to tell."""
        jobs = self.container.jobs()
        while sum(jobs[name]() for name in PAYMENT_JOBS):
            pass

    def _missing(self, listing_id: ListingId, had: int, sold: int) -> int:
        """Pieces that were sold and not there, or that are gone and not sold."""
        with self.container.backend.unit_of_work() as uow:
            left = uow.listings.get(listing_id).stock
        return max(sold - had, 0) or abs(had - left - sold)

    def _sold(self, seller: AccountId, listings: set[ListingId]) -> Counter[int]:
        """Paid pieces by listing."""
        sold: Counter[int] = Counter()
        request: PageRequest | None = PageRequest(size=MAX_PAGE_SIZE)
        while request is not None:
            page = self.container.backend.order_queries().sales(seller, request)
            for sale in page.items:
                for item in sale.items:
                    if item.listing in listings:
                        sold[item.listing] += item.quantity
            request = None if page.next is None else PageRequest(size=MAX_PAGE_SIZE, after=page.next)
        return sold


def shop_together(settings: Settings, shoppers: Sequence[Shopper], threads: int) -> Counter[str]:
    """In a process of its own: every shopper on one of the threads; gives how often each outcome occurred."""
    with opened_container(settings) as container, ThreadPoolExecutor(threads) as pool:
        return Counter(pool.map(lambda shopper: _shop(container, shopper), shoppers))


def _shop(container: Container, shopper: Shopper) -> str:
    actor = Actor(account_id=shopper.buyer_id, is_email_verified=True)
    try:
        for listing_id in shopper.listings:
            container.add_to_cart()(actor=actor, listing_id=listing_id, quantity=1)
        order_id = container.place_order()(actor=actor, shipping_address=ADDRESS)
        container.start_payment()(actor=actor, order_id=order_id)
        if shopper.pays:
            container.pay_order()(actor=actor, order_id=order_id, payment_method="pm_card_visa")
        else:
            container.cancel_order()(actor=actor, order_id=order_id)
    except InsufficientStock:
        return "too_late"
    except ConcurrencyConflict:
        return "concurrent_change"
    except MarketplaceError as error:
        return error.code
    return "ordered"
