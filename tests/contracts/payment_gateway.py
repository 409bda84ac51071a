"""What every payment gateway promises of payments. Subclasses provide ``gateway``, ``clock`` and ``unit_of_work``."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

import pytest

from marketplace.application.ports.payment_gateway import (
    ActionRequired,
    AlreadyInState,
    InvalidRequest,
    KeyReused,
    PaymentDeclined,
    ProviderObjectUnknown,
    UnknownPaymentMethod,
)
from marketplace.domain.payments.payment import PaymentStatus
from marketplace.domain.shared.ids import OrderId
from tests.contracts.provider_control import BACK, GatewayScenes


class PaymentGatewayContract(GatewayScenes):
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
