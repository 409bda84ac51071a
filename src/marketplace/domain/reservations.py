"""Reservations: a buyer's claim on part of a listing's stock. The cart *is* a buyer's reservations.

    held ───> ordered ───> (gone: paid for, the pieces left the stock)
     ^ │         └───────> expired    (the order ended unpaid)
     │ ├────> expired  (the clock; counts as free at once, swept or not)
     │ └────> released (the buyer let go; remembered, so that the hold limit cannot be evaded)
     └─── expired, released

There is one reservation a buyer and listing. Rules: "Stock and reservations" of the domain specification.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from marketplace.domain.shared.errors import Conflict, Invalid, MarketplaceError, NotFound
from marketplace.domain.shared.ids import AccountId, ListingId, OrderId, ReservationId
from marketplace.domain.shared.money import Money

MAX_QUANTITY = 1_000_000
MAX_CART_ITEMS = 200
"""Listings in one cart. A bound, so that no cart makes a slow request; far above what a buyer sends home at once."""


class ReservationStatus(StrEnum):
    HELD = "held"
    ORDERED = "ordered"
    EXPIRED = "expired"
    RELEASED = "released"


class InsufficientStock(Conflict):
    """``available``: what this buyer could have at most."""

    code = "insufficient_stock"


class HoldLimitReached(Conflict):
    """``retry_at``: from when on a new claim can be made."""

    code = "hold_limit_reached"


class AlreadyOrdered(Conflict):
    """``order``: the unpaid order that the item is in."""

    code = "already_ordered"


class OwnListing(Conflict):
    code = "own_listing"


class ListingNotForSale(Conflict):
    """``reason``: listing_inactive or seller_unavailable."""

    code = "listing_unavailable"


class CartFull(Conflict):
    code = "cart_full"


class CartEmpty(Conflict):
    code = "cart_empty"


class Problem(StrEnum):
    """Why an item of the cart cannot be ordered as it is."""

    OUT_OF_STOCK = "out_of_stock"
    PRICE_CHANGED = "price_changed"
    LISTING_INACTIVE = "listing_inactive"
    SELLER_UNAVAILABLE = "seller_unavailable"
    HOLD_LIMIT = "hold_limit_reached"
    """The claim ran out, and its buyer has held the listing for as long as one may."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldPolicy:
    """How long a cart claim lasts, and how long one buyer can go on renewing it."""

    hold_for: timedelta
    max_hold: timedelta

    def until(self, *, now: datetime, first_claimed_at: datetime) -> datetime:
        """When a claim made or renewed now ends: never later than ``max_hold`` after the first."""
        return min(now + self.hold_for, first_claimed_at + self.max_hold)

    def forgotten_at(self, reservation: Reservation) -> datetime:
        """When a chain of claims whose last one is ``reservation`` limits nothing any more."""
        return reservation.expires_at + self.max_hold


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """What a claim depends on: one listing as it is now, seen by one buyer.

    ``available`` is what this buyer could have at most: the stock without the claims of others that still count.
    """

    listing_id: ListingId
    seller_id: AccountId
    price: Money
    is_public: bool
    seller_is_selling: bool
    available: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Reservation:
    """A row of the cart, or the memory of one. ``unit_price`` is the price last answered to the buyer."""

    id: ReservationId
    buyer_id: AccountId
    listing_id: ListingId
    quantity: int
    unit_price: Money
    status: ReservationStatus
    first_claimed_at: datetime
    expires_at: datetime
    order_id: OrderId | None = None

    def is_in_cart(self) -> bool:
        return self.status is not ReservationStatus.RELEASED

    def counts(self) -> bool:
        """Whether it counts in the listing's ``claimed``: an overdue claim does until it is swept."""
        return self.status in (ReservationStatus.HELD, ReservationStatus.ORDERED)

    def is_overdue(self, now: datetime) -> bool:
        return self.status is ReservationStatus.HELD and now >= self.expires_at

    def holds_stock(self, now: datetime) -> bool:
        """Whether it keeps others from buying: an order claim always, a cart claim until its instant."""
        return self.counts() and not self.is_overdue(now)

    def state(self, now: datetime) -> ReservationStatus:
        """What the buyer sees: an overdue claim has expired, whether or not anything has swept it."""
        return ReservationStatus.EXPIRED if self.is_overdue(now) else self.status

    def expired(self) -> Reservation:
        return replace(self, status=ReservationStatus.EXPIRED)

    def freed(self, now: datetime) -> Reservation:
        """Its order ended unpaid: back in the cart, to be claimed again."""
        return replace(self, status=ReservationStatus.EXPIRED, expires_at=now, order_id=None)

    def released(self, now: datetime) -> Reservation:
        """The buyer let go. Raises AlreadyOrdered while it is part of an order."""
        if self.status is ReservationStatus.ORDERED:
            raise already_ordered(self.order_id)
        return replace(self, status=ReservationStatus.RELEASED, expires_at=min(self.expires_at, now))

    def answered(self, price: Money) -> Reservation:
        """Its buyer has been told ``price``."""
        return replace(self, unit_price=price)

    def ordered(self, order_id: OrderId, *, now: datetime, policy: HoldPolicy) -> Reservation:
        """Part of an order; a claim that has expired begins anew. Raises HoldLimitReached when it may not."""
        first = first_claim(self, now=now, policy=policy) if not self.holds_stock(now) else self.first_claimed_at
        return replace(self, status=ReservationStatus.ORDERED, first_claimed_at=first, order_id=order_id)


