"""What is read of the catalogue, one statement each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from marketplace.adapters.postgres.catalogue.attributes import read_attributes
from marketplace.adapters.postgres.catalogue.filters import ORDERINGS, conditions, containing, parameters, relevance
from marketplace.adapters.postgres.catalogue.price_order import KEYS, PRICE_ORDERINGS, priced_rows
from marketplace.adapters.postgres.catalogue.product_views import EVERYTHING, MARKET_WINDOW, product_view
from marketplace.adapters.postgres.counts import CountCache
from marketplace.adapters.postgres.pages import assembled, counted, paged
from marketplace.adapters.postgres.prepared import PreparedStatement
from marketplace.adapters.postgres.tables import catalogue as tables
from marketplace.application.ports.catalogue import (
    CardSetFilters,
    CardSetView,
    CatalogueQueries,
    CategoryView,
    ProductFilters,
    ProductView,
    VariantView,
)
from marketplace.application.ports.pages import COUNT_CAP, Page, PageRequest
from marketplace.domain.catalogue.attributes import Attributes, Condition, Grade, Language, Version
from marketplace.domain.catalogue.categories import in_tree_order
from marketplace.domain.catalogue.text import words
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import (
    CardSetId,
    ConditionId,
    GradeId,
    LanguageId,
    ProductId,
    VariantId,
    VersionId,
)

_set, _product, _variant, _category = tables.card_sets.c, tables.products.c, tables.variants.c, tables.categories.c
_released = sa.func.coalesce(_set.release_date, sa.text("'0001-01-01'::date"), type_=sa.Date)
_SET_ORDERINGS: dict[str, tuple[list[sa.ColumnElement[Any]], bool]] = {
    "": ([_released, _set.id], True),
    "newest": ([_released, _set.id], True),
    "oldest": ([_released, _set.id], False),
    "name": ([_set.name, _set.id], False),
    "-name": ([_set.name, _set.id], True),
    "code": ([_set.code, _set.id], False),
    "-code": ([_set.code, _set.id], True),
}
_SETS = sa.select(
    _set.id,
    _set.external_id,
    _set.tcg_type,
    _set.region,
    _set.code,
    _set.codes,
    _set.name,
    _set.names,
    _set.series,
    sa.func.coalesce(_set.block, _set.series),
    _set.release_date,
    _set.card_count_official,
    sa.select(sa.func.count())
    .where(_product.set_id == _set.id, tables.PUBLISHED)
    .correlate(tables.card_sets)
    .scalar_subquery(),
    _set.version,
    _set.updated_at,
)
_VARIANTS = (
    sa.select(
        _variant.id,
        _variant.product_id,
        tables.languages,
        tables.versions,
        tables.conditions,
        tables.grades,
    )
    .join(tables.languages, tables.languages.c.id == _variant.language_id)
    .join(tables.versions, tables.versions.c.id == _variant.version_id)
    .join(tables.conditions, tables.conditions.c.id == _variant.condition_id)
    .outerjoin(tables.grades, tables.grades.c.id == _variant.grade_id)
    .set_label_style(sa.LABEL_STYLE_TABLENAME_PLUS_COL)
)


_ANY_PRODUCT = PreparedStatement(EVERYTHING.where(_product.id == sa.bindparam("id", type_=sa.BigInteger)))
_PUBLISHED_PRODUCT = PreparedStatement(
    EVERYTHING.where(_product.id == sa.bindparam("id", type_=sa.BigInteger), tables.PUBLISHED)
)


@lru_cache(maxsize=512)
def _page_statement(names: frozenset[str], ordering: str, direction: str, size: int) -> PreparedStatement:
    """The statement of every list that has parameters of these names; ``direction`` from a key: after, before, none."""
    keys, descending = ORDERINGS[ordering]
    if "set" in names:
        # A set is small: read it whole and sort it, rather than look for its cards along an index of all.
        keys = [sa.func.coalesce(key, key, type_=key.type) for key in keys]
    down = descending != (direction == "before")
    page = EVERYTHING.add_columns(*keys).where(*conditions(dict.fromkeys(sorted(names))))
    if direction:
        row = sa.tuple_(*keys)
        pivot = sa.tuple_(*(sa.bindparam(f"pivot{place}", type_=key.type) for place, key in enumerate(keys)))
        page = page.where(row < pivot if down else row > pivot)
    else:
        page = page.offset(sa.bindparam("skipped", type_=sa.BigInteger))
    # The size is part of the statement: of an unknown one the planner takes a tenth of the list.
    page = page.order_by(*(key.desc() if down else key.asc() for key in keys)).limit(sa.literal_column(str(size + 1)))
    return PreparedStatement(page, values_decide=_values_decide(names))


@lru_cache(maxsize=512)
def _count_statement(names: frozenset[str]) -> PreparedStatement:
    matches = sa.select(_product.id).where(*conditions(dict.fromkeys(sorted(names))))
    capped = matches.limit(sa.literal_column(str(COUNT_CAP + 1))).subquery()
    return PreparedStatement(sa.select(sa.func.count()).select_from(capped), values_decide=_values_decide(names))


def _values_decide(names: frozenset[str]) -> bool:
    """Sets are all small; of the other things that are asked for some are rare and some are everywhere."""
    return not names <= {"set", "set_id"}


def _moments(now: datetime) -> dict[str, datetime]:
    return {"now": now, "sold_since": now - MARKET_WINDOW}


class PostgresCatalogueQueries(CatalogueQueries):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._counts = CountCache()

    def products(self, filters: ProductFilters, request: PageRequest, *, now: datetime) -> Page[ProductView]:
        keys, descending = ORDERINGS[request.ordering]
        if filters.q is not None and words(filters.q):
            # How rare the words are decides how they are looked for: planned anew each time.
            return self._planned_page(filters, request, keys, descending, now)
        given = parameters(filters)
        pivot = request.after or request.before or ()
        direction = "after" if request.after is not None else "before" if request.before is not None else ""
        statement = _page_statement(frozenset(given), request.ordering, direction, request.size)
        values = given | _moments(now) | {f"pivot{place}": value for place, value in enumerate(pivot)}
        with self._engine.connect() as connection:
            rows = statement.rows(connection, {**values, "skipped": (request.number - 1) * request.size})
            count = self._count(connection, filters, given)
        return assembled(rows, keys=len(keys), request=request, view=product_view, count=count)

    def search(self, filters: ProductFilters, request: PageRequest, *, now: datetime) -> Page[ProductView]:
        if request.ordering in PRICE_ORDERINGS:
            return self._priced_page(filters, request, now)
        if request.ordering not in ("", "relevance") or filters.q is None or not words(filters.q):
            ordering = "" if request.ordering == "relevance" else request.ordering
            return self.products(filters, replace(request, ordering=ordering), now=now)
        return self._planned_page(filters, request, [relevance(filters.q), _product.id], False, now)

    def _priced_page(self, filters: ProductFilters, request: PageRequest, now: datetime) -> Page[ProductView]:
        given = parameters(filters)
        with self._engine.connect() as connection:
            rows = priced_rows(connection, given, request, _moments(now))
            count = self._count(connection, filters, given)
        return assembled(rows, keys=KEYS, request=request, view=product_view, count=count)

    def _planned_page(
        self,
        filters: ProductFilters,
        request: PageRequest,
        keys: list[sa.ColumnElement[Any]],
        descending: bool,
        now: datetime,
    ) -> Page[ProductView]:
        given = parameters(filters)
        with self._engine.connect() as connection:
            return paged(
                connection,
                EVERYTHING.where(*conditions(given)).params(_moments(now)),
                keys=keys,
                descending=descending,
                request=request,
                view=product_view,
                count=lambda: self._count(connection, filters, given),
            )

    def _count(self, connection: sa.Connection, filters: ProductFilters, given: dict[str, Any]) -> tuple[int, bool]:
        def ask() -> tuple[int, bool]:
            if words(filters.q or ""):
                return counted(connection, sa.select(_product.id).where(*conditions(given)))
            total = _count_statement(frozenset(given)).rows(connection, given)[0][0]
            return min(total, COUNT_CAP), total <= COUNT_CAP

        return self._counts.count(filters, ask)

    def product(self, id: ProductId, *, now: datetime, archived_too: bool = False) -> ProductView:
        statement = _ANY_PRODUCT if archived_too else _PUBLISHED_PRODUCT
        with self._engine.connect() as connection:
            rows = statement.rows(connection, {"id": id, **_moments(now)})
        if not rows:
            raise NotFound(f"There is no product {id}.")
        return product_view(rows[0])

    def variants(self, product_id: ProductId, request: PageRequest) -> Page[VariantView]:
        published = sa.select(_product.id).where(_product.id == product_id, tables.PUBLISHED)
        self._one(published, f"product {product_id}")
        with self._engine.connect() as connection:
            return paged(
                connection,
                _VARIANTS.where(_variant.product_id == product_id),
                keys=[_variant.id],
                descending=False,
                request=request,
                view=_variant_view,
            )

    def variant(self, id: VariantId) -> VariantView:
        return _variant_view(self._one(_VARIANTS.where(_variant.id == id), f"variant {id}"))

    def card_sets(self, filters: CardSetFilters, request: PageRequest) -> Page[CardSetView]:
        keys, descending = _SET_ORDERINGS[request.ordering]
        statement = _SETS
        if filters.tcg_type is not None:
            statement = statement.where(_set.tcg_type == filters.tcg_type)
        if filters.region is not None:
            statement = statement.where(_set.region == filters.region)
        if filters.series is not None:
            statement = statement.where(_set.series == filters.series)
        if filters.q is not None:
            statement = statement.where(*containing(_set.search_text, filters.q))
        with self._engine.connect() as connection:
            return paged(
                connection,
                statement,
                keys=keys,
                descending=descending,
                request=request,
                view=lambda row: CardSetView(*row[:15]),
            )

    def card_set(self, id: CardSetId) -> CardSetView:
        return CardSetView(*self._one(_SETS.where(_set.id == id), f"set {id}"))

    def categories(self) -> Sequence[CategoryView]:
        columns = (
            _category.id,
            _category.slug,
            _category.name,
            _category.parent_id,
            _category.tcg_type,
            _category.position,
            _category.version,
            _category.updated_at,
        )
        with self._engine.connect() as connection:
            return in_tree_order(CategoryView(*row) for row in connection.execute(sa.select(*columns)))

    def attributes(self) -> Attributes:
        with self._engine.connect() as connection:
            return read_attributes(connection)

    def _one(self, statement: sa.Select[Any], what: str) -> Any:
        with self._engine.connect() as connection:
            row = connection.execute(statement).first()
        if row is None:
            raise NotFound(f"There is no {what}.")
        return row


def _variant_view(row: Any) -> VariantView:
    return VariantView(
        id=row.variants_id,
        product=row.variants_product_id,
        language=Language(id=LanguageId(row.languages_id), code=row.languages_code, name=row.languages_name),
        version=Version(
            id=VersionId(row.versions_id),
            code=row.versions_code,
            name=row.versions_name,
            tcg_types=frozenset(row.versions_tcg_types),
            description=row.versions_description,
            displayable=row.versions_displayable,
        ),
        condition=Condition(
            id=ConditionId(row.conditions_id),
            code=row.conditions_code,
            label=row.conditions_label,
            rank=row.conditions_rank,
            is_graded=row.conditions_is_graded,
        ),
        grade=None
        if row.grades_id is None
        else Grade(id=GradeId(row.grades_id), grader=row.grades_grader, value=row.grades_value),
    )
