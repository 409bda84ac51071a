"""The filters, orderings and search words of the product lists as SQL.

What a filter asks for is a named parameter, so that lists that differ in values only are one statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import BindParameter

from marketplace.adapters.postgres.tables.catalogue import (
    PUBLISHED,
    card_sets,
    categories,
    product_categories,
    products,
)
from marketplace.application.ports.catalogue import ProductFilters, Ref
from marketplace.domain.catalogue.text import normalised, words

_product = products.c

ORDERINGS: dict[str, tuple[list[sa.ColumnElement[Any]], bool]] = {
    "": ([_product.id], False),
    "name": ([_product.name_key, _product.id], False),
    "-name": ([_product.name_key, _product.id], True),
    "number": ([_product.number_key, _product.id], False),
    "-number": ([_product.number_key, _product.id], True),
    "newest": ([_product.created_at, _product.id], True),
    "oldest": ([_product.created_at, _product.id], False),
    "updated": ([_product.updated_at, _product.id], False),
    "-updated": ([_product.updated_at, _product.id], True),
}


def parameters(filters: ProductFilters) -> dict[str, Any]:
    """The values of a question, by the names of its parameters; the names alone say which statement it is."""
    given: dict[str, Any] = {}
    for name in ("tcg_type", "series", "block", "rarity", "updated_since"):
        if (value := getattr(filters, name)) is not None:
            given[name] = value
    for name in ("number", "external_id"):
        if (value := getattr(filters, name)) is not None:
            given[name] = value.lower()
    for name in ("set", "category"):
        if (ref := getattr(filters, name)) is not None:
            given[name] = str(ref).lower()
            if (id := _as_id(ref)) is not None:
                given[f"{name}_id"] = id
    for place, word in enumerate(words(filters.q or "")):
        given[f"word{place}"] = _containing(word)
    return given


def conditions(given: Mapping[str, Any]) -> list[sa.ColumnElement[bool]]:
    """What every product of the list fulfils; the public sees what is published."""

    def asked(name: str) -> BindParameter[Any]:
        return sa.bindparam(name, given[name], _TYPES.get(name, sa.Text))

    where: list[Any] = [PUBLISHED]
    if "tcg_type" in given:
        where.append(_product.tcg_type == asked("tcg_type"))
    if "series" in given:
        where.append(_product.series == asked("series"))
    if "block" in given:
        where.append(sa.func.coalesce(_product.block, _product.series) == asked("block"))
    if "rarity" in given:
        where.append(_product.rarity == asked("rarity"))
    if "external_id" in given:
        where.append(sa.func.lower(_product.external_id) == asked("external_id"))
    if "number" in given:
        numbers = (_product.number, _product.printed_number)
        where.append(sa.or_(*(sa.func.lower(number) == asked("number") for number in numbers)))
    if "updated_since" in given:
        where.append(_product.updated_at >= asked("updated_since"))
    if "set" in given:
        names = [sa.func.lower(text) == asked("set") for text in (card_sets.c.external_id, card_sets.c.code)]
        ids = [card_sets.c.id == asked("set_id")] if "set_id" in given else []
        where.append(_product.set_id == sa.any_(_as_array(sa.select(card_sets.c.id).where(sa.or_(*names, *ids)))))
    if "category" in given:
        slugs = [sa.func.lower(categories.c.slug) == asked("category")]
        ids = [categories.c.id == asked("category_id")] if "category_id" in given else []
        where.append(_in_category(sa.or_(*slugs, *ids)))
    where += [_product.search_text.like(asked(name)) for name in given if name.startswith("word")]
    return where


_TYPES: dict[str, Any] = {
    "updated_since": sa.DateTime(timezone=True),
    "set_id": sa.BigInteger,
    "category_id": sa.BigInteger,
}


def containing(column: sa.ColumnElement[str], query: str) -> list[sa.ColumnElement[bool]]:
    """Each word of the query somewhere in a search text."""
    return [column.like(_containing(word)) for word in words(query)]


def relevance(query: str) -> sa.ColumnElement[int]:
    """``marketplace.domain.catalogue.text.relevance`` as SQL."""
    plain = normalised(query)

    def has(text: str) -> sa.ColumnElement[bool]:
        return sa.func.strpos(_product.search_text, text) > 0

    return sa.case(
        (sa.or_(has(f"= {plain} \n"), has(f"# {plain} \n")), 0),
        (has(f"= {plain}"), 1),
        (sa.and_(*(has(f" {word} ") for word in words(query))), 2),
        else_=3,
    )


def _containing(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _as_id(ref: Ref) -> int | None:
    """Digits may be an id as well as a code."""
    return int(ref) if isinstance(ref, int) or (ref.isascii() and ref.isdigit() and len(ref) <= 16) else None


def _in_category(named: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    below = sa.select(categories.c.id).where(named).cte("below", recursive=True)
    below = below.union(sa.select(categories.c.id).join(below, categories.c.parent_id == below.c.id))
    return sa.exists().where(
        product_categories.c.product_id == _product.id,
        product_categories.c.category_id == sa.any_(_as_array(sa.select(below.c.id))),
    )


def _as_array(ids: sa.Select[Any]) -> sa.ColumnElement[Any]:
    # An array is computed once for the statement, so that an index on what it is compared with serves.
    return sa.func.array(ids.scalar_subquery())
