"""The Blueprint and Api that every module here uses: problem documents declared, our parser, ids in paths.

A view, in the order of its decorators:

    @blueprint.post("/things/")
    @signed_in()                                   # auth.py; also gives a POST its Idempotency-Key
    @problems(409)                                 # what this view refuses beyond what is declared by itself
    @blueprint.arguments(NewThingSchema)
    @blueprint.response(201, ThingSchema)
    def create_thing(body: dict[str, Any]) -> dict[str, Any]:
        "One sentence: the summary in the API document."

A view is sent what its arguments declare: other fields in the body and other parameters in the query are a 422.

Declared by themselves: 400, 422, 429 and 503 everywhere, 413 and 415 where there may be a body, 401 behind
``signed_in``, 404 with an id in the path, 409 with an Idempotency-Key. An id in a path is ``<int:thing_id>``; anything
else there is a 404.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from threading import Lock
from typing import Any, ParamSpec, TypeVar

import flask_smorest
import orjson
from flask import Flask
from flask_smorest import Api
from werkzeug.routing import BaseConverter

from marketplace.entrypoints.http import projections
from marketplace.entrypoints.http.bodies import JsonParser, refuse_undeclared
from marketplace.entrypoints.http.problems import PROBLEM_JSON
from marketplace.entrypoints.http.schemas import ProblemSchema

BEARER = "bearerAuth"
PREFIX = "/api/v1"

P = ParamSpec("P")
R = TypeVar("R")

_IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "The same request with the same key is done once; kept for 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


class IdConverter(BaseConverter):
    """``<int:name>``: an identity.

    All in the pattern: a value that ``to_python`` refused would be answered 405 where several methods share the path.
    What lies between 2^53 and ten to the sixteenth gets through, and is nobody's identity.
    """

    regex = r"[1-9][0-9]{0,15}"

    def to_python(self, value: str) -> int:
        return int(value)


class Blueprint(flask_smorest.Blueprint):
    ARGUMENTS_PARSER = JsonParser()

    def __init__(
        self, name: str, import_name: str, *, description: str, url_prefix: str = PREFIX, any_query: bool = False
    ) -> None:
        """``any_query``: callers that are not ours may add parameters of their own, which nothing reads."""
        super().__init__(name, import_name, description=description, url_prefix=url_prefix)
        self._any_query = any_query
        self._prepare_doc_cbks.append(self._prepare_problems_doc)

    def arguments(self, schema: Any, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """As flask-smorest's, with one instance of the schema for all requests: each copies all of its fields."""
        instance = schema() if isinstance(schema, type) else schema
        decorate: Callable[[Callable[..., Any]], Callable[..., Any]] = super().arguments(instance, **options)
        return decorate

    def response(self, *args: Any, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """As flask-smorest's; below ``signed_in`` and ``arguments``, what none of those has taken is refused."""
        decorate: Callable[[Callable[..., Any]], Callable[..., Any]] = super().response(*args, **options)

        def strict(view: Callable[P, R]) -> Callable[..., Any]:
            @wraps(view)
            def nothing_else(*args: P.args, **kwargs: P.kwargs) -> R:
                refuse_undeclared(any_query=self._any_query)
                return view(*args, **kwargs)

            return decorate(nothing_else)

        return strict

    def _prepare_problems_doc(self, doc: dict[str, Any], doc_info: dict[str, Any], **context: Any) -> dict[str, Any]:
        responses = doc.setdefault("responses", {})
        manual = doc_info.get("manual_doc", {})
        # flask-smorest lets what is declared by hand replace the whole list, the arguments' parameters with it.
        if by_hand := manual.pop("parameters", []):
            doc.setdefault("parameters", []).extend(by_hand)
        statuses = set(doc_info.get("problems", ())) | {400, 429, 503}
        if not self._any_query:
            statuses |= {422}
        if manual.get("security"):
            statuses |= {401}
            if context["method"] == "post":
                statuses |= {409}
                doc.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
        if context["method"] in ("post", "put", "patch", "delete"):
            statuses |= {413, 415}
        for status in sorted(statuses):
            responses[status] = HTTPStatus(status).name
        return doc

    def register_views_in_doc(self, api: Any, app: Flask, spec: Any, *, name: str, parameters: Any) -> None:
        for endpoint, documented in self._docs.items():
            rule = next(app.url_map.iter_rules(f"{name}.{endpoint}"))
            for method, operation in documented.items():
                if method != "parameters":
                    operation.setdefault("manual_doc", {}).setdefault("operationId", f"{name}_{endpoint}")
                    if rule.arguments:
                        operation["problems"] = {*operation.get("problems", ()), 404}
        super().register_views_in_doc(api, app, spec, name=name, parameters=parameters)


class MarketplaceApi(Api):
    """Serves at once and describes itself when asked: making the document takes longer than all else at the start."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask, **options: Any) -> None:
        self._undescribed: list[Blueprint] = []
        self._describing = Lock()
        super().__init__(app, **options)

    def register_blueprint(self, blp: Blueprint, **options: Any) -> None:
        self._app.register_blueprint(blp, **options)
        self._undescribed.append(blp)

    def document(self) -> dict[str, Any]:
        """The OpenAPI document of everything registered so far."""
        with self._describing:
            while self._undescribed:
                blueprint = self._undescribed.pop(0)
                blueprint.register_views_in_doc(self, self._app, self.spec, name=blueprint.name, parameters=None)
                self.spec.tag({"name": blueprint.name, "description": blueprint.description})
            described = orjson.dumps(self.spec.to_dict(), option=orjson.OPT_NON_STR_KEYS)
        return projections.describe(orjson.loads(described))

    def _register_responses(self) -> None:
        for status in HTTPStatus:
            if status < 400:
                continue
            self.spec.components.response(
                status.name,
                {
                    "description": status.phrase,
                    "content": {PROBLEM_JSON: {"schema": ProblemSchema}},
                },
                lazy=True,
            )

    def _register_error_handlers(self) -> None:
        """Ours are installed by errors.py."""

    def _register_etag_headers(self) -> None:
        """Ours are in etags.py."""

    def _register_pagination_header(self) -> None:
        """Our pages carry it in the body, see pages.py."""


def problems(*statuses: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare further statuses that a view answers with a problem document."""

    def declare(view: Callable[P, R]) -> Callable[P, R]:
        documented = dict(getattr(view, "_apidoc", {}))
        documented["problems"] = {*documented.get("problems", ()), *statuses}
        view._apidoc = documented  # type: ignore[attr-defined]  # where flask-smorest keeps what it documents
        return view

    return declare


def document_of(app: Flask) -> dict[str, Any]:
    """The OpenAPI document of an application."""
    api: MarketplaceApi = app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    return api.document()
