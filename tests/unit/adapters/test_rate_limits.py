"""Rate limits in the process, on Redis, and on a Redis that goes away."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import fakeredis
import pytest
from limits.storage import RedisStorage
from redis import ConnectionPool
from structlog.testing import capture_logs

from marketplace.adapters.rate_limits import redis_limiter
from marketplace.adapters.rate_limits.limiter import MemoryRateLimits
from marketplace.adapters.rate_limits.memory_storage import SlidingWindowMemoryStorage
from marketplace.adapters.rate_limits.redis_limiter import RedisRateLimits
from marketplace.application.ports.rate_limits import RateLimit, Standing

THREE = RateLimit(3, 60)


class Seconds:
    """A clock of seconds that stands still until it is told to move."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def memory(seconds) -> MemoryRateLimits:
    return MemoryRateLimits(seconds)


@pytest.fixture
def server() -> fakeredis.FakeServer:
    return fakeredis.FakeServer()


@pytest.fixture
def storage(server) -> Iterator[RedisStorage]:
    pool = ConnectionPool(connection_class=fakeredis.FakeRedisConnection, server=server)
    yield RedisStorage("redis://localhost", connection_pool=pool, key_prefix="test")
    pool.disconnect()


@pytest.fixture
def redis(storage, memory) -> RedisRateLimits:
    return RedisRateLimits(storage, memory)


class RateLimitsContract:
    """Subclasses provide the fixture `rate_limits`."""

    def test_lets_through_what_was_promised_and_no_more(self, rate_limits):
        standings = [rate_limits.hit(THREE, "anna") for _ in range(5)]
        assert [standing.allowed for standing in standings] == [True, True, True, False, False]
        assert [standing.remaining for standing in standings] == [2, 1, 0, 0, 0]
        assert all(1 <= standing.reset <= 60 for standing in standings)
        assert {standing.limit for standing in standings} == {3}

    def test_counts_each_key_and_each_limit_for_itself(self, rate_limits):
        for _ in range(4):
            rate_limits.hit(THREE, "anna")
        assert rate_limits.hit(THREE, "bruno").allowed
        assert rate_limits.hit(RateLimit(10, 3600), "anna") == Standing(True, 10, 9, 3600)

    def test_of_many_at_once_lets_through_no_more(self, rate_limits):
        with ThreadPoolExecutor(8) as pool:
            standings = list(pool.map(lambda _: rate_limits.hit(THREE, "anna"), range(40)))
        assert sum(standing.allowed for standing in standings) == 3

    def test_finds_nothing_wrong(self, rate_limits):
        assert rate_limits.fault() is None


class TestInMemory(RateLimitsContract):
    @pytest.fixture
    def rate_limits(self, memory):
        return memory

    def test_never_lets_twice_as_much_through_where_windows_meet(self, memory, seconds):
        seconds.now += 50
        assert all(memory.hit(THREE, "anna").allowed for _ in range(3))
        seconds.now += 61
        assert [memory.hit(THREE, "anna").allowed for _ in range(3)] == [True, False, False]

    def test_begins_afresh_after_a_pause_and_after_a_clock_that_was_set_back(self, memory, seconds):
        for step in (121, -100_000):
            assert [memory.hit(THREE, "anna").allowed for _ in range(4)] == [True, True, True, False]
            seconds.now += step
        assert memory.hit(THREE, "anna") == Standing(True, 3, 2, 60)

    def test_the_wait_that_is_told_is_enough_and_hardly_more(self, memory, seconds):
        for _ in range(20):
            standing = memory.hit(THREE, "anna")
            if not standing.allowed:
                seconds.now += standing.reset + 0.001
                assert memory.hit(THREE, "anna").allowed
            seconds.now += 7

    def test_grows_no_further_than_it_may(self, seconds):
        storage = SlidingWindowMemoryStorage(time=seconds, most_keys=100)
        for number in range(1000):
            assert storage.acquire_sliding_window_entry(f"key-{number}", 3, 60)
            assert len(storage._windows) <= 100
        assert storage.get_sliding_window("key-999", 60)[2] == 1
        assert storage.get_sliding_window("key-0", 60) == (0, 0.0, 0, 0.0)

    def test_forgets_a_key_when_it_is_told_to(self, seconds):
        storage = SlidingWindowMemoryStorage(time=seconds)
        storage.acquire_sliding_window_entry("key", 1, 60)
        storage.clear_sliding_window("key", 60)
        assert storage.acquire_sliding_window_entry("key", 1, 60)

    def test_costs_no_thread(self, memory):
        before = threading.active_count()
        for number in range(100):
            memory.hit(THREE, f"key-{number}")
        assert threading.active_count() <= before


class TestOnRedis(RateLimitsContract):
    @pytest.fixture
    def rate_limits(self, redis):
        return redis

    def test_two_processes_count_together(self, redis, storage, memory):
        other = RedisRateLimits(storage, memory)
        assert [limits.hit(THREE, "anna").allowed for limits in (redis, other, redis, other)] == [True] * 3 + [False]

    def test_keys_do_not_stay(self, redis, storage):
        redis.hit(THREE, "anna")
        connection = storage.get_connection()
        keys = connection.keys("*")
        assert keys
        assert all(0 < connection.pttl(key) <= 120_000 for key in keys)


class TestWithoutRedis:
    @pytest.fixture
    def waits(self, monkeypatch):
        """The time since Redis was last asked, as the limiter sees it."""
        clock = Seconds()
        monkeypatch.setattr(redis_limiter, "monotonic", clock)
        return clock

    def test_the_process_counts_for_itself_and_says_so_once(self, redis, server, waits):
        server.connected = False
        with capture_logs() as lines:
            standings = [redis.hit(THREE, "anna") for _ in range(4)]
            waits.now += redis_limiter.PAUSE_SECONDS + 1
            redis.hit(THREE, "anna")
        assert [standing.allowed for standing in standings] == [True, True, True, False]
        (line,) = lines
        assert line["log_level"] == "warning"
        assert "redis does not answer" in line["event"]

    def test_redis_is_left_alone_for_a_while_and_then_asked_again(self, redis, server, waits):
        server.connected = False
        redis.hit(THREE, "anna")
        server.connected = True
        with capture_logs() as lines:
            assert redis.hit(THREE, "anna").remaining == 1  # still the process's count
            waits.now += redis_limiter.PAUSE_SECONDS + 1
            assert redis.hit(THREE, "anna").remaining == 2
        assert [line["event"] for line in lines] == ["redis answers again, rate limits are shared"]

    def test_its_fault_is_named(self, redis, server):
        server.connected = False
        assert "ConnectionError" in redis.fault()
