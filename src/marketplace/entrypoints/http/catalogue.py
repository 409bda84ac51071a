"""The catalogue: products, sets, categories, and what cards can be offered in."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from flask import Response, jsonify

from marketplace.application.access import sees_archived_products
from marketplace.application.ports.catalogue import (
    CardSetFilters,
    CatalogueQueries,
    CategoryView,
    ProductFilters,
)
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.catalogue.attributes import Condition, Grade, Language, Version
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import CardSetId, ProductId
from marketplace.entrypoints.http.auth import optional_actor
from marketplace.entrypoints.http.blueprints import Blueprint
from marketplace.entrypoints.http.catalogue_schemas import (
    CardSetArgs,
    CardSetsArgs,
    CardSetSchema,
    CategoryArgs,
    CategorySchema,
    ConditionsArgs,
    GradesArgs,
    LanguagesArgs,
    ProductArgs,
    ProductsArgs,
    ProductSchema,
    VersionsArgs,
    card_set_json,
    category_json,
    product_json,
)
from marketplace.entrypoints.http.etags import etagged, mark_version
from marketplace.entrypoints.http.fields import projected
from marketplace.entrypoints.http.pages import PageArgs, page_body, page_of, page_request
from marketplace.entrypoints.http.variants import (
    ConditionSchema,
    GradeSchema,
    LanguageSchema,
    VariantSchema,
    VersionSchema,
    condition_json,
    grade_json,
    language_json,
    variant_json,
    version_json,
)

T = TypeVar("T", Language, Version, Condition, Grade)


def catalogue_blueprint(*, queries: CatalogueQueries, clock: Clock, currency: str) -> Blueprint:
    blueprint = Blueprint("catalogue", __name__, description="What can be offered")
    _products(blueprint, queries, clock, currency)
    _sets(blueprint, queries)
    _categories(blueprint, queries)
    _attributes(blueprint, queries)
    return blueprint


def _products(blueprint: Blueprint, queries: CatalogueQueries, clock: Clock, currency: str) -> None:
    show = product_json(currency)

    @blueprint.get("/products/")
    @etagged
    @blueprint.arguments(ProductsArgs, location="query")
    @blueprint.response(200, page_of(ProductSchema))
    def products(args: dict[str, Any]) -> Response:
        """Products with their offers, by id unless ordered otherwise."""
        asked = page_request(args)
        return jsonify(
            page_body(queries.products(product_filters(args), asked, now=clock.now()), asked, args, show=show)
        )

    @blueprint.get("/products/<int:product_id>/")
    @etagged
    @blueprint.arguments(ProductArgs, location="query")
    @blueprint.response(200, ProductSchema)
    def product(args: dict[str, Any], product_id: int) -> Response:
        """One product with its offers; to administrators, an archived one too."""
        archived_too = sees_archived_products(optional_actor())
        found = queries.product(ProductId(product_id), now=clock.now(), archived_too=archived_too)
        mark_version(found.version)
        return jsonify(projected(show(found), args.get("wanted")))

    @blueprint.get("/products/<int:product_id>/variants/")
    @etagged
    @blueprint.arguments(PageArgs, location="query")
    @blueprint.response(200, page_of(VariantSchema))
    def variants(args: dict[str, Any], product_id: int) -> Response:
        """The variants of a product that anybody has offered so far."""
        asked = page_request(args)
        return jsonify(page_body(queries.variants(ProductId(product_id), asked), asked, args, show=variant_json))


def _sets(blueprint: Blueprint, queries: CatalogueQueries) -> None:
    @blueprint.get("/sets/")
    @etagged
    @blueprint.arguments(CardSetsArgs, location="query")
    @blueprint.response(200, page_of(CardSetSchema))
    def sets(args: dict[str, Any]) -> Response:
        """Sets, the newest first unless ordered otherwise."""
        asked = page_request(args)
        names = ("q", "tcg_type", "region", "series")
        filters = CardSetFilters(**{name: args[name] for name in names if name in args})
        return jsonify(page_body(queries.card_sets(filters, asked), asked, args, show=card_set_json))

    @blueprint.get("/sets/<int:set_id>/")
    @etagged
    @blueprint.arguments(CardSetArgs, location="query")
    @blueprint.response(200, CardSetSchema)
    def card_set(args: dict[str, Any], set_id: int) -> Response:
        """One set."""
        return jsonify(projected(card_set_json(queries.card_set(CardSetId(set_id))), args.get("wanted")))


def _categories(blueprint: Blueprint, queries: CatalogueQueries) -> None:
    @blueprint.get("/categories/")
    @etagged
    @blueprint.arguments(CategoryArgs, location="query")
    @blueprint.response(200, page_of(CategorySchema))
    def categories(args: dict[str, Any]) -> Response:
        """The whole tree: the roots, each with what is below it."""
        found = queries.categories()
        trees = _trees(found)
        roots = [projected(trees[each.id], args.get("wanted")) for each in found if each.parent is None]
        page = {"count": len(roots), "count_is_exact": True, "next": None, "previous": None}
        return jsonify({**page, "results": roots})

    @blueprint.get("/categories/<int:category_id>/")
    @etagged
    @blueprint.arguments(CategoryArgs, location="query")
    @blueprint.response(200, CategorySchema)
    def category(args: dict[str, Any], category_id: int) -> Response:
        """One category with what is below it."""
        return jsonify(projected(category_tree(queries, category_id), args.get("wanted")))


def category_tree(queries: CatalogueQueries, id: int) -> dict[str, Any]:
    """One category with what is below it; marks its version. Raises NotFound."""
    found = queries.categories()
    for each in found:
        if each.id == id:
            mark_version(each.version)
            return _trees(found)[id]
    raise NotFound(f"There is no category {id}.")


def _trees(categories: Sequence[CategoryView]) -> dict[int, dict[str, Any]]:
    """Every category with what is below it, by id; they come parents first."""
    trees: dict[int, dict[str, Any]] = {}
    for each in categories:
        trees[each.id] = category_json(each, [])
        if each.parent is not None:
            trees[each.parent]["children"].append(trees[each.id])
    return trees


def _attributes(blueprint: Blueprint, queries: CatalogueQueries) -> None:
    @blueprint.get("/languages/")
    @etagged
    @blueprint.arguments(LanguagesArgs, location="query")
    @blueprint.response(200, page_of(LanguageSchema))
    def languages(args: dict[str, Any]) -> Response:
        """The languages that cards are printed in."""
        return _listed(queries.attributes().languages.values(), args, language_json)

    @blueprint.get("/versions/")
    @etagged
    @blueprint.arguments(VersionsArgs, location="query")
    @blueprint.response(200, page_of(VersionSchema))
    def versions(args: dict[str, Any]) -> Response:
        """The prints: finish, first edition, shadowless."""
        return _listed(queries.attributes().versions.values(), args, version_json)

    @blueprint.get("/conditions/")
    @etagged
    @blueprint.arguments(ConditionsArgs, location="query")
    @blueprint.response(200, page_of(ConditionSchema))
    def conditions(args: dict[str, Any]) -> Response:
        """The states of preservation, the best first."""
        return _listed(queries.attributes().conditions.values(), args, condition_json, key=lambda each: each.rank)

    @blueprint.get("/grades/")
    @etagged
    @blueprint.arguments(GradesArgs, location="query")
    @blueprint.response(200, page_of(GradeSchema))
    def grades(args: dict[str, Any]) -> Response:
        """The marks of the grading companies."""
        return _listed(queries.attributes().grades.values(), args, grade_json)


def _listed(
    things: Iterable[T],
    args: dict[str, Any],
    show: Callable[[T], dict[str, Any]],
    key: Callable[[T], int] = lambda thing: thing.id,
) -> Response:
    """A page of a list that is short enough to be read whole."""
    ordered = sorted({thing.id: thing for thing in things}.values(), key=lambda thing: (key(thing), thing.id))
    asked = page_request(args)
    return jsonify(page_body(_page(ordered, asked, key), asked, args, show=show))


def _page(ordered: list[T], asked: PageRequest, key: Callable[[T], int]) -> Page[T]:
    keys = [(key(thing), thing.id) for thing in ordered]
    start = (asked.number - 1) * asked.size
    stop = len(ordered)
    if asked.after is not None:
        start = bisect_right(keys, asked.after)
    elif asked.before is not None:
        stop = bisect_left(keys, asked.before)
        start = max(0, stop - asked.size)
    stop = min(stop, start + asked.size)
    return Page(
        items=ordered[start:stop],
        next=keys[stop - 1] if start < stop < len(ordered) else None,
        previous=keys[start] if 0 < start < stop else None,
        count=len(ordered),
        count_is_exact=True,
    )


def product_filters(args: dict[str, Any]) -> ProductFilters:
    """The filters of a query; an empty one does not filter."""
    names = (field.name for field in fields(ProductFilters))
    return ProductFilters(**{name: args[name] for name in names if args.get(name) not in (None, "")})
