"""What is selected of a product, and the view made of a row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, array

from marketplace.adapters.postgres.listing_queries import available
from marketplace.adapters.postgres.selling import is_selling
from marketplace.adapters.postgres.tables.catalogue import card_sets, categories, product_categories, products
from marketplace.adapters.postgres.tables.listings import listings
from marketplace.adapters.postgres.tables.orders import sale_lines, sales
from marketplace.adapters.postgres.tables.sellers import seller_profiles
from marketplace.application.ports.catalogue import CategorySummary, ProductView, SetSummary
from marketplace.domain.shared.money import half_up

MARKET_WINDOW = timedelta(days=90)
"""How far back sales make the market price."""

NOW, SOLD_SINCE = sa.bindparam("now", type_=sa.DateTime(True)), sa.bindparam("sold_since", type_=sa.DateTime(True))
"""Parameters of ``EVERYTHING``."""

_listing = listings.c
FROM = products.outerjoin(card_sets, card_sets.c.id == products.c.set_id)


def _offers() -> sa.ScalarSelect[Any]:
    """Lowest price, sum of prices, number, and pieces available of the active listings of sellers who may sell.

    A subquery in the select list, and as such run for the rows of the page only, whatever the page is sorted by.
    """
    return (
        sa.select(
            array(
                [
                    sa.func.min(_listing.price),
                    sa.cast(sa.func.sum(_listing.price), sa.BigInteger),
                    sa.func.count(),
                    sa.cast(sa.func.coalesce(sa.func.sum(available(NOW)), 0), sa.BigInteger),
                ]
            )
        )
        .select_from(listings.join(seller_profiles, seller_profiles.c.account_id == _listing.seller_id))
        .where(
            _listing.product_id == products.c.id,
            _listing.status == sa.text("'active'"),
            is_selling(NOW),
        )
        .correlate(products)
        .scalar_subquery()
    )


def _market() -> sa.ScalarSelect[Any]:
    """What was paid for how many pieces lately."""
    return (
        sa.select(
            array(
                [
                    sa.cast(sa.func.sum(sale_lines.c.unit_price * sale_lines.c.quantity), sa.BigInteger),
                    sa.cast(sa.func.sum(sale_lines.c.quantity), sa.BigInteger),
                ]
            )
        )
        .select_from(sale_lines.join(sales, sales.c.id == sale_lines.c.sale_id))
        .where(
            sale_lines.c.product_id == products.c.id,
            sales.c.paid_at > SOLD_SINCE,
            sa.text("sales.status not in ('awaiting_payment', 'cancelled')"),
        )
        .correlate(products)
        .scalar_subquery()
    )


_CATEGORIES = (
    sa.select(
        sa.func.jsonb_agg(
            sa.func.jsonb_build_array(categories.c.id, categories.c.slug, categories.c.name, type_=JSONB), type_=JSONB
        )
    )
    .select_from(product_categories.join(categories, categories.c.id == product_categories.c.category_id))
    .where(product_categories.c.product_id == products.c.id)
    .correlate(products)
    .scalar_subquery()
)


EVERYTHING = sa.select(
    products.c.id,
    products.c.external_id,
    products.c.name,
    products.c.names,
    products.c.slug,
    products.c.tcg_type,
    products.c.block,
    products.c.series,
    products.c.number,
    products.c.printed_number,
    products.c.rarity,
    products.c.artist,
    products.c.description,
    products.c.attributes,
    products.c.allowed_languages,
    products.c.allowed_versions,
    products.c.status,
    products.c.created_at,
    products.c.updated_at,
    products.c.version,
    card_sets.c.id,
    card_sets.c.external_id,
    card_sets.c.region,
    card_sets.c.code,
    card_sets.c.name,
    card_sets.c.release_date,
    _CATEGORIES,
    _offers(),
    _market(),
).select_from(FROM)
"""What ``product_view`` takes apart, in its order."""


def product_view(row: Any) -> ProductView:
    lowest, prices, offers, pieces = row[27]
    paid, sold = row[28]
    return ProductView(
        id=row[0],
        external_id=row[1],
        name=row[2],
        names=row[3],
        slug=row[4],
        tcg_type=row[5],
        block=row[6] or row[7],
        series=row[7],
        set=None if row[20] is None else SetSummary(*row[20:26]),
        number=row[8],
        printed_number=row[9],
        rarity=row[10],
        artist=row[11],
        description=row[12],
        attributes=row[13],
        categories=[CategorySummary(*each) for each in sorted(row[26] or ())],
        allowed_languages=row[14],
        allowed_versions=row[15],
        lowest_price=lowest,
        average_price=half_up(prices, offers) if offers else None,
        market_price=half_up(paid, sold) if sold else None,
        total_stock=pieces,
        offer_count=offers,
        status=row[16],
        created_at=row[17],
        updated_at=row[18],
        version=row[19],
    )
