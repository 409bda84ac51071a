"""What the provider had to tell and never brought is found on its own list, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from marketplace.application.payments.missed_events import EVERY, KEPT_FOR, OVERLAP
from marketplace.application.ports.payment_gateway import OutcomeUnknown, ProviderEvent
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.payment import ProviderAlarm
from tests.till import Till


def alarms(till: Till) -> list[str]:
    return [event.reason for event in till.events() if isinstance(event, ProviderAlarm)]


@pytest.fixture
def missed(till, buyer, card):
    """A payment whose events are all lost on their way."""
    till.sweep_events()
    order_id = till.ordered(buyer, card)
    till.pay(buyer, order_id)
    till.outgoing()
    return order_id


class TestSweeping:
    def test_scenario_24_an_address_that_was_down_for_a_day_misses_nothing(self, till, missed):
        assert till.process_webhooks() == 0
        till.market.later(days=1)
        assert till.sweep_events() == 4
        till.process_webhooks()
        assert till.order(missed).status is OrderStatus.PAID
        (alarm,) = alarms(till)
        assert alarm.startswith("4 events never arrived, the oldest is payment_intent.created of 2026-01-15")

    def test_finds_each_once(self, till, missed):
        till.market.later(minutes=15)
        assert till.sweep_events() == 4
        for _ in range(6):
            till.market.later(minutes=15)
            assert till.sweep_events() == 0
        assert len(alarms(till)) == 1

    def test_finds_nothing_that_arrived(self, till, buyer, card):
        till.sweep_events()
        till.pay(buyer, till.ordered(buyer, card))
        till.work()
        till.market.later(minutes=15)
        assert till.sweep_events() == 0
        assert alarms(till) == []

    def test_raises_no_alarm_over_what_may_be_on_its_way(self, till, buyer, card):
        till.sweep_events()
        till.market.later(minutes=14)
        till.pay(buyer, till.ordered(buyer, card))
        till.market.later(minutes=1)
        assert till.sweep_events() == 4
        assert alarms(till) == []

    def test_asks_every_quarter_of_an_hour(self, till):
        till.sweep_events()
        till.market.clock.advance(EVERY - timedelta(seconds=1))
        till.sweep_events()
        assert till.gateway.calls.count("events") == 1

    def test_goes_on_from_the_same_place_when_there_was_no_answer(self, till, missed):
        till.market.later(hours=3)
        till.gateway.interrupt("events", when="before", by=OutcomeUnknown("no answer"))
        with pytest.raises(OutcomeUnknown):
            till.sweep_events()
        till.market.later(hours=3)
        assert till.sweep_events() == 4

    def test_reads_page_by_page_up_to_a_bound_and_goes_on_the_next_time(self, till, missed):
        sweep = replace(till.sweep_events, page=1, pages=2)
        found = 0
        for _ in range(4):
            till.market.later(minutes=15)
            # What was found before is at the beginning of each: within the overlap, and the bound with it.
            found += replace(sweep, pages=sweep.pages + 2 * found)()
        assert found == 4

    def test_goes_on_behind_more_than_it_reads_at_once(self, till, missed):
        asked: list[Any] = []

        def events(*, since: Any, after: str | None, limit: int) -> list[ProviderEvent]:
            asked.append(since)
            return [replace(_AN_EVENT, id=f"evt_{len(asked)}", created_at=since + timedelta(seconds=1))] * limit

        till.market.later(hours=12)
        sweep = replace(till.sweep_events, page=1, pages=1)
        till.gateway.inner = _With(till.gateway.inner, events=events)
        for _ in range(3):
            sweep()
            till.market.later(minutes=15)
        assert [later - earlier for earlier, later in pairwise(asked)] == [timedelta(seconds=1)] * 2

    def test_asks_for_no_more_than_the_provider_keeps(self, till):
        asked: list[Any] = []

        def events(*, since: Any, after: str | None, limit: int) -> list[ProviderEvent]:
            asked.append(since)
            return []

        till.gateway.inner = _With(till.gateway.inner, events=events)
        began = till.market.clock.now()
        till.sweep_events()
        till.market.later(days=90)
        till.sweep_events()
        assert asked == [began - OVERLAP, till.market.clock.now() - KEPT_FOR]


class _With:
    """A gateway with another way to do something."""

    def __init__(self, inner: Any, **methods: Any) -> None:
        self._inner = inner
        self.__dict__.update(methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


_AN_EVENT = ProviderEvent(
    id="evt_1",
    type="customer.created",
    object_id="cus_1",
    intent_id=None,
    order_id=None,
    refund_id=None,
    account=None,
    livemode=False,
    api_version="",
    created_at=None,  # type: ignore[arg-type]
    payload={},
)
