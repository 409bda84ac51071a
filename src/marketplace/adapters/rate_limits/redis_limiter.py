"""Rate limits in a Redis that all processes share. Imported by those alone that have one."""

from __future__ import annotations

from threading import Lock
from time import monotonic

import structlog
from limits.storage import RedisStorage
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from marketplace.adapters.rate_limits.limiter import Counting, MemoryRateLimits
from marketplace.application.ports.rate_limits import RateLimit, RateLimits, Standing

TIMEOUT_SECONDS = 0.25
"""For connecting and for each answer: a request waits no longer for a counter."""
PAUSE_SECONDS = 5.0
"""How long a Redis that failed is left alone, so that not every request waits for it."""

log = structlog.get_logger(__name__)


class RedisRateLimits(RateLimits):
    """Counts in Redis; while that does not answer, in this process, which is logged once, and so is its return."""

    def __init__(self, storage: RedisStorage, fallback: MemoryRateLimits) -> None:
        self._storage = storage
        self._counting = Counting(storage)
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
