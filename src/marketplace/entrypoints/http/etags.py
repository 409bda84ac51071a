"""``ETag`` and ``If-None-Match`` on what is read, ``If-Match`` on what is changed.

    @blueprint.get("/listings/<int:listing_id>/")
    @etagged
    @blueprint.response(200, ListingSchema)
    def listing(listing_id: int) -> dict[str, Any]:
        found = queries.listing(...)
        mark_version(found.version)          # only where a PATCH takes If-Match
        return listing_json(found)

    @blueprint.patch("/listings/<int:listing_id>/")
    ...
        change_listing(..., expected_version=version_to_match())     # raises PreconditionFailed when it differs

A tag is ``"<version>.<hash of the body>"``: a reader's copy is fresh while the whole tag is equal, a change is based on
the newest state while the version is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from flask import current_app, g, make_response, request
from flask_smorest import Blueprint as SmorestBlueprint

from marketplace.domain.shared.errors import PreconditionFailed

P = ParamSpec("P")

_TAG = re.compile(r'(?:W/)?"(\d{1,18})\.[0-9a-f]{1,64}"', re.ASCII)
_IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "description": "An ETag that was answered before: 304 while it is still right.",
    "schema": {"type": "string"},
}
_IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "description": "An ETag that was answered before: 412 when the thing was changed since.",
    "schema": {"type": "string"},
}


def etagged(view: Callable[P, Any]) -> Callable[P, Any]:
    """Give the answer of a GET an ETag, and 304 to who has it already. Above ``response``."""

    @wraps(view)
    def tagged(*args: P.args, **kwargs: P.kwargs) -> Any:
        response = make_response(current_app.ensure_sync(view)(*args, **kwargs))
        if response.status_code == 200:
            digest = hashlib.blake2b(response.get_data(), digest_size=10).hexdigest()
            response.set_etag(f"{g.get('version', 0)}.{digest}")
            response.make_conditional(request)
        return response

    documented: Callable[P, Any] = SmorestBlueprint.doc(
        parameters=[_IF_NONE_MATCH], responses={304: {"description": "What you have is still right."}}
    )(tagged)
    return documented


def mark_version(version: int) -> None:
    """The version of the one thing that this response shows."""
    g.version = version


def matches_version(view: Callable[P, Any]) -> Callable[P, Any]:
    """Declare that a PATCH takes ``If-Match``; the view passes ``version_to_match()`` on."""
    documented: Callable[P, Any] = SmorestBlueprint.doc(parameters=[_IF_MATCH])(view)
    return documented


def version_to_match() -> int | None:
    """The version that ``If-Match`` names; None when any will do. Raises PreconditionFailed on a foreign tag."""
    given = request.headers.get("If-Match", "").strip()
    if given in ("", "*"):
        return None
    tag = _TAG.fullmatch(given)
    if tag is None:
        raise PreconditionFailed("If-Match takes one ETag as it was answered; read the thing again.")
    return int(tag[1])
