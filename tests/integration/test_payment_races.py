"""Several workers, and several buyers, at the same payments at the same time."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread

import pytest

from marketplace.domain.listings import ListingStatus
from marketplace.domain.orders.events import OrderPaid
from marketplace.domain.orders.returning import NothingToRefund
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.payment import AlreadyPaid, PaymentBusy
from marketplace.domain.payments.refund import RefundStatus
from marketplace.domain.shared.errors import MarketplaceError
from tests.integration.sabotage import connect
from tests.integration.till_on_postgres import till_on

WORKERS = 4


@pytest.fixture
def till(clean_database):
    engine = connect(clean_database)
    yield till_on(engine)
    engine.dispose()


def at_once(*jobs: Callable[[], object]) -> list[object]:
    """What each gave, or the refusal that it met, in no particular order."""
    barrier, results = Barrier(len(jobs)), []

    def run(job: Callable[[], object]) -> None:
        barrier.wait()
        try:
            results.append(job())
        except MarketplaceError as error:
            results.append(error)

    threads = [Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == len(jobs)
    return results


class TestWorkersSideBySide:
    def test_settle_each_payment_once(self, till):
        seller = till.market.seller()
        cards = [till.market.listing(seller, stock=1) for _ in range(6)]
        orders = []
        for card in cards:
            buyer = till.market.buyer()
            orders.append(till.ordered(buyer, card))
            till.pay(buyer, orders[-1])
        at_once(*[till.work] * WORKERS)
        till.work_for(minutes=2)
        assert [till.order(order_id).status for order_id in orders] == [OrderStatus.PAID] * 6
        assert [till.stock(card) for card in cards] == [(0, 0, ListingStatus.SOLD_OUT)] * 6
        assert sum(isinstance(event, OrderPaid) for event in till.events()) == 6
        assert till.findings() == []

    def test_take_the_same_event_once(self, till):
        buyer, card = till.market.buyer(), till.market.listing(till.market.seller(), stock=2)
        order_id = till.ordered(buyer, card)
        till.pay(buyer, order_id)
        deliveries = till.outgoing()

        def receive_and_process() -> None:
            for delivery in deliveries:
                till.receive_webhook(raw=delivery.body, headers=delivery.headers)
                till.process_webhooks()

        at_once(*[receive_and_process] * WORKERS)
        till.work_for(minutes=1)
        assert sum(till.inbox.counts().values()) == len(deliveries)
        assert till.order(order_id).status is OrderStatus.PAID
        assert till.stock(card)[0] == 1
        assert till.findings() == []

    def test_send_each_refund_once(self, till):
        buyer = till.market.buyer()
        orders = []
        for _ in range(4):
            orders.append(till.ordered(buyer, till.market.listing(till.market.seller(), stock=1)))
            till.pay(buyer, orders[-1])
            till.work()
            till.refund(orders[-1])
        at_once(*[till.send_refunds] * WORKERS)
        assert [till.refunds(order_id)[0].status for order_id in orders] == [RefundStatus.SUCCEEDED] * 4
        till.work()
        assert till.findings() == []

    def test_create_each_payment_once(self, till):
        buyer = till.market.buyer()
        order_id = till.placed(buyer, till.market.listing(till.market.seller(), stock=1))
        at_once(*[lambda: till.start(order_id)] * WORKERS)
        assert till.payments_at_the_provider(order_id) == 1
        assert till.start(order_id).client_secret is not None


class TestBuyersInAHurry:
    def test_paying_twice_at_once_pays_once(self, till):
        buyer = till.market.buyer()
        order_id = till.ordered(buyer, till.market.listing(till.market.seller(), stock=1))
        at_once(*[lambda: till.pay(buyer, order_id)] * WORKERS)
        till.work_for(minutes=1)
        assert till.order(order_id).status is OrderStatus.PAID
        assert len(till.provider.balance_transactions(since=till.order(order_id).created_at, after=None, limit=9)) == 1
        assert till.findings() == []

    @pytest.mark.parametrize("attempt", range(5))
    def test_paying_and_cancelling_at_once_does_one_of_both(self, till, attempt):
        buyer, card = till.market.buyer(), till.market.listing(till.market.seller(), stock=1)
        order_id = till.ordered(buyer, card)
        answers = at_once(lambda: till.pay(buyer, order_id), lambda: till.cancel(buyer, order_id), till.work, till.work)
        till.work_for(minutes=2)
        assert till.order(order_id).status in (OrderStatus.PAID, OrderStatus.CANCELLED)
        assert till.stock(card)[:2] == ((0, 0) if till.order(order_id).status is OrderStatus.PAID else (1, 0))
        assert till.findings() == []
        assert len(answers) == 4

    def test_two_refunds_at_once_are_one(self, till):
        buyer = till.market.buyer()
        order_id = till.ordered(buyer, till.market.listing(till.market.seller(), stock=1))
        till.pay(buyer, order_id)
        till.work()
        answers = at_once(*[lambda: till.refund(order_id)] * WORKERS)
        refusals = [answer for answer in answers if isinstance(answer, NothingToRefund)]
        assert len(refusals) == WORKERS - 1
        till.work()
        assert till.findings() == []
        with pytest.raises((AlreadyPaid, PaymentBusy)):
            till.cancel(buyer, order_id)
