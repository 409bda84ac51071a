"""Probes."""

from datetime import UTC, datetime, timedelta

import pytest
from dependency_injector import providers

from marketplace.adapters.memory.provider_events import InMemoryWebhookRefusals
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.access import Actor
from marketplace.application.ports.health import Readiness
from marketplace.application.ports.payment_gateway import WebhookSource
from marketplace.application.ports.provider_events import Refusal
from marketplace.domain.identity import Role
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import MemoryBackend
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.http.auth import access_token
from marketplace.entrypoints.settings import Settings
from tests.unit.http.conftest import ENVIRONMENT

TOKEN = "a-token-for-the-monitor"


class Down(Readiness):
    def check(self):
        return {"database": "The database does not answer."}


def app_with(*, readiness=None, refusals=None, roles=()):
    backend = MemoryBackend()
    if refusals is not None:
        backend.webhook_refusals.override(providers.Object(refusals))
    if readiness is not None:
        backend.readiness.override(providers.Object(readiness))
    actor = Actor(account_id=1, roles=frozenset(roles))
    return create_app(
        Container(
            settings=Settings.from_env({**ENVIRONMENT, "METRICS_TOKEN": TOKEN}),
            backend=backend,
            actor_lookup=providers.Object(lambda account_id, session_id: actor),
        )
    )


@pytest.mark.parametrize("path", ["/health/", "/health/live/", "/health/ready/"])
def test_all_is_well(path):
    response = app_with().test_client().get(path)
    assert (response.status_code, response.json) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/health/", "/health/ready/"])
def test_without_the_database_it_is_not_ready_and_says_what_is_missing(path):
    response = app_with(readiness=Down()).test_client().get(path)
    assert (response.status_code, response.json["code"]) == (503, "unavailable")
    assert response.json["detail"] == "Not ready: database."
    assert response.headers["Retry-After"]


def test_without_the_database_it_is_alive():
    assert app_with(readiness=Down()).test_client().get("/health/live/").status_code == 200


def detailed(app, token):
    return app.test_client().get("/health/detailed/", headers={"Authorization": f"Bearer {token}"})


def test_a_monitor_sees_what_is_wrong():
    response = detailed(app_with(readiness=Down()), TOKEN)
    assert response.status_code == 503
    assert response.json["faults"] == {"database": "The database does not answer."}


def test_a_monitor_sees_that_all_is_well():
    response = detailed(app_with(), TOKEN)
    assert (response.status_code, response.json["status"], response.json["faults"]) == (200, "ok", {})


def test_a_monitor_sees_what_events_were_refused_and_how_far_the_clock_is_off():
    refusals, now = InMemoryWebhookRefusals(InMemoryStore()), datetime.now(UTC)
    refusals.note(WebhookSource.PLATFORM, Refusal.TIME, seconds_off=-3600, now=now)
    refusals.note(WebhookSource.THIN, Refusal.SIGNATURE, seconds_off=0, now=now - timedelta(days=2))
    (refused,) = detailed(app_with(refusals=refusals), TOKEN).json["refused_webhooks"]
    assert refused.pop("last_at")
    assert refused == {"source": "platform", "refusal": "time", "count": 1, "seconds_off": -3600}


@pytest.mark.parametrize(("roles", "status"), [([Role.ADMIN], 200), ([Role.BUYER], 403)])
def test_an_administrator_sees_it_too_and_nobody_else(roles, status):
    app = app_with(roles=roles)
    with app.app_context():
        token = access_token(1, 1)
    assert detailed(app, token).status_code == status


@pytest.mark.parametrize("token", ["", "x", TOKEN + "x", "é"])
def test_a_wrong_token_is_refused(token):
    assert detailed(app_with(), token).status_code == 401


def test_no_token_is_set_and_none_is_taken(client):
    assert client.get("/health/detailed/", headers={"Authorization": "Bearer "}).status_code == 401
