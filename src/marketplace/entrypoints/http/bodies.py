"""One parser before everything: what is not a sound JSON document of bounded size never reaches a view.

Views that take something else say so: ``@raw_body(limit)`` leaves the bytes alone (webhooks, uploads). What a view does
not declare it does not get: ``refuse_undeclared`` answers 422 to fields and parameters that no ``arguments`` asked for.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, NoReturn, ParamSpec, TypeVar

from flask import Flask, Request, Response, current_app, g, request
from webargs import missing
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import RequestEntityTooLarge

from marketplace.domain.shared.errors import Invalid
from marketplace.entrypoints.http.errors import MOST_ERRORS, WRONG_FIELDS, MalformedRequest

P = ParamSpec("P")
R = TypeVar("R")

MAX_BODY = 1024 * 1024
MAX_WEBHOOK = 256 * 1024
MAX_DEPTH = 32
MAX_QUERY = 8 * 1024

_NO_BODY = object()


_UTF_8 = ("utf-8", "utf8")


def raw_body(limit: int | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Leave the body of this view's requests unread, and refuse it above ``limit`` bytes. Put it under the route.

    Without a limit the view reads it itself, with ``bytes_within``.
    """

    def mark(view: Callable[P, R]) -> Callable[P, R]:
        view._raw_body = limit  # type: ignore[attr-defined]  # read back by _read_body
        return view

    return mark


class JsonParser(FlaskParser):
    """webargs on the document that ``_read_body`` accepted; what a schema does not know is refused everywhere."""

    # None: the schema's own setting, which is RAISE; only headers always carry more than a view asks for.
    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012  # webargs declares it without ClassVar
        **dict.fromkeys(("json", "query", "form", "files"), None),
        "headers": "exclude",
    }

    def load_json(self, req: Request, schema: Any) -> Any:
        body = g.pop("body", _NO_BODY)
        return missing if body is _NO_BODY else body

    def load_querystring(self, req: Request, schema: Any) -> Any:
        g.query_was_taken = True
        # Nothing in a query is a list. What a MultiDict lacks costs an exception each time it is asked for.
        given = req.args.to_dict()
        if twice := [name for name, values in req.args.lists() if len(values) > 1]:
            _refuse_fields(twice, because="Given more than once.")
        return given


def install(app: Flask) -> None:
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.before_request(_read_body)
    app.after_request(_untyped_when_empty)


def refuse_undeclared(*, any_query: bool = False) -> None:
    """Refuse what was sent and none of the view's arguments has taken: a body but ``{}``, a parameter in the query.

    Raises Invalid, naming the fields.
    """
    body = g.pop("body", {})
    if not isinstance(body, dict):
        _refuse_fields(["body"], because="Invalid input type.")
    if body:
        _refuse_fields(body, because="Unknown field.")
    if request.query_string and request.args and not any_query and not g.get("query_was_taken"):
        _refuse_fields(request.args, because="Unknown field.")


def _refuse_fields(names: Iterable[str], *, because: str) -> NoReturn:
    errors = {name: [because] for name in islice(names, MOST_ERRORS)}
    raise Invalid(WRONG_FIELDS, errors=errors)


def _read_body() -> None:
    if request.url_rule is None:
        return  # answered 404 or 405, whatever the body holds
    if "\x00" in request.path:
        raise MalformedRequest("The path holds a NUL character.", status=400, code="bad_request")
    if b"%00" in request.query_string or b"\x00" in request.query_string:
        raise MalformedRequest("The query holds a NUL character.", status=400, code="bad_request")
    if len(request.query_string) > MAX_QUERY:
        raise MalformedRequest(f"The query is longer than {MAX_QUERY} bytes.", status=400, code="bad_request")
    view = current_app.view_functions[request.url_rule.endpoint]
    if hasattr(view, "_raw_body"):
        if view._raw_body is not None:
            request.max_content_length = view._raw_body
            if request.content_length is None:
                bytes_within(view._raw_body)
        return
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    raw = bytes_within(MAX_BODY)
    if not raw:
        if request.mimetype and not request.is_json:
            _not_json()
        return
    if not _is_json_in_utf_8() or request.headers.get("Content-Encoding", "identity") != "identity":
        _not_json()
    g.body = parse(raw)


def bytes_within(limit: int) -> bytes:
    """The body, which stays readable. Raises RequestEntityTooLarge above ``limit`` bytes, sent in chunks or not."""
    # Of what comes in chunks werkzeug reads up to its limit and is silent about the rest: one byte more tells.
    request.max_content_length = limit + 1
    raw = request.get_data()
    if len(raw) > limit:
        raise RequestEntityTooLarge
    return raw


def _is_json_in_utf_8() -> bool:
    return request.is_json and request.mimetype_params.get("charset", "utf-8").lower() in _UTF_8


def _untyped_when_empty(response: Response) -> Response:
    if response.status_code == 204:
        response.set_data(b"")
        response.headers.pop("Content-Type", None)
        response.headers.pop("Content-Length", None)
    return response


def parse(raw: bytes) -> Any:
    """The document in ``raw``. Raises MalformedRequest on anything but strict JSON within bounds."""
    try:
        document = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant, parse_float=_number
        )
    except RecursionError:
        _too_deep()
    except UnicodeDecodeError as error:
        raise _malformed(f"The body is not UTF-8: byte {error.start} cannot be read.") from error
    except json.JSONDecodeError as error:
        raise _malformed(f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from error
    except ValueError as error:
        raise _malformed("The body holds a number that nobody can read.") from error
    # Only escapes can smuggle in NUL and halves of characters; only many brackets can nest deeply.
    if b"\\u" in raw or raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
        _inspect(document)
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        # In one pass: a body of a hundred thousand names would otherwise keep a core busy for minutes.
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise _malformed(f"The body names {twice[:100]!r} twice in one object.")
    return members


def _constant(name: str) -> NoReturn:
    raise _malformed(f"{name} is not JSON; leave the field out or use null.")


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _malformed("The body holds a number beyond all bounds.")
    return number


def _inspect(document: Any) -> None:
    level, depth = [document], 0
    while level:
        deeper: list[Any] = []
        for node in level:
            if isinstance(node, str):
                _check_text(node)
            elif isinstance(node, dict):
                for name in node:
                    _check_text(name)
                deeper.extend(node.values())
            elif isinstance(node, list):
                deeper.extend(node)
        if any(isinstance(node, dict | list) for node in level):
            depth += 1
            if depth > MAX_DEPTH:
                _too_deep()
        level = deeper


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise _malformed("The body holds a NUL character.")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise _malformed("The body holds half of a surrogate pair.")


def _malformed(message: str) -> MalformedRequest:
    return MalformedRequest(message, status=400, code="malformed_json")


def _too_deep() -> NoReturn:
    raise _malformed(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _not_json() -> NoReturn:
    raise MalformedRequest(
        "The body must be JSON in UTF-8, not compressed: send Content-Type: application/json.",
        status=415,
        code="unsupported_media_type",
    )
