"""Starting a payment, attempts to pay, and what a success does."""

from __future__ import annotations

import pytest

from marketplace.application.access import OPERATOR, Actor
from marketplace.application.payments.checking import CheckPayments
from marketplace.application.payments.refunding import SendRefunds
from marketplace.application.ports.payment_gateway import (
    InvalidRequest,
    KeyReused,
    OutcomeUnknown,
    PaymentDeclined,
    ProviderFailed,
    RateLimited,
    UnknownPaymentMethod,
)
from marketplace.domain.identity import Role
from marketplace.domain.listings import ListingStatus
from marketplace.domain.orders.events import OrderPaid, SaleMade
from marketplace.domain.orders.status import OrderStatus, SaleStatus
from marketplace.domain.payments.payment import AlreadyPaid, OrderNotPayable, PaymentBusy, PaymentStatus, ProviderAlarm
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId, OrderId

SILENT = OutcomeUnknown("no answer")
FAILED = ProviderFailed("an error occurred")


class TestSuccess:
    def test_marks_paid_takes_the_stock_and_writes_the_books(self, till, buyer, card, other_card):
        order_id = till.ordered(buyer, card, other_card)
        assert till.pay(buyer, order_id).status is PaymentStatus.SUCCEEDED
        till.work()
        order = till.order(order_id)
        assert (order.status, order.paid_at) == (OrderStatus.PAID, till.market.clock.now())
        assert [sale.status for sale in order.sales] == [SaleStatus.AWAITING_SHIPMENT] * 2
        assert till.stock(card) == (0, 0, ListingStatus.SOLD_OUT)
        assert till.stock(other_card) == (2, 0, ListingStatus.ACTIVE)
        assert till.market.states(buyer) == {}
        assert till.payment(order_id).is_settled
        assert till.findings() == []

    def test_tells_once_of_the_order_and_of_each_sale(self, till, buyer, card, other_card):
        order_id = till.ordered(buyer, card, other_card)
        till.pay(buyer, order_id)
        till.work_for(minutes=40)
        told = [event for event in till.events() if isinstance(event, OrderPaid | SaleMade)]
        assert [type(event) for event in told] == [OrderPaid, SaleMade, SaleMade]

    def test_is_marked_by_the_event_and_not_before_it(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.pay(buyer, order_id)
        assert till.order(order_id).status is OrderStatus.PENDING_PAYMENT
        assert till.payment(order_id).status is PaymentStatus.PROCESSING

    def test_is_found_by_reading_again_when_every_event_is_lost(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.pay(buyer, order_id)
        assert till.outgoing()
        till.work_for(minutes=2)
        assert till.order(order_id).status is OrderStatus.PAID

    def test_books_the_provider_s_fee_when_it_comes_to_be_known(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.pay(buyer, order_id)
        till.outgoing()
        till.hide_the_fee()
        till.work_for(minutes=1)
        assert till.order(order_id).status is OrderStatus.PAID
        assert not till.payment(order_id).is_settled
        till.work_for(minutes=6)
        assert till.payment(order_id).is_settled
        assert till.findings() == []

    def test_waits_for_a_charge_that_the_provider_does_not_show_yet(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.pay(buyer, order_id)
        charge = till.at_the_provider(order_id, latest_charge=None)["latest_charge"]
        till.work()
        assert till.order(order_id).status is OrderStatus.PENDING_PAYMENT
        till.at_the_provider(order_id, latest_charge=charge)
        till.work_for(minutes=2)
        assert till.order(order_id).status is OrderStatus.PAID


class TestStarting:
    def test_gives_what_the_buyer_needs_to_pay(self, till, buyer, card):
        started = till.start(till.placed(buyer, card))
        assert started.status is PaymentStatus.REQUIRES_PAYMENT_METHOD
        assert started.intent_id is not None
        assert started.client_secret is not None
        assert started.client_secret.startswith(started.intent_id)
        assert started.provider == "simulated"

    def test_again_gives_the_same_payment(self, till, buyer, card):
        order_id = till.placed(buyer, card)
        assert till.start(order_id) == till.start(order_id)

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_of_a_silent_provider_is_finished_by_a_worker(self, till, buyer, card, when):
        order_id = till.placed(buyer, card)
        till.gateway.interrupt("create_payment", when=when, by=SILENT)
        started = till.start(order_id)
        assert (started.status, started.intent_id, started.client_secret) == (PaymentStatus.CREATING, None, None)
        till.work_for(seconds=30)
        assert till.payment(order_id).status is PaymentStatus.REQUIRES_PAYMENT_METHOD
        assert till.start(order_id).client_secret == till.read_client_secret(actor=buyer, order_id=order_id)
        assert till.payments_at_the_provider(order_id) == 1

    @pytest.mark.parametrize(("when", "attempt"), [("before", 2), ("after", 1)])
    def test_that_the_provider_keeps_failing_at_is_looked_up_before_the_next_key(
        self, till, buyer, card, when, attempt
    ):
        """Scenario 12 of the failure catalogue."""
        order_id = till.placed(buyer, card)
        till.gateway.interrupt("create_payment", when=when, by=FAILED)
        till.start(order_id)
        till.work_for(seconds=10)
        assert till.payment(order_id).create_attempt == attempt
        assert till.start(order_id).client_secret is not None
        assert till.payments_at_the_provider(order_id) == 1

    def test_that_the_provider_fails_at_until_the_window_is_over_ends_the_order(self, till, buyer, card):
        order_id = till.placed(buyer, card)
        for _ in range(20):
            till.gateway.interrupt("create_payment", when="before", by=FAILED)
        till.start(order_id)
        till.work_for(minutes=46)
        assert till.order(order_id).status is OrderStatus.EXPIRED
        assert till.stock(card) == (1, 0, ListingStatus.ACTIVE)

    def test_is_done_by_a_worker_when_the_process_died_before_it(self, till, buyer, card):
        order_id = till.placed(buyer, card)
        till.work_for(minutes=1)
        assert till.payment(order_id).status is PaymentStatus.REQUIRES_PAYMENT_METHOD

    def test_leaves_a_payment_alone_that_somebody_else_works_on(self, till, buyer, card):
        order_id = till.placed(buyer, card)
        seen = []
        till.gateway.interrupt("create_payment", when="before", by=lambda: seen.append(till.start(order_id)))
        till.start(order_id)
        assert [started.status for started in seen] == [PaymentStatus.CREATING]

    def test_of_an_order_that_is_over_asks_nobody(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.cancel(buyer, order_id)
        till.gateway.calls.clear()
        assert till.start(order_id).client_secret is None
        assert till.read_client_secret(actor=buyer, order_id=order_id) is None
        assert till.gateway.calls == []

    def test_of_an_unknown_order_is_refused(self, till):
        with pytest.raises(NotFound):
            till.start_payment(actor=OPERATOR, order_id=OrderId(1))

    @pytest.mark.parametrize("has_lapsed", [False, True])
    def test_is_the_buyers_alone_and_leaves_the_payment_alone(self, till, buyer, card, has_lapsed):
        order_id = till.placed(buyer, card)
        if has_lapsed:
            till.market.later(hours=1)
        before = till.payment(order_id)
        for other in (till.market.buyer(), OPERATOR):
            with pytest.raises(NotFound):
                till.start_payment(actor=other, order_id=order_id)
        assert till.payment(order_id) == before
        assert till.gateway.calls == []

    @pytest.mark.parametrize("error", [InvalidRequest("too much"), KeyReused("another request")])
    def test_that_the_provider_refuses_raises_an_alarm_and_ends_with_the_window(self, till, buyer, card, error):
        order_id = till.placed(buyer, card)
        till.gateway.interrupt("create_payment", when="before", by=error)
        assert till.start(order_id).client_secret is None
        assert [event.reason for event in till.events() if isinstance(event, ProviderAlarm)] == [
            f"{error.code}: {error}"
        ]
        till.work_for(minutes=29)
        assert till.order(order_id).status is OrderStatus.PENDING_PAYMENT
        for method in (None, "pm_card_visa"):
            till.gateway.interrupt("create_payment", when="before", by=error)
            with pytest.raises(OrderNotPayable):
                till.pay(buyer, order_id, method)
        for _ in range(5):
            till.gateway.interrupt("create_payment", when="before", by=error)
        till.work_for(minutes=2)
        assert till.order(order_id).status is OrderStatus.EXPIRED
        assert till.stock(card) == (1, 0, ListingStatus.ACTIVE)


class TestTheSecret:
    def test_is_read_while_there_is_something_to_pay(self, till, buyer, card):
        order_id = till.placed(buyer, card)
        assert till.read_client_secret(actor=buyer, order_id=order_id) is None
        secret = till.start(order_id).client_secret
        assert till.read_client_secret(actor=buyer, order_id=order_id) == secret

    @pytest.mark.parametrize("other", [Actor(account_id=AccountId(404)), OPERATOR], ids=["another buyer", "an admin"])
    def test_is_the_buyers_alone(self, till, buyer, card, other):
        order_id = till.ordered(buyer, card)
        with pytest.raises(NotFound, match=f"no order {order_id}"):
            till.read_client_secret(actor=other, order_id=order_id)

    def test_is_none_while_the_provider_is_silent(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.gateway.interrupt("get_payment", when="before", by=SILENT)
        assert till.read_client_secret(actor=buyer, order_id=order_id) is None


class TestAttempts:
    def test_a_decline_changes_nothing_and_another_card_can_be_tried(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        before = till.outcome(order_id)
        with pytest.raises(PaymentDeclined) as declined:
            till.pay(buyer, order_id, "pm_card_chargeDeclinedInsufficientFunds")
        assert declined.value.facts == {"decline_code": "insufficient_funds"}
        till.work()
        assert till.outcome(order_id) == before
        till.pay(buyer, order_id, "pm_card_mastercard")
        till.work()
        assert till.order(order_id).status is OrderStatus.PAID

    @pytest.mark.parametrize("name", ["Fraudulent", "LostCard", "StolenCard"])
    def test_a_suspicion_of_fraud_looks_like_any_other_decline(self, till, buyer, card, name):
        order_id = till.ordered(buyer, card)
        with pytest.raises(PaymentDeclined) as declined:
            till.pay(buyer, order_id, f"pm_card_visa_chargeDeclined{name}")
        assert declined.value.facts == {"decline_code": "generic_decline"}
        assert till.payment(order_id).last_decline_code == "generic_decline"

    def test_without_a_payment_method_only_looks(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        progress = till.pay(buyer, order_id, None)
        assert progress.status is PaymentStatus.REQUIRES_PAYMENT_METHOD
        assert progress.client_secret == till.read_client_secret(actor=buyer, order_id=order_id)
        assert till.payment(order_id).confirm_attempts == 0

    def test_starts_a_payment_that_was_not_started(self, till, buyer, card):
        order_id = till.placed(buyer, card)
        assert till.pay(buyer, order_id).status is PaymentStatus.SUCCEEDED

    @pytest.mark.parametrize(("succeed", "status"), [(True, OrderStatus.PAID), (False, OrderStatus.PENDING_PAYMENT)])
    def test_may_ask_the_buyer_first(self, till, buyer, card, succeed, status):
        order_id = till.ordered(buyer, card)
        progress = till.pay(buyer, order_id, "pm_card_authenticationRequired")
        intent_id = till.payment(order_id).intent_id
        assert progress.status is PaymentStatus.REQUIRES_ACTION
        assert progress.next_action.type == "redirect_to_url"
        assert progress.next_action.url == f"https://cards.example/dev/payments/{intent_id}/"
        assert till.payment(order_id).status is PaymentStatus.REQUIRES_ACTION
        back = till.provider.answer(intent_id, succeed=succeed)
        assert back == f"https://cards.example/return/?order={order_id}"
        till.work()
        assert till.order(order_id).status is status

    def test_a_failed_authentication_can_be_followed_by_another_card(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.pay(buyer, order_id, "pm_card_authenticationRequired")
        till.provider.answer(till.payment(order_id).intent_id, succeed=False)
        till.work()
        assert till.payment(order_id).last_decline_code == "authentication_failed"
        till.pay(buyer, order_id)
        till.work()
        assert till.order(order_id).status is OrderStatus.PAID

    def test_with_an_unknown_payment_method_is_refused(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        with pytest.raises(UnknownPaymentMethod) as refused:
            till.pay(buyer, order_id, "pm_card_monopoly")
        assert "payment_method" in refused.value.facts["errors"]
        assert till.pay(buyer, order_id).status is PaymentStatus.SUCCEEDED

    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize("error", [SILENT, RateLimited("slow down")])
    def test_a_silent_provider_can_be_asked_again_and_takes_the_money_once(self, till, buyer, card, when, error):
        order_id = till.ordered(buyer, card)
        till.gateway.interrupt("confirm_payment", when=when, by=error)
        with pytest.raises(type(error)):
            till.pay(buyer, order_id)
        assert till.pay(buyer, order_id).status is PaymentStatus.SUCCEEDED
        till.work()
        assert till.order(order_id).status is OrderStatus.PAID
        assert till.findings() == []

    def test_another_s_order_does_not_exist_not_even_for_an_admin(self, till, market, buyer, card):
        order_id = till.ordered(buyer, card)
        for stranger in (market.buyer(), market.someone(roles=[Role.ADMIN])):
            with pytest.raises(NotFound):
                till.pay(stranger, order_id)

    def test_a_paid_order_is_not_paid_again(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.pay(buyer, order_id)
        till.work()
        with pytest.raises(AlreadyPaid):
            till.pay(buyer, order_id)

    def test_an_order_that_has_ended_is_not_paid(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.cancel(buyer, order_id)
        with pytest.raises(OrderNotPayable):
            till.pay(buyer, order_id)

    def test_the_window_ends_attempts_even_before_a_worker_has_looked(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.market.later(minutes=30)
        with pytest.raises(OrderNotPayable):
            till.pay(buyer, order_id)

    def test_a_payment_that_is_being_cancelled_is_not_paid(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.gateway.interrupt("get_payment", when="before", by=SILENT)
        till.cancel(buyer, order_id)
        with pytest.raises(OrderNotPayable):
            till.pay(buyer, order_id)

    def test_a_success_that_no_event_has_told_of_yet_is_not_tried_again(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.pay(buyer, order_id)
        assert till.pay(buyer, order_id).status is PaymentStatus.SUCCEEDED
        assert till.pay(buyer, order_id, None).client_secret is None
        till.work()
        assert till.findings() == []

    def test_two_attempts_at_once_are_one_after_the_other(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        refusals = []

        def meanwhile() -> None:
            with pytest.raises(PaymentBusy) as refused:
                till.pay(buyer, order_id)
            refusals.append(refused.value.code)

        till.gateway.interrupt("confirm_payment", when="before", by=meanwhile)
        till.pay(buyer, order_id)
        assert refusals == ["payment_in_progress"]

    @pytest.mark.parametrize("method", ["pm_card_visa", "pm_card_chargeDeclined"])
    def test_an_answer_that_comes_after_its_lease_changes_nothing(self, till, buyer, card, method):
        order_id = till.ordered(buyer, card)

        def dawdle() -> None:
            till.market.later(minutes=2)
            till.work()

        till.gateway.interrupt("confirm_payment", when="before", by=dawdle)
        if method == "pm_card_visa":
            till.pay(buyer, order_id, method)
        else:
            with pytest.raises(PaymentDeclined):
                till.pay(buyer, order_id, method)
        till.work_for(minutes=40)
        expected = OrderStatus.PAID if method == "pm_card_visa" else OrderStatus.PAYMENT_FAILED
        assert till.order(order_id).status is expected

    def test_a_silence_that_lasts_longer_than_the_lease_changes_nothing(self, till, buyer, card):
        order_id = till.ordered(buyer, card)

        def dawdle() -> None:
            till.market.later(minutes=2)
            till.work()
            raise SILENT

        till.gateway.interrupt("confirm_payment", when="before", by=dawdle)
        with pytest.raises(OutcomeUnknown):
            till.pay(buyer, order_id)
        assert till.order(order_id).status is OrderStatus.PENDING_PAYMENT


class TestJobs:
    def test_do_a_bounded_amount_at_a_time(self, till, market, card, other_card):
        orders = [till.placed(market.buyer(), other_card) for _ in range(3)]
        market.later(minutes=1)
        assert CheckPayments(check=till.check_payment, limit=2)() == 2
        assert CheckPayments(check=till.check_payment, limit=2)() == 1
        for order_id in orders:
            intent_id = till.payment(order_id).intent_id
            till.provider.confirm_payment(intent_id, payment_method="pm_card_visa", return_url=None, key=intent_id)
        till.work()
        for order_id in orders:
            till.refund(order_id)
        assert SendRefunds(check=till.check_refund, limit=2)() == 2
        assert SendRefunds(check=till.check_refund, limit=2)() == 1
