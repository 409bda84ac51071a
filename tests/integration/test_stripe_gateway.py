"""What Stripe is asked with, and what is made of its answers: payments, refunds and what goes wrong on the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from marketplace.adapters.stripe_gateway.gateway import StripeGateway
from marketplace.application.ports.payment_gateway import (
    InProgress,
    InvalidRequest,
    KeyReused,
    Misconfigured,
    OutcomeUnknown,
    RefundNotPossible,
    UnknownPaymentMethod,
)
from marketplace.application.ports.saved_cards import CustomerRequest
from marketplace.domain.payments.payment import PaymentStatus
from marketplace.domain.payments.refund import RefundStatus
from marketplace.domain.shared.ids import AccountId, OrderId, RefundId
from marketplace.domain.shared.money import Money
from tests.integration.stripe_calls import BACK, a_gateway, a_request, paid, sent
from tests.market import Market
from tests.stripe_stub import StripeStub, When


@pytest.fixture
def clock() -> Any:
    return Market.in_memory()[0].clock


@pytest.fixture
def stub(stripe_stub: StripeStub, clock: Any) -> Iterator[StripeStub]:
    stripe_stub.reset(now=clock.now)
    yield stripe_stub
    stripe_stub.check()


@pytest.fixture
def gateway(stub: StripeStub) -> StripeGateway:
    return a_gateway(stub)


def known(gateway: StripeGateway) -> str:
    """A buyer's name at the provider."""
    request = CustomerRequest(account_id=AccountId(4), email="ash@example.com", name="Ash", language="fr")
    return gateway.create_customer(request, key="cus:4:1").id


class TestPayments:
    def test_asks_for_a_payment_in_these_words(self, gateway, stub):
        gateway.create_payment(a_request(), key="pi:7:1")
        asked = sent(stub)
        assert "sepa_debit" in {value for name, value in asked.items() if name.startswith("excluded_payment_method")}
        assert {name: value for name, value in asked.items() if not name.startswith("excluded")} == {
            "amount": "12112",
            "automatic_payment_methods[enabled]": "true",
            "currency": "eur",
            "description": "Order",
            "metadata[order_id]": "7",
            "metadata[payment_id]": "8",
            "transfer_group": "order_7",
        }
        assert stub.keys() == ["pi:7:1"]

    def test_names_the_buyer_who_has_saved_a_card(self, gateway, stub):
        customer = known(gateway)
        assert (sent(stub)["metadata[account_id]"], sent(stub)["preferred_locales[0]"]) == ("4", "fr")
        gateway.create_payment(a_request(customer_id=customer), key="pi:7:1")
        assert sent(stub)["customer"] == customer
        with pytest.raises(InvalidRequest):
            gateway.create_payment(a_request(8, customer_id="cus_gone"), key="pi:8:1")

    def test_without_a_page_to_return_to_the_buyer_is_not_there(self, gateway, stub):
        intent = gateway.create_payment(a_request(), key="pi:7:1")
        gateway.confirm_payment(intent.id, payment_method="pm_card_visa", return_url=None, key="pi-confirm:7:1")
        assert sent(stub) == {
            "error_on_requires_action": "true",
            "off_session": "true",
            "payment_method": "pm_card_visa",
        }

    @pytest.mark.parametrize("method", ["", "pm/1", "pm_gone", "pm card visa"])
    def test_a_payment_method_that_cannot_be_one_is_unknown(self, gateway, method):
        intent = gateway.create_payment(a_request(), key="pi:7:1")
        with pytest.raises(UnknownPaymentMethod):
            gateway.confirm_payment(intent.id, payment_method=method, return_url=BACK, key="pi-confirm:7:1")

    def test_a_fault_of_ours_is_not_put_on_the_card(self, gateway, stub):
        intent = gateway.create_payment(a_request(), key="pi:7:1")
        card = stub.save_card(gateway.set_up_card(known(gateway), key="si:1:1").id)
        stub.world.get("payment_method", card)["customer"] = None
        stub.fault(path=".*/confirm", status=400, error={"type": "invalid_request_error", "code": "parameter_unknown"})
        with pytest.raises(InvalidRequest):
            gateway.confirm_payment(intent.id, payment_method=card, return_url=BACK, key="pi-confirm:7:1")

    def test_the_card_of_another_buyer_is_unknown(self, gateway, stub):
        card = stub.save_card(gateway.set_up_card(known(gateway), key="si:1:1").id)
        intent = gateway.create_payment(a_request(), key="pi:7:1")
        with pytest.raises(UnknownPaymentMethod):
            gateway.confirm_payment(intent.id, payment_method=card, return_url=BACK, key="pi-confirm:7:1")
        assert stub.world.get("payment_intent", intent.id)["status"] == "requires_payment_method"

    def test_a_slow_method_is_processing(self, gateway, stub):
        intent = gateway.create_payment(a_request(), key="pi:7:1")
        stub.process(intent.id)
        assert gateway.get_payment(intent.id).status is PaymentStatus.PROCESSING

    def test_a_status_of_next_year_is_no_answer(self, gateway, stub):
        intent = gateway.create_payment(a_request(), key="pi:7:1")
        stub.world.get("payment_intent", intent.id)["status"] = "hibernating"
        with pytest.raises(OutcomeUnknown, match="hibernating"):
            gateway.get_payment(intent.id)
        stub.server.unfit.clear()

    def test_the_fee_may_come_later_than_the_success(self, gateway, stub):
        stub.world.fees_come_late = True
        payment = gateway.get_payment(paid(gateway).id)
        assert (payment.status, payment.fee, payment.balance_transaction_id) == (PaymentStatus.SUCCEEDED, None, None)
        assert payment.charge_id is not None
        stub.book_fees()
        assert gateway.get_payment(payment.id).fee == 207

    def test_looks_through_all_pages_for_a_payment(self, gateway, stub, clock):
        began = clock.now()
        first = gateway.create_payment(a_request(1), key="pi:1:1")
        for order in range(2, 104):
            gateway.create_payment(a_request(order), key=f"pi:{order}:1")
        assert gateway.find_payment(OrderId(1), since=began) == first