class Refusal(StrEnum):
    """Why a claim was not made. The database answers with these words."""

    UNKNOWN_ITEM = "unknown_item"
    UNKNOWN_LISTING = "unknown_listing"
    OWN_LISTING = "own_listing"
    LISTING_INACTIVE = "listing_inactive"
    SELLER_UNAVAILABLE = "seller_unavailable"
    ALREADY_ORDERED = "already_ordered"
    HOLD_LIMIT = "hold_limit"
    CART_FULL = "cart_full"
    INSUFFICIENT = "insufficient"


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """A claim that was not made, and what the buyer is told; whatever was claimed before stays."""

    why: Refusal
    available: int = 0
    retry_at: datetime | None = None
    order_id: OrderId | None = None

    def error_of_adding(self) -> MarketplaceError:
        """As ``error``; to who asks for a listing by its id, one that is hidden does not exist."""
        hidden = self.why in (Refusal.LISTING_INACTIVE, Refusal.SELLER_UNAVAILABLE)
        return replace(self, why=Refusal.UNKNOWN_LISTING).error() if hidden else self.error()

    def error(self) -> MarketplaceError:
        """The refusal in a sentence, for a buyer who has the listing in the cart."""
        match self.why:
            case Refusal.INSUFFICIENT:
                return InsufficientStock(
                    f"That is more than there is: you could have {self.available} of this listing at most.",
                    available=self.available,
                )
            case Refusal.HOLD_LIMIT:
                return hold_limit_reached(self.retry_at)
            case Refusal.ALREADY_ORDERED:
                return already_ordered(self.order_id)
            case Refusal.OWN_LISTING:
                return OwnListing("This is your own listing; nobody can buy from themselves.")
            case Refusal.LISTING_INACTIVE:
                return ListingNotForSale("The seller has taken this listing off sale.", reason=str(self.why))
            case Refusal.SELLER_UNAVAILABLE:
                return ListingNotForSale("The seller cannot sell at the moment.", reason=str(self.why))
            case Refusal.CART_FULL:
                return CartFull(f"A cart holds {MAX_CART_ITEMS} listings at most; order or remove some first.")
            case Refusal.UNKNOWN_LISTING:
                return NotFound("There is no such listing.")
            case _:
                return NotFound("There is no such item in your cart.")


