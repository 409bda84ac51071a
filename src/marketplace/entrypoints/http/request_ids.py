"""Every request has an id: taken from X-Request-ID or made, answered, and in each log line."""

from __future__ import annotations

import re
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

HEADER = "X-Request-ID"
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def install(app: Flask) -> None:
    app.before_request(_identify)
    app.after_request(_answer)


def _identify() -> None:
    offered = request.headers.get(HEADER, "")
    g.request_id = offered if _ACCEPTED.fullmatch(offered) else uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _answer(response: Response) -> Response:
    response.headers[HEADER] = g.get("request_id") or uuid4().hex
    return response
