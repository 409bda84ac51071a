"""What every store of idempotency keys promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from marketplace.application.ports.idempotency import (
    Answer,
    Attempt,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
)
from marketplace.domain.shared.errors import ConcurrencyConflict

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
ANSWER = Answer(status=201, body='{"id":7}', headers={"Location": "/things/7/"})


def begin(keys, *, account=1, key="k", fingerprint="f", now=NOW):
    return keys.begin(account_id=account, key=key, fingerprint=fingerprint, now=now)


class IdempotencyContract:
    """Subclasses provide the fixtures `keys` and `unit_of_work`."""

    def test_the_first_request_is_to_be_done(self, keys):
        assert isinstance(begin(keys), Attempt)

    def test_the_same_request_again_gets_the_answer(self, keys):
        keys.complete(begin(keys), ANSWER)
        assert begin(keys) == ANSWER

    def test_an_answer_without_a_body_is_kept(self, keys):
        keys.complete(begin(keys), Answer(status=204, body=""))
        assert begin(keys) == Answer(status=204, body="")

    def test_another_request_under_the_same_key_is_refused(self, keys):
        keys.complete(begin(keys), ANSWER)
        with pytest.raises(IdempotencyKeyReused):
            begin(keys, fingerprint="other")

    def test_another_request_is_refused_while_the_first_is_running_too(self, keys):
        begin(keys)
        with pytest.raises(IdempotencyKeyReused):
            begin(keys, fingerprint="other")

    def test_the_same_request_is_refused_while_it_is_running(self, keys):
        begin(keys)
        with pytest.raises(IdempotencyKeyInUse):
            begin(keys, now=NOW + timedelta(seconds=59))

    def test_a_running_mark_lapses_after_a_minute(self, keys):
        begin(keys)
        assert begin(keys, now=NOW + timedelta(seconds=60)).number == 2

    def test_an_attempt_that_was_overtaken_changes_nothing(self, keys):
        slow = begin(keys)
        quick = begin(keys, now=NOW + timedelta(seconds=60))
        keys.release(slow)
        keys.complete(slow, Answer(status=200, body='"slow"'))
        keys.complete(quick, ANSWER)
        keys.release(slow)
        assert begin(keys) == ANSWER

    def test_a_released_key_is_free_for_any_request(self, keys):
        keys.release(begin(keys))
        assert isinstance(begin(keys, fingerprint="other"), Attempt)

    def test_accounts_have_keys_of_their_own(self, keys):
        keys.complete(begin(keys, account=1), ANSWER)
        assert isinstance(begin(keys, account=2, fingerprint="other"), Attempt)

    def test_a_key_is_forgotten_after_a_day(self, keys):
        keys.complete(begin(keys), ANSWER)
        assert begin(keys, now=NOW + timedelta(hours=23, minutes=59)) == ANSWER
        assert isinstance(begin(keys, fingerprint="other", now=NOW + timedelta(hours=24)), Attempt)

    def test_what_was_attached_is_found_by_the_next_attempt(self, keys, unit_of_work):
        begin(keys)
        self.attach(unit_of_work, 42)
        begin(keys, now=NOW + timedelta(minutes=2))
        assert self.resource(unit_of_work) == 42

    def test_nothing_is_attached_to_a_new_key(self, keys, unit_of_work):
        begin(keys)
        assert self.resource(unit_of_work) is None
        assert self.resource(unit_of_work, key="unknown") is None

    def test_what_is_not_committed_is_not_attached(self, keys, unit_of_work):
        begin(keys)
        with unit_of_work() as uow:
            uow.idempotency.attach(1, "k", 42, now=NOW)
        assert self.resource(unit_of_work) is None

    def test_a_released_key_keeps_what_was_attached_and_who_it_stands_for(self, keys, unit_of_work):
        attempt = begin(keys)
        self.attach(unit_of_work, 42)
        keys.release(attempt)
        with pytest.raises(IdempotencyKeyReused):
            begin(keys, fingerprint="other")
        assert begin(keys).number == 2
        assert self.resource(unit_of_work) == 42

    def test_nothing_is_attached_over_what_another_attempt_attached(self, keys, unit_of_work):
        begin(keys)
        self.attach(unit_of_work, 42)
        with pytest.raises(ConcurrencyConflict):
            self.attach(unit_of_work, 43)
        assert self.resource(unit_of_work) == 42

    def test_a_use_case_may_attach_under_a_key_that_no_request_began(self, keys, unit_of_work):
        self.attach(unit_of_work, 42)
        assert isinstance(begin(keys), Attempt)
        assert self.resource(unit_of_work) == 42

    def test_what_was_attached_is_forgotten_with_its_key(self, keys, unit_of_work):
        begin(keys)
        self.attach(unit_of_work, 42)
        begin(keys, now=NOW + timedelta(hours=24))
        assert self.resource(unit_of_work) is None

    def test_purging_forgets_old_keys_and_leaves_young_ones(self, keys):
        keys.complete(begin(keys, key="old"), ANSWER)
        keys.complete(begin(keys, key="older", now=NOW - timedelta(hours=1)), ANSWER)
        keys.complete(begin(keys, key="young", now=NOW + timedelta(hours=1)), ANSWER)
        assert keys.purge(now=NOW + timedelta(hours=24), limit=1) == 1
        assert keys.purge(now=NOW + timedelta(hours=24), limit=10) == 1
        assert keys.purge(now=NOW + timedelta(hours=24), limit=10) == 0
        assert begin(keys, key="young") == ANSWER

    def test_of_racing_requests_one_is_done(self, keys):
        barrier = Barrier(6)

        def race(_):
            barrier.wait()
            try:
                return type(begin(keys))
            except IdempotencyKeyInUse as error:
                return type(error)

        with ThreadPoolExecutor(6) as pool:
            outcomes = list(pool.map(race, range(6)))
        assert sorted(outcome.__name__ for outcome in outcomes) == ["Attempt"] + ["IdempotencyKeyInUse"] * 5

    def attach(self, unit_of_work, resource_id):
        with unit_of_work() as uow:
            uow.idempotency.attach(1, "k", resource_id, now=NOW)
            uow.commit()

    def resource(self, unit_of_work, key="k"):
        with unit_of_work() as uow:
            return uow.idempotency.resource(1, key)
