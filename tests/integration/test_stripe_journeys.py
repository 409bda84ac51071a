"""Orders from payment to payout with the gateway to Stripe on the tests' Stripe, whatever happens on the way.

After each the books are proved, and agree with what Stripe holds to the cent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from marketplace.adapters.postgres.engine import create_engine
from marketplace.application.access import Actor
from marketplace.application.ports.payment_gateway import PaymentDeclined
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.payment import PaymentStatus
from marketplace.domain.payments.refund import RefundStatus
from marketplace.domain.payout_states import PayoutStatus
from marketplace.domain.recoveries import RecoveryStatus
from tests.cashier import Cashier
from tests.integration.till_on_postgres import till_on
from tests.stripe_stub import StripeStub, When
from tests.stripe_till import StripeTill, stripe_till
from tests.till import Till

pytestmark = pytest.mark.volume


@pytest.fixture
def till(stripe_stub: StripeStub) -> Iterator[StripeTill]:
    till = stripe_till(Till.in_memory(), stripe_stub)
    yield till
    assert till.findings() == []
    stripe_stub.check()


@pytest.fixture
def stub(till: StripeTill) -> StripeStub:
    return till.stub


@pytest.fixture
def cashier(till: StripeTill) -> Cashier:
    return Cashier(till)


@pytest.fixture
def buyer(till: StripeTill) -> Actor:
    return till.market.buyer()


@pytest.fixture
def order(till: StripeTill, buyer: Actor, cashier: Cashier) -> Any:
    return till.placed(buyer, till.market.listing(cashier.seller(), price=10_000))


class TestPaying:
    def test_needs_the_event_and_books_what_stripe_booked(self, till, buyer, order):
        till.start(order)
        till.pay(buyer, order)
        assert till.order(order).status is OrderStatus.PENDING_PAYMENT
        till.work()
        assert till.order(order).status is OrderStatus.PAID

    def test_scenario_26_a_declined_card_is_followed_by_another_on_the_same_payment(self, till, stub, buyer, order):
        till.start(order)
        with pytest.raises(PaymentDeclined):
            till.pay(buyer, order, "pm_card_chargeDeclinedInsufficientFunds")
        till.pay(buyer, order)
        till.work()
        assert till.order(order).status is OrderStatus.PAID
        assert len([*stub.world.find("payment_intent")]) == 1

    def test_scenario_25_a_buyer_who_never_confirms_loses_the_order_and_nothing_else(self, till, stub, buyer, order):
        till.start(order)
        assert till.pay(buyer, order, "pm_card_authenticationRequired").next_action is not None
        for _ in range(4):
            till.market.later(minutes=30)
            till.work()
        assert till.order(order).status is OrderStatus.EXPIRED
        assert [intent["status"] for intent in stub.world.find("payment_intent")] == ["canceled"]

    def test_a_buyer_who_confirms_at_their_bank_has_paid(self, till, stub, buyer, order):
        till.start(order)
        till.pay(buyer, order, "pm_card_authenticationRequired")
        stub.authenticate(till.payment(order).intent_id or "")
        till.work()
        assert till.order(order).status is OrderStatus.PAID

    def test_a_fee_that_comes_late_is_booked_when_it_comes(self, till, stub, buyer, order):
        stub.world.fees_come_late = True
        till.start(order)
        till.pay(buyer, order)
        till.work()
        assert till.order(order).status is OrderStatus.PAID
        stub.book_fees()
        till.work()


class TestDoubt:
    @pytest.mark.parametrize(
        ("trouble", "times"),
        [
            (lambda stub: stub.drop("/v1/payment_intents", when=When.AFTER, times=4), 1),
            (lambda stub: stub.drop("/v1/payment_intents", when=When.BEFORE, times=4), 1),
            (lambda stub: stub.garble("/v1/payment_intents", times=4), 1),
            (lambda stub: stub.garble("/v1/payment_intents", b"[]", times=4), 1),
            (lambda stub: stub.limit("/v1/payment_intents", locked=True, times=8), 1),
            (lambda stub: stub.fail("/v1/payment_intents", status=409, times=8), 1),
        ],
        ids=["5 answer lost", "6 request lost", "13 unreadable", "13 odd", "11 lock_timeout", "10 key in use"],
    )
    def test_makes_one_payment_in_the_end_with_one_key(self, till, stub, buyer, order, trouble, times):
        trouble(stub)
        till.start(order)
        assert till.payment(order).status is PaymentStatus.CREATING
        till.work_for(minutes=2)
        till.pay(buyer, order)
        till.work()
        assert till.order(order).status is OrderStatus.PAID
        assert len([*stub.world.find("payment_intent")]) == times
        assert len(set(stub.keys("/v1/payment_intents")[:-1])) == 1

    def test_scenario_12_an_error_that_stripe_keeps_costs_one_key_and_not_the_order(self, till, stub, order):
        stub.fail("/v1/payment_intents", kept=True)
        till.start(order)
        for _ in range(4):
            till.market.later(minutes=6)
            till.work()
        assert till.order(order).status is OrderStatus.PENDING_PAYMENT
        assert len([*stub.world.find("payment_intent")]) == 1
        assert len(set(stub.keys("/v1/payment_intents"))) == 2
        for _ in range(2):
            till.market.later(minutes=6)
            till.work()
        assert till.order(order).status is OrderStatus.EXPIRED

    @pytest.mark.parametrize(
        "trouble",
        [
            lambda stub: stub.drop("/v1/transfers", when=When.AFTER, times=4),
            lambda stub: stub.drop("/v1/transfers", when=When.BEFORE, times=4),
            lambda stub: stub.garble("/v1/transfers", times=4),
            lambda stub: stub.limit("/v1/transfers", times=8),
        ],
        ids=["answer lost", "request lost", "unreadable", "too many"],
    )
    def test_scenario_30_pays_a_seller_once(self, till, stub, cashier, trouble):
        order_id = cashier.due(cashier.seller())
        trouble(stub)
        for _ in range(10):
            till.market.later(minutes=1)
            till.work()
        assert cashier.payout(order_id).status is PayoutStatus.PAID
        assert len([*stub.world.find("transfer")]) == 1

    def test_scenario_24_events_that_never_came_are_found(self, till, stub, buyer, order):
        till.sweep_events()
        till.start(order)
        till.pay(buyer, order)
        stub.deliveries()
        till.market.later(hours=1)
        till.sweep_events()
        till.process_webhooks()
        assert till.order(order).status is OrderStatus.PAID


class TestSellers:
    def test_get_what_is_theirs_of_a_charge_that_is_not_available_yet(self, till, stub, cashier):
        red, blue = cashier.seller(), cashier.seller()
        order_id = cashier.sent(red, blue)
        assert [payout.status for payout in till.payouts(order_id)] == [PayoutStatus.PAID] * 2
        assert {stub.world.sellers[cashier.account(seller)]["eur"] for seller in (red, blue)} == {9_500}

    def test_scenario_29_who_is_restricted_waits_and_is_paid_when_that_is_over(self, till, stub, cashier):
        seller = cashier.seller()
        order_id = cashier.due(seller)
        cashier.onboard(seller, succeed=False)
        till.work()
        assert cashier.payout(order_id).status is PayoutStatus.DUE
        cashier.onboard(seller, succeed=True)
        till.market.later(hours=8)
        till.work()
        assert cashier.payout(order_id).status is PayoutStatus.PAID

    def test_keep_what_they_were_paid_when_a_chargeback_that_comes_later_is_won(self, till, stub, cashier):
        seller = cashier.seller()
        order_id = cashier.sent(seller)
        dispute = stub.open_dispute(next(stub.world.find("charge"))["id"])
        till.work()
        stub.turn_dispute(dispute, "won")
        till.work()
        assert cashier.payout(order_id).status is PayoutStatus.PAID
        assert stub.world.sellers[cashier.account(seller)]["eur"] == 9_500


class TestGivingBack:
    def test_takes_the_share_of_the_seller_back_after_they_were_paid(self, till, stub, cashier):
        seller = cashier.seller()
        order_id = cashier.sent(seller)
        cashier.refund(order_id)
        till.work()
        assert [refund.status for refund in till.refunds(order_id)] == [RefundStatus.SUCCEEDED]
        assert cashier.recovery(order_id).status is RecoveryStatus.REVERSED
        assert stub.world.sellers[cashier.account(seller)]["eur"] == 0

    def test_scenario_35_gives_it_back_although_the_seller_has_spent_it(self, till, stub, cashier):
        seller = cashier.seller()
        order_id = cashier.sent(seller)
        stub.drain(cashier.account(seller), 9_000)
        cashier.refund(order_id)
        till.work()
        assert [refund.status for refund in till.refunds(order_id)] == [RefundStatus.SUCCEEDED]
        assert cashier.recovery(order_id).status is RecoveryStatus.REFUSED

    def test_scenario_33_a_refund_that_fails_later_is_owed_again(self, till, stub, cashier):
        order_id = cashier.paid(cashier.seller())
        cashier.refund(order_id)
        till.work()
        stub.ripen_refund(next(stub.world.find("refund"))["id"], "failed")
        till.work()
        assert [refund.status for refund in till.refunds(order_id)] == [RefundStatus.FAILED]

    @pytest.mark.parametrize(("end", "kept"), [("won", 9_500), ("lost", 0)])
    def test_a_chargeback_holds_the_seller_s_money_until_it_is_decided(self, till, stub, cashier, end, kept):
        seller = cashier.seller()
        order_id = cashier.paid(seller)
        dispute = stub.open_dispute(next(stub.world.find("charge"))["id"])
        till.work()
        assert cashier.payout(order_id).status is PayoutStatus.ON_HOLD
        stub.turn_dispute(dispute, end)
        till.work()
        cashier.complete(order_id) if kept else None
        till.work()
        assert stub.world.sellers[cashier.account(seller)]["eur"] == kept


class TestOnPostgres:
    """The same doors and stores as in production, once."""

    def test_an_order_of_two_sellers_is_paid_shared_out_and_partly_given_back(self, clean_database, stripe_stub):
        engine = create_engine(clean_database, pool_size=4, connect_timeout=30, statement_timeout=60)
        try:
            till = stripe_till(till_on(engine), stripe_stub)
            cashier = Cashier(till)
            red, blue = cashier.seller(), cashier.seller()
            order_id = cashier.sent(red, blue)
            cashier.refund(order_id, sale=1)
            till.work()
            till.market.later(minutes=15)
            assert till.sweep_events() == 0
            held = [stripe_stub.world.sellers[cashier.account(seller)]["eur"] for seller in (red, blue)]
            assert sorted(held) == [0, 9_500]
            assert till.findings() == []
            assert {status.value for status, number in till.inbox.counts().items() if number} <= {"done", "ignored"}
            stripe_stub.check()
        finally:
            engine.dispose()
