"""Buying: what a cart would cost, and the order that is made of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from marketplace.application.access import Actor, require_accepted_terms, require_self, require_verified_email
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.fees import FeesInForce
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.reservations import CartLine, CheckoutItem, ReservationQueries
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.fees import NO_FACTS, FeeFacts, FeeSchedule, Quote, quote
from marketplace.domain.identity.addresses import Address
from marketplace.domain.orders.checkout import CheckoutConflict, TotalChanged
from marketplace.domain.orders.order import Order, OrderItem, PostalAddress
from marketplace.domain.payments.payment import Payment
from marketplace.domain.reservations import (
    HoldPolicy,
    Problem,
    orderable,
    problem_of,
)
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import AddressId, OrderId, PaymentId, ReservationId, SaleId, SaleLineId
from marketplace.domain.shared.money import Money

AddressChoice = AddressId | Mapping[str, Any]
"""An address that the buyer keeps, by its id, or the parts of one that they do not keep."""

_ADDRESS_PARTS = tuple(field.name for field in fields(PostalAddress))


@dataclass(frozen=True, kw_only=True, slots=True)
class QuotedCart:
    lines: Sequence[CartLine]
    totals: Quote


@dataclass(frozen=True, kw_only=True, slots=True)
class QuoteOrder:
    """What an order of the cart, or of some of its items, would cost, and what stands in its way."""

    queries: ReservationQueries
    clock: Clock
    fees: FeesInForce
    policy: HoldPolicy

    def __call__(self, *, actor: Actor, cart_items: Collection[ReservationId] | None = None) -> QuotedCart:
        """Raises NotFound on an item that is not in the cart, AlreadyOrdered, CartEmpty, and AmountOutOfBounds."""
        now = self.clock.now()
        cart = {item.reservation.id: item for item in self.queries.cart(actor.account_id, now=now)}
        chosen = [cart[r.id] for r in orderable([item.reservation for item in cart.values()], cart_items)]
        schedule = self.fees.schedule(now)
        facts = self.fees.facts(schedule, [item.goods for item in chosen])
        return QuotedCart(
            lines=[
                CartLine.of(
                    item,
                    now=now,
                    problem=problem_of(item.reservation, item.offer(now), now=now, policy=self.policy),
                )
                for item in chosen
            ],
            totals=quote(schedule, [item.charged(facts) for item in chosen]),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PlaceOrder:
    """Turn the cart, or some of its items, into an order that waits for its payment.

    It is charged by the version of the fees in force, read in its own transaction; ``schedule`` is the standard one,
    which holds before the first version.
    """

    unit_of_work: Callable[[], UnitOfWork]
    ids: IdSequence
    clock: Clock
    schedule: FeeSchedule
    policy: HoldPolicy
    payment_window: timedelta
    provider: str

    def __call__(
        self,
        *,
        actor: Actor,
        shipping_address: AddressChoice,
        billing_address: AddressChoice | None = None,
        cart_items: Collection[ReservationId] | None = None,
        expected_total: str | None = None,
        request_key: str | None = None,
    ) -> OrderId:
        """The order's id; with a ``request_key`` that made an order before, that order's.

        Raises Forbidden until the e-mail address is verified and terms are accepted; NotFound on an item or address
        that is not the buyer's; CartEmpty and AlreadyOrdered; CheckoutConflict with every item that stands in the way,
        whose new price its buyer then knows; TotalChanged when it does not cost ``expected_total``; AmountOutOfBounds;
        Invalid on a bad address.
        """
        require_verified_email(actor)
        require_accepted_terms(actor)
        now = self.clock.now()
        expected = None if expected_total is None else self._amount(expected_total)
        with self.unit_of_work() as uow:
            if request_key is not None:
                made = uow.idempotency.resource(actor.account_id, request_key)
                if made is not None:
                    return OrderId(made)
            shipping = _address(uow, actor, shipping_address, now, "shipping_address")
            billing = None if billing_address is None else _address(uow, actor, billing_address, now, "billing_address")
            ids = None if cart_items is None else list(cart_items)
            cart = uow.reservations.for_checkout(buyer_id=actor.account_id, ids=ids, now=now)
            by_id = {item.reservation.id: item for item in cart}
            items = [by_id[r.id] for r in orderable([item.reservation for item in cart], cart_items)]
            self._refuse_conflicts(uow, items, now)
            schedule, facts = self._fees(uow, items, now)
            order = self._place(actor, items, schedule, facts, shipping, billing, now)
            if expected is not None and expected != order.total:
                raise TotalChanged(
                    f"The order costs {order.total}, not {expected}; look at the cart and order at the new total.",
                    buyer_total_price=order.total.decimal,
                    currency=order.currency,
                )
            uow.orders.add(order)
            uow.reservations.save_all(
                [item.reservation.ordered(order.id, now=now, policy=self.policy) for item in items]
            )
            buyer = uow.payment_customers.find(actor.account_id)
            uow.payments.add(
                Payment.open(
                    id=PaymentId(self.ids.next()),
                    order_id=order.id,
                    buyer_id=order.buyer_id,
                    amount=order.total,
                    provider=self.provider,
                    due_at=order.payment_due_at,
                    now=now,
                    # So that what they saved at the provider can pay it.
                    customer_id=buyer.provider_customer_id if buyer and buyer.is_at(self.provider) else None,
                )
            )
            if request_key is not None:
                uow.idempotency.attach(actor.account_id, request_key, order.id, now=now)
            uow.commit()
            return order.id

    def _amount(self, text: str) -> Money:
        try:
            return Money.parse(text, self.schedule.currency)
        except Invalid as error:
            raise Invalid(str(error), errors={"expected_total": [str(error)]}) from error

    def _refuse_conflicts(self, uow: UnitOfWork, items: Sequence[CheckoutItem], now: datetime) -> None:
        problems = [
            (item, problem)
            for item in items
            if (problem := problem_of(item.reservation, item.offer, now=now, policy=self.policy)) is not None
        ]
        if not problems:
            return
        # The buyer has been told the new prices, even though nothing was ordered: the next checkout passes.
        answered = [
            item.reservation.answered(item.offer.price) for item, why in problems if why is Problem.PRICE_CHANGED
        ]
        if answered:
            uow.reservations.save_all(answered)
            uow.commit()
        raise CheckoutConflict(
            f"{len(problems)} of {len(items)} items cannot be ordered as they are in the cart: "
            + ", ".join(f"{item.title} ({problem})" for item, problem in problems),
            items=[self._conflict(item, problem) for item, problem in problems],
            currency=self.schedule.currency,
        )

    def _conflict(self, item: CheckoutItem, problem: Problem) -> dict[str, Any]:
        explained: dict[str, Any] = {
            "id": item.reservation.id,
            "listing": item.reservation.listing_id,
            "reason": problem.value,
        }
        match problem:
            case Problem.OUT_OF_STOCK:
                explained["available"] = max(item.offer.available, 0)
            case Problem.PRICE_CHANGED:
                explained["unit_price"] = item.reservation.unit_price.decimal
                explained["current_price"] = item.offer.price.decimal
            case Problem.HOLD_LIMIT:
                explained["retry_at"] = self.policy.forgotten_at(item.reservation).isoformat()
        return explained

    def _fees(self, uow: UnitOfWork, items: Sequence[CheckoutItem], now: datetime) -> tuple[FeeSchedule, FeeFacts]:
        schedule = uow.fee_schedules.in_force(self.schedule.currency, now) or self.schedule
        if not schedule.needs_facts:
            return schedule, NO_FACTS
        sellers, products = {item.offer.seller_id for item in items}, {item.product_id for item in items}
        return schedule, uow.fee_schedules.facts(sellers=sorted(sellers), products=sorted(products))

    def _place(
        self,
        actor: Actor,
        items: Sequence[CheckoutItem],
        schedule: FeeSchedule,
        facts: FeeFacts,
        shipping: PostalAddress,
        billing: PostalAddress | None,
        now: datetime,
    ) -> Order:
        sellers = {item.offer.seller_id for item in items}
        ids = iter(self.ids.take(1 + len(sellers) + len(items)))
        return Order.place(
            id=OrderId(next(ids)),
            sale_ids=[SaleId(next(ids)) for _ in sellers],
            line_ids=[SaleLineId(next(ids)) for _ in items],
            buyer_id=actor.account_id,
            items=[_order_item(item) for item in items],
            schedule=schedule,
            facts=facts,
            shipping_address=shipping,
            billing_address=billing,
            now=now,
            payment_due_at=now + self.payment_window,
        )


def _address(uow: UnitOfWork, actor: Actor, choice: AddressChoice, now: datetime, field: str) -> PostalAddress:
    """Raises NotFound on another's address, and Invalid, naming the part of ``field``, on a bad one."""
    if isinstance(choice, Mapping):
        try:
            address = Address.of(actor.account_id, id=AddressId(0), now=now, parts=choice)
        except Invalid as error:
            errors = {f"{field}.{part}": told for part, told in error.facts.get("errors", {}).items()}
            raise Invalid(f"{field}: {error}", errors=errors) from error
    else:
        address = uow.addresses.get(choice)
        require_self(actor, address.account_id, f"address {choice}")
    return PostalAddress(**{part: getattr(address, part) for part in _ADDRESS_PARTS})


def _order_item(item: CheckoutItem) -> OrderItem:
    return OrderItem(
        listing_id=item.offer.listing_id,
        seller_id=item.offer.seller_id,
        product_id=item.product_id,
        variant_id=item.variant_id,
        title=item.title,
        variant=item.variant,
        quantity=item.reservation.quantity,
        unit_price=item.offer.price,
    )
