"""What is remembered of the provider's events beside themselves: how many were refused, how far we have looked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from marketplace.application.ports.payment_gateway import WebhookSource


class Refusal(StrEnum):
    """``signature``: not signed with a secret of ours. ``time``: signed with one, at another time than ours.

    ``content``: signed, and no event; or larger than any.
    """

    SIGNATURE = "signature"
    TIME = "time"
    CONTENT = "content"


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusedWebhooks:
    """How many came to an address and were refused. ``seconds_off``: the last one's time less ours, 0 where untold."""

    source: WebhookSource
    refusal: Refusal
    count: int
    last_at: datetime
    seconds_off: int


def added_up(days: Iterable[RefusedWebhooks]) -> Sequence[RefusedWebhooks]:
    """One line for each address and reason, of those of several days, the earliest day first."""
    added: dict[tuple[WebhookSource, Refusal], RefusedWebhooks] = {}
    for refused in days:
        key = refused.source, refused.refusal
        count = refused.count + (added[key].count if key in added else 0)
        added[key] = replace(refused, count=count)
    return [added[key] for key in sorted(added)]


class WebhookRefusals(Protocol):
    """Counters of what was refused, by day. Nothing of a refused request is kept."""

    def note(self, source: WebhookSource, refusal: Refusal, *, seconds_off: int, now: datetime) -> None:
        """Count one. It may be written a while later: whoever sends many does not make us write as many."""
        ...

    def since(self, moment: datetime) -> Sequence[RefusedWebhooks]:
        """What was refused from the day of ``moment`` on, added up: one line for each address and reason."""
        ...


class EventSweeps(Protocol):
    """How far the provider's own list of events has been read. Each method is a transaction of its own."""

    def begin(self, *, now: datetime, every: timedelta) -> datetime | None:
        """Where to read on from, for one caller at a time: None unless ``every`` has passed since anybody began.

        The first one ever begins now.
        """
        ...

    def reached(self, moment: datetime) -> None:
        """Everything up to here has been read. It never goes back."""
        ...
