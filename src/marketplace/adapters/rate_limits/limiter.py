"""Rate limits by the library ``limits``, counted in this process."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import ceil, floor
from typing import cast

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import Storage
from limits.storage.base import SlidingWindowCounterSupport
from limits.strategies import SlidingWindowCounterRateLimiter

from marketplace.adapters.rate_limits.memory_storage import SlidingWindowMemoryStorage
from marketplace.application.ports.rate_limits import RateLimit, RateLimits, Standing


class Counting:
    """One strategy on one storage. A sliding window: two numbers a key, and no double rate where windows meet."""

    def __init__(self, storage: Storage) -> None:
        self._windows = cast(SlidingWindowCounterSupport, storage)
        self._strategy = SlidingWindowCounterRateLimiter(storage)

    def hit(self, limit: RateLimit, key: str) -> Standing:
        item = _item(limit)
        allowed = self._strategy.hit(item, key)
        previous, previous_left, current, current_left = self._windows.get_sliding_window(
            item.key_for(key), limit.seconds
        )
        left = max(0.0, current_left - limit.seconds)
        if allowed:
            used = floor(previous * previous_left / limit.seconds) + current
            return Standing(True, limit.amount, max(0, limit.amount - used), max(1, ceil(left)))
        return Standing(False, limit.amount, 0, max(1, ceil(_wait(limit, previous, current, left))))


def _wait(limit: RateLimit, previous: int, current: int, left: float) -> float:
    """Seconds until so little of the window before counts that there is room for one more."""
    if current < limit.amount and previous:
        return left - limit.seconds * (limit.amount - current) / previous
    return left  # this window is full by itself, and begins to count less when it ends


class MemoryRateLimits(RateLimits):
    """Counts in this process alone: several let through several times as much. ``time`` gives seconds."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._counting = Counting(SlidingWindowMemoryStorage(time=time))

    def hit(self, limit: RateLimit, key: str) -> Standing:
        return self._counting.hit(limit, key)

    def fault(self) -> str | None:
        return None


@lru_cache(maxsize=64)
def _item(limit: RateLimit) -> RateLimitItem:
    return RateLimitItemPerSecond(limit.amount, limit.seconds, namespace="rate")
