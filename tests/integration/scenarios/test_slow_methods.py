"""Scenario 27 of the catalogue of failures: payment methods whose money is under way for days."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from marketplace.domain.listings import ListingStatus
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.payment import PaymentStatus
from tests.integration.scenarios.world import World, everything_is_in_order
from tests.stripe_stub import StripeStub
from tests.stripe_stub.specification import nested

pytestmark = pytest.mark.volume


def test_27_methods_whose_money_comes_days_later_are_not_offered(world: World) -> None:
    seller, buyer = world.market.seller(), world.market.buyer()
    world.till.pay(buyer, world.till.ordered(buyer, world.market.listing(seller)))
    world.till.wallet.begin_setup(actor=buyer)
    slow = {"sepa_debit", "customer_balance", "multibanco", "bacs_debit", "us_bank_account"}
    refused = _refused(world, "/v1/payment_intents")
    assert slow <= refused
    assert not {"card", "ideal", "bancontact", "paypal"} & refused
    # What is kept of these two is a SEPA debit.
    assert slow | {"ideal", "bancontact"} <= _refused(world, "/v1/setup_intents")
    everything_is_in_order(world)


@pytest.mark.parametrize(
    ("decide", "end", "stock"),
    [
        (StripeStub.pay, OrderStatus.PAID, (4, 0, ListingStatus.ACTIVE)),
        (StripeStub.bounce, OrderStatus.PAYMENT_FAILED, (5, 0, ListingStatus.ACTIVE)),
    ],
    ids=["the money comes", "it never comes"],
)
def test_27_what_is_processing_when_its_window_ends_keeps_its_goods_until_it_is_decided(
    world: World, decide: Callable[[StripeStub, str], None], end: OrderStatus, stock: tuple[int, int, ListingStatus]
) -> None:
    buyer, card = world.market.buyer(), world.market.listing(world.market.seller())
    order_id = world.till.ordered(buyer, card)
    intent = world.till.payment(order_id).intent_id or ""
    world.stub.process(intent)
    for _ in range(3):
        world.work_later(hours=36)
    assert world.till.payment(order_id).status is PaymentStatus.PROCESSING
    assert world.till.order(order_id).status is OrderStatus.PENDING_PAYMENT
    assert world.till.stock(card) == (5, 1, ListingStatus.ACTIVE)
    decide(world.stub, intent)
    world.work_later(hours=12)
    assert (world.till.order(order_id).status, world.till.stock(card)) == (end, stock)
    assert len(world.at_stripe("payment_intent")) == 1
    everything_is_in_order(world)


def _refused(world: World, path: str) -> set[str]:
    (asked,) = [each for each in world.stub.asked if each.verb == "POST" and each.path == path]
    return set(nested(asked.text)["excluded_payment_method_types"].values())
