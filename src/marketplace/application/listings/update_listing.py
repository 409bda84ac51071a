"""Changing what is offered, and the end of it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marketplace.application.access import Actor, acts_on_anothers, require_listing_owner
from marketplace.application.listings.create_listing import VariantRef, require_currency, variant_for_sale
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.listings import Listing, parsed_price
from marketplace.domain.shared.errors import PreconditionFailed
from marketplace.domain.shared.ids import ListingId, VariantId


@dataclass(frozen=True, kw_only=True, slots=True)
class UpdateListing:
    """Change one's own listing: price, stock, description, variant, status. Orders that exist keep what they say."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    currency: str

    def __call__(
        self,
        *,
        actor: Actor,
        listing_id: ListingId,
        if_version: Collection[int] | None = None,
        variant: VariantId | VariantRef | None = None,
        price: str | None = None,
        stock: int | None = None,
        description: str | None = None,
        active: bool | None = None,
        currency: str | None = None,
    ) -> Listing:
        """None leaves a thing as it is. Raises PreconditionFailed when the version is none of ``if_version``."""
        require_currency(currency, self.currency)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            found = None
            if variant is not None:
                # Making a variant may wait for somebody who makes the same one and goes on to lock listings, as an
                # import does: so it comes before the lock, once it is known that the actor may ask for it.
                unlocked = uow.listings.get(listing_id)
                _require_owner(uow, actor, unlocked, now)
                _require_version(unlocked, if_version)
                found = variant_for_sale(uow, variant)
            listing = own_listing(uow, actor, listing_id, self.clock)
            _require_version(listing, if_version)
            before = copy(listing)
            if found is not None:
                listing.move_to(product_id=found.key.product_id, variant_id=found.id, now=now)
            if price is not None:
                listing.reprice(parsed_price(price, self.currency), now=now)
            if stock is not None:
                listing.restock(stock, now=now)
            if description is not None:
                listing.describe(description, now=now)
            if active is not None:
                (listing.switch_on if active else listing.switch_off)(now=now)
            if listing != before:
                uow.listings.save(listing)
                _note(uow, actor, "listing.changed", before, listing, now)
            if listing.variant_id != before.variant_id:
                # What was put into a cart never becomes another card there.
                uow.reservations.leave_carts(listing.id, now=now)
            uow.commit()
        return listing


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveListing:
    """Take one's own listing away for good; orders that refer to it keep it. Repeating it changes nothing."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, listing_id: ListingId) -> None:
        """Raises NotFound, also for another's that is hidden, and Forbidden for another's that is public."""
        with self.unit_of_work() as uow:
            listing = own_listing(uow, actor, listing_id, self.clock)
            before, now = copy(listing), self.clock.now()
            listing.archive(now=now)
            if listing != before:
                uow.listings.save(listing)
                _note(uow, actor, "listing.archived", before, listing, now)
            uow.commit()


def own_listing(uow: UnitOfWork, actor: Actor, listing_id: ListingId, clock: Clock) -> Listing:
    """The actor's listing, locked. Raises Forbidden for another's that is public, NotFound for one that is hidden."""
    now = clock.now()
    listing = uow.listings.lock_and_sweep(listing_id, now)
    _require_owner(uow, actor, listing, now)
    return listing


def _require_owner(uow: UnitOfWork, actor: Actor, listing: Listing, now: datetime) -> None:
    seller = uow.sellers.find(listing.seller_id)
    require_listing_owner(
        actor,
        listing.id,
        seller_id=listing.seller_id,
        is_public=listing.is_public and seller is not None and seller.is_selling(now),
    )


def _note(uow: UnitOfWork, actor: Actor, action: str, before: Listing, after: Listing, now: datetime) -> None:
    """What sellers do to their own is no privilege; what anybody else does is."""
    if acts_on_anothers(actor, after.seller_id):
        uow.audit.add(actor.did(action, "listing", after.id, now=now, before=_look(before), after=_look(after)))


def _look(listing: Listing) -> dict[str, Any]:
    """What the audit trail compares."""
    return {
        "variant_id": listing.variant_id,
        "price": listing.price.decimal,
        "stock": listing.stock,
        "status": listing.status,
        # What a seller wrote, maybe of themselves: that it changed is recorded, not how.
        "private_description": listing.description,
    }


def _require_version(listing: Listing, versions: Collection[int] | None) -> None:
    if versions is not None and listing.version not in versions:
        raise PreconditionFailed(
            f"The listing {listing.id} is at version {listing.version} by now; read it again and repeat."
        )
