"""Search: the same products as the list's, what fits best first."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from marketplace.application.ports.catalogue import CatalogueQueries
from marketplace.application.ports.clock import Clock
from marketplace.entrypoints.http.blueprints import Blueprint
from marketplace.entrypoints.http.catalogue import product_filters
from marketplace.entrypoints.http.catalogue_schemas import ProductSchema, SearchArgs, product_json
from marketplace.entrypoints.http.etags import etagged
from marketplace.entrypoints.http.pages import page_body, page_of, page_request


def search_blueprint(*, queries: CatalogueQueries, clock: Clock, currency: str) -> Blueprint:
    blueprint = Blueprint("search", __name__, description="Finding a product")
    show = product_json(currency)

    @blueprint.get("/search/")
    @etagged
    @blueprint.arguments(SearchArgs, location="query")
    @blueprint.response(200, page_of(ProductSchema))
    def search(args: dict[str, Any]) -> Response:
        """Products by the words of their names, sets and numbers; a whole name or number comes first."""
        asked = page_request(args)
        page = queries.search(product_filters(args), asked, now=clock.now())
        return jsonify(page_body(page, asked, args, show=show))

    return blueprint
