"""Who counts requests: this process, or a Redis that all processes share."""

from __future__ import annotations

from collections.abc import Callable

from dependency_injector import containers, providers

from marketplace.adapters.rate_limits.limiter import MemoryRateLimits
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.rate_limits import RateLimits
from marketplace.entrypoints.settings import Settings


def _on_redis(url: str, fallback: MemoryRateLimits) -> RateLimits:
    # Its client costs some MiB, which nobody pays for without having a Redis.
    from marketplace.adapters.rate_limits.redis_limiter import RedisRateLimits

    return RedisRateLimits.at(url, fallback)


def _seconds(clock: Clock) -> Callable[[], float]:
    return lambda: clock.now().timestamp()


class RateLimiting(containers.DeclarativeContainer):
    """``REDIS_URL`` chooses."""

    settings: providers.Dependency[Settings] = providers.Dependency()
    clock: providers.Dependency[Clock] = providers.Dependency()

    in_process = providers.Singleton(MemoryRateLimits, providers.Callable(_seconds, clock))
    rate_limits = providers.Selector(
        providers.Callable(lambda url: "redis" if url else "memory", settings.provided.redis_url),
        memory=in_process,
        redis=providers.Singleton(_on_redis, settings.provided.redis_url, in_process),
    )
