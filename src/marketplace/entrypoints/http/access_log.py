"""One log line a request: what, with which outcome, how long. Never a query, a header or a body."""

from __future__ import annotations

import time

import structlog
from flask import Flask, Response, g, request

log = structlog.get_logger("marketplace.access")


def install(app: Flask) -> None:
    app.before_request(_start)
    app.after_request(_write)


def _start() -> None:
    g.started = time.perf_counter()


def _write(response: Response) -> Response:
    write = log.debug if request.path.startswith(("/health/", "/static/")) else log.info
    started = g.get("started")
    write(
        "request",
        method=request.method,
        path=_path(),
        status=response.status_code,
        ms=round((time.perf_counter() - started) * 1000, 1) if started else None,
    )
    return response


def _path() -> str:
    """As it was asked for; of a path that holds a secret, which every route calls its token, the route alone."""
    if request.url_rule is not None and "token" in (request.view_args or {}):
        return request.url_rule.rule
    return request.path
