"""Probes: is the process alive, can it serve, and, for who may know, what is wrong."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import Any

from flask import request
from marshmallow import fields

from marketplace import __version__
from marketplace.application.access import require_role
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.health import Readiness
from marketplace.application.ports.payment_gateway import WebhookSource
from marketplace.application.ports.provider_events import Refusal, WebhookRefusals
from marketplace.domain.identity import Role
from marketplace.entrypoints.http.auth import authenticate
from marketplace.entrypoints.http.blueprints import BEARER, Blueprint, problems
from marketplace.entrypoints.http.problems import problem
from marketplace.entrypoints.http.schemas import Schema


class HealthSchema(Schema):
    status = fields.String(required=True, metadata={"enum": ["ok"]})


class RefusedWebhooksSchema(Schema):
    source = fields.String(required=True, metadata={"enum": [source.value for source in WebhookSource]})
    refusal = fields.String(required=True, metadata={"enum": [refusal.value for refusal in Refusal]})
    count = fields.Integer(required=True)
    last_at = fields.DateTime(required=True)
    seconds_off = fields.Integer(
        required=True,
        metadata={
            "description": "With `time`: how far from our clock the last one was signed. More than 300 is refused."
        },
    )


class DetailedHealthSchema(Schema):
    status = fields.String(required=True, metadata={"enum": ["ok", "unavailable"]})
    version = fields.String(required=True)
    time = fields.DateTime(required=True)
    faults = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    refused_webhooks = fields.List(
        fields.Nested(RefusedWebhooksSchema),
        required=True,
        metadata={"description": "Events that were refused since yesterday; empty while the database does not answer."},
    )


def health_blueprint(*, readiness: Readiness, refusals: WebhookRefusals, clock: Clock, metrics_token: str) -> Blueprint:
    blueprint = Blueprint(
        "health", __name__, description="Is it there, can it serve", url_prefix="/health", any_query=True
    )

    @blueprint.get("/")
    @blueprint.response(200, HealthSchema)
    def health() -> Any:
        """Whether requests can be served; the same as /health/ready/."""
        return _ready()

    @blueprint.get("/live/")
    @blueprint.response(200, HealthSchema)
    def live() -> dict[str, str]:
        """Whether the process answers at all."""
        return {"status": "ok"}

    @blueprint.get("/ready/")
    @blueprint.response(200, HealthSchema)
    def ready() -> Any:
        """Whether everything that requests need is there."""
        return _ready()

    @blueprint.get("/detailed/")
    @problems(401, 403)
    @blueprint.doc(security=[{BEARER: []}])
    @blueprint.response(200, DetailedHealthSchema)
    @blueprint.alt_response(503, schema=DetailedHealthSchema)
    def detailed() -> Any:
        """What is wrong, for administrators and holders of the metrics token."""
        _require_monitor(metrics_token)
        faults = dict(readiness.check())
        body = {
            "status": "unavailable" if faults else "ok",
            "version": __version__,
            "time": clock.now(),
            "faults": faults,
            "refused_webhooks": [] if faults else refusals.since(clock.now() - timedelta(days=1)),
        }
        return body, (503 if faults else 200)

    def _ready() -> Any:
        faults = readiness.check()
        if not faults:
            return {"status": "ok"}
        names = ", ".join(sorted(faults))
        return problem(status=503, code="unavailable", detail=f"Not ready: {names}.", headers={"Retry-After": "2"})

    return blueprint


def _require_monitor(metrics_token: str) -> None:
    given = request.headers.get("Authorization", "").encode()
    if metrics_token and hmac.compare_digest(given, f"Bearer {metrics_token}".encode()):
        return
    require_role(authenticate(), Role.ADMIN)
