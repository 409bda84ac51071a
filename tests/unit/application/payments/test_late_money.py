"""Money that comes when an order has ended already, or that is not what the order costs."""

from __future__ import annotations

import pytest

from marketplace.application.access import OPERATOR
from marketplace.application.payments.cancelling import Cancellation
from marketplace.application.ports.payment_gateway import PaymentDeclined
from marketplace.domain.listings import ListingStatus
from marketplace.domain.orders.events import ItemsMissing
from marketplace.domain.orders.status import OrderStatus, SaleStatus
from marketplace.domain.payments.payment import OrderNotPayable, PaymentQuarantined
from marketplace.domain.payments.refund import RefundStatus
from marketplace.domain.shared.money import Money

FREE = (1, 0, ListingStatus.ACTIVE)
CLAIMED = (1, 1, ListingStatus.ACTIVE)


class TestLateMoney:
    def test_is_taken_when_everything_is_still_there(self, till, buyer, card, other_card):
        order_id = till.ordered(buyer, card, other_card)
        till.cancel(buyer, order_id)
        till.late_money(order_id)
        till.work()
        assert till.order(order_id).status is OrderStatus.PAID
        assert till.stock(card) == (0, 0, ListingStatus.SOLD_OUT)
        assert till.refunds(order_id) == []
        assert till.findings() == []

    def test_goes_back_for_what_is_gone_with_its_share_of_every_fee(self, till, market, buyer, card, other_card):
        order_id = till.ordered(buyer, card, other_card)
        till.work_for(minutes=31)
        till.placed(market.buyer(), card)  # another buyer has claimed it by then
        till.late_money(order_id)
        till.work()
        order = till.order(order_id)
        assert order.status is OrderStatus.PARTIALLY_REFUNDED
        assert [sale.status for sale in order.sales] == [SaleStatus.CANCELLED, SaleStatus.AWAITING_SHIPMENT]
        (refund,) = till.refunds(order_id)
        assert refund.status is RefundStatus.SUCCEEDED
        # Half of 100.10, of the commission of 5.01, of the processing fee of 6.01, and of the shipping of 10.00.
        assert refund.amount == Money(5005 + 251 + 301 + 500, "EUR")
        assert till.stock(card) == CLAIMED
        assert till.findings() == []
        assert [event.sale_id for event in till.events() if isinstance(event, ItemsMissing)] == [order.sales[0].id]

    def test_goes_back_for_the_pieces_of_a_line_that_are_gone(self, till, market, buyer, other_card):
        order_id = till.ordered(buyer, other_card, quantity=3)
        till.cancel(buyer, order_id)
        market.empty_cart(actor=buyer)
        till.placed(market.buyer(), other_card, quantity=2)
        till.late_money(order_id)
        till.work()
        order = till.order(order_id)
        assert order.status is OrderStatus.PARTIALLY_REFUNDED
        assert [sale.status for sale in order.sales] == [SaleStatus.AWAITING_SHIPMENT]
        assert [line.open_quantity for line in order.sales[0].lines] == [1]
        assert till.stock(other_card) == (2, 2, ListingStatus.ACTIVE)
        assert till.findings() == []

    def test_goes_back_whole_when_everything_is_gone(self, till, market, buyer, card, other_card):
        order_id = till.ordered(buyer, card, other_card)
        till.cancel(buyer, order_id)
        market.empty_cart(actor=buyer)
        market.archive(card)
        market.archive(other_card)
        till.late_money(order_id)
        till.work()
        order = till.order(order_id)
        assert order.status is OrderStatus.REFUNDED
        assert [sale.status for sale in order.sales] == [SaleStatus.CANCELLED] * 2
        assert [refund.amount for refund in till.refunds(order_id)] == [order.total]
        assert till.findings() == []

    @pytest.mark.parametrize("ends", [OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.PAYMENT_FAILED])
    def test_revives_an_order_however_it_ended(self, till, buyer, card, ends):
        order_id = till.ordered(buyer, card)
        if ends is OrderStatus.CANCELLED:
            till.cancel(buyer, order_id)
        elif ends is OrderStatus.PAYMENT_FAILED:
            with pytest.raises(PaymentDeclined):
                till.pay(buyer, order_id, "pm_card_chargeDeclined")
        till.work_for(minutes=31)
        assert till.order(order_id).status is ends
        till.late_money(order_id)
        till.work()
        assert till.order(order_id).status is OrderStatus.PAID
        assert till.findings() == []


class TestMoneyThatDoesNotFit:
    @pytest.fixture(params=["amount", "currency", "livemode"])
    def order_id(self, till, buyer, card, request):
        """An order whose payment has come to something else than was asked for."""
        wrong = {"amount": {"amount_received": 1}, "currency": {"currency": "usd"}, "livemode": {"livemode": True}}
        order_id = till.ordered(buyer, card)
        till.pay(buyer, order_id)
        till.at_the_provider(order_id, **wrong[request.param])
        till.work()
        return order_id

    def test_marks_nothing_paid_and_raises_an_alarm_once(self, till, buyer, card, order_id):
        till.work_for(hours=1)
        assert till.order(order_id).status is OrderStatus.PENDING_PAYMENT
        assert till.stock(card) == CLAIMED
        assert len([event for event in till.events() if isinstance(event, PaymentQuarantined)]) == 1
        assert till.payment(order_id).quarantine

    def test_stays_where_it_is_until_an_operator_decides(self, till, buyer, order_id):
        with pytest.raises(OrderNotPayable):
            till.cancel(buyer, order_id)
        with pytest.raises(OrderNotPayable):
            till.pay(buyer, order_id)
        assert till.order(order_id).status is OrderStatus.PENDING_PAYMENT
        money = till.payment(order_id).amount.amount
        till.at_the_provider(order_id, amount_received=money, currency="eur", livemode=False)
        till.check_payment(order_id)
        assert till.order(order_id).status is OrderStatus.PENDING_PAYMENT

    def test_an_operator_can_end_the_order_and_free_its_claims(self, till, card, order_id):
        assert [till.cancel(OPERATOR, order_id), till.cancel(OPERATOR, order_id)] == [Cancellation.CANCELLED] * 2
        assert till.order(order_id).status is OrderStatus.CANCELLED
        assert till.stock(card) == FREE
        till.check_payment(order_id)
        assert till.order(order_id).status is OrderStatus.CANCELLED
        assert till.payment(order_id).quarantine
