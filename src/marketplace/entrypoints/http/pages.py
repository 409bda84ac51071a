"""Lists: ``page``, ``page_size``, ``cursor``, ``ordering``, ``fields`` in; a page, ``next`` and ``previous`` out.

    class ListingsArgs(PageArgs):                        # the filters of the list
        seller = Id(in_query=True)
        ordering = Ordering("price", "created_at")
        wanted = FieldNames(ListingSchema)                 # ``fields=`` in the query

    @blueprint.get("/listings/")
    @blueprint.arguments(ListingsArgs, location="query")
    @blueprint.response(200, page_of(ListingSchema))
    def listings(args: dict[str, Any]) -> dict[str, Any]:
        request = page_request(args)
        return page_body(queries.listings(seller=args.get("seller"), page=request), request, args, show=listing_json)

A cursor is opaque: base64url of the ordering, the direction, the key where the page ended, and a fingerprint of the
filters, so that it can neither be forged nor carried to another list.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

import orjson
from flask import current_app, request
from marshmallow import fields, validate

from marketplace.application.ports.pages import COUNT_CAP, MAX_PAGE_SIZE, Page, PageRequest
from marketplace.domain.shared.errors import Invalid
from marketplace.entrypoints.http.fields import projected
from marketplace.entrypoints.http.schemas import Schema, StrictInteger

T = TypeVar("T")

_PAGING = frozenset({"page", "page_size", "cursor", "wanted"})


class PageArgs(Schema):
    """Base of a list's query. Add the filters, and ``ordering`` and ``wanted`` where the list has them."""

    page = StrictInteger(low=1, in_query=True, metadata={"description": "From 1; within the first 10,000 rows."})
    page_size = StrictInteger(low=1, in_query=True, metadata={"description": "20; at most 100, more is clamped."})
    cursor = fields.String(
        validate=validate.Length(max=2000),
        metadata={"description": "From `next` or `previous`; costs the same at any depth."},
    )


class Ordering(fields.String):
    """One of the documented names, ``-`` in front for descending."""

    def __init__(self, *names: str, both_ways: bool = True, **kwargs: Any) -> None:
        choices = [name for each in names for name in ((each, f"-{each}") if both_ways else (each,))]
        super().__init__(validate=validate.OneOf(choices), **kwargs)


def page_request(args: dict[str, Any]) -> PageRequest:
    """What part of the list is asked for. Raises Invalid on a cursor of another list, or too deep a page."""
    size = min(args.get("page_size", 20), MAX_PAGE_SIZE)
    ordering = args.get("ordering", "")
    cursor = args.get("cursor")
    if cursor is not None:
        if "page" in args:
            raise _invalid("cursor", "Give a cursor or a page, not both.")
        direction, key = _read_cursor(cursor, args, ordering=ordering)
        if direction == "before":
            return PageRequest(size=size, ordering=ordering, before=key)
        return PageRequest(size=size, ordering=ordering, after=key)
    number = args.get("page", 1)
    if number * size > COUNT_CAP:
        raise _invalid("page", f"Pages reach the first {COUNT_CAP} rows; follow the cursor in `next` to go deeper.")
    return PageRequest(size=size, number=number, ordering=ordering)


def page_body(
    page: Page[T], asked: PageRequest, args: dict[str, Any], *, show: Callable[[T], dict[str, Any]]
) -> dict[str, Any]:
    """The answer for ``page``; ``show`` makes one item's JSON object."""
    wanted = args.get("wanted")
    items = [show(item) for item in page.items]
    return {
        "count": page.count,
        "count_is_exact": page.count_is_exact,
        "next": _url(page.next, "after", asked, args),
        "previous": _url(page.previous, "before", asked, args),
        "results": items if wanted is None else [projected(item, wanted) for item in items],
    }


_pages: dict[type[Schema], type[Schema]] = {}


def page_of(item: type[Schema]) -> type[Schema]:
    """The schema of a page of ``item``; the same class for the same item."""
    if item not in _pages:
        name = item.__name__.removesuffix("Schema") + "PageSchema"
        members: dict[str, fields.Field[Any]] = {
            "count": fields.Integer(required=True, metadata={"description": "Exact up to 10,000."}),
            "count_is_exact": fields.Boolean(required=True),
            "next": fields.String(required=True, allow_none=True),
            "previous": fields.String(required=True, allow_none=True),
            "results": fields.List(fields.Nested(item), required=True),
        }
        _pages[item] = Schema.from_dict(members, name=name)  # type: ignore[assignment]  # a subclass of Schema
    return _pages[item]


def _fingerprint(args: dict[str, Any], ordering: str, direction: str, key: Sequence[Any]) -> str:
    """Ties a cursor to its list, filters and key; nobody without the secret can make one."""
    filters = sorted((name, str(value)) for name, value in args.items() if name not in _PAGING)
    text = orjson.dumps([request.path, filters, ordering, direction, list(key)])
    return hmac.digest(current_app.config["PAGE_CURSOR_KEY"], text, "sha256").hex()[:20]


def _url(key: tuple[Any, ...] | None, direction: str, asked: PageRequest, args: dict[str, Any]) -> str | None:
    if key is None:
        return None
    content = {
        "ordering": asked.ordering,
        "direction": direction,
        "key": list(key),
        "fingerprint": _fingerprint(args, asked.ordering, direction, key),
    }
    cursor = base64.urlsafe_b64encode(orjson.dumps(content)).decode().rstrip("=")
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in ("page", "cursor")]
    return f"{request.path}?{urlencode([*kept, ('cursor', cursor)])}"


def _read_cursor(cursor: str, args: dict[str, Any], *, ordering: str) -> tuple[str, tuple[Any, ...]]:
    try:
        content = orjson.loads(base64.b64decode(cursor.encode("ascii") + b"==", altchars=b"-_"))
        direction, key = content["direction"], content["key"]
        expected = _fingerprint(args, ordering, direction, key)
        genuine = hmac.compare_digest(expected, content["fingerprint"]) and content["ordering"] == ordering
    except (ValueError, TypeError, KeyError):
        genuine = False
    if not genuine:
        raise _invalid(
            "cursor", "This list, with these filters and this ordering, gave out no such cursor; start again without."
        )
    return direction, tuple(key)


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(message, errors={field: [message]})
