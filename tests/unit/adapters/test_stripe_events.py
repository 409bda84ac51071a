"""Events as the real provider sends them say what they are about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from marketplace.adapters.simulated_gateway.objects import API_VERSION
from marketplace.adapters.simulated_gateway.signatures import read_event
from marketplace.application.payments.event_topics import PAYMENT_EVENTS, REFUND_EVENTS
from marketplace.application.ports.payment_gateway import MalformedEvent
from marketplace.application.ports.provider_state import SignedDelivery
from tests.till import Till

_FILE = Path(__file__).parents[2] / "data" / "stripe" / "events.json"
EVENTS: dict[str, dict[str, Any]] = {
    event["name"]: event["payload"] for event in json.loads(_FILE.read_text())["events"]
}
ABOUT_OBJECTS = [name for name in EVENTS if not name.startswith("v2_")]
INTENT = "pi_3TESTorder0192"


def read(name: str) -> Any:
    return read_event(json.dumps(EVENTS[name]).encode())


class TestStripeEvents:
    @pytest.mark.parametrize("name", ABOUT_OBJECTS)
    def test_each_names_itself_and_its_object(self, name):
        event = read(name)
        assert (event.id, event.type) == (EVENTS[name]["id"], EVENTS[name]["type"])
        assert event.object_id == EVENTS[name]["data"]["object"]["id"]
        assert event.livemode is (name == "pi_succeeded_livemode")
        assert event.api_version == API_VERSION

    @pytest.mark.parametrize("name", [name for name in ABOUT_OBJECTS if name.startswith("pi_") and "live" not in name])
    def test_those_of_a_payment_name_it_and_keep_no_secret(self, name):
        event = read(name)
        assert event.intent_id == event.object_id == INTENT
        assert event.type in PAYMENT_EVENTS
        assert "client_secret" in EVENTS[name]["data"]["object"]
        assert "client_secret" not in json.dumps(event.payload)

    @pytest.mark.parametrize("name", ["charge_succeeded", "charge_failed", "charge_updated_balance_transaction"])
    def test_those_of_a_charge_name_its_payment(self, name):
        assert read(name).intent_id == INTENT
        assert read(name).type in PAYMENT_EVENTS

    @pytest.mark.parametrize("name", ["refund_created", "refund_updated_succeeded", "refund_failed"])
    def test_those_of_a_refund_name_its_payment(self, name):
        assert read(name).intent_id == INTENT
        assert read(name).type in REFUND_EVENTS

    @pytest.mark.parametrize("name", ["dispute_created", "payout_paid_platform", "account_updated_enabled"])
    def test_the_others_are_none_of_ours_yet(self, name):
        assert read(name).type not in PAYMENT_EVENTS | REFUND_EVENTS

    def test_an_account_s_event_names_the_account(self):
        assert read("account_updated_enabled").account == EVENTS["account_updated_enabled"]["account"]
        assert read("pi_created").account is None

    def test_one_without_an_object_is_refused(self):
        with pytest.raises(MalformedEvent):
            read("v2_account_closed")


class TestSimulatedEvents:
    """The simulated provider's events have the real one's shape: what the real ones have and we read, they have."""

    @pytest.fixture
    def simulated(self) -> dict[str, dict[str, Any]]:
        till = Till.in_memory()
        buyer, card = till.market.buyer(), till.market.listing(till.market.seller(), stock=5)
        deliveries: list[SignedDelivery] = []
        for method in ("pm_card_authenticationRequired", "pm_card_visa"):
            order_id = till.ordered(buyer, card)
            till.pay(buyer, order_id, method)
            intent_id = till.payment(order_id).intent_id or ""
            if method == "pm_card_visa":
                deliveries += till.outgoing()
                till.check_payment(order_id)
                till.refund(order_id)
                till.send_refunds()
            else:
                till.provider.answer(intent_id, succeed=False)
                till.cancel(buyer, order_id)
        deliveries += till.outgoing()
        events = [json.loads(delivery.body) for delivery in deliveries]
        return {event["type"]: event for event in events}

    @pytest.mark.parametrize(
        "name",
        [
            "pi_created",
            "pi_requires_action",
            "pi_failed",
            "pi_succeeded",
            "pi_canceled",
            "charge_succeeded",
            "charge_failed",
            "charge_updated_balance_transaction",
            "refund_created",
            "charge_refunded_partial",
        ],
    )
    def test_have_every_field_that_is_read_of_the_real_ones(self, simulated, name):
        real = EVENTS[name]
        ours = simulated[real["type"]]
        assert set(real) == set(ours)
        # A refund's reason for being pending is told for pending ones only.
        missing = set(real["data"]["object"]) - set(ours["data"]["object"]) - {"pending_reason", "charge", "reason"}
        assert missing == set()
        assert type(real["created"]) is type(ours["created"])
