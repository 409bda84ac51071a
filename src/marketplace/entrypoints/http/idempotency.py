"""``Idempotency-Key``: an authenticated POST with one is done once, and answered the same again for 24 hours."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import structlog
from flask import Flask, Response, current_app, g, request

from marketplace.application.access import Actor
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.idempotency import Answer, IdempotencyKeys
from marketplace.domain.shared.errors import Invalid

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
_EXTENSION = "marketplace-idempotency"
_KEY = re.compile(r"[!-~]{1,255}", re.ASCII)
_KEPT_HEADERS = ("Cache-Control", "Location", "ETag")

Reveal = Callable[[Actor, Any], Any]
"""Given who asks and the JSON kept, in which the secrets are null, gives the JSON with the secrets read again."""

log = structlog.get_logger(__name__)


def install(app: Flask, *, keys: IdempotencyKeys, clock: Clock) -> None:
    app.extensions[_EXTENSION] = (keys, clock)


def current_idempotency_key() -> str | None:
    """The key of the request being done, for a use case that attaches what it makes; None when it has none."""
    key: str | None = g.get("idempotency_key")
    return key


def once(actor: Actor, do: Callable[[], Response], *, secrets: Sequence[str], reveal: Reveal | None) -> Response:
    """``do()``, or the answer that it gave before. ``secrets`` are the paths (``payment.client_secret``) not kept."""
    keys, clock = current_app.extensions[_EXTENSION]
    key = request.headers[HEADER]
    if not _KEY.fullmatch(key):
        message = "An Idempotency-Key has 1 to 255 visible ASCII characters."
        raise Invalid(message, errors={HEADER: [message]})
    begun = keys.begin(account_id=actor.account_id, key=key, fingerprint=_fingerprint(), now=clock.now())
    if isinstance(begun, Answer):
        return _replayed(begun, actor, reveal)
    g.idempotency_key = key
    try:
        response = do()
    except BaseException:
        _quietly(lambda: keys.release(begun))
        raise
    if secrets:
        _keep_off_caches(response)
    if 200 <= response.status_code < 300:
        # What is done is done: when this cannot be kept, the answer is still right, and the running mark lapses.
        _quietly(lambda: keys.complete(begun, _answer(response, secrets)))
    else:
        _quietly(lambda: keys.release(begun))
    return response


def _fingerprint() -> str:
    """Keyed, since a body may hold a password that a bare hash would give away."""
    text = b"\n".join((request.method.encode(), request.path.encode(), request.get_data()))
    return hmac.digest(current_app.config["FINGERPRINT_KEY"], text, "sha256").hex()


def _answer(response: Response, secrets: Sequence[str]) -> Answer:
    body = response.get_data()
    if secrets and body:
        document = orjson.loads(body)
        for path in secrets:
            _blank(document, path.split("."))
        body = orjson.dumps(document)
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return Answer(status=response.status_code, body=body.decode(), headers=headers)


def _blank(document: Any, path: list[str]) -> None:
    *parents, last = path
    for name in parents:
        document = document.get(name) if isinstance(document, dict) else None
    if isinstance(document, dict) and last in document:
        document[last] = None


def _replayed(answer: Answer, actor: Actor, reveal: Reveal | None) -> Response:
    body = answer.body.encode()
    if reveal is not None and body:
        body = orjson.dumps(reveal(actor, orjson.loads(body)))
    response = Response(body, status=answer.status, mimetype="application/json" if body else None)
    if not body:
        response.headers.remove("Content-Type")
    response.headers.update(answer.headers)
    response.headers[REPLAYED] = "true"
    if reveal is not None:
        _keep_off_caches(response)
    return response


def _keep_off_caches(response: Response) -> None:
    """The answer reveals secrets."""
    response.headers["Cache-Control"] = "no-store"


def _quietly(note: Callable[[], None]) -> None:
    """The outcome of the request does not change when only the note of it fails."""
    try:
        note()
    except Exception as error:  # whatever the store raises
        log.warning("idempotency key not updated", exc_info=error)
