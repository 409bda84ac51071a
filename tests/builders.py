"""One obvious thing of each kind, with only what a test says about it being different."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from marketplace.application.access import Actor
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.catalogue.card_sets import CardSet, SetDetails
from marketplace.domain.catalogue.products import Product, ProductDetails
from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import Account
from marketplace.domain.listings import Listing
from marketplace.domain.sellers import Holiday, SellerProfile
from marketplace.domain.shared.ids import AccountId, CardSetId, ListingId, ProductId, VariantId
from marketplace.domain.shared.money import Money

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)

UnitOfWorkFactory = Callable[[], UnitOfWork]

# Far above what a sequence gives out in a test.
_ids = count(10_000_000)


def euros(amount: int) -> Money:
    """Of so many cents."""
    return Money(amount, "EUR")


def a_listing(id: int = 1, **changes: Any) -> Listing:
    """Three cards at 25.99 of the seller 7."""
    values: dict[str, Any] = {
        "seller_id": AccountId(7),
        "product_id": ProductId(20),
        "variant_id": VariantId(30),
        "price": euros(2599),
        "stock": 3,
        "now": NOW,
    }
    return Listing.offer(ListingId(id), **{**values, **changes})


def a_seller(account_id: int = 7, **changes: Any) -> SellerProfile:
    """One who has everything that selling needs."""
    values: dict[str, Any] = {"shop_name": f"Shop {account_id}", "now": NOW, "email_verified": True}
    profile = SellerProfile.of(AccountId(account_id), **{**values, **changes})
    profile.apply(now=NOW)
    profile.approve(now=NOW)
    profile.vouch()
    profile.events.clear()
    return profile


def a_holiday(begins_at: datetime = NOW, *, days: int = 14) -> Holiday:
    return Holiday(begins_at=begins_at, ends_at=begins_at + timedelta(days=days))


def an_actor(account_id: int, *roles: Role) -> Actor:
    """Somebody signed in, with a verified e-mail address."""
    return Actor(account_id=AccountId(account_id), roles=frozenset({Role.BUYER, *roles}), is_email_verified=True)


def store_account(unit_of_work: UnitOfWorkFactory, username: str = "", *, verified: bool = True) -> AccountId:
    id = AccountId(next(_ids))
    name = username or f"member{id}"
    account = Account.open(id=id, username=name, email=f"{name}@example.com", password_hash="x", now=NOW)
    account.is_email_verified = verified
    with unit_of_work() as uow:
        uow.accounts.add(account)
        uow.commit()
    return id


def store_seller(unit_of_work: UnitOfWorkFactory, username: str = "", **changes: Any) -> AccountId:
    """An account that may sell."""
    id = store_account(unit_of_work, username)
    with unit_of_work() as uow:
        uow.sellers.add(a_seller(id, **changes))
        uow.commit()
    return id


def store_set(unit_of_work: UnitOfWorkFactory, code: str = "BS", *, region: str = "intl") -> CardSetId:
    id = CardSetId(next(_ids))
    details = SetDetails(
        external_id=f"{region}-{code}", tcg_type="pokemon", region=region, code=code, name=f"Set {code}"
    )
    with unit_of_work() as uow:
        uow.card_sets.add(CardSet(id=id, details=details, created_at=NOW, updated_at=NOW))
        uow.commit()
    return id


def store_product(
    unit_of_work: UnitOfWorkFactory,
    name: str = "Charizard",
    *,
    set_id: CardSetId | None = None,
    number: str | None = None,
    **details: Any,
) -> ProductId:
    id = ProductId(next(_ids))
    with unit_of_work() as uow:
        uow.products.add(
            Product.publish(
                id=id,
                tcg_type="pokemon",
                details=ProductDetails(name=name, number=number, **details),
                now=NOW,
                set_id=set_id,
            )
        )
        uow.commit()
    return id


def store_variant(
    unit_of_work: UnitOfWorkFactory,
    product_id: ProductId | None = None,
    *,
    language: str = "en",
    version: str = "holo",
    condition: str = "NM",
    grade: str | None = None,
) -> tuple[ProductId, VariantId]:
    """A variant of a product, of a new one by default."""
    product = store_product(unit_of_work) if product_id is None else product_id
    with unit_of_work() as uow:
        variant = uow.catalogue.variant_of(
            product=product, language=language, version=version, condition=condition, grade=grade
        )
        uow.commit()
    return product, variant.id


def store_listing(
    unit_of_work: UnitOfWorkFactory,
    seller_id: AccountId | None = None,
    variant: tuple[ProductId, VariantId] | None = None,
    **changes: Any,
) -> Listing:
    """A listing with everything that it refers to."""
    seller = store_seller(unit_of_work) if seller_id is None else seller_id
    product_id, variant_id = variant or store_variant(unit_of_work)
    listing = a_listing(next(_ids), seller_id=seller, product_id=product_id, variant_id=variant_id, **changes)
    with unit_of_work() as uow:
        uow.listings.add(listing)
        uow.commit()
    return listing
