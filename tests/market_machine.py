"""Random lives of a small market: whatever buyers, sellers, clocks and the provider do, books and shelves agree."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from marketplace.application.ports.pages import PageRequest
from marketplace.domain.orders.order import Order
from marketplace.domain.orders.status import UNPAID_ENDS, OrderStatus
from marketplace.domain.payments.payment import PaymentStatus
from marketplace.domain.shared.errors import MarketplaceError
from marketplace.domain.shared.ids import OrderId
from tests.till import Till

_BUYERS, _LISTINGS = st.integers(0, 2), st.integers(0, 2)
_QUANTITIES = st.integers(1, 3)
_ANY = st.integers(0, 99)
_CARDS = st.sampled_from(
    ["pm_card_visa", "pm_card_visa", "pm_card_chargeDeclined", "pm_card_authenticationRequired", None]
)


class MarketMachine(RuleBasedStateMachine):
    """Three buyers and three listings of two sellers, so that everybody is in everybody's way.

    A subclass says where the market is kept. Refusals are part of life; only broken promises are failures.
    """

    def open_till(self) -> Till:
        raise NotImplementedError

    @initialize(stocks=st.lists(st.integers(1, 4), min_size=3, max_size=3))
    def open(self, stocks: list[int]) -> None:
        self.till = self.open_till()
        self.market = self.till.market
        sellers = [self.market.seller(), self.market.seller()]
        self.buyers = [self.market.buyer() for _ in range(3)]
        self.listings = [
            self.market.listing(sellers[n % 2], price=1000 + n, stock=stock) for n, stock in enumerate(stocks)
        ]
        self.supplied = Counter(dict(zip(self.listings, stocks, strict=True)))
        self.orders: list[OrderId] = []

    def attempt(self, action: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return action(*args, **kwargs)
        except MarketplaceError:
            return None

    # --- buyers

    @rule(buyer=_BUYERS, listing=_LISTINGS, quantity=_QUANTITIES)
    def add_to_cart(self, buyer: int, listing: int, quantity: int) -> None:
        self.attempt(self.market.add, self.buyers[buyer], self.listings[listing], quantity)

    @rule(buyer=_BUYERS, which=_ANY, quantity=_QUANTITIES)
    def change_an_item(self, buyer: int, which: int, quantity: int) -> None:
        lines = self.market.show_cart(actor=self.buyers[buyer]).lines
        if lines:
            item = lines[which % len(lines)].item.reservation.id
            self.attempt(self.market.change_cart_item, actor=self.buyers[buyer], item_id=item, quantity=quantity)

    @rule(buyer=_BUYERS, which=_ANY)
    def remove_an_item(self, buyer: int, which: int) -> None:
        lines = self.market.show_cart(actor=self.buyers[buyer]).lines
        if lines:
            item = lines[which % len(lines)].item.reservation.id
            self.attempt(self.market.remove_from_cart, actor=self.buyers[buyer], item_id=item)

    @rule(buyer=_BUYERS)
    def empty_a_cart(self, buyer: int) -> None:
        self.market.empty_cart(actor=self.buyers[buyer])

    @rule(buyer=_BUYERS, listing=_LISTINGS, quantity=_QUANTITIES, starts=st.booleans())
    def check_out(self, buyer: int, listing: int, quantity: int, starts: bool) -> None:
        self.add_to_cart(buyer, listing, quantity)
        order = self.attempt(self.market.order, self.buyers[buyer])
        if order is not None:
            self.orders.append(order)
            if starts:
                self.till.start(order)

    @precondition(lambda self: self.waiting())
    @rule(which=_ANY, card=_CARDS, works=st.booleans())
    def pay(self, which: int, card: str | None, works: bool) -> None:
        waiting = self.waiting()
        order = waiting[which % len(waiting)]
        self.attempt(self.till.pay, self.buyer_of(order), order, card)
        if works:
            self.till.work()

    @precondition(lambda self: self.orders)
    @rule(which=_ANY)
    def pay_whatever_became_of_it(self, which: int) -> None:
        order = self.orders[which % len(self.orders)]
        self.attempt(self.till.pay, self.buyer_of(order), order)

    @precondition(lambda self: self.orders)
    @rule(which=_ANY)
    def cancel(self, which: int) -> None:
        order = self.orders[-1 - which % len(self.orders)]
        self.attempt(self.till.cancel, self.buyer_of(order), order)

    # --- sellers

    @rule(listing=_LISTINGS, stock=st.integers(0, 4))
    def restock(self, listing: int, stock: int) -> None:
        id = self.listings[listing]
        before = self.market.listing_now(id).stock
        self.attempt(self.market.restock, id, stock)
        self.supplied[id] += self.market.listing_now(id).stock - before

    @rule(listing=_LISTINGS, price=st.integers(500, 2000))
    def reprice(self, listing: int, price: int) -> None:
        self.market.reprice(self.listings[listing], price)

    @rule(listing=_LISTINGS, on=st.sampled_from([True, True, False]))
    def switch(self, listing: int, on: bool) -> None:
        now = self.market.clock.now()
        self.market.revise(
            self.listings[listing], lambda found: found.switch_on(now=now) if on else found.switch_off(now=now)
        )

    # --- time, workers and the provider

    @rule(minutes=st.sampled_from([1, 10, 30, 31, 60, 121]))
    def let_time_go_by(self, minutes: int) -> None:
        self.market.clock.advance(timedelta(minutes=minutes))

    @rule()
    def sweep(self) -> None:
        self.market.sweep_reservations()

    @rule()
    def work(self) -> None:
        self.till.work()

    @precondition(lambda self: any(self.is_cancelled_for_good(order) for order in self.orders))
    @rule(which=_ANY)
    def money_comes_late(self, which: int) -> None:
        over = [order for order in self.orders if self.is_cancelled_for_good(order)]
        self.till.late_money(over[which % len(over)])
        self.till.work()
        assert self.market.order_now(over[which % len(over)]).paid_at is not None

    # --- what is always so

    @invariant()
    def stock_and_claims_stay_within_bounds(self) -> None:
        for id in self.listings:
            stock, claimed, _ = self.market.stock(id)
            assert stock >= 0
            assert 0 <= claimed <= stock

    @invariant()
    def claims_are_the_sum_of_the_carts(self) -> None:
        carts = [line for buyer in self.buyers for line in self.market.show_cart(actor=buyer).lines]
        for id in self.listings:
            items = [line.item for line in carts if line.item.listing.id == id]
            now = self.market.clock.now()
            running = sum(i.reservation.quantity for i in items if i.reservation.holds_stock(now))
            counted = sum(i.reservation.quantity for i in items if i.reservation.counts())
            stock, claimed, _ = self.market.stock(id)
            assert counted == claimed
            assert all(item.listing.available == stock - running for item in items)

    @invariant()
    def nothing_is_sold_that_was_not_there(self) -> None:
        sold: Counter[int] = Counter()
        for order in self.orders_now():
            if order.paid_at is not None:
                for sale in order.sales:
                    for line in sale.lines:
                        sold[line.listing_id] += line.open_quantity
        for id in self.listings:
            assert self.market.listing_now(id).stock == self.supplied[id] - sold[id]

    @invariant()
    def sales_sum_to_their_order(self) -> None:
        for order in self.orders_now():
            assert sum(sale.base for sale in order.sales) == order.base
            assert sum(sale.commission for sale in order.sales) == order.commission
            lines = [line for sale in order.sales for line in sale.lines]
            assert sum(line.subtotal.amount for line in lines) == order.base

    @invariant()
    def unpaid_orders_hold_what_they_promise_and_no_others_do(self) -> None:
        held = {
            (line.item.reservation.order_id, line.item.listing.id): line.item.reservation.quantity
            for buyer in self.buyers
            for line in self.market.show_cart(actor=buyer).lines
            if line.item.reservation.order_id is not None
        }
        promised = {
            (order.id, line.listing_id): line.quantity
            for order in self.orders_now()
            if order.status is OrderStatus.PENDING_PAYMENT
            for sale in order.sales
            for line in sale.lines
        }
        assert held == promised

    @invariant()
    def the_books_are_right(self) -> None:
        """But for what the provider has and has not told yet."""
        assert [found for found in self.till.findings() if not found.startswith("provider_agrees")] == []

    @invariant()
    def every_order_is_on_its_buyers_list(self) -> None:
        listed = sum(self.market.order_queries.orders(buyer.account_id, PageRequest()).count for buyer in self.buyers)
        assert listed == len(self.orders)

    def teardown(self) -> None:
        """In the end every order comes to an end."""
        if not hasattr(self, "till"):
            return
        self.till.work_for(minutes=45)
        for order in self.orders_now():
            assert order.status is not OrderStatus.PENDING_PAYMENT
        self.stock_and_claims_stay_within_bounds()
        self.nothing_is_sold_that_was_not_there()
        assert self.till.findings() == []

    # --- looking

    def waiting(self) -> list[OrderId]:
        return [order.id for order in self.orders_now() if order.status is OrderStatus.PENDING_PAYMENT]

    def orders_now(self) -> list[Order]:
        return [self.market.order_now(order) for order in self.orders]

    def buyer_of(self, order_id: OrderId) -> Any:
        return self.market.people[self.market.order_now(order_id).buyer_id]

    def is_cancelled_for_good(self, order_id: OrderId) -> bool:
        payment = self.till.payment(order_id)
        return (
            self.market.order_now(order_id).status in UNPAID_ENDS
            and payment.status is PaymentStatus.CANCELED
            and payment.intent_id is not None
        )
