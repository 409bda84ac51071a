"""Refused events and the place in the provider's list of events, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.payment_gateway import WebhookSource
from marketplace.application.ports.provider_events import (
    EventSweeps,
    Refusal,
    RefusedWebhooks,
    WebhookRefusals,
    added_up,
)

_Key = tuple[date, WebhookSource, Refusal]
_SWEEP = "sweep"


class InMemoryWebhookRefusals(WebhookRefusals):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def note(self, source: WebhookSource, refusal: Refusal, *, seconds_off: int, now: datetime) -> None:
        with self._store.lock:
            days: dict[_Key, RefusedWebhooks] = self._store.table("webhook_refusals")
            key = now.astimezone(UTC).date(), source, refusal
            before = days[key].count if key in days else 0
            days[key] = RefusedWebhooks(
                source=source, refusal=refusal, count=before + 1, last_at=now, seconds_off=seconds_off
            )

    def since(self, moment: datetime) -> Sequence[RefusedWebhooks]:
        first = moment.astimezone(UTC).date()
        with self._store.lock:
            days: dict[_Key, RefusedWebhooks] = self._store.table("webhook_refusals")
            return added_up(refused for key, refused in sorted(days.items()) if key[0] >= first)


class InMemoryEventSweeps(EventSweeps):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def begin(self, *, now: datetime, every: timedelta) -> datetime | None:
        with self._store.lock:
            table: dict[str, tuple[datetime, datetime]] = self._store.table("event_sweeps")
            if _SWEEP not in table:
                table[_SWEEP] = now, now
                return now
            began, reached = table[_SWEEP]
            if now < began + every:
                return None
            table[_SWEEP] = now, reached
            return reached

    def reached(self, moment: datetime) -> None:
        with self._store.lock:
            table: dict[str, tuple[datetime, datetime]] = self._store.table("event_sweeps")
            began, before = table[_SWEEP]
            table[_SWEEP] = began, max(before, moment)
