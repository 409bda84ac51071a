"""Forgetting the keys of requests that are done."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.application.ports.clock import Clock
from marketplace.application.ports.idempotency import IdempotencyKeys

_AT_ONCE = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class PurgeIdempotencyKeys:
    """Forget what requests were answered more than a day ago."""

    keys: IdempotencyKeys
    clock: Clock

    def __call__(self) -> int:
        """One batch; gives the number. Raises Unavailable when the store does not answer."""
        return self.keys.purge(now=self.clock.now(), limit=_AT_ONCE)
