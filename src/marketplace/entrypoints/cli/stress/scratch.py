"""A database of its own, and members and listings to fill it with."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_hex

from marketplace.domain.catalogue.products import Product, ProductDetails
from marketplace.domain.identity.accounts import Account
from marketplace.domain.listings import Listing
from marketplace.domain.sellers import SellerProfile
from marketplace.domain.shared.ids import AccountId, ListingId, ProductId
from marketplace.domain.shared.money import Money
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.processes import (
    create_database,
    drop_database,
    named_database,
    opened_database,
    upgrade,
)
from marketplace.entrypoints.settings import Settings

ADDRESS = {"name": "Stress Test", "street": "Rue des Essais", "city": "Lyon", "country": "FR"}


@contextmanager
def scratch_database(configured: Settings, connections: int) -> Iterator[Settings]:
    """A migrated database of its own on the server that is configured, gone afterwards."""
    with opened_database(configured) as settings:
        name = f"stress_{token_hex(6)}"
        create_database(settings.database_url, name)
        try:
            url = named_database(settings.database_url, name)
            upgrade(url)
            # Nobody's card is charged. A connection for each thread, so that they wait for each other, not the pool.
            simulated = dataclasses.replace(settings.stripe, secret_key="")
            yield dataclasses.replace(settings, database_url=url, database_pool_size=connections, stripe=simulated)
        finally:
            drop_database(settings.database_url, name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Town:
    """Who buys and sells there."""

    container: Container
    currency: str

    def account(self, username: str) -> AccountId:
        id = AccountId(self.container.backend.ids().next())
        with self.container.backend.unit_of_work() as uow:
            uow.accounts.add(
                Account.open(
                    id=id,
                    username=username,
                    email=f"{username}@example.com",
                    password_hash="nobody logs in",
                    now=self.container.clock().now(),
                )
            )
            uow.commit()
        return id

    def seller(self, username: str = "seller") -> AccountId:
        id, now = self.account(username), self.container.clock().now()
        profile = SellerProfile.of(id, shop_name=username.capitalize(), now=now, email_verified=True)
        profile.apply(now=now)
        profile.approve(now=now)
        profile.vouch()
        with self.container.backend.unit_of_work() as uow:
            uow.sellers.add(profile)
            uow.commit()
        return id

    def listing(self, seller: AccountId, *, pieces: int, price: int) -> ListingId:
        """``price`` in minor units."""
        ids, now = self.container.backend.ids(), self.container.clock().now()
        id = ListingId(ids.next())
        with self.container.backend.unit_of_work() as uow:
            product = Product.publish(
                id=ProductId(ids.next()), tcg_type="other", details=ProductDetails(name=f"Card {id}"), now=now
            )
            uow.products.add(product)
            variant = uow.catalogue.variant_of(product=product.id, language="en", version="normal", condition="NM")
            uow.listings.add(
                Listing.offer(
                    id,
                    seller_id=seller,
                    product_id=product.id,
                    variant_id=variant.id,
                    price=Money(price, self.currency),
                    stock=pieces,
                    now=now,
                )
            )
            uow.commit()
        return id
