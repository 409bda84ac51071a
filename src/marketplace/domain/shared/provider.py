"""What every conversation with the payment provider has in common: keys that are forgotten, pauses, alarms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from marketplace.domain.shared.events import Event

RETRY_FIRST = timedelta(seconds=5)
RETRY_LONGEST = timedelta(minutes=15)
KEY_LIFETIME = timedelta(hours=23)
"""How long the provider surely remembers an idempotency key (it promises 24 hours)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderAlarm(Event):
    """Something about the provider needs an operator. ``subject`` names the object, never a secret."""

    subject: str
    reason: str


def backoff(failures: int) -> timedelta:
    """The pause after so many failures in a row: doubling, bounded."""
    return min(RETRY_FIRST * (1 << min(failures, 10)), RETRY_LONGEST)
