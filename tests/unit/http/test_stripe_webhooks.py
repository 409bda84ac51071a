"""The three addresses for Stripe's events: what is signed for one of them is taken once, everything else is 400."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.application.ports.provider_events import Refusal
from marketplace.domain.shared.errors import Unavailable
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import MemoryBackend
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.settings import Settings
from tests.stripe_stub import signed
from tests.stripe_stub.specification import document
from tests.unit.http.conftest import ENVIRONMENT

ADDRESSES = {
    "platform": "/api/v1/webhooks/stripe/",
    "connect": "/api/v1/webhooks/stripe/connect/",
    "thin": "/api/v1/webhooks/stripe/thin/",
}
OLD = {name: f"whsec_old_secret_{name}" for name in ADDRESSES}
NEW = {name: f"whsec_new_secret_{name}" for name in ADDRESSES}
EVENTS = document("all_events")["events"]
NAMES = [event["name"] for event in EVENTS]


@dataclass
class Door:
    """The application with Stripe behind it, and what came through it."""

    container: Container
    clock: FixedClock
    client: Any

    def post(self, event: Any, to: str, *, secret: str | None = None, age: float = 0, **headers: str) -> int:
        """Post an event to the address ``to``; gives the status."""
        at = self.clock.now() - timedelta(seconds=age)
        delivery = signed(event, to, at=at, secret=secret or NEW[to])
        return self.send(delivery.body, to, {**delivery.headers, **headers})

    def send(self, body: bytes, to: str, headers: dict[str, str]) -> int:
        answer = self.client.post(ADDRESSES[to], data=body, headers=headers)
        assert answer.json == {"received": True} or answer.json["code"] in ("invalid_signature", "malformed_event")
        status: int = answer.status_code
        return status

    @property
    def stored(self) -> dict[str, int]:
        counts = self.container.backend.webhook_inbox().counts()
        return {status.value: number for status, number in counts.items() if number}

    @property
    def refused(self) -> dict[tuple[str, str], int]:
        counted = self.container.backend.webhook_refusals().since(self.clock.now())
        return {(one.source.value, one.refusal.value): one.count for one in counted}


@pytest.fixture(scope="module")
def opened() -> Door:
    secrets = {
        "STRIPE_WEBHOOK_SECRET": f"{OLD['platform']},{NEW['platform']}",
        "STRIPE_CONNECT_WEBHOOK_SECRET": f"{OLD['connect']},{NEW['connect']}",
        "STRIPE_THIN_WEBHOOK_SECRET": f"{OLD['thin']},{NEW['thin']}",
    }
    keys = {"STRIPE_SECRET_KEY": "sk_test_nobody", "STRIPE_PUBLIC_KEY": "pk_test_nobody"}
    clock = FixedClock()
    settings = Settings.from_env({**ENVIRONMENT, **keys, **secrets})
    container = Container(settings=settings, backend=MemoryBackend(), clock=clock)
    return Door(container, clock, create_app(container).test_client())


@pytest.fixture
def door(opened: Door) -> Door:
    opened.container.backend.store().tables.clear()
    opened.container.backend.store().outbox.clear()
    return opened


def named(name: str) -> tuple[dict[str, Any], str]:
    (event,) = [event for event in EVENTS if event["name"] == name]
    return event["payload"], event["destination"]


class TestEveryEvent:
    @pytest.mark.parametrize("name", NAMES)
    def test_is_taken_once_however_often_it_comes(self, door, name):
        event, to = named(name)
        assert [door.post(event, to), door.post(event, to)] == [200, 200]
        assert sum(door.stored.values()) == 1
        assert door.refused == {}

    @pytest.mark.parametrize("name", NAMES)
    def test_scenario_22_is_taken_with_the_old_secret_while_that_is_configured(self, door, name):
        event, to = named(name)
        assert door.post(event, to, secret=OLD[to]) == 200

    @pytest.mark.parametrize("name", NAMES)
    def test_is_refused_with_a_secret_that_is_not_this_address_s(self, door, name):
        event, to = named(name)
        others = [secret for source, secret in NEW.items() if source != to]
        assert {door.post(event, to, secret=secret) for secret in (*others, "whsec_forged")} == {400}
        assert (door.stored, door.refused) == ({}, {(to, "signature"): 3})

    def test_in_any_order_leave_the_same(self, door):
        for seed in range(3):
            door.container.backend.store().tables.clear()
            shuffled = EVENTS * 2
            random.Random(seed).shuffle(shuffled)
            assert {door.post(event["payload"], event["destination"]) for event in shuffled} == {200}
            assert sum(door.stored.values()) == len(EVENTS)
            assert (door.stored["ignored"], door.stored["rejected"]) == (1, 1)

    def test_keeps_no_secret_of_a_buyer_and_nothing_of_who_a_seller_is(self, door):
        for event in EVENTS:
            door.post(event["payload"], event["destination"])
        rows = door.container.backend.store().table("webhook_inbox").values()
        kept = json.dumps([row.event.payload for row in rows])
        assert "_secret_" not in kept
        assert [word for word in ('"last4"', '"email"', '"exp_month"', "routing_number", "@") if word in kept] == []


class TestRules:
    def test_scenario_20_the_other_environment_s_is_set_aside_with_an_alarm(self, door):
        event, to = named("pi_succeeded_livemode")
        assert door.post(event, to) == 200
        assert door.stored == {"rejected": 1}
        alarms = [event for event in door.container.backend.store().events if type(event).__name__ == "ProviderAlarm"]
        assert len(alarms) == 1

    def test_scenario_23_another_version_s_is_a_hint_as_good_as_any(self, door):
        event, to = named("pi_succeeded")
        assert door.post({**event, "api_version": "2020-08-27"}, to) == 200
        assert door.stored == {"waiting": 1}

    def test_types_that_nobody_follows_are_kept_and_left_alone(self, door):
        event, to = named("pi_succeeded")
        assert door.post({**event, "type": "invoice.paid"}, to) == 200
        assert door.stored == {"ignored": 1}

    def test_one_right_signature_among_several_is_enough(self, door):
        event, to = named("pi_succeeded")
        right = signed(event, to, at=door.clock.now(), secret=NEW[to])
        time, _, signature = right.headers["Stripe-Signature"].partition(",")
        header = f"{time},v1={'0' * 64},{signature},v0=abc"
        assert door.send(right.body, to, {"Stripe-Signature": header}) == 200


class TestScenario21:
    """What is not signed, not now, too large or no event is 400, leaves no row, and is counted."""

    @pytest.fixture
    def refuse(self, door):
        def refuse(body: bytes, to: str, headers: dict[str, str], because: Refusal) -> None:
            assert door.send(body, to, headers) == 400
            assert (door.stored, door.refused) == ({}, {(to, because.value): 1})

        return refuse

    @pytest.mark.parametrize("to", ADDRESSES)
    @pytest.mark.parametrize(
        "header", [None, "", "t=1", "v1=0", "t=1,v0=00", "t=1,v1=", "t=1768478400,v1=\xfc", "x" * 9]
    )
    def test_without_a_signature(self, refuse, to, header):
        refuse(b"{}", to, {} if header is None else {"Stripe-Signature": header}, Refusal.SIGNATURE)

    @pytest.mark.parametrize("to", ADDRESSES)
    @pytest.mark.parametrize("age", [301, -301, 86_400, -31_536_000])
    def test_scenario_52_at_another_time_which_is_told_apart(self, door, refuse, to, age):
        event = signed({"id": "evt_1"}, to, at=door.clock.now() - timedelta(seconds=age), secret=NEW[to])
        refuse(event.body, to, event.headers, Refusal.TIME)
        (counted,) = door.container.backend.webhook_refusals().since(door.clock.now())
        assert counted.seconds_off == -age

    @pytest.mark.parametrize("to", ADDRESSES)
    @pytest.mark.parametrize("event", [[], "x", 7, None, {}, {"object": "event"}, {"id": "evt_1", "object": "charge"}])
    def test_signed_and_no_event(self, door, refuse, to, event):
        delivery = signed(event, to, at=door.clock.now(), secret=NEW[to])
        refuse(delivery.body, to, delivery.headers, Refusal.CONTENT)

    @pytest.mark.parametrize("body", [b"", b"{", b"[" * 50_000, b'{"id": "evt_\\u0000"}', b"\xff\xfe"])
    def test_signed_and_not_readable(self, door, refuse, body):
        time = int(door.clock.now().timestamp())
        right = hmac.new(NEW["platform"].encode(), f"{time}.".encode() + body, hashlib.sha256).hexdigest()
        # What is not UTF-8 cannot be checked by the SDK, which says that it is not signed.
        because = Refusal.SIGNATURE if body == b"\xff\xfe" else Refusal.CONTENT
        refuse(body, "platform", {"Stripe-Signature": f"t={time},v1={right}"}, because)

    @pytest.mark.parametrize(("name", "to"), [("v2_account_closed", "platform"), ("pi_succeeded", "thin")])
    def test_signed_and_sent_to_the_wrong_address(self, door, refuse, name, to):
        delivery = signed(named(name)[0], to, at=door.clock.now(), secret=NEW[to])
        refuse(delivery.body, to, delivery.headers, Refusal.CONTENT)

    @pytest.mark.parametrize("to", ADDRESSES)
    def test_too_large(self, door, refuse, to):
        delivery = signed({"id": "evt_1", "filling": "x" * 256 * 1024}, to, at=door.clock.now(), secret=NEW[to])
        refuse(delivery.body, to, delivery.headers, Refusal.CONTENT)

    def test_is_refused_all_the_same_when_it_cannot_be_counted(self, door, monkeypatch):
        def fail(*_: Any, **__: Any) -> None:
            raise Unavailable("no store")

        monkeypatch.setattr(type(door.container.backend.webhook_refusals()), "note", fail)
        assert door.send(b"{}", "platform", {}) == 400
