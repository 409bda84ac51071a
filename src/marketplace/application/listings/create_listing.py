"""Offering something new."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.application.access import Actor, require_may_sell
from marketplace.application.ports.catalogue import Ref
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.catalogue.variants import Variant
from marketplace.domain.listings import Listing, parsed_price
from marketplace.domain.shared.errors import Invalid, NotFound
from marketplace.domain.shared.ids import ListingId, VariantId
from marketplace.domain.shared.money import CurrencyMismatch


@dataclass(frozen=True, kw_only=True, slots=True)
class VariantRef:
    """A variant by what makes it one: ids or codes, a product's being its external id."""

    product: Ref
    language: Ref
    version: Ref
    condition: Ref
    grade: Ref | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CreateListing:
    """Offer a variant, which is made when nobody has offered that combination yet."""

    unit_of_work: Callable[[], UnitOfWork]
    ids: IdSequence
    clock: Clock
    currency: str

    def __call__(
        self,
        *,
        actor: Actor,
        variant: VariantId | VariantRef,
        price: str,
        stock: int,
        description: str = "",
        active: bool = True,
        currency: str | None = None,
        request_key: str | None = None,
    ) -> Listing:
        """``price`` is a decimal. With a ``request_key`` that made a listing before, gives that one as it is now.

        Raises Forbidden with what is ``missing`` to a seller who may not sell.
        """
        require_currency(currency, self.currency)
        now = self.clock.now()
        id = ListingId(self.ids.next())
        with self.unit_of_work() as uow:
            if request_key is not None:
                made = uow.idempotency.resource(actor.account_id, request_key)
                if made is not None:
                    return uow.listings.get(ListingId(made))
            require_may_sell(actor, uow.sellers.find(actor.account_id))
            found = variant_for_sale(uow, variant)
            listing = Listing.offer(
                id,
                seller_id=actor.account_id,
                product_id=found.key.product_id,
                variant_id=found.id,
                price=parsed_price(price, self.currency),
                stock=stock,
                description=description,
                active=active,
                now=now,
            )
            uow.listings.add(listing)
            if request_key is not None:
                uow.idempotency.attach(actor.account_id, request_key, id, now=now)
            uow.commit()
        return listing


def require_currency(asked: str | None, settled_in: str) -> None:
    """Raises CurrencyMismatch unless nothing was asked for, or what the deployment settles in."""
    if asked is not None and asked != settled_in:
        message = f"Prices are in {settled_in} here, not in {asked!r}."
        raise CurrencyMismatch(message, errors={"currency": [message]})


def variant_for_sale(uow: UnitOfWork, variant: VariantId | VariantRef) -> Variant:
    """Raises Invalid when it names nothing, ProductArchived when it cannot be offered any more."""
    if isinstance(variant, VariantRef):
        return uow.catalogue.variant_of(
            product=variant.product,
            language=variant.language,
            version=variant.version,
            condition=variant.condition,
            grade=variant.grade,
        )
    try:
        found = uow.catalogue.variant(variant)
    except NotFound as error:
        message = f"There is no variant {variant}; GET /api/v1/products/<id>/variants/ lists those of a product."
        raise Invalid(message, errors={"variant": [message]}) from error
    uow.products.get(found.key.product_id).require_published()
    return found