class TestOutcomes:
    @pytest.mark.parametrize("when", list(When))
    def test_a_dropped_connection_is_made_good_with_the_same_key(self, gateway, stub, when):
        stub.drop("/v1/payment_intents", when=when)
        payment = gateway.create_payment(a_request(), key="pi:7:1")
        assert stub.keys() == ["pi:7:1", "pi:7:1"]
        assert len(list(stub.world.find("payment_intent"))) == 1
        assert payment.order_id == 7

    def test_silence_leaves_the_outcome_unknown_and_the_key_finds_it(self, gateway, stub):
        stub.drop("/v1/payment_intents", when=When.AFTER, times=4)
        with pytest.raises(OutcomeUnknown):
            gateway.create_payment(a_request(), key="pi:7:1")
        assert gateway.create_payment(a_request(), key="pi:7:1").order_id == 7
        assert len(list(stub.world.find("payment_intent"))) == 1

    @pytest.mark.parametrize("body", [b'{"id": ', b"[]", b'{"object": "payment_intent"}', b"\xff"])
    def test_an_answer_that_cannot_be_read_leaves_it_unknown(self, gateway, stub, body):
        stub.garble("/v1/payment_intents", body)
        with pytest.raises(OutcomeUnknown):
            gateway.create_payment(a_request(), key="pi:7:1")
        assert gateway.create_payment(a_request(), key="pi:7:1").order_id == 7

    def test_a_kept_error_stays_until_another_key(self, gateway, stub):
        stub.fail("/v1/payment_intents", kept=True)
        for _ in range(2):
            with pytest.raises(OutcomeUnknown):
                gateway.create_payment(a_request(), key="pi:7:1")
        assert gateway.create_payment(a_request(), key="pi:7:2").order_id == 7

    @pytest.mark.parametrize("locked", [False, True])
    def test_too_much_at_once_is_repeated(self, gateway, stub, locked):
        stub.limit("/v1/payment_intents", locked=locked, times=2)
        assert gateway.create_payment(a_request(), key="pi:7:1").order_id == 7
        assert stub.keys() == ["pi:7:1"] * 3

    def test_a_key_that_is_in_use_is_waited_for_and_then_left_to_others(self, gateway, stub):
        stub.fault(path="/v1/payment_intents", status=409, error={"code": "idempotency_key_in_use"}, times=4)
        with pytest.raises(InProgress):
            gateway.create_payment(a_request(), key="pi:7:1")

    def test_a_key_for_other_words_is_refused(self, gateway):
        gateway.create_payment(a_request(), key="pi:7:1")
        with pytest.raises(KeyReused):
            gateway.create_payment(a_request(description="Other"), key="pi:7:1")

    def test_a_wrong_key_to_the_provider_is_told_apart(self, stub):
        with pytest.raises(Misconfigured) as refused:
            a_gateway(stub, key="sk_test_other").balance("EUR")
        assert "sk_test" not in str(refused.value)


class TestRefunds:
    def test_asks_for_a_refund_in_these_words(self, gateway, stub):
        payment = paid(gateway)
        metadata = {"order_id": "7", "refund_id": "1"}
        refund = gateway.refund(
            payment.id, amount=Money(100, "EUR"), reason="requested_by_customer", metadata=metadata, key="re:1:1"
        )
        assert refund.status is RefundStatus.SUCCEEDED
        assert sent(stub) == {
            "amount": "100",
            "metadata[order_id]": "7",
            "metadata[refund_id]": "1",
            "payment_intent": payment.id,
            "reason": "requested_by_customer",
        }

    def test_follows_what_becomes_of_it(self, gateway, stub):
        payment = paid(gateway)
        refund = gateway.refund(
            payment.id, amount=Money(100, "EUR"), reason="duplicate", metadata={"refund_id": "1"}, key="re:1:1"
        )
        stub.ripen_refund(refund.id, "pending")
        assert gateway.find_refund(payment.id, RefundId(1)).status is RefundStatus.PENDING
        stub.ripen_refund(refund.id, "failed", reason="lost_or_stolen_card")
        failed = gateway.find_refund(payment.id, RefundId(1))
        assert (failed.status, failed.failure_reason) == (RefundStatus.FAILED, "lost_or_stolen_card")
        stub.world.get("refund", refund.id).update(status="canceled", failure_reason=None)
        canceled = gateway.find_refund(payment.id, RefundId(1))
        assert (canceled.status, canceled.failure_reason) == (RefundStatus.FAILED, "canceled")

    def test_what_the_bank_has_taken_back_is_not_given_back_again(self, gateway, stub):
        payment = paid(gateway)
        stub.open_dispute(payment.charge_id)
        with pytest.raises(RefundNotPossible):
            gateway.refund(payment.id, amount=Money(1, "EUR"), reason="duplicate", metadata={}, key="re:1:1")

    def test_a_fault_of_ours_is_no_refusal(self, gateway, stub):
        payment = paid(gateway)
        with pytest.raises(InvalidRequest):
            gateway.refund(payment.id, amount=Money(1, "EUR"), reason="a whim", metadata={}, key="re:1:1")
        stub.fault(path="/v1/refunds", status=400, error={"type": "invalid_request_error", "code": "parameter_unknown"})
        with pytest.raises(InvalidRequest):
            gateway.refund(payment.id, amount=Money(1, "EUR"), reason="duplicate", metadata={}, key="re:1:1")
