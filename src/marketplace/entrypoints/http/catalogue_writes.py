"""What administrators do to the catalogue."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from marketplace.application.catalogue.attributes import (
    AddCondition,
    AddGrade,
    AddLanguage,
    AddVersion,
    ChangeVersion,
)
from marketplace.application.catalogue.categories import AddCategory, ChangeCategory, DeleteCategory
from marketplace.application.catalogue.products import ArchiveProduct, PublishProduct, ReviseProduct
from marketplace.application.catalogue.sets import AddCardSet
from marketplace.application.ports.catalogue import CatalogueQueries
from marketplace.application.ports.clock import Clock
from marketplace.domain.catalogue.card_sets import SetDetails
from marketplace.domain.catalogue.products import ProductDetails, ProductStatus
from marketplace.domain.shared.ids import CardSetId, CategoryId, ProductId, VersionId
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.catalogue import category_tree
from marketplace.entrypoints.http.catalogue_schemas import (
    CardSetSchema,
    CategoryChangesSchema,
    CategorySchema,
    NewCardSetSchema,
    NewCategorySchema,
    NewConditionSchema,
    NewGradeSchema,
    NewLanguageSchema,
    NewProductSchema,
    NewVersionSchema,
    ProductChangesSchema,
    ProductSchema,
    VersionChangesSchema,
    card_set_json,
    product_json,
)
from marketplace.entrypoints.http.etags import mark_version, matches_version, versions_to_match
from marketplace.entrypoints.http.variants import (
    ConditionSchema,
    GradeSchema,
    LanguageSchema,
    VersionSchema,
    condition_json,
    grade_json,
    language_json,
    version_json,
)


def products_admin_blueprint(
    *,
    publish_product: PublishProduct,
    revise_product: ReviseProduct,
    archive_product: ArchiveProduct,
    queries: CatalogueQueries,
    clock: Clock,
    currency: str,
) -> Blueprint:
    blueprint = Blueprint("products_admin", __name__, description="What administrators do to products")
    show = product_json(currency)

    def shown(id: int) -> dict[str, Any]:
        found = queries.product(ProductId(id), now=clock.now(), archived_too=True)
        mark_version(found.version)
        return show(found)

    @blueprint.post("/products/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(NewProductSchema)
    @blueprint.response(201, ProductSchema)
    def create_product(body: dict[str, Any]) -> Response:
        """Put a card or a sealed item into the catalogue."""
        set_id = body.pop("set", None)
        id = publish_product(
            actor=current_actor(),
            tcg_type=body.pop("tcg_type"),
            external_id=body.pop("external_id", None),
            set_id=None if set_id is None else CardSetId(set_id),
            details=ProductDetails(**_details(body)),
        )
        return _created(shown(id), f"products/{id}")

    @blueprint.patch("/products/<int:product_id>/")
    @signed_in()
    @problems(403, 409, 412)
    @matches_version
    @blueprint.arguments(ProductChangesSchema)
    @blueprint.response(200, ProductSchema)
    def change_product(body: dict[str, Any], product_id: int) -> Response:
        """Correct a product, or bring an archived one back with `status: published`."""
        status = body.pop("status", None)
        revise_product(
            actor=current_actor(),
            product_id=ProductId(product_id),
            changes=_details(body),
            status=None if status is None else ProductStatus(status),
            if_version=versions_to_match(),
        )
        return jsonify(shown(product_id))

    @blueprint.delete("/products/<int:product_id>/")
    @signed_in()
    @problems(403, 409)
    @blueprint.response(204)
    def delete_product(product_id: int) -> None:
        """Archive a product: it leaves every list, and what refers to it keeps it."""
        archive_product(actor=current_actor(), product_id=ProductId(product_id))

    return blueprint


def categories_admin_blueprint(
    *,
    add_category: AddCategory,
    change_category: ChangeCategory,
    delete_category: DeleteCategory,
    queries: CatalogueQueries,
) -> Blueprint:
    blueprint = Blueprint("categories_admin", __name__, description="What administrators do to the categories")

    @blueprint.post("/categories/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(NewCategorySchema)
    @blueprint.response(201, CategorySchema)
    def create_category(body: dict[str, Any]) -> Response:
        """Make a category, a root or below another."""
        id = add_category(actor=current_actor(), **_placed(body))
        return _created(category_tree(queries, id), f"categories/{id}")

    @blueprint.patch("/categories/<int:category_id>/")
    @signed_in()
    @problems(403, 409, 412)
    @matches_version
    @blueprint.arguments(CategoryChangesSchema)
    @blueprint.response(200, CategorySchema)
    def change(body: dict[str, Any], category_id: int) -> Response:
        """Rename a category, or move it with everything below it."""
        change_category(
            actor=current_actor(),
            category_id=CategoryId(category_id),
            changes=_placed(body),
            if_version=versions_to_match(),
        )
        return jsonify(category_tree(queries, category_id))

    @blueprint.delete("/categories/<int:category_id>/")
    @signed_in()
    @problems(403, 409)
    @blueprint.response(204)
    def delete(category_id: int) -> None:
        """Remove a category that has neither products nor others below it."""
        delete_category(actor=current_actor(), category_id=CategoryId(category_id))

    return blueprint


def reference_admin_blueprint(
    *,
    add_card_set: AddCardSet,
    add_language: AddLanguage,
    add_version: AddVersion,
    change_version: ChangeVersion,
    add_condition: AddCondition,
    add_grade: AddGrade,
    queries: CatalogueQueries,
) -> Blueprint:
    blueprint = Blueprint("reference_admin", __name__, description="What administrators add to the reference data")

    @blueprint.post("/sets/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(NewCardSetSchema)
    @blueprint.response(201, CardSetSchema)
    def create_set(body: dict[str, Any]) -> Response:
        """Add a set that no import has brought."""
        id = add_card_set(actor=current_actor(), details=SetDetails(**body))
        return _created(card_set_json(queries.card_set(id)), f"sets/{id}")

    @blueprint.post("/languages/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(NewLanguageSchema)
    @blueprint.response(201, LanguageSchema)
    def create_language(body: dict[str, Any]) -> dict[str, Any]:
        """Let cards be offered in another language."""
        return language_json(add_language(actor=current_actor(), **body))

    @blueprint.post("/versions/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(NewVersionSchema)
    @blueprint.response(201, VersionSchema)
    def create_version(body: dict[str, Any]) -> dict[str, Any]:
        """Let cards be offered in another print."""
        return version_json(add_version(actor=current_actor(), **body))

    @blueprint.patch("/versions/<int:version_id>/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(VersionChangesSchema)
    @blueprint.response(200, VersionSchema)
    def change_one_version(body: dict[str, Any], version_id: int) -> dict[str, Any]:
        """Name, explain or hide a print; its code stays."""
        return version_json(change_version(actor=current_actor(), version_id=VersionId(version_id), **body))

    @blueprint.post("/conditions/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(NewConditionSchema)
    @blueprint.response(201, ConditionSchema)
    def create_condition(body: dict[str, Any]) -> dict[str, Any]:
        """Let cards be offered in another state of preservation."""
        return condition_json(add_condition(actor=current_actor(), **body))

    @blueprint.post("/grades/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(NewGradeSchema)
    @blueprint.response(201, GradeSchema)
    def create_grade(body: dict[str, Any]) -> dict[str, Any]:
        """Let graded cards be offered with another grader's or another mark."""
        return grade_json(add_grade(actor=current_actor(), **body))

    return blueprint


_TUPLES = ("allowed_languages", "allowed_versions")


def _details(body: dict[str, Any]) -> dict[str, Any]:
    """The fields of ProductDetails that a body gives."""
    given = {name: tuple(value) if name in _TUPLES else value for name, value in body.items() if name != "categories"}
    if "categories" in body:
        given["category_ids"] = tuple(CategoryId(id) for id in sorted(set(body["categories"])))
    return given


def _placed(body: dict[str, Any]) -> dict[str, Any]:
    """A category's fields, its parent by the name that it has inside."""
    return {"parent_id" if name == "parent" else name: value for name, value in body.items()}


def _created(body: dict[str, Any], path: str) -> Response:
    response = jsonify(body)
    response.status_code = 201
    response.headers["Location"] = f"/api/v1/{path}/"
    return response
