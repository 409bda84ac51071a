"""Refused events and the place in the provider's list of events, in PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from threading import Lock

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.tables.provider_events import event_sweeps, webhook_refusals
from marketplace.application.ports.payment_gateway import WebhookSource
from marketplace.application.ports.provider_events import (
    EventSweeps,
    Refusal,
    RefusedWebhooks,
    WebhookRefusals,
    added_up,
)

WRITE_EVERY_SECONDS = 10.0

_day = webhook_refusals.c


class PostgresWebhookRefusals(WebhookRefusals):
    """Writes the first of a kind at once, and those that follow together: many refusals are few writes.

    What a process has not written yet is lost with it.
    """

    def __init__(self, engine: sa.Engine, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._monotonic = monotonic
        self._lock = Lock()
        self._unwritten: dict[tuple[WebhookSource, Refusal], tuple[int, float]] = {}

    def note(self, source: WebhookSource, refusal: Refusal, *, seconds_off: int, now: datetime) -> None:
        count = self._due(source, refusal)
        if not count:
            return
        statement = insert(webhook_refusals).values(
            day=now.astimezone(UTC).date(),
            source=source.value,
            refusal=refusal.value,
            number=count,
            last_at=now,
            seconds_off=seconds_off,
        )
        upsert = statement.on_conflict_do_update(
            index_elements=[_day.day, _day.source, _day.refusal],
            set_={
                "number": _day.number + statement.excluded.number,
                "last_at": statement.excluded.last_at,
                "seconds_off": statement.excluded.seconds_off,
            },
        )
        with translated({}), self._engine.begin() as connection:
            connection.execute(upsert)

    def _due(self, source: WebhookSource, refusal: Refusal) -> int:
        """How many to write now, this one among them; 0 to wait with it."""
        now = self._monotonic()
        with self._lock:
            waiting, not_before = self._unwritten.get((source, refusal), (0, now))
            if now < not_before:
                self._unwritten[source, refusal] = waiting + 1, not_before
                return 0
            self._unwritten[source, refusal] = 0, now + WRITE_EVERY_SECONDS
            return waiting + 1

    def since(self, moment: datetime) -> Sequence[RefusedWebhooks]:
        statement = sa.select(webhook_refusals).where(_day.day >= moment.astimezone(UTC).date()).order_by(_day.day)
        with translated({}), self._engine.connect() as connection:
            rows = connection.execute(statement).all()
        return added_up(
            RefusedWebhooks(
                source=WebhookSource(row.source),
                refusal=Refusal(row.refusal),
                count=row.number,
                last_at=row.last_at,
                seconds_off=row.seconds_off,
            )
            for row in rows
        )


class PostgresEventSweeps(EventSweeps):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def begin(self, *, now: datetime, every: timedelta) -> datetime | None:
        statement = insert(event_sweeps).values(id=1, began_at=now, reached_at=now)
        taken = statement.on_conflict_do_update(
            index_elements=[event_sweeps.c.id],
            set_={"began_at": now},
            where=event_sweeps.c.began_at <= now - every,
        ).returning(event_sweeps.c.reached_at)
        with translated({}), self._engine.begin() as connection:
            return connection.execute(taken).scalar()

    def reached(self, moment: datetime) -> None:
        later = sa.func.greatest(event_sweeps.c.reached_at, moment)
        with translated({}), self._engine.begin() as connection:
            connection.execute(sa.update(event_sweeps).values(reached_at=later))
