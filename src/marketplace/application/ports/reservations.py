"""Claims on stock, and the cart that they make up.

Whoever changes a claim locks its listing first, several listings by ascending id; each method here does so by itself.
The lock order everywhere is: idempotency key, order, sales, variants that are made, listings, claims.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, Self

from marketplace.application.ports.listings import ListingView
from marketplace.domain.fees import FeeFacts, FeeLine
from marketplace.domain.listings import PUBLIC_STATUSES
from marketplace.domain.orders.order import Order
from marketplace.domain.reservations import HoldPolicy, Offer, Problem, Refused, Reservation, ReservationStatus
from marketplace.domain.shared.ids import (
    AccountId,
    ListingId,
    OrderId,
    ProductId,
    ReservationId,
    SaleLineId,
    VariantId,
)
from marketplace.domain.shared.money import Money


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckoutItem:
    """An item of the cart, what it depends on, and the copies that an order takes of it."""

    reservation: Reservation
    offer: Offer
    product_id: ProductId
    variant_id: VariantId
    title: str
    variant: Mapping[str, Any]


class ReservationRepository(Protocol):
    """The one reservation of each buyer and listing."""

    def claim_more(
        self,
        *,
        id: ReservationId,
        buyer_id: AccountId,
        listing_id: ListingId,
        quantity: int,
        now: datetime,
        policy: HoldPolicy,
    ) -> Reservation | Refused:
        """As ``Claims.claim``, within this unit."""
        ...

    def release(self, *, id: ReservationId, buyer_id: AccountId, now: datetime) -> None:
        """Let go of one item of the cart. Raises NotFound, and AlreadyOrdered when an order holds it."""
        ...

    def empty(self, *, buyer_id: AccountId, now: datetime) -> None:
        """Let go of everything that no order holds."""
        ...

    def leave_carts(self, listing_id: ListingId, *, now: datetime) -> None:
        """Let go of the expired items of a listing, in every cart.

        The caller has it locked and swept, so that nobody claims it anew meanwhile.
        """
        ...

    def for_checkout(
        self, *, buyer_id: AccountId, ids: Sequence[ReservationId] | None, now: datetime
    ) -> Sequence[CheckoutItem]:
        """The buyer's cart, or those of ``ids`` that are in it, ordered items included, by ascending listing.

        The listings are locked until the unit ends, and everything is read after that. Overdue claims of others count
        as free; they are swept when this buyer needs what they held.
        """
        ...

    def save_all(self, reservations: Sequence[Reservation]) -> None:
        """Store what ``for_checkout`` gave and the domain changed. One statement."""
        ...

    def free(self, order_id: OrderId, *, now: datetime) -> None:
        """The order ended unpaid: its claims end, and its items stay in the cart, expired."""
        ...

    def supply(self, order: Order, *, now: datetime) -> Mapping[SaleLineId, int]:
        """Take the pieces of a paid order out of the stock; gives those missing of each line, empty when none is.

        The order's own claims go first. When they are gone, for the money came late, it takes what this buyer's own
        cart holds of the listing, then what is *available*, never a claim of anybody else, and nothing of a listing
        that is archived or offers another variant by now. What was taken leaves the cart. A listing whose stock reaches
        0 is sold out.
        """
        ...

    def sweep(self, *, now: datetime, limit: int) -> int:
        """End claims that ran out, those of ``limit`` listings at most; gives the number of claims.

        Listings that somebody else has locked are left for the next sweep.
        """
        ...

    def forget(self, *, released_before: datetime, limit: int) -> int:
        """Delete what is remembered of claims that ended before; gives the number."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class CartItem:
    """A row of the cart with the listing as it is now."""

    reservation: Reservation
    listing: ListingView

    @property
    def goods(self) -> tuple[AccountId, ProductId]:
        """Whose product it is, and which."""
        return AccountId(self.listing.seller.id), ProductId(self.listing.product.id)

    def charged(self, facts: FeeFacts) -> FeeLine:
        """What it comes to at the price that its buyer knows, for the fees on it."""
        return facts.line(*self.goods, (self.reservation.unit_price * self.reservation.quantity).amount)

    def offer(self, now: datetime) -> Offer:
        """The listing as this buyer sees it: their own claim does not keep them from anything."""
        in_public_status = self.listing.status in PUBLIC_STATUSES
        held = self.reservation.quantity if self.reservation.holds_stock(now) else 0
        return Offer(
            listing_id=ListingId(self.listing.id),
            seller_id=AccountId(self.listing.seller.id),
            price=Money(self.listing.price, self.listing.currency),
            is_public=in_public_status,
            seller_is_selling=self.listing.is_public or not in_public_status,
            available=self.listing.available + held,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class CartLine:
    """An item as its buyer sees it now. ``reserved_until`` is None unless the clock can end the claim."""

    item: CartItem
    state: ReservationStatus
    problem: Problem | None
    reserved_until: datetime | None

    @classmethod
    def of(cls, item: CartItem, *, now: datetime, problem: Problem | None) -> Self:
        """The item as it stands ``now``: a claim whose time is over is shown as ended, whether or not it was swept."""
        state = item.reservation.state(now)
        until = item.reservation.expires_at if state is ReservationStatus.HELD else None
        return cls(item=item, state=state, problem=problem, reserved_until=until)


class Claims(Protocol):
    """Cart claims, made and renewed. Each method is a transaction of its own and one round trip.

    A claim leaves the version of the listing alone. A refusal leaves the old claim as it was.
    """

    def claim(
        self,
        *,
        id: ReservationId,
        buyer_id: AccountId,
        listing_id: ListingId,
        quantity: int,
        now: datetime,
        policy: HoldPolicy,
    ) -> CartItem | Refused:
        """Claim so many pieces more, as ``domain.reservations.claim`` decides; gives the item as the cart shows it.

        ``id`` is for a listing that this buyer has never claimed.
        """
        ...

    def change(
        self, *, id: ReservationId, buyer_id: AccountId, quantity: int, now: datetime, policy: HoldPolicy
    ) -> CartItem | Refused:
        """Claim so many pieces instead, which renews the claim even if the number is the same. As ``claim``."""
        ...


class ReservationQueries(Protocol):
    """Reads, one statement each. Reading never renews a claim."""

    def cart(self, buyer_id: AccountId, *, now: datetime) -> Sequence[CartItem]:
        """In the order in which the listings were put in."""
        ...