def claim(
    previous: Reservation | None,
    *,
    id: ReservationId,
    buyer_id: AccountId,
    offer: Offer,
    quantity: int,
    adding: bool,
    items_in_cart: int,
    now: datetime,
    policy: HoldPolicy,
) -> Reservation | Refused:
    """The buyer's claim on a listing, made or renewed now, for ``quantity`` pieces or, ``adding``, for as many more.

    ``previous`` is their reservation of this listing, the memory of a released one included. The database function
    ``claim_stock`` decides by the same rules in the same order.
    """
    if offer.seller_id == buyer_id:
        return Refused(why=Refusal.OWN_LISTING)
    if not offer.is_public:
        return Refused(why=Refusal.LISTING_INACTIVE)
    if not offer.seller_is_selling:
        return Refused(why=Refusal.SELLER_UNAVAILABLE)
    if previous is not None and previous.status is ReservationStatus.ORDERED:
        return Refused(why=Refusal.ALREADY_ORDERED, order_id=previous.order_id)
    try:
        first = first_claim(previous, now=now, policy=policy)
    except HoldLimitReached:
        assert previous is not None
        return Refused(why=Refusal.HOLD_LIMIT, retry_at=policy.forgotten_at(previous))
    in_cart = previous is not None and previous.is_in_cart()
    if not in_cart and items_in_cart >= MAX_CART_ITEMS:
        return Refused(why=Refusal.CART_FULL)
    wanted = quantity + (previous.quantity if previous is not None and in_cart and adding else 0)
    if wanted > offer.available:
        return Refused(why=Refusal.INSUFFICIENT, available=max(offer.available, 0))
    return Reservation(
        id=id if previous is None else previous.id,
        buyer_id=buyer_id,
        listing_id=offer.listing_id,
        quantity=wanted,
        unit_price=offer.price,
        status=ReservationStatus.HELD,
        first_claimed_at=first,
        expires_at=policy.until(now=now, first_claimed_at=first),
    )


def problem_of(reservation: Reservation, offer: Offer, *, now: datetime, policy: HoldPolicy) -> Problem | None:
    """What keeps the item from being ordered at the price its buyer knows, a claim that has expired being made anew.

    The cart, the quote and the checkout go by this one rule. What is ordered has no problem.
    """
    if reservation.status is ReservationStatus.ORDERED:
        return None
    if not offer.is_public:
        return Problem.LISTING_INACTIVE
    # Nobody buys from themselves, however it may have come into the cart.
    if not offer.seller_is_selling or offer.seller_id == reservation.buyer_id:
        return Problem.SELLER_UNAVAILABLE
    if offer.available < reservation.quantity:
        return Problem.OUT_OF_STOCK
    if offer.price != reservation.unit_price:
        return Problem.PRICE_CHANGED
    if not reservation.holds_stock(now):
        try:
            first_claim(reservation, now=now, policy=policy)
        except HoldLimitReached:
            return Problem.HOLD_LIMIT
    return None


def orderable(cart: Sequence[Reservation], chosen: Collection[ReservationId] | None) -> Sequence[Reservation]:
    """What of the cart is to be ordered: the chosen items, or all that no order holds.

    Raises NotFound on an item that is not in the cart, AlreadyOrdered, and CartEmpty.
    """
    if chosen is not None:
        cart = [reservation for reservation in cart if reservation.id in set(chosen)]
        if len(cart) < len(set(chosen)):
            raise Refused(why=Refusal.UNKNOWN_ITEM).error()
    free = [r for r in cart if r.status is not ReservationStatus.ORDERED]
    ordered = [r for r in cart if r.status is ReservationStatus.ORDERED]
    if ordered and (chosen is not None or not free):
        raise already_ordered(ordered[0].order_id)
    if not free:
        raise CartEmpty("There is nothing in your cart to order; add something first.")
    return free


def first_claim(previous: Reservation | None, *, now: datetime, policy: HoldPolicy) -> datetime:
    """When the chain of claims that a claim made now belongs to began.

    A chain is remembered for ``max_hold`` after its last claim ended. Raises HoldLimitReached when it is exhausted.
    """
    if previous is None or now >= policy.forgotten_at(previous):
        return now
    if now >= previous.first_claimed_at + policy.max_hold:
        raise hold_limit_reached(policy.forgotten_at(previous))
    return previous.first_claimed_at


def hold_limit_reached(retry_at: datetime | None) -> HoldLimitReached:
    moment = None if retry_at is None else retry_at.isoformat()
    return HoldLimitReached(
        f"You have held this listing for as long as one buyer may; it can be claimed again from {moment} on.",
        retry_at=moment,
    )


def already_ordered(order_id: OrderId | None) -> AlreadyOrdered:
    return AlreadyOrdered(
        f"This item is part of order {order_id}, which is not paid yet; pay or cancel that order first.",
        order=order_id,
    )


def checked_quantity(quantity: Any) -> int:
    """Raises Invalid unless it is a whole number from 1 to MAX_QUANTITY."""
    if type(quantity) is not int or not 1 <= quantity <= MAX_QUANTITY:
        message = f"{quantity!r} is not a quantity: a whole number from 1 to {MAX_QUANTITY}."
        raise Invalid(message, errors={"quantity": [message]})
    return quantity
