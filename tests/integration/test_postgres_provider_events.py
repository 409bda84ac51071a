"""Refused events and the place in the list of events, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres.engine import create_engine
from marketplace.adapters.postgres.provider_events import (
    WRITE_EVERY_SECONDS,
    PostgresEventSweeps,
    PostgresWebhookRefusals,
)
from marketplace.application.ports.payment_gateway import WebhookSource
from marketplace.application.ports.provider_events import Refusal
from tests.contracts.provider_events import NOW, EventSweepsContract, WebhookRefusalsContract


class Stopwatch:
    """Each look at it finds so many seconds gone."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.fixture
def engine(clean_database: str) -> Iterator[sa.Engine]:
    engine = create_engine(clean_database, pool_size=4, connect_timeout=30, statement_timeout=60)
    yield engine
    engine.dispose()


class TestPostgresWebhookRefusals(WebhookRefusalsContract):
    @pytest.fixture
    def refusals(self, engine: sa.Engine) -> PostgresWebhookRefusals:
        return PostgresWebhookRefusals(engine, monotonic=Stopwatch(WRITE_EVERY_SECONDS))

    def test_many_refusals_are_few_writes(self, engine):
        refusals = PostgresWebhookRefusals(engine, monotonic=Stopwatch(1.0))
        statements: list[str] = []
        sa.event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
        for _ in range(21):
            refusals.note(WebhookSource.PLATFORM, Refusal.SIGNATURE, seconds_off=0, now=NOW)
        assert len(statements) == 3
        assert [refused.count for refused in refusals.since(NOW)] == [21]


class TestPostgresEventSweeps(EventSweepsContract):
    @pytest.fixture
    def sweeps(self, engine: sa.Engine) -> PostgresEventSweeps:
        return PostgresEventSweeps(engine)
