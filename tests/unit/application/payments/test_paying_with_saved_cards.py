"""Paying with what a buyer has saved: an order placed before or after, and never with anything of anybody else's."""

from __future__ import annotations

from typing import Any

import pytest

from marketplace.application.payments.paying import SavedElsewhere
from marketplace.application.ports.payment_gateway import OutcomeUnknown, PaymentDeclined
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.payment import PaymentBusy, PaymentStatus
from marketplace.domain.shared.errors import NotFound, Unavailable
from tests.saved_cards import alarms, customer, name, save

SILENT = OutcomeUnknown("no answer")


class TestPaying:
    def test_with_ones_own_pays_an_order_that_was_placed_after_it_was_saved(self, till, buyer, card):
        saved = save(till, buyer)
        order_id = till.ordered(buyer, card)
        assert till.payment(order_id).customer_id == name(till, buyer)
        till.gateway.calls.clear()
        assert till.pay(buyer, order_id, saved).status is PaymentStatus.SUCCEEDED
        assert till.gateway.calls == ["get_card", "confirm_payment"]
        till.work()
        assert till.order(order_id).status is OrderStatus.PAID
        assert till.findings() == []

    def test_with_ones_own_pays_an_order_that_was_placed_before_it_was_saved(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        saved = save(till, buyer, "pm_card_visa")
        assert till.pay(buyer, order_id, saved).status is PaymentStatus.SUCCEEDED
        till.work()
        assert till.order(order_id).status is OrderStatus.PAID

    def test_names_the_buyer_once_for_several_attempts(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        saved = save(till, buyer)
        till.gateway.interrupt("confirm_payment", when="before", by=PaymentDeclined("no"))
        with pytest.raises(PaymentDeclined):
            till.pay(buyer, order_id, saved)
        assert till.pay(buyer, order_id, saved).status is PaymentStatus.SUCCEEDED
        assert till.gateway.calls.count("name_buyer") == 1

    def test_48_with_anothers_is_not_found_before_any_attempt(self, till, buyer, card):
        saved, other = save(till, till.market.buyer()), till.market.buyer()
        order_id = till.ordered(buyer, card)
        save(till, other)
        with pytest.raises(NotFound):
            till.pay(buyer, order_id, saved)
        assert "confirm_payment" not in till.gateway.calls
        assert till.payment(order_id).confirm_attempts == 0
        assert till.pay(buyer, order_id).status is PaymentStatus.SUCCEEDED

    def test_48_in_the_name_of_another_pays_nothing_of_theirs(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        save(till, buyer)
        victims = save(till, till.market.buyer())
        with pytest.raises(NotFound):
            till.pay(buyer, order_id, victims)
        assert till.provider.get_payment(till.payment(order_id).intent_id).customer_id is None

    def test_in_a_name_that_was_deleted_since_is_refused_and_another_card_pays(self, till, buyer, card):
        save(till, buyer)
        order_id = till.ordered(buyer, card)
        till.provider.forget_customer(name(till, buyer))
        saved = save(till, buyer)
        with pytest.raises(SavedElsewhere):
            till.pay(buyer, order_id, saved)
        assert till.pay(buyer, order_id).status is PaymentStatus.SUCCEEDED

    def test_47_of_a_customer_deleted_before_the_payment_was_made_goes_on_in_nobodys_name(self, till, buyer, card):
        save(till, buyer)
        order_id = till.placed(buyer, card)
        till.provider.forget_customer(name(till, buyer))
        assert till.start(order_id).client_secret is not None
        payment = till.payment(order_id)
        assert (payment.customer_id, payment.create_key) == (None, f"pi:{order_id}:2")
        assert customer(till, buyer).provider_customer_id is None
        assert till.pay(buyer, order_id).status is PaymentStatus.SUCCEEDED
        till.work()
        assert till.order(order_id).status is OrderStatus.PAID
        assert alarms(till) == []
        assert till.findings() == []

    def test_whose_buyer_is_let_go_by_whoever_has_the_lease(self, till, buyer, card):
        save(till, buyer)
        order_id = till.placed(buyer, card)
        till.provider.forget_customer(name(till, buyer))
        taken = till.check_payment.take_next

        def take_over(*_: Any) -> None:
            till.market.later(minutes=2)
            assert taken() is not None

        till.gateway.interrupt("create_payment", when="before", by=take_over)
        with pytest.raises(PaymentBusy):
            till.check_payment(order_id)
        assert till.payment(order_id).create_attempt == 1

    def test_at_a_silent_provider_begins_nothing(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.gateway.interrupt("get_card", when="before", by=SILENT)
        with pytest.raises(Unavailable):
            till.pay(buyer, order_id)
        assert till.payment(order_id).confirm_attempts == 0
