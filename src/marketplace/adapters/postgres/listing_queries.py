"""What is read of listings, one statement each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from marketplace.adapters.postgres.counts import CountCache
from marketplace.adapters.postgres.pages import counted, paged
from marketplace.adapters.postgres.selling import is_selling
from marketplace.adapters.postgres.tables.catalogue import (
    card_sets,
    conditions,
    grades,
    languages,
    products,
    variants,
    versions,
)
from marketplace.adapters.postgres.tables.listings import listings
from marketplace.adapters.postgres.tables.reservations import reservations
from marketplace.adapters.postgres.tables.sellers import seller_profiles
from marketplace.application.ports.catalogue import Ref, VariantView
from marketplace.application.ports.listings import (
    ListingFilters,
    ListingQueries,
    ListingView,
    ProductSummary,
    SellerSummary,
    StockLine,
)
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.catalogue.attributes import Condition, Grade, Language, Version
from marketplace.domain.listings import PUBLIC_STATUSES, ListingStatus
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId, ConditionId, GradeId, LanguageId, ListingId, VersionId

Instant = datetime | sa.ColumnElement[datetime]
"""A moment, or the parameter that will name it."""

_listing = listings.c
_ORDERINGS: dict[str, tuple[sa.ColumnElement[Any], bool]] = {
    "": (_listing.created_at, True),
    "newest": (_listing.created_at, True),
    "oldest": (_listing.created_at, False),
    "price": (_listing.price, False),
    "-price": (_listing.price, True),
}
# Word for word what the partial indexes say, without parameters, so that the planner sees that they serve.
_PUBLIC_STATUS = sa.text("listings.status in ('active', 'sold_out')")


def available(now: Instant) -> sa.ColumnElement[int]:
    """Stock without the claims that count now; the overdue ones are looked for only where there are any claims."""
    overdue = (
        sa.select(sa.func.coalesce(sa.func.sum(reservations.c.quantity), 0))
        .where(
            reservations.c.listing_id == _listing.id,
            # As text: the index is of what is held only, which the planner cannot see in a parameter.
            reservations.c.status == sa.text("'held'"),
            reservations.c.expires_at <= now,
        )
        .correlate(listings)
        .scalar_subquery()
    )
    return sa.case((_listing.claimed == 0, _listing.stock), else_=_listing.stock - _listing.claimed + overdue)


_SELLERS = listings.join(seller_profiles, seller_profiles.c.account_id == _listing.seller_id)
_VARIANTS = _SELLERS.join(variants, variants.c.id == _listing.variant_id)
_ALL = _VARIANTS.join(products, products.c.id == _listing.product_id)


def _part(table: sa.Table, id: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A small table's row as JSON. Looked up for the rows of the page only, and no join for the planner to order."""
    row = table.table_valued()
    return sa.select(sa.func.to_jsonb(row)).where(table.c.id == id).scalar_subquery()


_PARTS = {
    "language": _part(languages, variants.c.language_id),
    "print": _part(versions, variants.c.version_id),
    "condition": _part(conditions, variants.c.condition_id),
    "grade": _part(grades, variants.c.grade_id),
}


def listing_views(now: Instant) -> sa.Select[Any]:
    """Every listing with what ``listing_view`` needs of it, not yet narrowed or ordered."""
    return sa.select(
        _listing.id,
        _listing.product_id,
        products.c.external_id,
        products.c.name,
        products.c.slug,
        products.c.attributes["image_url"].astext.label("image"),
        _listing.variant_id,
        *(part.label(name) for name, part in _PARTS.items()),
        _listing.seller_id,
        seller_profiles.c.shop_name,
        seller_profiles.c.rating,
        _listing.price,
        _listing.currency,
        _listing.stock,
        available(now).label("available"),
        _listing.status,
        _listing.description,
        _listing.is_verified,
        is_selling(now).label("is_selling"),
        _listing.created_at,
        _listing.updated_at,
        _listing.version,
    ).select_from(_ALL)


class PostgresListingQueries(ListingQueries):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._counts = CountCache()

    def listing(self, id: ListingId, *, now: datetime) -> ListingView:
        with self._engine.connect() as connection:
            row = connection.execute(listing_views(now).where(_listing.id == id)).first()
        if row is None:
            raise NotFound(f"There is no listing {id}.")
        return listing_view(row)

    def listings(self, filters: ListingFilters, request: PageRequest, *, now: datetime) -> Page[ListingView]:
        key, descending = _ORDERINGS[request.ordering]
        where = _where(filters, now)
        with self._engine.connect() as connection:

            def count() -> tuple[int, bool]:
                return counted(connection, sa.select(_listing.id).select_from(_counted_from(filters)).where(*where))

            return paged(
                connection,
                listing_views(now).where(*where),
                keys=[key, _listing.id],
                descending=descending,
                request=request,
                view=listing_view,
                count=count if filters.hidden else lambda: self._counts.count(filters, count),
            )

    def stock_lines(self, seller_id: AccountId) -> Sequence[StockLine]:
        statement = (
            sa.select(
                _listing.id,
                products.c.tcg_type,
                sa.func.coalesce(products.c.names[languages.c.code].astext, products.c.name),
                card_sets.c.code,
                products.c.number,
                languages.c.code,
                conditions.c.code,
                versions.c.code,
                sa.case((grades.c.id.is_not(None), grades.c.grader + " " + grades.c.value)),
                _listing.stock,
                _listing.price,
                _listing.description,
                _listing.source.is_not(None),
            )
            .select_from(
                _ALL.join(card_sets, card_sets.c.id == products.c.set_id)
                .join(languages, languages.c.id == variants.c.language_id)
                .join(versions, versions.c.id == variants.c.version_id)
                .join(conditions, conditions.c.id == variants.c.condition_id)
                .outerjoin(grades, grades.c.id == variants.c.grade_id)
            )
            .where(
                _listing.seller_id == seller_id,
                _listing.status != ListingStatus.ARCHIVED.value,
                products.c.number.is_not(None),
            )
            .order_by(_listing.id)
        )
        with self._engine.connect() as connection:
            return [_stock_line(row) for row in connection.execute(statement)]


