"""Problem documents (RFC 9457): the one form of every error answer."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from flask import Response, g, request

PROBLEM_JSON = "application/problem+json"


def problem(*, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, **facts: Any) -> Response:
    """``code`` is what clients switch on; ``facts`` are what the code promises beside it (``available``)."""
    body = {
        **facts,
        "type": f"urn:marketplace:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "code": code,
        "request_id": g.get("request_id", ""),
    }
    response = Response(orjson.dumps(body, default=str), status=status, content_type=PROBLEM_JSON)
    response.headers.update(headers or {})
    response.headers.setdefault("Cache-Control", "no-store")
    return response
