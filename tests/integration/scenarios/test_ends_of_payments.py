"""Scenarios 14 to 18, 25 and 26 of the catalogue of failures: money that comes late, twice, wrong, or not at all."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from marketplace.application.access import Actor
from marketplace.application.payments.checking import request_for
from marketplace.application.ports.payment_gateway import PaymentDeclined
from marketplace.domain.listings import ListingStatus
from marketplace.domain.orders.events import ItemsMissing, OrderEndedUnpaid, OrderPaid
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.payment import AlreadyPaid, PaymentQuarantined, PaymentStatus
from marketplace.domain.payments.refund import RefundStatus
from marketplace.domain.shared.ids import ListingId, OrderId
from tests.integration.scenarios.world import World, at_once, everything_is_in_order
from tests.stripe_stub.world import fee_of

pytestmark = pytest.mark.volume


@pytest.fixture
def buyer(world: World) -> Actor:
    return world.market.buyer()


@pytest.fixture
def card(world: World) -> ListingId:
    """The only one of its kind."""
    return world.market.listing(world.cashier.seller(), price=10_000, stock=1)


@pytest.fixture
def order_id(world: World, buyer: Actor, card: ListingId) -> OrderId:
    return world.till.ordered(buyer, card)


def intent_of(world: World, order_id: OrderId) -> str:
    return world.till.payment(order_id).intent_id or ""


def expired(world: World, buyer: Actor, *cards: ListingId) -> OrderId:
    """An order whose window to pay is over."""
    order_id = world.till.ordered(buyer, *cards)
    world.work_later(minutes=31)
    assert world.till.order(order_id).status is OrderStatus.EXPIRED
    return order_id


def test_14_money_that_comes_after_the_end_takes_the_stock_that_is_still_there(
    world: World, buyer: Actor, card: ListingId
) -> None:
    order_id = expired(world, buyer, card)
    assert world.till.stock(card) == (1, 0, ListingStatus.ACTIVE)
    world.stub.pay(intent_of(world, order_id))
    world.work()
    assert world.till.order(order_id).status is OrderStatus.PAID
    assert world.till.stock(card) == (0, 0, ListingStatus.SOLD_OUT)
    everything_is_in_order(world)
    assert len(world.events(OrderPaid)) == len(world.journals("payment_captured")) == world.count("payouts") == 1
    assert world.count("refunds") == 0


def test_15_money_for_what_is_gone_goes_back_whole(world: World, buyer: Actor, card: ListingId) -> None:
    order_id = expired(world, buyer, card)
    other = world.market.buyer()
    in_time = world.till.ordered(other, card)
    world.till.pay(other, in_time)
    world.work()
    world.stub.pay(intent_of(world, order_id))
    world.work()
    assert world.till.order(order_id).status is OrderStatus.REFUNDED
    (refund,) = world.till.refunds(order_id)
    # The card, the commission of 5 %, the fee of 6 %, and the shipping.
    assert (refund.status, refund.amount.amount) == (RefundStatus.SUCCEEDED, 10_000 + 500 + 600 + 1_000)
    assert world.till.stock(card) == (0, 0, ListingStatus.SOLD_OUT)
    everything_is_in_order(world)
    assert len(world.at_stripe("refund")) == world.count("refunds") == 1
    (missing,) = world.events(ItemsMissing)
    assert missing.order_id == order_id
    assert any("back" in subject.lower() or "refund" in subject.lower() for subject in world.mails), world.mails


def test_15_of_what_is_gone_in_part_the_rest_is_supplied(world: World, buyer: Actor, card: ListingId) -> None:
    still_there = world.market.listing(world.cashier.seller(), price=5_000, stock=1)
    order_id = expired(world, buyer, card, still_there)
    other = world.market.buyer()
    world.till.pay(other, world.till.ordered(other, card))
    world.work()
    world.stub.pay(intent_of(world, order_id))
    world.work()
    assert world.till.order(order_id).status is OrderStatus.PARTIALLY_REFUNDED
    (refund,) = world.till.refunds(order_id)
    assert refund.status is RefundStatus.SUCCEEDED
    assert [line.listing_id for part in refund.parts for line in _lines(world, order_id, part.pieces)] == [card]
    assert world.till.stock(still_there) == (0, 0, ListingStatus.SOLD_OUT)
    assert world.till.stock(card) == (0, 0, ListingStatus.SOLD_OUT)
    everything_is_in_order(world)
    assert len(world.at_stripe("refund")) == 1


def test_15_two_late_payments_for_the_last_piece_at_the_same_time_never_oversell(
    world: World, buyer: Actor, card: ListingId
) -> None:
    first = expired(world, buyer, card)
    second = expired(world, world.market.buyer(), card)
    for order_id in (first, second):
        world.stub.pay(intent_of(world, order_id))
    for delivery in world.stub.deliveries():
        assert world.post(delivery).status_code == 200
    at_once(*[world.premises.jobs["process webhooks"]] * 2)
    world.work_later(minutes=1)
    ends = sorted(world.till.order(order_id).status for order_id in (first, second))
    assert ends == sorted([OrderStatus.PAID, OrderStatus.REFUNDED])
    assert world.till.stock(card) == (0, 0, ListingStatus.SOLD_OUT)
    everything_is_in_order(world)
    assert len(world.at_stripe("refund")) == world.count("refunds") == 1


def test_16_who_pays_twice_at_the_same_time_has_paid_once(world: World, buyer: Actor, order_id: OrderId) -> None:
    answers = at_once(
        lambda: world.till.pay(buyer, order_id, "pm_card_visa"),
        lambda: world.till.pay(buyer, order_id, "pm_card_mastercard"),
    )
    assert any(not isinstance(answer, Exception) for answer in answers), answers
    world.work_later(minutes=2)
    assert world.till.order(order_id).status is OrderStatus.PAID
    assert len(world.at_stripe("charge", status="succeeded")) == len(world.journals("payment_captured")) == 1
    everything_is_in_order(world)
    assert len(world.events(OrderPaid)) == 1


def test_16_money_by_a_second_payment_is_nobody_s_and_goes_back_once(
    world: World, buyer: Actor, order_id: OrderId
) -> None:
    """No second one is ever given to a buyer; whoever makes one by other means has to undo it there."""
    gateway, payment = world.premises.a_gateway(), world.till.payment(order_id)
    second = gateway.create_payment(request_for(payment), key="by-another-hand")
    world.till.pay(buyer, order_id)
    world.stub.pay(second.id)
    world.work()
    assert world.till.order(order_id).status is OrderStatus.PAID
    assert world.till.payment(order_id).intent_id != second.id
    assert world.inbox()["unmatched"] > 0
    # It is told, and an operator gives it back; the order and its own money stay as they are.
    gateway.refund(second.id, amount=payment.amount, reason="duplicate", metadata={}, key="by-hand")
    world.book_the_unexplained()
    world.work_later(hours=25)
    assert any("pi_" in alarm or second.id in alarm for alarm in world.alarms())
    everything_is_in_order(world, dead_events=world.inbox()["dead"])
    assert len(world.journals("payment_captured")) == len(world.events(OrderPaid)) == 1
    assert world.balance("liabilities:suspense") == fee_of(payment.amount.amount)
    assert world.count("refunds") == 0


@pytest.mark.parametrize("by_buyer", [False, True], ids=["the window is over", "the buyer cancels"])
def test_17_a_cancellation_that_crosses_a_success_has_come_too_late(
    world: World, buyer: Actor, card: ListingId, order_id: OrderId, by_buyer: bool
) -> None:
    world.gateway.interrupt("cancel_payment", when="before", by=lambda: world.stub.pay(intent_of(world, order_id)))
    if by_buyer:
        with pytest.raises(AlreadyPaid):
            world.till.cancel(buyer, order_id)
    else:
        world.later(minutes=31)
        world.premises.jobs["check payments"]()
    assert world.till.order(order_id).status is OrderStatus.PAID
    assert world.till.stock(card) == (0, 0, ListingStatus.SOLD_OUT)
    everything_is_in_order(world)
    assert world.events(OrderEndedUnpaid) == []
    assert len(world.events(OrderPaid)) == len(world.journals("payment_captured")) == 1


@pytest.mark.parametrize(
    "wrong", [{"amount_received": 1}, {"currency": "usd"}], ids=["another amount", "another currency"]
)
def test_18_money_that_does_not_fit_pays_nothing_and_an_operator_gives_it_back(
    world: World, buyer: Actor, card: ListingId, order_id: OrderId, wrong: Mapping[str, object]
) -> None:
    world.till.pay(buyer, order_id)
    with world.stub.server.lock:
        world.stub.world.objects[intent_of(world, order_id)].update(wrong)
    world.work()
    assert world.till.order(order_id).status is OrderStatus.PENDING_PAYMENT
    assert world.till.payment(order_id).status is not PaymentStatus.SUCCEEDED
    assert world.count("payouts") == world.count("journals") == 0
    assert len(world.events(PaymentQuarantined)) == 1
    assert world.till.stock(card) == (1, 1, ListingStatus.ACTIVE)
    world.work_later(hours=1)
    assert world.till.order(order_id).status is OrderStatus.PENDING_PAYMENT
    world.give_back_by_hand(order_id)
    everything_is_in_order(world, dead_events=1)
    assert world.till.order(order_id).status is OrderStatus.CANCELLED
    assert world.till.stock(card) == (1, 0, ListingStatus.ACTIVE)
    assert len(world.events(PaymentQuarantined)) == 1


def test_25_who_does_not_come_back_from_their_bank_loses_the_order_and_nothing_else(
    world: World, buyer: Actor, card: ListingId, order_id: OrderId
) -> None:
    assert world.till.pay(buyer, order_id, "pm_card_threeDSecure2Required").next_action is not None
    world.work_later(minutes=29)
    assert world.till.stock(card) == (1, 1, ListingStatus.ACTIVE)
    everything_is_in_order(world)
    assert world.till.order(order_id).status is OrderStatus.EXPIRED
    assert [intent["status"] for intent in world.at_stripe("payment_intent")] == ["canceled"]
    assert world.till.stock(card) == (1, 0, ListingStatus.ACTIVE)
    assert world.count("journals") == 0


def test_26_a_card_that_is_declined_is_followed_by_another_on_the_same_payment(
    world: World, buyer: Actor, order_id: OrderId
) -> None:
    with pytest.raises(PaymentDeclined):
        world.till.pay(buyer, order_id, "pm_card_chargeDeclinedInsufficientFunds")
    world.work_later(minutes=1)
    assert world.till.order(order_id).status is OrderStatus.PENDING_PAYMENT
    world.till.pay(buyer, order_id)
    world.work()
    assert world.till.order(order_id).status is OrderStatus.PAID
    everything_is_in_order(world)
    assert len(world.at_stripe("payment_intent")) == len(world.journals("payment_captured")) == 1
    assert not any("/cancel" in asked.path for asked in world.stub.asked)
    assert world.events(OrderEndedUnpaid) == []


def _lines(world: World, order_id: OrderId, pieces: Mapping[object, int]) -> list[object]:
    return [line for sale in world.till.order(order_id).sales for line in sale.lines if line.id in pieces]
