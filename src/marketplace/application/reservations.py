"""The cart: claims on stock, made, renewed and let go by a buyer, and ended by the clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from marketplace.application.access import Actor
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.fees import FeesInForce
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.reservations import CartItem, CartLine, Claims, ReservationQueries
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.fees import Quote, price
from marketplace.domain.reservations import (
    HoldPolicy,
    Refusal,
    Refused,
    checked_quantity,
    problem_of,
)
from marketplace.domain.shared.ids import ListingId, ReservationId


@dataclass(frozen=True, kw_only=True, slots=True)
class AddToCart:
    """Hold so many pieces of a listing for a while; pieces that are in the cart already come on top."""

    claims: Claims
    unit_of_work: Callable[[], UnitOfWork]
    queries: ReservationQueries
    ids: IdSequence
    clock: Clock
    policy: HoldPolicy

    def __call__(
        self, *, actor: Actor, listing_id: ListingId, quantity: int, request_key: str | None = None
    ) -> CartLine:
        """The item; with a ``request_key`` under which it was added before, as it is now.

        Raises NotFound, on hidden listings too, OwnListing, AlreadyOrdered, HoldLimitReached, CartFull and
        InsufficientStock; Invalid on what is no quantity.
        """
        now = self.clock.now()
        checked_quantity(quantity)
        if request_key is not None:
            item_id = self._added_once(actor, listing_id, quantity, request_key, now)
            return _line(self._item(actor, item_id, now), now, self.policy)
        claimed = self.claims.claim(
            id=ReservationId(self.ids.next()),
            buyer_id=actor.account_id,
            listing_id=listing_id,
            quantity=quantity,
            now=now,
            policy=self.policy,
        )
        if isinstance(claimed, Refused):
            raise claimed.error_of_adding()
        return _line(claimed, now, self.policy)

    def _added_once(
        self, actor: Actor, listing_id: ListingId, quantity: int, request_key: str, now: datetime
    ) -> ReservationId:
        """The claim and the key's note of it are one transaction: adding is the one claim that counts when repeated."""
        id = ReservationId(self.ids.next())
        with self.unit_of_work() as uow:
            made = uow.idempotency.resource(actor.account_id, request_key)
            if made is not None:
                return ReservationId(made)
            claimed = uow.reservations.claim_more(
                id=id,
                buyer_id=actor.account_id,
                listing_id=listing_id,
                quantity=quantity,
                now=now,
                policy=self.policy,
            )
            if isinstance(claimed, Refused):
                raise claimed.error_of_adding()
            uow.idempotency.attach(actor.account_id, request_key, claimed.id, now=now)
            uow.commit()
            return claimed.id

    def _item(self, actor: Actor, item_id: ReservationId, now: datetime) -> CartItem:
        cart = self.queries.cart(actor.account_id, now=now)
        found = next((item for item in cart if item.reservation.id == item_id), None)
        if found is None:
            raise Refused(why=Refusal.UNKNOWN_ITEM).error()
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeCartItem:
    """Hold another number of pieces, or as many for longer."""

    claims: Claims
    clock: Clock
    policy: HoldPolicy

    def __call__(self, *, actor: Actor, item_id: ReservationId, quantity: int) -> CartLine:
        """Raises as ``AddToCart`` does, and ListingNotForSale; a refused raise leaves the old claim."""
        now = self.clock.now()
        claimed = self.claims.change(
            id=item_id,
            buyer_id=actor.account_id,
            quantity=checked_quantity(quantity),
            now=now,
            policy=self.policy,
        )
        if isinstance(claimed, Refused):
            raise claimed.error()
        return _line(claimed, now, self.policy)


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoveFromCart:
    """Let go of one item, so that others can have it."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, item_id: ReservationId) -> None:
        """Raises NotFound, and AlreadyOrdered while an unpaid order holds it."""
        with self.unit_of_work() as uow:
            uow.reservations.release(id=item_id, buyer_id=actor.account_id, now=self.clock.now())
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class EmptyCart:
    """Let go of everything but what unpaid orders hold."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor) -> None:
        """An empty cart stays empty; there is nothing to refuse."""
        with self.unit_of_work() as uow:
            uow.reservations.empty(buyer_id=actor.account_id, now=self.clock.now())
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class Cart:
    """``totals`` is what the items that no order holds would cost, at the prices that their buyer knows."""

    lines: Sequence[CartLine]
    totals: Quote


@dataclass(frozen=True, kw_only=True, slots=True)
class ShowCart:
    """The buyer's cart, priced. Looking renews nothing."""

    queries: ReservationQueries
    clock: Clock
    fees: FeesInForce
    policy: HoldPolicy

    def __call__(self, *, actor: Actor) -> Cart:
        """What stands in the way of a line is its ``problem``, and no error."""
        now = self.clock.now()
        items = self.queries.cart(actor.account_id, now=now)
        unordered = [item for item in items if item.reservation.order_id is None]
        schedule = self.fees.schedule(now)
        facts = self.fees.facts(schedule, [item.goods for item in unordered])
        return Cart(
            lines=[_line(item, now, self.policy) for item in items],
            totals=price(schedule, [item.charged(facts) for item in unordered]),
        )


def _line(item: CartItem, now: datetime, policy: HoldPolicy) -> CartLine:
    return CartLine.of(item, now=now, problem=problem_of(item.reservation, item.offer(now), now=now, policy=policy))


SWEEP_BATCH = 500
"""Listings, or forgotten reservations, in one transaction."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepReservations:
    """End the claims that ran out, and forget those that were let go of so long ago that they limit nothing."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    policy: HoldPolicy
    batch: int = SWEEP_BATCH

    def __call__(self) -> int:
        """One batch of each, a transaction of its own; gives the number of claims that were ended or forgotten.

        Raises Unavailable when the store does not answer.
        """
        now = self.clock.now()
        return self._sweep(now) + self._forget(now)

    def _sweep(self, now: datetime) -> int:
        with self.unit_of_work() as uow:
            swept = uow.reservations.sweep(now=now, limit=self.batch)
            uow.commit()
            return swept

    def _forget(self, now: datetime) -> int:
        with self.unit_of_work() as uow:
            forgotten = uow.reservations.forget(released_before=now - self.policy.max_hold, limit=self.batch)
            uow.commit()
            return forgotten
