"""Scenarios 1 to 4 and 19 to 24 of the catalogue of failures: events, doubled, late, lost, or not ours."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest

from marketplace.domain.orders.events import OrderPaid
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.payment import PaymentStatus
from marketplace.domain.payments.refund import RefundStatus
from marketplace.domain.payout_states import PayoutStatus
from marketplace.domain.shared.ids import OrderId
from tests.integration.scenarios.world import World, at_once, die, dying, everything_is_in_order
from tests.stripe_stub import SECRETS, When
from tests.stripe_stub.stub import Delivery, signed

pytestmark = pytest.mark.volume

MAX_EVENT = 256 * 1024


@pytest.fixture
def order_id(world: World) -> OrderId:
    """Its payment is started, and nothing of it is left to be told."""
    order_id = world.till.ordered(world.market.buyer(), world.market.listing(world.cashier.seller(), price=10_000))
    world.work()
    return order_id


def placed(world: World) -> OrderId:
    """An order that the provider has not heard of."""
    offer = world.market.listing(world.cashier.seller(), price=10_000)
    world.work()
    return world.till.placed(world.market.buyer(), offer)


def intent_of(world: World, order_id: OrderId) -> str:
    return world.till.payment(order_id).intent_id or ""


def told(world: World, event: dict[str, Any], **changes: Any) -> Delivery:
    """The event as it would come to the address of our own account now, changed so."""
    return signed({**event, **changes}, "platform", at=world.now(), secret=SECRETS["platform"])


def is_paid_once(world: World, order_id: OrderId) -> None:
    assert world.till.order(order_id).status is OrderStatus.PAID
    assert world.till.payment(order_id).status is PaymentStatus.SUCCEEDED
    assert len(world.journals("payment_captured")) == len(world.journals("stripe_fee")) == 1
    assert world.count("payouts", order_id=order_id) == 1
    assert len(world.events(OrderPaid)) == 1
    (line,) = [line for sale in world.till.order(order_id).sales for line in sale.lines]
    assert world.till.stock(line.listing_id)[:2] == (4, 0)


def test_01_an_event_that_comes_to_two_workers_at_the_same_time_counts_once(world: World, order_id: OrderId) -> None:
    before = world.count("webhook_inbox")
    world.stub.pay(intent_of(world, order_id))
    deliveries = world.stub.deliveries()
    for delivery in deliveries:
        answers = at_once(*[lambda delivery=delivery: world.post(delivery)] * 2)
        assert [answer.status_code for answer in answers] == [200, 200]
        assert world.count("webhook_inbox", id=delivery.event["id"]) == 1
    assert world.count("webhook_inbox") == before + len(deliveries)
    at_once(*[world.premises.jobs["process webhooks"]] * 2)
    world.work_later(minutes=1)
    is_paid_once(world, order_id)
    assert world.inbox() == {"done": before + len(deliveries)}
    everything_is_in_order(world)


def test_02_two_events_of_one_fact_have_one_effect(world: World, order_id: OrderId) -> None:
    world.stub.pay(intent_of(world, order_id))
    deliveries = world.stub.deliveries()
    again = [told(world, each.event, id=f"{each.event['id']}_again") for each in deliveries]
    for delivery in [*deliveries, *again]:
        assert world.post(delivery).status_code == 200
    assert at_once(*[world.premises.jobs["process webhooks"]] * 2) != [0, 0]
    world.work_later(minutes=1)
    is_paid_once(world, order_id)
    # The same of what goes back.
    world.cashier.refund(order_id)
    world.work()
    (created,) = [each.body for each in world.stub.world.events if each.body["type"] == "refund.created"]
    assert world.post(told(world, created, id="evt_once_more")).status_code == 200
    everything_is_in_order(world)
    assert world.count("refunds") == len(world.at_stripe("refund")) == len(world.journals("refund_created")) == 1


@pytest.mark.parametrize("fees_come_late", [False, True], ids=["settled", "not settled yet"])
def test_03_what_is_over_stays_over_in_whatever_order_it_is_told(
    world: World, order_id: OrderId, fees_come_late: bool
) -> None:
    world.stub.world.fees_come_late = fees_come_late
    (buyer,) = [each for id, each in world.market.people.items() if id == world.till.order(order_id).buyer_id]
    before = [each.body for each in world.stub.world.events if each.body["type"] == "payment_intent.created"]
    world.decline(intent_of(world, order_id))
    world.till.pay(buyer, order_id)
    last_first = [each.event for each in world.stub.deliveries()][::-1]
    assert [event["type"] for event in last_first if event["type"].startswith("payment_intent")] == [
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
    ]
    for number, event in enumerate([*last_first, *before]):
        assert world.post(told(world, event, id=f"evt_{number}")).status_code == 200
        world.premises.jobs["process webhooks"]()
        assert world.till.order(order_id).status is OrderStatus.PAID
        assert world.till.payment(order_id).status is PaymentStatus.SUCCEEDED
    world.stub.book_fees()
    world.work_later(minutes=6)
    is_paid_once(world, order_id)
    everything_is_in_order(world)


def test_04_a_success_that_is_told_before_its_creation_was_answered_waits_for_it(world: World) -> None:
    order_id = placed(world)
    slow = world.stub.hang("/v1/payment_intents", when=When.AFTER)
    starting = Thread(target=world.till.start, args=(order_id,))
    starting.start()
    assert slow.reached.wait(10)
    (intent,) = world.at_stripe("payment_intent")
    world.stub.pay(intent["id"])
    for delivery in world.stub.deliveries():
        assert world.post(delivery).status_code == 200
    # It is ours, by the order that it names; whoever creates it has it under lease.
    assert world.premises.jobs["process webhooks"]() == 4
    assert world.inbox()["waiting"] == 4
    slow.resume()
    starting.join(10)
    assert not starting.is_alive()
    world.work_later(seconds=10)
    is_paid_once(world, order_id)
    assert len(world.at_stripe("payment_intent")) == 1
    everything_is_in_order(world)


@pytest.mark.parametrize("type", ["payment_intent.succeeded", "charge.succeeded"])
def test_04_a_success_whose_creation_was_never_stored_is_found_by_its_order(world: World, type: str) -> None:
    order_id = placed(world)
    world.gateway.interrupt("create_payment", when="after", by=die)
    dying(lambda: world.till.start(order_id))
    assert world.till.payment(order_id).intent_id is None
    world.later(minutes=2)
    (intent,) = world.at_stripe("payment_intent")
    world.stub.pay(intent["id"])
    # One of them is enough: the creation that is repeated is answered as it was, and so the payment is read again.
    (only,) = [each for each in world.stub.deliveries() if each.event["type"] == type]
    assert world.post(only).status_code == 200
    world.premises.jobs["process webhooks"]()
    assert world.till.order(order_id).status is OrderStatus.PAID
    everything_is_in_order(world)
    is_paid_once(world, order_id)


def test_19_an_event_about_nothing_of_ours_is_kept_for_a_day_and_then_told(world: World, order_id: OrderId) -> None:
    (known,) = [each.body for each in world.stub.world.events if each.body["type"] == "payment_intent.created"]
    about = {**known["data"]["object"], "id": "pi_of_another_shop", "metadata": {"order_id": "4711"}}
    stranger = told(world, known, id="evt_stranger", type="payment_intent.succeeded", data={"object": about})
    assert world.post(stranger).status_code == 200
    world.work()
    assert world.inbox()["unmatched"] == 1
    world.work_later(hours=23)
    assert world.inbox()["unmatched"] == 1
    assert world.alarms() == []
    world.work_later(hours=2)
    (alarm,) = world.alarms()
    assert "evt_stranger" in alarm
    assert "pi_of_another_shop" in alarm
    assert world.count("journals") == 0
    everything_is_in_order(world, dead_events=1)
    assert len(world.alarms()) == 1


def test_19_an_event_about_what_we_do_not_know_yet_is_matched_when_we_do(world: World) -> None:
    order_id = placed(world)
    world.gateway.interrupt("create_payment", when="after", by=die)
    dying(lambda: world.till.start(order_id))
    (created,) = world.stub.deliveries()
    nameless = {**created.event["data"]["object"], "metadata": {}}
    assert world.post(told(world, created.event, data={"object": nameless})).status_code == 200
    world.premises.jobs["process webhooks"]()
    assert world.inbox()["unmatched"] == 1
    world.work_later(minutes=2)  # a worker has created it, and knows its name
    world.work_later(minutes=2)
    assert world.inbox().keys() == {"done"}
    assert world.alarms() == []
    everything_is_in_order(world)


@pytest.mark.parametrize("where", ["event", "object"])
def test_20_what_is_of_the_other_environment_is_set_aside(world: World, order_id: OrderId, where: str) -> None:
    (known,) = [each.body for each in world.stub.world.events if each.body["type"] == "payment_intent.created"]
    about = {**known["data"]["object"], "livemode": where == "object"}
    other = told(world, known, id="evt_live", livemode=where == "event", data={"object": about})
    calls = len(world.stub.asked)
    assert world.post(other).status_code == 200
    world.premises.jobs["process webhooks"]()
    assert len(world.stub.asked) == calls
    assert world.inbox()["rejected"] == 1
    (alarm,) = world.alarms()
    assert "livemode" in alarm
    everything_is_in_order(world)
    assert world.till.order(order_id).status is OrderStatus.EXPIRED


def test_20_money_of_the_other_environment_pays_nothing(world: World, order_id: OrderId) -> None:
    with world.stub.server.lock:
        world.stub.world.objects[intent_of(world, order_id)]["livemode"] = True
    world.stub.pay(intent_of(world, order_id))
    world.work()
    assert world.till.order(order_id).status is OrderStatus.PENDING_PAYMENT
    assert "livemode" in world.till.payment(order_id).quarantine
    assert world.count("journals") == world.count("payouts") == 0
    assert any("quarantine" in told_of for told_of in world.told_operators())
    world.give_back_by_hand(order_id)
    everything_is_in_order(world, dead_events=1)


def test_21_what_is_not_surely_the_provider_s_is_refused_and_counted(world: World, order_id: OrderId) -> None:
    (known,) = [each.body for each in world.stub.world.events if each.body["type"] == "payment_intent.created"]
    good = told(world, known, id="evt_forged")
    rows, secret = world.count("webhook_inbox"), SECRETS["platform"]
    huge = {**known, "id": "evt_huge", "data": {"object": {"id": "x" * MAX_EVENT}}}
    hostile = {
        "wrong secret": signed(known, "platform", at=world.now(), secret="whsec_guessed"),
        "of another address": signed(known, "platform", at=world.now(), secret=SECRETS["connect"]),
        "another body": Delivery("platform", known, good.body + b" ", good.headers),
        "no signature": Delivery("platform", known, good.body, {"Content-Type": "application/json"}),
        "old": signed(known, "platform", at=world.now() - timedelta(minutes=6), secret=secret),
        "of the future": signed(known, "platform", at=world.now() + timedelta(minutes=6), secret=secret),
        "huge": signed(huge, "platform", at=world.now(), secret=secret),
        "not UTF-8": Delivery("platform", known, b"\xff\xfe" + good.body, good.headers),
    }
    for number, (what, delivery) in enumerate(hostile.items(), start=1):
        assert world.post(delivery).status_code == 400, what
        assert world.count("webhook_inbox") == rows, what
        assert sum(row.number for row in world.rows("webhook_refusals")) == number, what
    assert world.post(good).status_code == 200
    everything_is_in_order(world)


def test_22_the_old_secret_is_good_as_long_as_it_is_configured(world: World, order_id: OrderId) -> None:
    world.secrets_are(platform=["whsec_new_secret", SECRETS["platform"]])
    world.stub.pay(intent_of(world, order_id))
    created, succeeded, *others = world.stub.deliveries()
    assert world.post(created).status_code == 200
    new = signed(succeeded.event, "platform", at=world.now(), secret="whsec_new_secret")
    assert world.post(new).status_code == 200
    rows = world.count("webhook_inbox")
    world.secrets_are(platform=["whsec_new_secret"])
    assert [world.post(each).status_code for each in others] == [400] * len(others)
    assert world.count("webhook_inbox") == rows
    world.work()
    is_paid_once(world, order_id)
    everything_is_in_order(world)


def test_23_an_event_of_another_version_is_a_hint_of_what_to_read(world: World, order_id: OrderId) -> None:
    intent = intent_of(world, order_id)
    world.stub.pay(intent)
    world.stub.deliveries()
    old = {
        "id": "evt_old",
        "object": "event",
        "api_version": "2014-01-31",
        "type": "payment_intent.succeeded",
        "created": int(world.now().timestamp()),
        "livemode": False,
        # As it was in those days: nothing in it is to be relied on.
        "data": {"object": {"id": intent, "object": "payment_intent", "amount": "1", "status": "canceled"}},
    }
    asked = len(world.stub.asked)
    assert world.post(told(world, old)).status_code == 200
    assert world.premises.jobs["process webhooks"]() == 1
    is_paid_once(world, order_id)
    versions = {each.headers["Stripe-Version"] for each in world.stub.asked[asked:]}
    assert versions == {world.stub.server.spec.version}
    everything_is_in_order(world)


def test_24_what_happened_while_nobody_listened_for_a_day_is_found_once(world: World, order_id: OrderId) -> None:
    world.work_later(minutes=16)  # a sweep is behind us
    refunded, disputed = world.cashier.paid(world.cashier.seller()), world.cashier.paid(world.cashier.seller())
    missed: list[Delivery] = []
    world.stub.pay(intent_of(world, order_id))
    world.cashier.refund(refunded)
    dispute = world.stub.open_dispute(world.till.payment(disputed).charge_id or "")
    for _ in range(4):
        # Workers go on; only what Stripe tells does not arrive.
        missed += world.stub.deliveries()
        for name, job in world.premises.jobs.items():
            if not name.startswith("purge"):
                job()
        world.later(hours=6)
    assert world.till.order(order_id).status is OrderStatus.PAID
    assert [refund.status for refund in world.till.refunds(refunded)] == [RefundStatus.SUCCEEDED]
    world.work()
    assert world.cashier.payout(disputed).status is PayoutStatus.ON_HOLD
    assert any("never arrived" in alarm for alarm in world.alarms())
    world.stub.turn_dispute(dispute, "won")
    world.work()
    rows, journals = world.count("webhook_inbox"), world.count("journals")
    for delivery in missed:  # Stripe repeats for three days
        assert world.post(told(world, delivery.event)).status_code == 200
    everything_is_in_order(world)
    assert (world.count("webhook_inbox"), world.count("journals")) == (rows, journals)
    assert len(world.events(OrderPaid, order_id)) == 1
    assert len(world.at_stripe("refund")) == len(world.journals("refund_created")) == 1
    assert len(world.chargebacks_of(disputed)) == 1
