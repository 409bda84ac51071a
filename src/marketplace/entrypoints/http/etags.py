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
        change_listing(..., if_version=versions_to_match())     # raises PreconditionFailed when it is none of them

A tag is ``"<version>.<hash of the body>"``: a reader's copy is fresh while the whole tag is equal, a change is based on
the newest state while the version is. Lists, ``*`` and weak tags (``W/``, which compression on the way makes) count as
RFC 9110 has it, sections 8.8.3.2 and 13.1: weak tags do for ``If-None-Match`` and never for ``If-Match``.
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
from marketplace.entrypoints.http.blueprints import problems

P = ParamSpec("P")

_LISTED = re.compile(r'[ \t,]*(W/)?"([^\x00-\x20"\x7f]*)"[ \t]*(?:,|$)')
_OURS = re.compile(r"(\d{1,18})\.[0-9a-f]{1,64}", re.ASCII)
_IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "description": "ETags that were answered before, or `*`: 304 while one of them is still right.",
    "schema": {"type": "string"},
}
_IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "description": "ETags that were answered before, or `*`: 412 when the thing was changed since, and on weak ones.",
    "schema": {"type": "string"},
}


def etagged(view: Callable[P, Any]) -> Callable[P, Any]:
    """Give the answer of a GET an ETag, 304 to who has it already, 412 to who wants another. Above ``response``."""

    @wraps(view)
    def tagged(*args: P.args, **kwargs: P.kwargs) -> Any:
        response = make_response(current_app.ensure_sync(view)(*args, **kwargs))
        if response.status_code == 200:
            digest = hashlib.blake2b(response.get_data(), digest_size=10).hexdigest()
            tag = f"{g.get('version', 0)}.{digest}"
            response.set_etag(tag)
            if not _matches("If-Match", tag, when_absent=True, weakly=False):
                raise PreconditionFailed("It is none of those that If-Match names by now; read it without.")
            if _matches("If-None-Match", tag, when_absent=False, weakly=True):
                response.status_code = 304
                response.set_data(b"")
        return response

    documented: Callable[P, Any] = SmorestBlueprint.doc(
        parameters=[_IF_NONE_MATCH], responses={304: {"description": "What you have is still right."}}
    )(tagged)
    return problems(412)(documented)


def mark_version(version: int) -> None:
    """The version of the one thing that this response shows."""
    g.version = version


def matches_version(view: Callable[P, Any]) -> Callable[P, Any]:
    """Declare that a PATCH takes ``If-Match``; the view passes ``version_to_match()`` on."""
    documented: Callable[P, Any] = SmorestBlueprint.doc(parameters=[_IF_MATCH])(view)
    return documented


def versions_to_match() -> frozenset[int] | None:
    """The versions that ``If-Match`` names; None when any will do. Raises PreconditionFailed when it names none."""
    given = request.headers.get("If-Match")
    if given is None or given.strip() == "*":
        return None
    ours = [_OURS.fullmatch(tag) for tag, is_weak in _listed(given) if not is_weak]
    versions = frozenset(int(tag[1]) for tag in ours if tag is not None)
    if not versions:
        raise PreconditionFailed("If-Match takes strong ETags as they were answered, or *; read the thing again.")
    return versions


def _matches(header: str, tag: str, *, when_absent: bool, weakly: bool) -> bool:
    given = request.headers.get(header)
    if given is None:
        return when_absent
    if given.strip() == "*":
        return True
    return any(each == tag and (weakly or not is_weak) for each, is_weak in _listed(given))


def _listed(given: str) -> list[tuple[str, bool]]:
    """The tags of a list, and whether each is weak; none of a list that cannot be read."""
    tags: list[tuple[str, bool]] = []
    given = given.rstrip(" \t,")
    at = 0
    while at < len(given):
        found = _LISTED.match(given, at)
        if found is None:
            return []
        tags.append((found[2], found[1] is not None))
        at = found.end()
    return tags
