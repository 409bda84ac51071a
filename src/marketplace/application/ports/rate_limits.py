"""How many requests somebody may send in a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from marketplace.domain.shared.errors import Conflict


class Throttled(Conflict):
    """``retry_after`` says in how many seconds the next request is let through."""

    code = "throttled"


@dataclass(frozen=True, slots=True)
class RateLimit:
    """``amount`` requests in any ``seconds``."""

    amount: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands after a request. ``reset`` is in seconds: until the next request is let through when this
    one was not, else until the present window ends."""

    allowed: bool
    limit: int
    remaining: int
    reset: int


class RateLimits(Protocol):
    """Counters that tell who sends too much. They are lost without harm, unlike those that lock accounts."""

    def hit(self, limit: RateLimit, key: str) -> Standing:
        """Count a request against ``key``; one that is refused is not counted. Never raises."""
        ...

    def fault(self) -> str | None:
        """What is wrong with the shared store; None when it answers, and when there is none."""
        ...
