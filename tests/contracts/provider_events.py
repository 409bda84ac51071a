"""What every store promises of refused events and of the place in the provider's list of events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

from marketplace.application.ports.payment_gateway import WebhookSource
from marketplace.application.ports.provider_events import Refusal, RefusedWebhooks

NOW = datetime(2026, 1, 15, 23, 59, 59, tzinfo=UTC)
EVERY = timedelta(minutes=15)


class WebhookRefusalsContract:
    """Also the fixture ``refusals``, which writes at once."""

    def test_counts_by_address_and_reason_and_tells_the_last(self, refusals):
        for source, refusal, seconds_off in (
            (WebhookSource.THIN, Refusal.TIME, -900),
            (WebhookSource.PLATFORM, Refusal.SIGNATURE, 0),
            (WebhookSource.THIN, Refusal.TIME, -3600),
        ):
            refusals.note(source, refusal, seconds_off=seconds_off, now=NOW)
        assert list(refusals.since(NOW)) == [
            RefusedWebhooks(
                source=WebhookSource.PLATFORM, refusal=Refusal.SIGNATURE, count=1, last_at=NOW, seconds_off=0
            ),
            RefusedWebhooks(source=WebhookSource.THIN, refusal=Refusal.TIME, count=2, last_at=NOW, seconds_off=-3600),
        ]

    def test_adds_days_up_and_leaves_earlier_ones_out(self, refusals):
        tomorrow = NOW + timedelta(seconds=1)
        for now, seconds_off in ((NOW, 400), (tomorrow, 500)):
            refusals.note(WebhookSource.CONNECT, Refusal.TIME, seconds_off=seconds_off, now=now)
        (both,) = refusals.since(NOW)
        assert (both.count, both.last_at, both.seconds_off) == (2, tomorrow, 500)
        assert [refused.count for refused in refusals.since(tomorrow)] == [1]
        assert list(refusals.since(tomorrow + timedelta(days=1))) == []


class EventSweepsContract:
    """Also the fixture ``sweeps``."""

    def test_begins_now_and_goes_on_from_what_was_reached(self, sweeps):
        assert sweeps.begin(now=NOW, every=EVERY) == NOW
        assert sweeps.begin(now=NOW + EVERY, every=EVERY) == NOW
        sweeps.reached(NOW + EVERY)
        assert sweeps.begin(now=NOW + 2 * EVERY, every=EVERY) == NOW + EVERY

    def test_never_goes_back(self, sweeps):
        sweeps.begin(now=NOW, every=EVERY)
        sweeps.reached(NOW - EVERY)
        assert sweeps.begin(now=NOW + EVERY, every=EVERY) == NOW

    def test_waits_after_each_one(self, sweeps):
        sweeps.begin(now=NOW, every=EVERY)
        assert sweeps.begin(now=NOW + EVERY - timedelta(seconds=1), every=EVERY) is None

    def test_lets_one_of_many_begin(self, sweeps):
        barrier, began = Barrier(4), []

        def run() -> None:
            barrier.wait()
            began.append(sweeps.begin(now=NOW, every=EVERY))

        threads = [Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(began, key=str) == [NOW, None, None, None]
