"""Every error becomes a problem document; what nobody expected is logged and says nothing."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Flask, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed, UnprocessableEntity

from marketplace.domain.shared.errors import (
    Conflict,
    Forbidden,
    Invalid,
    MarketplaceError,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from marketplace.entrypoints.http.problems import problem

STATUS: dict[type[MarketplaceError], int] = {
    Invalid: 422,
    NotFound: 404,
    Forbidden: 403,
    Conflict: 409,
    Unavailable: 503,
    Unauthenticated: 401,
}
STATUS_OF_CODE = {
    "invalid_signature": 400,
    "malformed_event": 400,
    "payment_declined": 402,
    "precondition_failed": 412,
    "throttled": 429,
}
"""Codes that override the status of their kind."""

RETRY_AFTER_SECONDS = 2
MOST_ERRORS = 100
"""Fields that one answer complains of: no answer is many times as long as what was asked."""

WRONG_FIELDS = "The request has fields that are missing, unknown or wrong; see errors."

_CODE_OF_STATUS = {
    400: "bad_request",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    412: "precondition_failed",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "validation_error",
    429: "throttled",
}
_DETAIL_OF_STATUS = {
    404: "There is nothing at this address.",
    413: "The body is larger than this address takes.",
}

log = structlog.get_logger(__name__)


class MalformedRequest(MarketplaceError):
    """The request cannot be read at all. ``status`` is its answer's."""

    def __init__(self, message: str, *, status: int, code: str, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.status = status
        self.code = code  # type: ignore[misc]  # one class for the few ways in which a request can be unreadable


def install(app: Flask) -> None:
    app.register_error_handler(MarketplaceError, refuse)
    app.register_error_handler(HTTPException, http_problem)
    app.register_error_handler(Exception, crash)


def status_of(error: MarketplaceError) -> int:
    if isinstance(error, MalformedRequest):
        return error.status
    kind = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
    return STATUS_OF_CODE.get(error.code, kind)


def refuse(error: MarketplaceError) -> Response:
    status = status_of(error)
    if status == 500:
        return crash(error)
    headers: dict[str, str] = {}
    facts = dict(error.facts)
    if status in (429, 503):
        headers["Retry-After"] = str(facts.pop("retry_after", RETRY_AFTER_SECONDS))
    if status == 401:
        challenge = 'Bearer realm="marketplace"'
        headers["WWW-Authenticate"] = (
            f'{challenge}, error="invalid_token"' if error.code == "token_expired" else challenge
        )
    return problem(status=status, code=error.code, detail=str(error), headers=headers, **facts)


def http_problem(error: HTTPException) -> Response:
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response()  # type: ignore[return-value]  # a redirect or a ready answer, which is Flask's own
    if error.code >= 500:
        return crash(error)
    headers = {}
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers["Allow"] = ", ".join(sorted(error.valid_methods))
    if isinstance(error, UnprocessableEntity) and hasattr(error, "data"):
        return _invalid_fields(error.data["messages"])
    return problem(
        status=error.code,
        code=_CODE_OF_STATUS.get(error.code, "bad_request"),
        detail=_DETAIL_OF_STATUS.get(error.code) or error.description or error.name,
        headers=headers,
    )


def crash(error: Exception) -> Response:
    """Whatever nobody expected: the log has everything, the answer nothing but the request id to quote."""
    log.error("unexpected error", exc_info=error)
    return problem(
        status=500,
        code="internal_error",
        detail="Something went wrong on our side. Quote the request_id when you report it.",
    )


def _invalid_fields(messages: dict[str, Any]) -> Response:
    return problem(
        status=422,
        code="validation_error",
        detail=WRONG_FIELDS,
        errors=flat_errors(messages),
    )


def flat_errors(messages: dict[str, Any]) -> dict[str, list[str]]:
    """webargs' messages, nested by location, field and index, as ``{"items.0.quantity": ["..."]}``; the first ones."""
    flat: dict[str, list[str]] = {}
    for located in messages.values():
        _flatten("", located, flat)
    return flat


def _flatten(path: str, node: Any, into: dict[str, list[str]]) -> None:
    if isinstance(node, dict):
        for key, value in node.items():
            if len(into) >= MOST_ERRORS:
                return
            name = path if key == "_schema" else f"{path}.{key}" if path else str(key)
            _flatten(name, value, into)
    else:
        messages = node if isinstance(node, list) else [node]
        into.setdefault(path or "body", []).extend(str(message) for message in messages)