def _where(filters: ListingFilters, now: datetime) -> list[sa.ColumnElement[bool]]:
    """The conditions that ``filters`` stand for."""
    grade_code = grades.c.grader + " " + grades.c.value
    asked: list[tuple[Any, Any]] = [
        (filters.product, lambda ref: _named(ref, _listing.product_id, products, products.c.external_id)),
        (filters.variant_id, lambda id: _listing.variant_id == id),
        (filters.seller_id, lambda id: _listing.seller_id == id),
        (filters.language, lambda ref: _named(ref, variants.c.language_id, languages, languages.c.code)),
        (filters.version, lambda ref: _named(ref, variants.c.version_id, versions, versions.c.code)),
        (filters.condition, lambda ref: _named(ref, variants.c.condition_id, conditions, conditions.c.code)),
        (filters.grade, lambda ref: _named(ref, variants.c.grade_id, grades, grade_code)),
        (filters.graded, lambda graded: variants.c.grade_id.is_not(None) if graded else variants.c.grade_id.is_(None)),
        (filters.min_price, lambda price: _listing.price >= price),
        (filters.max_price, lambda price: _listing.price <= price),
        (filters.verified, lambda verified: _listing.is_verified if verified else ~_listing.is_verified),
        (filters.in_stock, lambda in_stock: _on_sale(now) if in_stock else ~_on_sale(now)),
        (filters.status, lambda status: _listing.status == status.value),
    ]
    where = [condition(value) for value, condition in asked if value is not None]
    if not filters.hidden:
        where += [_PUBLIC_STATUS, is_selling(now)]
    return where


def _on_sale(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(_listing.status == ListingStatus.ACTIVE.value, available(now) > 0)


def _counted_from(filters: ListingFilters) -> sa.FromClause:
    """The fewest tables that hold what the filters ask about."""
    parts = (filters.language, filters.version, filters.condition, filters.grade, filters.graded)
    return _SELLERS if all(part is None for part in parts) else _VARIANTS


def _named(ref: Ref, id: sa.ColumnElement[Any], table: sa.Table, code: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """A reference by id, or by code without regard to case; what the code names is looked up once."""
    if isinstance(ref, int):
        return id == ref
    named = sa.select(table.c.id).where(sa.func.lower(code) == " ".join(ref.lower().split())).correlate(None)
    return id == sa.any_(sa.func.array(named.scalar_subquery()))


def listing_view(row: Any) -> ListingView:
    """A row of ``listing_views``."""
    status = ListingStatus(row.status)
    return ListingView(
        row.id,
        ProductSummary(row.product_id, row.external_id, row.name, row.slug, row.image),
        VariantView(
            row.variant_id,
            row.product_id,
            _language(*_values(row.language, "id", "code", "name")),
            _version(
                *_values(row.print, "id", "code", "name", "description", "displayable"), tuple(row.print["tcg_types"])
            ),
            _condition(*_values(row.condition, "id", "code", "label", "rank", "is_graded")),
            None if row.grade is None else _grade(*_values(row.grade, "id", "grader", "value")),
        ),
        SellerSummary(row.seller_id, row.shop_name, row.rating),
        row.price,
        row.currency,
        row.stock,
        row.available,
        status,
        row.description,
        row.is_verified,
        row.is_selling and status in PUBLIC_STATUSES,
        row.created_at,
        row.updated_at,
        row.version,
    )


def _values(part: dict[str, Any], *names: str) -> list[Any]:
    return [part[name] for name in names]


def _stock_line(row: Any) -> StockLine:
    return StockLine(*row)


# There are few of each, they are the same in row after row, and making one checks its code.


@lru_cache(maxsize=256)
def _language(id: int, code: str, name: str) -> Language:
    return Language(id=LanguageId(id), code=code, name=name)


@lru_cache(maxsize=1024)
def _version(id: int, code: str, name: str, description: str, displayable: bool, tcg_types: tuple[str, ...]) -> Version:
    return Version(
        id=VersionId(id),
        code=code,
        name=name,
        tcg_types=frozenset(tcg_types),
        description=description,
        displayable=displayable,
    )


@lru_cache(maxsize=256)
def _condition(id: int, code: str, label: str, rank: int, is_graded: bool) -> Condition:
    return Condition(id=ConditionId(id), code=code, label=label, rank=rank, is_graded=is_graded)


@lru_cache(maxsize=1024)
def _grade(id: int, grader: str, value: str) -> Grade:
    return Grade(id=GradeId(id), grader=grader, value=value)
