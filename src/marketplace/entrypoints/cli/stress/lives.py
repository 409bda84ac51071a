"""What happens to orders from the day they are placed: planned by a seed, acted out through everybody's use cases."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from marketplace.application.access import OPERATOR, Actor
from marketplace.application.payments.returns import RefundWish
from marketplace.application.ports.payment_gateway import PaymentDeclined
from marketplace.application.ports.provider_desk import SimulatedDesk
from marketplace.domain.disputes import DisputeOutcome, DisputeReason
from marketplace.domain.orders.order import Order
from marketplace.domain.orders.sale import Sale
from marketplace.domain.payments.refund import PaidBy, RefundCause, RefundStatus
from marketplace.domain.shared.errors import ConcurrencyConflict, Conflict, MarketplaceError, Unavailable
from marketplace.domain.shared.ids import AccountId, DisputeId, ListingId, OrderId
from marketplace.domain.shared.money import Money, step
from marketplace.entrypoints.cli.stress.scratch import ADDRESS, Town
from marketplace.entrypoints.container import Container

SELLERS, LISTINGS = 8, 3
"""Sellers, and listings of each."""
LONGEST = 8
"""Days after which nothing new happens to an order."""
_CARDS = ("pm_card_visa", "pm_card_pendingRefund", "pm_card_refundFail", "pm_card_chargeDeclined", "")
_CARD_WEIGHTS = (80, 8, 3, 6, 3)
_WORKED_ON = ("_busy", "_in_progress")
"""How the codes of errors end that say: somebody else is at it."""
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)


class NotPaidYet(Conflict):
    """No worker has heard of the payment so far."""

    code = "payment_busy"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that somebody does on a day. ``order`` counts from 0; what concerns no order is of order -1."""

    day: int
    order: int
    act: str
    arguments: tuple[Any, ...] = ()


def plan(seed: int, *, orders: int, days: int) -> list[Step]:
    """The lives of so many orders, placed over so many days; the same for the same seed."""
    steps = [step for number in range(orders) for step in _life(Random(f"{seed}:{number}"), number, number % days)]
    chance = Random(f"{seed}:banks")
    emptied = [Step(day, -1, "empty", (chance.randrange(SELLERS),)) for day in range(days + LONGEST)]
    return sorted([*steps, *emptied], key=lambda each: each.day)


def _life(chance: Random, number: int, day: int) -> Iterator[Step]:
    sellers = chance.sample(range(SELLERS), chance.choice((1, 1, 2, 3)))
    goods = tuple((seller, chance.randrange(LISTINGS), chance.randint(1, 3)) for seller in sellers)
    (card,) = chance.choices(_CARDS, _CARD_WEIGHTS)
    yield Step(day, number, "buy", (goods, card))
    if not card:
        return
    yield Step(day, number, "see_paid")
    for sale in range(len(goods)):
        yield from _of_a_sale(chance, number, sale, day)
    if chance.random() < 0.1:
        opened = day + chance.choice((1, 2, 5))
        yield Step(opened, number, "charge_back", (chance.choice((1.0, chance.random())),))
        yield Step(opened + 2, number, "decide", (chance.random() < 0.5,))


def _of_a_sale(chance: Random, number: int, sale: int, day: int) -> Iterator[Step]:
    fate = chance.random()
    if fate < 0.07:
        yield Step(day, number, "cancel", (sale,))
        return
    yield Step(day, number, "ship", (sale,))
    if fate < 0.12:
        yield Step(day + 1, number, "dispute", (sale,))
        yield Step(day + 2, number, "resolve", (sale, chance.choice(_OUTCOMES)))
    if fate < 0.9:
        yield Step(day + 1, number, "confirm", (sale,))
    if chance.random() < 0.12:
        yield Step(day + chance.choice((0, 1, 3)), number, "refund", (sale, *_of_what(chance)))
    if chance.random() < 0.22:
        yield Step(day + chance.choice((4, 5, 7)), number, "refund", (sale, *_of_what(chance)))


def _of_what(chance: Random) -> tuple[str, float, RefundCause]:
    return chance.choice(("amount", "piece", "all")), chance.random(), chance.choice(list(RefundCause))


_OUTCOMES = (DisputeOutcome.REFUND, DisputeOutcome.PARTIAL_REFUND, DisputeOutcome.DISMISSED)


