"""Forgetting the keys of requests that are done."""

from datetime import timedelta

from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.memory.idempotency import InMemoryIdempotencyKeys
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.idempotency import PurgeIdempotencyKeys
from tests.contracts.idempotency import ANSWER, begin


def test_keys_are_forgotten_after_a_day():
    clock = FixedClock()
    keys = InMemoryIdempotencyKeys(InMemoryStore())
    keys.complete(begin(keys, now=clock.now()), ANSWER)
    purge = PurgeIdempotencyKeys(keys=keys, clock=clock)
    assert purge() == 0
    clock.advance(timedelta(hours=24))
    assert purge() == 1
