"""Products by their lowest price: those that are offered, cheapest or dearest first, then those that are not.

No price is kept with a product: a column would make every sale of one of its offers wait for the others. It is looked
up in the indexes of the listings by price. Either part stops at the end of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from marketplace.adapters.postgres.catalogue.filters import conditions
from marketplace.adapters.postgres.catalogue.product_views import EVERYTHING, NOW
from marketplace.adapters.postgres.pages import counted
from marketplace.adapters.postgres.selling import is_selling
from marketplace.adapters.postgres.tables.catalogue import products
from marketplace.adapters.postgres.tables.listings import listings
from marketplace.adapters.postgres.tables.sellers import seller_profiles
from marketplace.application.ports.pages import PageRequest

PRICE_ORDERINGS = {"price": False, "-price": True}
"""The names of the orderings, and whether the dearest come first."""
KEYS = 3
"""How many key columns the rows end with: the part (0 offered, 1 not), the lowest price, and the id of the cheapest
offer or, in the second part, of the product. The price of what has none is 0 there, in no sense but the key's."""

_OFFERED, _NOT_OFFERED = 0, 1
_offer = listings.alias("offer")


def _buyable(listing: sa.FromClause, seller: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    """As the price fields of a product take it: active, of a seller who may sell."""
    # As text: the indexes are partial, which the planner cannot see in a parameter.
    return [
        listing.c.status == sa.text("'active'"),
        seller.c.account_id == listing.c.seller_id,
        is_selling(NOW, seller),
    ]


def _is_cheapest() -> sa.ColumnElement[bool]:
    other, seller = listings.alias("other"), seller_profiles.alias("other_seller")
    return ~(
        sa.exists()
        .where(
            other.c.product_id == _offer.c.product_id,
            sa.tuple_(other.c.price, other.c.id) < sa.tuple_(_offer.c.price, _offer.c.id),
            *_buyable(other, seller),
        )
        .correlate(_offer)
    )


def _is_offered() -> sa.ColumnElement[bool]:
    listing, seller = listings.alias("any_offer"), seller_profiles.alias("any_seller")
    return sa.exists().where(listing.c.product_id == products.c.id, *_buyable(listing, seller)).correlate(products)


def _by_offer() -> sa.FromClause:
    """The cheapest offer of each product that is offered, found among all offers, along their index by price."""
    # By itself, so that its columns are not taken for the product's. The planner sees through it.
    return (
        sa.select(_offer.c.product_id, _offer.c.price, _offer.c.id)
        .where(*_buyable(_offer, seller_profiles.alias("offer_seller")), _is_cheapest())
        .subquery("cheapest")
    )


def _by_product() -> sa.FromClause:
    """The same, one look into the index of the product's offers for each product that the filters leave."""
    seller = seller_profiles.alias("offer_seller")
    return (
        sa.select(_offer.c.product_id, _offer.c.price, _offer.c.id)
        .select_from(_offer.join(seller, seller.c.account_id == _offer.c.seller_id))
        .where(_offer.c.product_id == products.c.id, *_buyable(_offer, seller))
        .order_by(_offer.c.price, _offer.c.id)
        .limit(sa.literal_column("1"))
        .correlate(products)
        .lateral("cheapest")
    )


_Part = tuple[sa.Select[Any], Sequence[sa.ColumnElement[Any]]]


def _offered(cheapest: sa.FromClause) -> _Part:
    keys = (cheapest.c.price, cheapest.c.id)
    columns = EVERYTHING.add_columns(sa.literal_column(str(_OFFERED)).label("_part"), *keys)
    return columns.where(cheapest.c.product_id == products.c.id), keys


def _not_offered() -> _Part:
    constants: list[sa.ColumnElement[int]] = [
        sa.literal_column(str(_NOT_OFFERED)).label("_part"),
        sa.literal_column("0").label("_price"),
    ]
    return EVERYTHING.add_columns(*constants, products.c.id.label("_id")).where(~_is_offered()), (products.c.id,)


_ALL_OFFERS, _OFFERS_OF_EACH, _REST = _offered(_by_offer()), _offered(_by_product()), _not_offered()


def _parts(request: PageRequest, given: Mapping[str, Any]) -> tuple[_Part, _Part]:
    """What is offered, and the rest.

    The cheapest offer of all is some product's cheapest, so that few are passed over; the dearest are mostly not, and
    with filters most are other products'.
    """
    walks = not PRICE_ORDERINGS[request.ordering] and given.keys() <= {"tcg_type"}
    return (_ALL_OFFERS if walks else _OFFERS_OF_EACH), _REST


def priced_rows(
    connection: sa.Connection, given: Mapping[str, Any], request: PageRequest, moments: Mapping[str, Any]
) -> list[Any]:
    """The rows of a page and one more, if there is one, as they are read, each with its ``KEYS`` at the end.

    At most one statement a part, and one to count the offered ones for a numbered page behind them all.
    """
    parts, where = _parts(request, given), conditions(given)
    backwards = request.before is not None
    pivot = request.before if backwards else request.after
    wanted = request.size + 1
    skipped = 0 if pivot is not None else (request.number - 1) * request.size

    def part(which: int) -> sa.Select[Any]:
        return parts[which][0].where(*where).params(**moments)

    def read(which: int, at_most: int, skip: int = 0) -> list[Any]:
        descending = (PRICE_ORDERINGS[request.ordering] and which == _OFFERED) != backwards
        keys, statement = parts[which][1], part(which)
        if pivot is not None and pivot[0] == which:
            values = [sa.literal(value, key.type) for value, key in zip(pivot[-len(keys) :], keys, strict=True)]
            row, bound = sa.tuple_(*keys), sa.tuple_(*values)
            statement = statement.where(row < bound if descending else row > bound)
        ordered = statement.order_by(*(key.desc() if descending else key.asc() for key in keys))
        return list(connection.execute(ordered.limit(at_most).offset(skip)))

    first, second = (_NOT_OFFERED, _OFFERED) if backwards else (_OFFERED, _NOT_OFFERED)
    rows = [] if pivot is not None and pivot[0] == second else read(first, wanted, skipped)
    if len(rows) == wanted:
        return rows
    return rows + read(
        second, wanted - len(rows), _left_to_skip(skipped, rows, lambda: counted(connection, part(first)))
    )


def _left_to_skip(skipped: int, rows: Sequence[Any], count: Callable[[], tuple[int, bool]]) -> int:
    """Rows of the second part before the page; the first part took as many as it has, all of them when it gave any."""
    return 0 if rows or not skipped else max(0, skipped - count()[0])
