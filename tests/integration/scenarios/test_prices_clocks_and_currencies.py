"""Scenarios 49 to 52 of the catalogue of failures: prices that change, money in another currency, sellers who cannot
sell, and a clock that is wrong.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres.tables.reservations import reservations
from marketplace.application.access import OPERATOR, Actor
from marketplace.application.ports.provider_events import Refusal
from marketplace.domain.orders.checkout import CheckoutConflict, TotalChanged
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.refund import RefundStatus
from marketplace.domain.payout_states import HoldReason, PayoutFailed, PayoutStatus
from marketplace.domain.reservations import OwnListing
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.money import Money
from marketplace.entrypoints.cli.doctor import _webhooks
from tests.integration.scenarios.world import World, everything_is_in_order
from tests.stripe_stub import SECRETS, signed

pytestmark = pytest.mark.volume


def test_49_what_an_order_costs_is_frozen_and_another_price_is_another_order(world: World) -> None:
    seller, buyer = world.cashier.seller(), world.market.buyer()
    card = world.market.listing(seller, price=10_000)
    world.market.add(buyer, card)
    quoted = _quoted(world, buyer)
    world.market.reprice(card, 12_000)
    # Told the item's new price, and then that it makes another total than the one that was agreed to.
    for refusal in (CheckoutConflict, TotalChanged):
        with pytest.raises(refusal):
            world.market.order(buyer, expected_total=quoted.decimal)
    assert world.count("orders") == world.count("payments") == len(world.stub.keys("payment_intents")) == 0
    dearer = _quoted(world, buyer)
    assert dearer.amount > quoted.amount
    order_id = world.market.order(buyer, expected_total=dearer.decimal)
    world.till.start(order_id)
    # Neither another price nor other fees reach an order that is made.
    world.market.reprice(card, 20_000)
    world.till.pay(buyer, order_id)
    world.work()
    assert world.till.order(order_id).status is OrderStatus.PAID
    (intent,) = world.at_stripe("payment_intent")
    assert intent["amount"] == intent["amount_received"] == dearer.amount == world.till.order(order_id).total.amount
    assert world.cashier.payout(order_id).amount.amount == 12_000 - 600
    again = world.till.ordered(buyer, card)
    assert world.till.order(again).total.amount > dearer.amount
    world.till.cancel(buyer, again)
    everything_is_in_order(world)


def test_50_money_that_came_in_another_currency_is_kept_from_sellers_with_an_alarm(world: World) -> None:
    seller = world.cashier.seller()
    world.stub.world.settles_in["eur"] = "usd"
    order_id = world.cashier.paid(seller)
    world.cashier.complete(order_id)
    world.work_later(hours=1)
    payout = world.cashier.payout(order_id)
    assert (payout.status, payout.hold_reason) == (PayoutStatus.ON_HOLD, HoldReason.CURRENCY)
    assert world.cashier.books(seller) == {"on_hold": 9_500}
    assert len([alarm for alarm in world.alarms() if "in USD, not in EUR" in alarm]) == 1
    assert world.stub.keys("/v1/transfers") == world.at_stripe("transfer") == []
    # The operator's way out that asks nothing of the exchange: everything goes back.
    world.till.refund(order_id)
    world.work()
    assert [refund.status for refund in world.till.refunds(order_id)] == [RefundStatus.SUCCEEDED]
    assert world.cashier.payout(order_id).status is PayoutStatus.REVERSED
    assert {row.currency for row in world.rows("journals")} == {"EUR"}
    # What Stripe moved in dollars is no movement of our books: an operator says of each what it was.
    world.later(days=2)
    world.container.ledger.reconcile()(force=True)
    open_ones = world.rows("ledger_differences", resolved_at=None)
    assert open_ones
    for difference in open_ones:
        world.container.ledger.explain_difference()(
            actor=OPERATOR, id=difference.id, note="the order that came in dollars, and went back whole"
        )
    everything_is_in_order(world)


def test_51_nobody_buys_from_themselves(world: World) -> None:
    seller = world.cashier.seller()
    card = world.market.listing(seller)
    with pytest.raises(OwnListing):
        world.market.add(seller, card)
    assert world.count("reservations") == 0
    # However it may have come into the cart, the checkout refuses it too.
    world.market.add(world.market.buyer(), card)
    with world.engine.begin() as connection:
        connection.execute(sa.update(reservations).values(buyer_id=seller.account_id))
    with pytest.raises(CheckoutConflict):
        world.market.order(seller)
    assert world.count("orders") == len(world.stub.keys("payment_intents")) == 0
    everything_is_in_order(world)


def test_51_who_cannot_be_paid_offers_nothing_and_what_is_in_a_cart_is_refused_at_checkout(world: World) -> None:
    seller, buyer = world.cashier.seller(), world.market.buyer()
    card = world.market.listing(seller)
    world.market.add(buyer, card)
    world.stub.cut_off(world.cashier.account(seller))
    world.work()
    with pytest.raises(NotFound):
        world.market.add(world.market.buyer(), card)
    with pytest.raises(CheckoutConflict):
        world.market.order(buyer)
    assert world.count("orders") == 0
    everything_is_in_order(world)


def test_51_a_seller_without_an_account_is_owed_what_was_sold_and_told_once(world: World) -> None:
    """Vouched for by an operator, and never onboarded: nothing is sent anywhere, and nothing is lost."""
    seller: Actor = world.market.seller()
    orders = world.cashier.due_together(seller, seller)
    world.work_later(hours=12)
    payouts = [world.cashier.payout(order_id) for order_id in orders]
    assert [(payout.status, payout.blocked) for payout in payouts] == [(PayoutStatus.DUE, True)] * 2
    assert len(world.events(PayoutFailed)) == 1
    assert world.cashier.books(seller) == {"payable": 19_000}
    assert world.stub.keys("/v1/transfers") == []
    everything_is_in_order(world, waiting=["payouts"])


@pytest.mark.parametrize("off", [timedelta(minutes=-10), timedelta(hours=1)], ids=["slow", "fast"])
def test_52_a_clock_that_is_wrong_is_seen_and_costs_no_event(world: World, off: timedelta) -> None:
    """``off``: what our clock is ahead of Stripe's."""
    buyer = world.market.buyer()
    order_id = world.till.ordered(buyer, world.market.listing(world.cashier.seller()))
    world.till.pay(buyer, order_id)
    told = [one for one in world.stub.deliveries() if one.destination == "platform"]
    theirs = world.now() - off
    answers = [world.post(signed(one.event, "platform", at=theirs, secret=SECRETS["platform"])) for one in told]
    assert {answer.status_code for answer in answers} == {400}
    assert world.inbox() == {}
    (refused,) = world.till.refusals.since(world.now() - timedelta(days=1))
    assert (refused.refusal, refused.count) == (Refusal.TIME, len(told))
    assert refused.seconds_off == -off.total_seconds()
    finding = _webhooks(world.container)
    assert not finding.ok
    assert "behind" in finding.detail if off < timedelta(0) else "ahead of" in finding.detail
    # With the right clock Stripe's next attempts are taken.
    assert {world.post(one).status_code for one in told} == {200}
    world.work()
    assert world.till.order(order_id).status is OrderStatus.PAID
    everything_is_in_order(world)


def _quoted(world: World, buyer: Actor) -> Money:
    totals = world.market.quote_order(actor=buyer).totals
    return totals.money(totals.total)
