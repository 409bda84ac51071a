"""Rate limits by the library ``limits``: in this process, or in a Redis that all processes share."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import ceil, floor
from threading import Lock
from time import monotonic
from typing import cast

import structlog
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.storage.base import SlidingWindowCounterSupport
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from marketplace.adapters.rate_limits.memory_storage import SlidingWindowMemoryStorage
from marketplace.application.ports.rate_limits import RateLimit, RateLimits, Standing

TIMEOUT_SECONDS = 0.25
"""For connecting and for each answer: a request waits no longer for a counter."""
PAUSE_SECONDS = 5.0
"""How long a Redis that failed is left alone, so that not every request waits for it."""

log = structlog.get_logger(__name__)


class _Counting:
    """One strategy on one storage. A sliding window: two numbers a key, and no double rate where windows meet."""

    def __init__(self, storage: SlidingWindowMemoryStorage | RedisStorage) -> None:
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
        self._counting = _Counting(SlidingWindowMemoryStorage(time=time))

    def hit(self, limit: RateLimit, key: str) -> Standing:
        return self._counting.hit(limit, key)

    def fault(self) -> str | None:
        return None


class RedisRateLimits(RateLimits):
    """Counts in Redis; while that does not answer, in this process, which is logged once, and so is its return."""

    def __init__(self, storage: RedisStorage, fallback: MemoryRateLimits) -> None:
        self._storage = storage
        self._counting = _Counting(storage)
        self._fallback = fallback
        self._left_alone_until = 0.0
        self._is_down = False
        self._lock = Lock()

    @classmethod
    def at(cls, url: str, fallback: MemoryRateLimits) -> RedisRateLimits:
        """``url`` is redis://, rediss:// or redis+unix://; nothing is connected to yet."""
        return cls(redis_storage(url), fallback)

    def hit(self, limit: RateLimit, key: str) -> Standing:
        if monotonic() < self._left_alone_until:
            return self._fallback.hit(limit, key)
        try:
            standing = self._counting.hit(limit, key)
        except RedisError as error:
            self._note_down(error)
            return self._fallback.hit(limit, key)
        if self._is_down:
            self._note_up()
        return standing

    def fault(self) -> str | None:
        try:
            self._storage.get_connection().ping()
        except RedisError as error:
            return f"{type(error).__name__}: {error}"
        return None

    def _note_down(self, error: RedisError) -> None:
        self._left_alone_until = monotonic() + PAUSE_SECONDS
        with self._lock:
            was_down, self._is_down = self._is_down, True
        if not was_down:
            log.warning("redis does not answer, rate limits are counted in each process", error=str(error))

    def _note_up(self) -> None:
        with self._lock:
            was_down, self._is_down = self._is_down, False
        if was_down:
            log.info("redis answers again, rate limits are shared")


def redis_storage(url: str) -> RedisStorage:
    return RedisStorage(
        url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]  # passed on to redis as it is
        key_prefix="marketplace:limits",
    )


@lru_cache(maxsize=64)
def _item(limit: RateLimit) -> RateLimitItem:
    return RateLimitItemPerSecond(limit.amount, limit.seconds, namespace="rate")
