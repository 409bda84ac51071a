"""What every payment gateway promises. Subclasses provide ``gateway``, ``clock`` and ``unit_of_work``."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest

from marketplace.application.ports.payment_gateway import (
    ActionRequired,
    AlreadyInState,
    InvalidRequest,
    KeyReused,
    PaymentDeclined,
    PaymentRequest,
    ProviderObjectUnknown,
    ProviderPayment,
    RefundNotPossible,
    UnknownPaymentMethod,
    WebhookSource,
)
from marketplace.domain.payments.payment import PaymentStatus
from marketplace.domain.payments.refund import RefundStatus
from marketplace.domain.shared.ids import OrderId, PaymentId, RefundId
from marketplace.domain.shared.money import Money

BACK = "https://cards.example/back"


def a_request(order_id: int = 7, amount: int = 12112, currency: str = "EUR") -> PaymentRequest:
    return PaymentRequest(
        payment_id=PaymentId(order_id + 1),
        order_id=OrderId(order_id),
        amount=Money(amount, currency),
        description=f"Order {order_id}",
    )


class PaymentGatewayContract:
    def created(self, gateway: Any, order_id: int = 7, **changes: Any) -> ProviderPayment:
        payment: ProviderPayment = gateway.create_payment(a_request(order_id, **changes), key=f"pi:{order_id}:1")
        return payment

    def paid(self, gateway: Any, order_id: int = 7, method: str = "pm_card_visa", **changes: Any) -> ProviderPayment:
        intent = self.created(gateway, order_id, **changes)
        payment: ProviderPayment = gateway.confirm_payment(
            intent.id, payment_method=method, return_url=BACK, key=f"pi-confirm:{order_id}:1"
        )
        return payment

    def refund(self, gateway: Any, intent_id: str, amount: int, number: int = 1, currency: str = "EUR") -> Any:
        return gateway.refund(
            intent_id,
            amount=Money(amount, currency),
            reason="requested_by_customer",
            metadata={"order_id": "7", "refund_id": str(number)},
            key=f"re:{number}:1",
        )

    def test_creates_a_payment_that_waits_for_a_payment_method(self, gateway):
        payment = self.created(gateway)
        assert payment.status is PaymentStatus.REQUIRES_PAYMENT_METHOD
        assert (payment.amount, payment.amount_received, payment.currency) == (12112, 0, "EUR")
        assert (payment.order_id, payment.livemode) == (7, gateway.livemode)
        assert (payment.charge_id, payment.fee, payment.decline_code, payment.next_action) == (None, None, "", None)
        assert payment.client_secret
        assert payment.client_secret not in repr(payment)
        assert gateway.get_payment(payment.id) == payment

    def test_the_same_key_gives_the_same_payment(self, gateway):
        assert self.created(gateway) == self.created(gateway)

    def test_many_at_once_with_the_same_key_get_the_same_payment(self, gateway):
        barrier, made = Barrier(6), []

        def run() -> None:
            barrier.wait()
            made.append(self.created(gateway).id)

        threads = [Thread(target=run) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made) == 6
        assert len(set(made)) == 1

    def test_the_same_key_for_another_request_is_refused(self, gateway):
        payment = self.created(gateway)
        with pytest.raises(KeyReused):
            self.created(gateway, amount=12113)
        with pytest.raises(KeyReused):
            gateway.cancel_payment(payment.id, key="pi:7:1")

    @pytest.mark.parametrize("amount", [0, -1, 100_000_000])
    def test_refuses_an_amount_that_cannot_be_paid(self, gateway, amount):
        with pytest.raises(InvalidRequest):
            self.created(gateway, amount=amount)

    def test_finds_the_payment_of_an_order(self, gateway, clock):
        began = clock.now()
        payment = self.created(gateway)
        self.created(gateway, 8)
        assert gateway.find_payment(OrderId(7), since=began) == payment
        assert gateway.find_payment(OrderId(9), since=began) is None
        assert gateway.find_payment(OrderId(7), since=began + timedelta(minutes=1)) is None

    def test_does_not_know_what_it_never_had(self, gateway):
        for call in (
            lambda: gateway.get_payment("pi_unknown"),
            lambda: gateway.cancel_payment("pi_unknown", key="pi-cancel:1:1"),
            lambda: gateway.confirm_payment(
                "pi_unknown", payment_method="pm_card_visa", return_url=BACK, key="pi-confirm:1:1"
            ),
            lambda: self.refund(gateway, "pi_unknown", 1),
        ):
            with pytest.raises(ProviderObjectUnknown):
                call()

    @pytest.mark.parametrize("method", ["pm_card_visa", "pm_card_mastercard", "pm_card_amex", "pm_card_visa_debit"])
    def test_a_good_card_pays(self, gateway, method):
        payment = self.paid(gateway, method=method)
        assert (payment.status, payment.amount_received) == (PaymentStatus.SUCCEEDED, 12112)
        assert payment.charge_id is not None

    def test_the_fee_is_known_with_the_movement_on_our_balance(self, gateway):
        payment = gateway.get_payment(self.paid(gateway).id)
        assert payment.fee == 207
        assert payment.balance_transaction_id is not None

    @pytest.mark.parametrize(
        ("amount", "fee"), [(1, 25), (33, 25), (34, 26), (100, 27), (2500, 63), (10000, 175), (99_999_999, 1_500_025)]
    )
    def test_the_fee_is_rounded_half_up(self, gateway, amount, fee):
        assert gateway.get_payment(self.paid(gateway, amount=amount).id).fee == fee

    @pytest.mark.parametrize(
        ("method", "code"),
        [
            ("pm_card_chargeDeclined", "generic_decline"),
            ("pm_card_visa_chargeDeclined", "generic_decline"),
            ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
            ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
            ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc"),
            ("pm_card_chargeDeclinedProcessingError", "processing_error"),
            ("pm_card_visa_chargeDeclinedVelocityLimitExceeded", "card_velocity_exceeded"),
            ("pm_card_chargeDeclinedFraudulent", "generic_decline"),
            ("pm_card_visa_chargeDeclinedLostCard", "generic_decline"),
            ("pm_card_radarBlock", "generic_decline"),
        ],
    )
    def test_a_declined_card_leaves_the_payment_open(self, gateway, method, code):
        with pytest.raises(PaymentDeclined) as declined:
            self.paid(gateway, method=method)
        assert declined.value.facts == {"decline_code": code}
        payment = self.created(gateway)
        now = gateway.get_payment(payment.id)
        assert (now.status, now.decline_code) == (PaymentStatus.REQUIRES_PAYMENT_METHOD, code)

    def test_a_decline_is_repeated_for_its_key_and_another_key_tries_anew(self, gateway):
        for _ in range(2):
            with pytest.raises(PaymentDeclined):
                self.paid(gateway, method="pm_card_chargeDeclined")
        payment = gateway.confirm_payment(
            self.created(gateway).id, payment_method="pm_card_visa", return_url=BACK, key="pi-confirm:7:2"
        )
        assert (payment.status, payment.decline_code) == (PaymentStatus.SUCCEEDED, "")

    def test_an_attempt_is_made_once_for_its_key(self, gateway, clock):
        assert self.paid(gateway) == self.paid(gateway)
        assert len(gateway.balance_transactions(since=clock.now(), after=None, limit=10)) == 1

    def test_does_not_try_a_payment_method_that_it_does_not_know(self, gateway):
        with pytest.raises(UnknownPaymentMethod):
            self.paid(gateway, method="pm_card_monopoly")
        assert self.paid(gateway).status is PaymentStatus.SUCCEEDED

    def test_asks_for_the_buyer_where_the_bank_wants_to_see_them(self, gateway):
        payment = self.paid(gateway, method="pm_card_authenticationRequired")
        assert payment.status is PaymentStatus.REQUIRES_ACTION
        assert payment.next_action.type == "redirect_to_url"
        assert payment.id in payment.next_action.url

    def test_cannot_ask_for_the_buyer_without_an_address_to_return_to(self, gateway):
        payment = self.created(gateway)
        with pytest.raises(ActionRequired):
            gateway.confirm_payment(
                payment.id, payment_method="pm_card_authenticationRequired", return_url=None, key="pi-confirm:7:1"
            )

    def test_another_attempt_replaces_one_that_waits_for_the_buyer(self, gateway):
        payment = self.paid(gateway, method="pm_card_authenticationRequired")
        again = gateway.confirm_payment(
            payment.id, payment_method="pm_card_visa", return_url=BACK, key="pi-confirm:7:2"
        )
        assert (again.status, again.next_action) == (PaymentStatus.SUCCEEDED, None)

    @pytest.mark.parametrize("method", ["pm_card_authenticationRequired", None])
    def test_cancels_what_is_not_paid(self, gateway, method):
        payment = self.paid(gateway, method=method) if method else self.created(gateway)
        cancelled = gateway.cancel_payment(payment.id, key="pi-cancel:7:1")
        assert (cancelled.status, cancelled.next_action) == (PaymentStatus.CANCELED, None)
        assert gateway.cancel_payment(payment.id, key="pi-cancel:7:1") == cancelled

    def test_a_cancelled_payment_remembers_that_its_last_attempt_was_declined(self, gateway):
        with pytest.raises(PaymentDeclined):
            self.paid(gateway, method="pm_card_chargeDeclined")
        cancelled = gateway.cancel_payment(self.created(gateway).id, key="pi-cancel:7:1")
        assert cancelled.decline_code == "generic_decline"

    def test_does_not_cancel_what_is_paid_nor_pay_what_is_cancelled(self, gateway):
        paid, cancelled = self.paid(gateway), self.created(gateway, 8)
        gateway.cancel_payment(cancelled.id, key="pi-cancel:8:1")
        with pytest.raises(AlreadyInState):
            gateway.cancel_payment(paid.id, key="pi-cancel:7:1")
        with pytest.raises(AlreadyInState):
            gateway.cancel_payment(cancelled.id, key="pi-cancel:8:2")
        for payment in (paid, cancelled):
            with pytest.raises(AlreadyInState):
                gateway.confirm_payment(
                    payment.id, payment_method="pm_card_visa", return_url=BACK, key=f"pi-confirm:{payment.id}:9"
                )

    def test_gives_money_back_once_for_a_key(self, gateway):
        payment = self.paid(gateway)
        refund = self.refund(gateway, payment.id, 5000)
        assert (refund.status, refund.amount, refund.currency) == (RefundStatus.SUCCEEDED, 5000, "EUR")
        assert refund.refund_id == 1
        assert self.refund(gateway, payment.id, 5000) == refund
        assert gateway.find_refund(payment.id, RefundId(1)) == refund
        assert gateway.find_refund(payment.id, RefundId(2)) is None
        balance = gateway.balance("EUR")
        assert balance.available + balance.pending == 12112 - 207 - 5000

    def test_never_gives_back_more_than_was_paid(self, gateway):
        payment = self.paid(gateway)
        self.refund(gateway, payment.id, 12000, 1)
        with pytest.raises(RefundNotPossible):
            self.refund(gateway, payment.id, 113, 2)
        self.refund(gateway, payment.id, 112, 3)
        with pytest.raises(RefundNotPossible):
            self.refund(gateway, payment.id, 1, 4)

    @pytest.mark.parametrize(("amount", "currency"), [(0, "EUR"), (-1, "EUR"), (1, "USD")])
    def test_refuses_a_refund_of_nothing_or_in_another_currency(self, gateway, amount, currency):
        with pytest.raises(RefundNotPossible):
            self.refund(gateway, self.paid(gateway).id, amount, currency=currency)

    def test_gives_nothing_back_of_what_was_not_paid(self, gateway):
        with pytest.raises(RefundNotPossible):
            self.refund(gateway, self.created(gateway).id, 1)

    def test_lists_the_movements_on_our_balance_the_oldest_first(self, gateway, clock):
        began = clock.now()
        first, second = self.paid(gateway), self.paid(gateway, 8)
        refund = self.refund(gateway, first.id, 100)
        moved = gateway.balance_transactions(since=began, after=None, limit=10)
        assert [(m.type, m.source, m.amount, m.fee, m.net) for m in moved] == [
            ("charge", first.charge_id, 12112, 207, 11905),
            ("charge", second.charge_id, 12112, 207, 11905),
            ("refund", refund.id, -100, 0, -100),
        ]
        assert {(m.currency, m.created_at) for m in moved} == {("EUR", began)}
        assert gateway.balance_transactions(since=began, after=moved[0].id, limit=1) == moved[1:2]
        assert gateway.balance_transactions(since=began + timedelta(minutes=1), after=None, limit=10) == []

    def test_money_is_pending_before_it_is_available(self, gateway, clock):
        self.paid(gateway)
        self.paid(gateway, 8, currency="USD")
        assert (gateway.balance("EUR").available, gateway.balance("EUR").pending) == (0, 11905)
        clock.advance(timedelta(days=2))
        assert (gateway.balance("EUR").available, gateway.balance("EUR").pending) == (11905, 0)
        assert gateway.balance("USD").available == 11905
        assert gateway.balance("JPY").available == 0

    def test_refuses_to_be_called_while_a_unit_of_work_is_open(self, gateway, unit_of_work):
        with unit_of_work(), pytest.raises(RuntimeError, match="unit of work is open"):
            self.created(gateway)
        assert self.created(gateway).status is PaymentStatus.REQUIRES_PAYMENT_METHOD


class SimulatedGatewayContract:
    """What the simulated provider does beyond the port. Also the fixture ``state``."""

    def test_a_refund_becomes_what_its_card_makes_of_it(self, gateway, clock):
        contract = PaymentGatewayContract()
        for number, (method, first, then) in enumerate(
            [
                ("pm_card_pendingRefund", RefundStatus.PENDING, RefundStatus.SUCCEEDED),
                ("pm_card_refundFail", RefundStatus.SUCCEEDED, RefundStatus.FAILED),
            ],
            start=7,
        ):
            payment = contract.paid(gateway, number, method)
            assert contract.refund(gateway, payment.id, 1000, number).status is first
            gateway.due_deliveries(lease_for=timedelta(minutes=1), limit=100)
            clock.advance(timedelta(minutes=1))
            gateway.due_deliveries(lease_for=timedelta(minutes=1), limit=100)
            assert gateway.find_refund(payment.id, RefundId(number)).status is then

    def test_a_refund_becomes_that_once_although_a_courier_died_over_it(self, gateway, state, clock, monkeypatch):
        payment = PaymentGatewayContract().paid(gateway, method="pm_card_refundFail")
        PaymentGatewayContract().refund(gateway, payment.id, 12112)
        clock.advance(timedelta(minutes=1))
        with monkeypatch.context() as patch:
            patch.setattr(type(state), "delivered", lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                gateway.due_deliveries(lease_for=timedelta(minutes=1), limit=100)
        clock.advance(timedelta(minutes=1))
        gateway.due_deliveries(lease_for=timedelta(minutes=1), limit=100)
        balance = gateway.balance("EUR")
        assert balance.available + balance.pending == 11905

    def test_money_of_a_failed_refund_is_ours_again_and_can_go_back_again(self, gateway, clock):
        contract = PaymentGatewayContract()
        payment = contract.paid(gateway, method="pm_card_refundFail")
        contract.refund(gateway, payment.id, 12112)
        clock.advance(timedelta(minutes=1))
        gateway.due_deliveries(lease_for=timedelta(minutes=1), limit=100)
        balance = gateway.balance("EUR")
        assert balance.available + balance.pending == 11905
        assert contract.refund(gateway, payment.id, 12112, 2).status is RefundStatus.SUCCEEDED

    def test_signs_its_events_so_that_it_knows_them_again(self, gateway, clock):
        PaymentGatewayContract().paid(gateway)
        deliveries = gateway.due_deliveries(lease_for=timedelta(minutes=1), limit=100)
        events = [
            gateway.parse_webhook(d.body, d.headers, source=WebhookSource.PLATFORM, now=clock.now()) for d in deliveries
        ]
        assert [event.type for event in events] == [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "charge.updated",
        ]
        assert {(event.order_id, event.livemode) for event in events} == {(7, False)}
        assert len({event.intent_id for event in events}) == 1

    def test_delivers_an_event_until_it_is_taken(self, gateway, clock):
        PaymentGatewayContract().created(gateway)
        (first,) = gateway.due_deliveries(lease_for=timedelta(minutes=1), limit=100)
        assert gateway.due_deliveries(lease_for=timedelta(minutes=1), limit=100) == []
        gateway.refused(first)
        assert gateway.due_deliveries(lease_for=timedelta(minutes=1), limit=100) == []
        clock.advance(timedelta(minutes=1))
        (again,) = gateway.due_deliveries(lease_for=timedelta(minutes=1), limit=100)
        assert (again.event_id, again.body, again.attempts) == (first.event_id, first.body, 2)
        clock.advance(timedelta(minutes=1))
        (taken,) = gateway.due_deliveries(lease_for=timedelta(minutes=1), limit=100)
        gateway.delivered(taken)
        clock.advance(timedelta(days=1))
        assert gateway.due_deliveries(lease_for=timedelta(minutes=1), limit=100) == []

    def test_events_of_a_change_that_failed_are_never_sent(self, state, clock):
        def fail() -> None:
            with state.begin() as transaction:
                transaction.put({"id": "pi_1"}, kind="payment_intent", parent="7", at=clock.now())
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        with state.begin() as transaction:
            assert transaction.get("pi_1") is None
