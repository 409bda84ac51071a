"""Rate limits over the network: a server that answers, one that is not there, and one that is silent."""

import socket
import time
from collections.abc import Iterator
from threading import Thread

import pytest
from fakeredis import TcpFakeServer

from marketplace.adapters.rate_limits import redis_limiter
from marketplace.adapters.rate_limits.limiter import MemoryRateLimits
from marketplace.adapters.rate_limits.redis_limiter import RedisRateLimits
from marketplace.application.ports.rate_limits import RateLimit, Standing

THREE = RateLimit(3, 60)


@pytest.fixture
def memory() -> MemoryRateLimits:
    return MemoryRateLimits(time.time)


@pytest.fixture
def redis_url() -> Iterator[str]:
    server = TcpFakeServer(("127.0.0.1", 0))
    server.daemon_threads, server.block_on_close = True, False
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"redis://127.0.0.1:{server.server_address[1]}/0"
    server.shutdown()
    server.server_close()


def test_two_processes_count_together(redis_url, memory):
    one, other = RedisRateLimits.at(redis_url, memory), RedisRateLimits.at(redis_url, memory)
    assert one.fault() is None
    assert [limits.hit(THREE, "anna").allowed for limits in (one, other, one, other)] == [True, True, True, False]
    for limits in (one, other):
        limits._storage.get_connection().close()


def test_a_server_that_is_not_there_is_done_without(memory):
    nowhere = RedisRateLimits.at("redis://127.0.0.1:1/0", memory)
    assert nowhere.hit(THREE, "anna") == Standing(True, 3, 2, 60)
    assert "ConnectionError" in nowhere.fault()


def test_a_server_that_is_silent_is_waited_for_once_and_not_long(memory):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        limits = RedisRateLimits.at(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", memory)
        assert limits.hit(THREE, "anna").remaining == 2
        options = limits._storage.get_connection().connection_pool.connection_kwargs
        assert options["socket_timeout"] == options["socket_connect_timeout"] == redis_limiter.TIMEOUT_SECONDS
        silent.close()  # whoever asked it again now would fail at once, and not count
        assert limits.hit(THREE, "anna").remaining == 1
