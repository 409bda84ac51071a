"""Refusals in Stripe's words."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """An answer that is no success. ``kept``: remembered under the request's key, as what began to be done is."""

    def __init__(
        self, status: int, message: str, *, type: str = "invalid_request_error", kept: bool = True, **facts: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kept = kept
        self.body = {"error": {"message": message, "type": type, **{k: v for k, v in facts.items() if v is not None}}}


def invalid(message: str, param: str, code: str | None = None) -> Refusal:
    """What is wrong with a parameter before anything has begun: not remembered."""
    return Refusal(400, message, param=param, code=code, kept=False)


def missing(kind: str, id: str, *, param: str | None = None) -> Refusal:
    """An object that is not there: 404 when the path names it, 400 when a parameter does."""
    status = 404 if param is None else 400
    return Refusal(status, f"No such {kind}: '{id}'", code="resource_missing", param=param or "id", kept=False)


def card_error(message: str, *, code: str, **facts: Any) -> Refusal:
    return Refusal(402, message, type="card_error", code=code, **facts)
