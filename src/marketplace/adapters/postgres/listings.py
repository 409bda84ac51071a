"""Listings in PostgreSQL: what is written. What is read for lists is in ``listing_queries``."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa

from marketplace.adapters.postgres.repository import PostgresRepository
from marketplace.adapters.postgres.tables.listings import listings
from marketplace.adapters.postgres.tables.reservations import reservations
from marketplace.application.ports.listings import ListingRepository
from marketplace.domain.listings import Listing, ListingSource, ListingStatus
from marketplace.domain.shared.errors import ConcurrencyConflict, Conflict, NotFound
from marketplace.domain.shared.ids import AccountId, ListingId, VariantId
from marketplace.domain.shared.money import Money

_columns = listings.c
_MANY = 500
"""So many new rows make what the planner knows wrong at once; autovacuum would notice only after a minute."""

_ARRAYS = {
    "id": "bigint",
    "seller_id": "bigint",
    "product_id": "bigint",
    "variant_id": "bigint",
    "price": "bigint",
    "currency": "text",
    "stock": "integer",
    "status": "text",
    "description": "text",
    "source": "text",
    "is_verified": "boolean",
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
}
_NAMES = ", ".join(_ARRAYS)
_ROWS = ", ".join(f"cast(:{name} as {kind}[])" for name, kind in _ARRAYS.items())
_ADD_ALL = sa.text(
    f"insert into listings ({_NAMES}, version) select {_NAMES}, 1 from unnest({_ROWS}) as new ({_NAMES})"
)
_SAVE_ALL = sa.text(
    f"update listings set {', '.join(f'{name} = new.{name}' for name in _ARRAYS)}, version = listings.version + 1 "
    f"from unnest({_ROWS}, cast(:version as integer[])) as new ({_NAMES}, version) "
    "where listings.id = new.id and listings.version = new.version"
)


class PostgresListings(PostgresRepository[Listing], ListingRepository):
    table = listings
    noun = "listing"
    constraints: ClassVar = {
        "one_import_listing": (Conflict, "An import of this seller made a listing of this variant meanwhile; repeat."),
    }

    def add_all(self, new: Sequence[Listing]) -> None:
        if new:
            self._execute(_ADD_ALL, self._arrays(new))
        if len(new) >= _MANY:
            self._execute(sa.text("analyze listings, variants"))
        for listing in new:
            listing.version = 1
            self._record(listing)

    def lock_and_sweep(self, listing_id: ListingId, now: datetime) -> Listing:
        found = self._locked(_columns.id == listing_id, now=now)
        if not found:
            raise NotFound(f"There is no listing {listing_id}.")
        return found[0]

    def lock_many(self, ids: Collection[ListingId], now: datetime) -> Sequence[Listing]:
        return self._locked(_columns.id == sa.any_(sa.literal(list(ids), sa.ARRAY(sa.BigInteger))), now=now)

    def lock_imported(
        self, seller_id: AccountId, variant_ids: Collection[VariantId], now: datetime
    ) -> Sequence[Listing]:
        return self._locked(
            _columns.seller_id == seller_id,
            _columns.variant_id == sa.any_(sa.literal(list(variant_ids), sa.ARRAY(sa.BigInteger))),
            _columns.source == ListingSource.IMPORT.value,
            _columns.status != ListingStatus.ARCHIVED.value,
            now=now,
        )

    def save_all(self, changed: Sequence[Listing]) -> None:
        if changed:
            arrays = {**self._arrays(changed), "version": [listing.version for listing in changed]}
            if self._execute(_SAVE_ALL, arrays).rowcount != len(changed):
                raise ConcurrencyConflict("Some of these listings were changed meanwhile; read them again and repeat.")
        for listing in changed:
            listing.version += 1
            self._record(listing)

    def to_row(self, entity: Listing) -> dict[str, Any]:
        """Without ``claimed``, which the reservations' triggers keep."""
        return {
            "id": entity.id,
            "seller_id": entity.seller_id,
            "product_id": entity.product_id,
            "variant_id": entity.variant_id,
            "price": entity.price.amount,
            "currency": entity.price.currency,
            "stock": entity.stock,
            "status": entity.status.value,
            "description": entity.description,
            "source": None if entity.source is None else entity.source.value,
            "is_verified": entity.is_verified,
            "created_at": entity.created_at,
            "updated_at": entity.updated_at,
        }

    def from_row(self, row: Any) -> Listing:
        return Listing(
            id=row.id,
            seller_id=row.seller_id,
            product_id=row.product_id,
            variant_id=row.variant_id,
            price=Money(row.price, row.currency),
            stock=row.stock,
            claimed=row.claimed,
            status=ListingStatus(row.status),
            description=row.description,
            source=None if row.source is None else ListingSource(row.source),
            is_verified=row.is_verified,
            created_at=row.created_at,
            updated_at=row.updated_at,
            version=row.version,
        )

    def _locked(self, *where: sa.ColumnElement[bool], now: datetime) -> list[Listing]:
        """By ascending id, as everybody locks listings; nobody adds a claim to them until the unit ends."""
        rows = self._execute(
            sa.select(listings).where(*where).order_by(_columns.id).with_for_update(key_share=True)
        ).all()
        found = {row.id: self.from_row(row) for row in rows}
        claimed = [id for id, listing in found.items() if listing.claimed]
        if claimed:
            swept = self._execute(
                sa.update(reservations)
                .where(
                    reservations.c.listing_id == sa.any_(sa.literal(claimed, sa.ARRAY(sa.BigInteger))),
                    reservations.c.status == "held",
                    reservations.c.expires_at <= now,
                )
                .values(status="expired")
                .returning(reservations.c.listing_id, reservations.c.quantity)
            )
            for row in swept:
                found[row.listing_id].claimed -= row.quantity
        return list(found.values())

    def _arrays(self, entities: Sequence[Listing]) -> dict[str, list[Any]]:
        rows = [self.to_row(entity) for entity in entities]
        return {name: [row[name] for row in rows] for name in _ARRAYS}
