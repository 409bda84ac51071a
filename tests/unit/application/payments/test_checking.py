"""Workers that check payments: side by side, slow, overtaken, and without a database."""

from __future__ import annotations

import pytest

from marketplace.application.payments.cancelling import Cancellation
from marketplace.application.ports.payment_gateway import AlreadyInState
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.payment import PaymentBusy
from marketplace.domain.shared.errors import Unavailable


class TestTheWorker:
    def test_lets_no_payment_that_cannot_be_applied_hold_up_the_others(self, till, market, buyer, caplog):
        seller = market.seller()
        bad, *good = [till.ordered(market.buyer(), market.listing(seller)) for _ in range(3)]
        till.work()
        till.market.later(minutes=31)
        till.gateway.interrupt("get_payment", when="before", by=ZeroDivisionError())
        assert till.check_payments() == 3
        assert [till.order(order_id).status for order_id in good] == [OrderStatus.EXPIRED] * 2
        assert till.order(bad).status is OrderStatus.PENDING_PAYMENT
        assert f"the payment of order {bad} failed" in caplog.text
        till.market.later(minutes=1)
        till.check_payments()
        assert till.order(bad).status is OrderStatus.EXPIRED

    @pytest.mark.parametrize("method", ["get_payment", "refund"])
    def test_gives_its_other_jobs_a_turn_while_the_provider_is_slow(self, till, market, buyer, method):
        seller = market.seller()
        orders = [till.ordered(buyer, market.listing(seller)) for _ in range(3)]
        if method == "refund":
            for order_id in orders:
                till.pay(buyer, order_id)
            till.work()
            for order_id in orders:
                till.refund(order_id)
        else:
            till.work()
            market.later(minutes=31)
        job = till.send_refunds if method == "refund" else till.check_payments
        till.gateway.interrupt(method, when="before", by=lambda: market.later(seconds=20))
        assert [job(), job(), job()] == [1, 2, 0]

    def test_stops_when_there_is_no_database_to_ask(self, till, monkeypatch):
        def gone() -> None:
            raise Unavailable("no answer")

        for job in (till.check_payments, till.send_refunds):
            monkeypatch.setattr(type(job.check), "take_next", lambda check: gone())
            with pytest.raises(Unavailable):
                job()


class TestWhoIsBusy:
    def test_a_check_leaves_a_leased_payment_alone(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        busy = []

        def meanwhile() -> None:
            with pytest.raises(PaymentBusy):
                till.check_payment(order_id)
            busy.append(order_id)

        till.gateway.interrupt("get_payment", when="before", by=meanwhile)
        till.check_payment(order_id)
        assert busy == [order_id]

    def test_a_check_that_is_overtaken_changes_nothing(self, till, buyer, card):
        order_id = till.ordered(buyer, card)

        def dawdle() -> None:
            till.market.later(minutes=2)
            till.check_payment(order_id)

        till.gateway.interrupt("get_payment", when="after", by=dawdle)
        with pytest.raises(PaymentBusy):
            till.check_payment(order_id)

    def test_a_refused_cancellation_that_turns_out_a_cancellation_is_one(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        intent_id = till.payment(order_id).intent_id

        def cancel_by_hand() -> None:
            till.provider.cancel_payment(intent_id, key="by hand")
            raise AlreadyInState("canceled")

        till.gateway.interrupt("cancel_payment", when="before", by=cancel_by_hand)
        assert till.cancel(buyer, order_id) is Cancellation.CANCELLED
        assert till.payment(order_id).cancel_refusals == 0