@dataclass(kw_only=True)
class Actors:
    """Everybody but the workers. ``outcomes`` counts what was done, and why some of it was refused."""

    container: Container
    currency: str
    buyers: list[AccountId] = field(default_factory=list)
    sellers: list[AccountId] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)
    listings: list[list[ListingId]] = field(default_factory=list)
    orders: dict[int, OrderId] = field(default_factory=dict)
    chargebacks: dict[int, str] = field(default_factory=dict)
    disputes: dict[tuple[int, int], DisputeId] = field(default_factory=dict)
    banked: Counter[AccountId] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def move_in(self, seed: int, *, buyers: int) -> None:
        """Sellers with accounts that can be paid, with listings; a buyer for each order of a day."""
        town, chance = Town(container=self.container, currency=self.currency), Random(f"{seed}:prices")
        unit = step(self.currency)
        self.buyers = [town.account(f"buyer-{number}") for number in range(buyers)]
        for number in range(SELLERS):
            seller = town.seller(f"seller-{number}")
            self.sellers.append(seller)
            self.accounts.append(self._onboarded(seller))
            prices = [chance.choice((chance.randint(1, 300), chance.randint(300, 30_000))) for _ in range(LISTINGS)]
            self.listings.append([town.listing(seller, pieces=100_000, price=price * unit) for price in prices])

    def do(self, step: Step) -> bool:
        """Whether it is done with: what somebody else is just working on can be tried again."""
        act: Callable[..., None] = getattr(self, f"_{step.act}")
        for pause in _PAUSES:
            try:
                act(step.order, *step.arguments)
            except (ConcurrencyConflict, Unavailable):
                time.sleep(pause)
            except MarketplaceError as error:
                if not error.code.endswith(_WORKED_ON):
                    self.outcomes[f"{step.act}: {error.code}"] += 1
                    return True
                time.sleep(pause)
            else:
                self.outcomes[step.act] += 1
                return True
        return False

    def settle_failed_refunds(self) -> None:
        """What operators do about money that the provider could not give back."""
        for order_id in self.orders.values():
            with self.container.backend.unit_of_work() as uow:
                failed = [each for each in uow.refunds.of_order(order_id) if each.status is RefundStatus.FAILED]
                is_lost = any(each.decided_at and each.withdrawn for each in uow.chargebacks.of_order(order_id))
            for refund in failed:
                paid_by = PaidBy.CHARGEBACK if is_lost else PaidBy.BANK
                self.container.after_sales.settle_refund()(
                    actor=OPERATOR, refund_id=refund.id, paid_by=paid_by, note="found after the stress"
                )
                self.outcomes["settle a refund"] += 1

    def dismiss_open_disputes(self) -> None:
        """Of those that could not be decided when they were to be: the buyer's bank had the payment in dispute too."""
        for (number, sale), dispute_id in self.disputes.items():
            with self.container.backend.unit_of_work() as uow:
                is_open = uow.disputes.get(dispute_id).is_open
            if is_open:
                self.do(Step(0, number, "resolve", (sale, DisputeOutcome.DISMISSED)))

    # --- buyers

    def _buy(self, number: int, goods: tuple[tuple[int, int, int], ...], card: str) -> None:
        buyer = self._buyer(number)
        if number not in self.orders:
            for seller, listing, quantity in goods:
                self.container.add_to_cart()(actor=buyer, listing_id=self.listings[seller][listing], quantity=quantity)
            self.orders[number] = self.container.place_order()(actor=buyer, shipping_address=ADDRESS)
        order_id = self.orders[number]
        self.container.start_payment()(actor=buyer, order_id=order_id)
        if not card:
            self.container.cancel_order()(actor=buyer, order_id=order_id)
            return
        try:
            self.container.pay_order()(actor=buyer, order_id=order_id, payment_method=card)
        except PaymentDeclined:
            self.container.pay_order()(actor=buyer, order_id=order_id, payment_method="pm_card_visa")

    def _see_paid(self, number: int) -> None:
        if self.order(self.orders[number]).paid_at is None:
            raise NotPaidYet("Wait for a worker.")

    def _confirm(self, number: int, sale: int) -> None:
        self.container.fulfilment.confirm_receipt()(
            actor=self._buyer(number), order_id=self.orders[number], sale_id=self._sale(number, sale).id
        )

    def _dispute(self, number: int, sale: int) -> None:
        self.disputes[number, sale] = self.container.after_sales.open_dispute()(
            actor=self._buyer(number),
            sale_id=self._sale(number, sale).id,
            reason=DisputeReason.DAMAGED,
            description="The corners are bent, and the surface has a long scratch.",
        )

    def _charge_back(self, number: int, share: float) -> None:
        with self.container.backend.unit_of_work() as uow:
            payment = uow.payments.of_order(self.orders[number])
        desk = self._desk()
        left = payment.amount.amount - desk.desk_payment(str(payment.intent_id)).refunded
        if left > 0 and number not in self.chargebacks:
            amount = max(1, int(left * share))
            self.chargebacks[number] = desk.open_chargeback(str(payment.intent_id), amount=amount).id

    def _decide(self, number: int, is_won: bool) -> None:
        if number in self.chargebacks:
            self._desk().decide_chargeback(self.chargebacks[number], is_won=is_won)

    # --- sellers

    def _ship(self, number: int, sale: int) -> None:
        sold = self._sale(number, sale)
        self.container.fulfilment.ship_sale()(
            actor=Actor(account_id=sold.seller_id), sale_id=sold.id, carrier="Post", tracking_number=f"ST{sold.id:010}"
        )

    def _cancel(self, number: int, sale: int) -> None:
        sold = self._sale(number, sale)
        self.container.fulfilment.cancel_sale()(
            actor=Actor(account_id=sold.seller_id), sale_id=sold.id, reason="sold elsewhere", restock=True
        )

    def _empty(self, _: int, seller: int) -> None:
        """A seller has all their money sent to their bank: what is taken back afterwards is refused, and owed."""
        for payout in self._desk().pay_seller_out(self.accounts[seller], with_pending=True):
            self.banked[self.sellers[seller]] += payout.amount

    # --- operators

    def _refund(self, number: int, sale: int, what: str, share: float, cause: RefundCause) -> None:
        sold = self._sale(number, sale)
        if what == "piece" and sold.open_pieces:
            line = min(sold.open_pieces)
            wish = RefundWish(sale_id=sold.id, items={line: 1}, restock=share < 0.5)
        elif what == "amount" and sold.returned < sold.base:
            wish = RefundWish(sale_id=sold.id, amount=self._part(sold.base - sold.returned, share))
        else:
            wish = RefundWish(sale_id=sold.id)
        self.container.refund_order()(
            actor=OPERATOR, order_id=self.orders[number], wish=wish, reason="a stress test", cause=cause
        )

    def _resolve(self, number: int, sale: int, outcome: DisputeOutcome) -> None:
        if (number, sale) not in self.disputes:
            return
        sold = self._sale(number, sale)
        amount = None
        if outcome is DisputeOutcome.PARTIAL_REFUND:
            amount = self._part(sold.base - sold.returned, 0.5)
        self.container.after_sales.resolve_dispute()(
            actor=OPERATOR,
            dispute_id=self.disputes[number, sale],
            outcome=outcome,
            note="decided by a stress test",
            amount=amount,
        )

    # --- what they know

    def order(self, order_id: OrderId) -> Order:
        with self.container.backend.unit_of_work() as uow:
            order: Order = uow.orders.get(order_id)
            return order

    def has_paid(self, number: int) -> bool:
        """Whose payment was held up until its window was over has not, and nothing more happens to that order."""
        return number in self.orders and self.order(self.orders[number]).paid_at is not None

    def _buyer(self, number: int) -> Actor:
        return Actor(account_id=self.buyers[number % len(self.buyers)], is_email_verified=True)

    def _sale(self, number: int, sale: int) -> Sale:
        return sorted(self.order(self.orders[number]).sales, key=lambda each: each.id)[sale]

    def _part(self, minor: int, share: float) -> str:
        unit = step(self.currency)
        return Money(max(unit, int(minor * share) // unit * unit), self.currency).decimal

    def _desk(self) -> SimulatedDesk:
        desk: SimulatedDesk = self.container.payment_provider.simulated()
        return desk

    def _onboarded(self, seller: AccountId) -> str:
        self.container.start_onboarding()(actor=Actor(account_id=seller, is_email_verified=True), country="FR")
        with self.container.backend.unit_of_work() as uow:
            account = uow.payout_accounts.find(seller)
        assert account is not None  # it was just made
        name = str(account.provider_account_id)
        self.container.payment_provider.simulated().finish_onboarding(name, link=None, succeed=True)
        self.container.check_payout_account()(name)
        return name
