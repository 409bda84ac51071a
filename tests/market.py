"""A small market on any backend, and the verbs by which buyers and sellers move it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.memory.orders import InMemoryOrderQueries
from marketplace.adapters.memory.reservations import InMemoryReservationQueries
from marketplace.adapters.memory.store import InMemoryIdSequence, InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from marketplace.application.access import Actor
from marketplace.application.listings.create_listing import VariantRef
from marketplace.application.listings.update_listing import UpdateListing
from marketplace.application.orders import PlaceOrder, QuoteOrder
from marketplace.application.payouts.positions import open_payouts
from marketplace.application.ports.fees import FeesInForce
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.orders import OrderQueries
from marketplace.application.ports.reservations import CartLine, ReservationQueries
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.application.reservations import (
    AddToCart,
    ChangeCartItem,
    EmptyCart,
    RemoveFromCart,
    ShowCart,
    SweepReservations,
)
from marketplace.domain.catalogue.products import Product, ProductDetails
from marketplace.domain.fees import NO_FACTS, FeeFacts, FeeSchedule
from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import Account
from marketplace.domain.identity.addresses import Address
from marketplace.domain.listings import Listing, ListingStatus
from marketplace.domain.orders.order import Order
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.reservations import HoldPolicy, Reservation
from marketplace.domain.sellers import SellerProfile
from marketplace.domain.shared.ids import AccountId, ListingId, OrderId, ProductId, ReservationId
from marketplace.domain.shared.money import Money
from tests.builders import a_holiday
from tests.claiming import claims_of

POLICY = HoldPolicy(hold_for=timedelta(minutes=30), max_hold=timedelta(minutes=120))
SCHEDULE = FeeSchedule.standard(
    currency="EUR",
    commission_rate=Decimal("0.05"),
    processing_rate=Decimal("0.06"),
    processing_minimum=500,
    shipping=1000,
)
PAYMENT_WINDOW = timedelta(minutes=30)


@dataclass(frozen=True)
class StoredFees(FeesInForce):
    """What the store has, remembered for no time at all."""

    unit_of_work: Callable[[], UnitOfWork]

    def schedule(self, now: datetime) -> FeeSchedule:
        with self.unit_of_work() as uow:
            return uow.fee_schedules.in_force(SCHEDULE.currency, now) or SCHEDULE

    def facts(self, schedule: FeeSchedule, goods: Collection[tuple[AccountId, ProductId]]) -> FeeFacts:
        if not schedule.needs_facts:
            return NO_FACTS
        with self.unit_of_work() as uow:
            return uow.fee_schedules.facts(sellers=[of for of, _ in goods], products=[what for _, what in goods])


@dataclass(kw_only=True)
class Market:
    """Everybody in it is verified, and every seller may sell; ids of people and things come from ``ids``."""

    unit_of_work: Callable[[], UnitOfWork]
    reservation_queries: ReservationQueries
    order_queries: OrderQueries
    clock: FixedClock = field(default_factory=FixedClock)
    ids: IdSequence = field(default_factory=lambda: InMemoryIdSequence(1_000_000))
    people: dict[AccountId, Actor] = field(default_factory=dict)
    _addresses: dict[AccountId, int] = field(default_factory=dict)
    _claiming: dict[str, Any] = field(init=False, repr=False)

    @classmethod
    def in_memory(cls) -> tuple[Market, InMemoryStore]:
        store = InMemoryStore()
        market = cls(
            unit_of_work=lambda: InMemoryUnitOfWork(store),
            reservation_queries=InMemoryReservationQueries(store),
            order_queries=InMemoryOrderQueries(store),
        )
        return market, store

    def __post_init__(self) -> None:
        writing: dict[str, Any] = {"unit_of_work": self.unit_of_work, "clock": self.clock}
        self._claiming = {"claims": claims_of(self.unit_of_work), "clock": self.clock, "policy": POLICY}
        self.add_to_cart = self.adding()
        self.change_item = ChangeCartItem(**self._claiming)
        self.remove_from_cart = RemoveFromCart(**writing)
        self.empty_cart = EmptyCart(**writing)
        self.sweep_reservations = SweepReservations(**writing, policy=POLICY)
        self.fees = StoredFees(self.unit_of_work)
        self.show_cart = ShowCart(queries=self.reservation_queries, clock=self.clock, fees=self.fees, policy=POLICY)
        self.update_listing = UpdateListing(**writing, currency="EUR")
        self.quote_order = QuoteOrder(queries=self.reservation_queries, clock=self.clock, fees=self.fees, policy=POLICY)
        self.place_order = PlaceOrder(
            **writing,
            ids=self.ids,
            schedule=SCHEDULE,
            policy=POLICY,
            payment_window=PAYMENT_WINDOW,
            provider="simulated",
        )

    def adding(self, **instead: Any) -> AddToCart:
        """Adding to carts, something in it exchanged."""
        parts = {
            "unit_of_work": self.unit_of_work,
            "queries": self.reservation_queries,
            "ids": self.ids,
            **self._claiming,
        }
        return AddToCart(**{**parts, **instead})

    # --- who and what there is

    def someone(self, *, roles: Collection[Role] = (), is_email_verified: bool = True) -> Actor:
        id = AccountId(self.ids.next())
        with self.unit_of_work() as uow:
            account = Account.open(
                id=id,
                username=f"member-{id}",
                email=f"member-{id}@example.com",
                password_hash="x",
                now=self.clock.now(),
            )
            uow.accounts.add(account)
            address = Address.of(
                id,
                id=self.ids.next(),
                now=self.clock.now(),
                parts={"name": f"Member {id}", "street": "Rue des Cartes", "city": "Lyon", "country": "FR"},
            )
            uow.addresses.add(address)
            uow.commit()
        self._addresses[id] = address.id
        self.people[id] = Actor(
            account_id=id, roles=frozenset({Role.BUYER, *roles}), is_email_verified=is_email_verified
        )
        return self.people[id]

    def buyer(self, *, is_email_verified: bool = True) -> Actor:
        return self.someone(is_email_verified=is_email_verified)

    def seller(self) -> Actor:
        seller = self.someone(roles=[Role.SELLER])
        with self.unit_of_work() as uow:
            profile = SellerProfile.of(
                seller.account_id, shop_name=f"Shop {seller.account_id}", now=self.clock.now(), email_verified=True
            )
            profile.apply(now=self.clock.now())
            profile.approve(now=self.clock.now())
            profile.vouch()
            uow.sellers.add(profile)
            uow.commit()
        return seller

    def address_of(self, actor: Actor) -> int:
        return self._addresses[actor.account_id]

    def listing(self, seller: Actor, *, price: int = 1000, stock: int = 5, active: bool = True) -> ListingId:
        now = self.clock.now()
        id = ListingId(self.ids.next())
        with self.unit_of_work() as uow:
            product = Product.publish(
                id=self.ids.next(), tcg_type="pokemon", details=ProductDetails(name=f"Card {id}"), now=now
            )
            uow.products.add(product)
            variant = uow.catalogue.variant_of(product=product.id, language="en", version="holo", condition="NM")
            uow.listings.add(
                Listing.offer(
                    id,
                    seller_id=seller.account_id,
                    product_id=product.id,
                    variant_id=variant.id,
                    price=Money(price, "EUR"),
                    stock=stock,
                    now=now,
                    active=active,
                )
            )
            uow.commit()
        return id

    # --- what sellers do

    def revise(self, listing_id: ListingId, change: Callable[[Listing], None]) -> None:
        with self.unit_of_work() as uow:
            listing = uow.listings.lock_and_sweep(listing_id, self.clock.now())
            change(listing)
            uow.listings.save(listing)
            uow.commit()

    def reprice(self, listing_id: ListingId, price: int) -> None:
        self.revise(listing_id, lambda listing: listing.reprice(Money(price, "EUR"), now=self.clock.now()))

    def restock(self, listing_id: ListingId, stock: int) -> None:
        self.revise(listing_id, lambda listing: listing.restock(stock, now=self.clock.now()))

    def move(self, seller: Actor, listing_id: ListingId, **parts: str) -> None:
        """Another variant of the same card, as a seller asks for it."""
        ref = {"language": "en", "version": "holo", "condition": "NM", **parts}
        product = self.listing_now(listing_id).product_id
        self.update_listing(actor=seller, listing_id=listing_id, variant=VariantRef(product=product, **ref))

    def switch_off(self, listing_id: ListingId) -> None:
        self.revise(listing_id, lambda listing: listing.switch_off(now=self.clock.now()))

    def archive(self, listing_id: ListingId) -> None:
        self.revise(listing_id, lambda listing: listing.archive(now=self.clock.now()))

    def go_on_holiday(self, seller: Actor) -> None:
        with self.unit_of_work() as uow:
            profile = uow.sellers.get(seller.account_id)
            profile.set_holiday(a_holiday(self.clock.now()))
            uow.sellers.save(profile)
            uow.commit()

    # --- what buyers do

    def add(self, buyer: Actor, listing_id: ListingId, quantity: int = 1) -> Reservation:
        return self.add_to_cart(actor=buyer, listing_id=listing_id, quantity=quantity).item.reservation

    def change_cart_item(self, *, actor: Actor, item_id: ReservationId, quantity: int) -> Reservation:
        return self.change_item(actor=actor, item_id=item_id, quantity=quantity).item.reservation

    def order(self, buyer: Actor, **changes: Any) -> OrderId:
        return self.place_order(actor=buyer, **{"shipping_address": self.address_of(buyer), **changes})

    def line(self, buyer: Actor, listing_id: ListingId) -> CartLine:
        return next(
            line for line in self.show_cart(actor=buyer).lines if line.item.reservation.listing_id == listing_id
        )

    def states(self, buyer: Actor) -> Mapping[ListingId, tuple[str, int]]:
        """What is in the cart: state and quantity by listing."""
        return {
            line.item.reservation.listing_id: (line.state.value, line.item.reservation.quantity)
            for line in self.show_cart(actor=buyer).lines
        }

    # --- what payments do

    def pay(self, order_id: OrderId) -> Mapping[int, int]:
        """Settle an order as its payment would; gives what is missing."""
        with self.unit_of_work() as uow:
            order = uow.orders.get_for_update(order_id)
            missing = uow.reservations.supply(order, now=self.clock.now())
            order.pay(missing, now=self.clock.now())
            open_payouts(uow, order, ids=self.ids, now=self.clock.now())
            uow.orders.save(order)
            uow.commit()
        return missing

    def end_unpaid(self, order_id: OrderId, outcome: OrderStatus = OrderStatus.EXPIRED) -> None:
        with self.unit_of_work() as uow:
            order = uow.orders.get_for_update(order_id)
            order.end_unpaid(outcome, now=self.clock.now(), actor_id=None, reason="payment window over")
            uow.reservations.free(order_id, now=self.clock.now())
            uow.orders.save(order)
            uow.commit()

    # --- what is there now

    def listing_now(self, listing_id: ListingId) -> Listing:
        with self.unit_of_work() as uow:
            return uow.listings.get(listing_id)

    def stock(self, listing_id: ListingId) -> tuple[int, int, ListingStatus]:
        """Stock, claimed and status, as stored."""
        listing = self.listing_now(listing_id)
        return listing.stock, listing.claimed, listing.status

    def order_now(self, order_id: OrderId) -> Order:
        with self.unit_of_work() as uow:
            return uow.orders.get(order_id)

    def later(self, **by: float) -> None:
        self.clock.advance(timedelta(**by))

    def item_id(self, buyer: Actor, listing_id: ListingId) -> ReservationId:
        return self.line(buyer, listing_id).item.reservation.id
