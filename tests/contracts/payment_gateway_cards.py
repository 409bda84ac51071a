"""What every payment gateway promises of buyers and the cards that they save. See ``provider_control``."""

from __future__ import annotations

from typing import Any

import pytest

from marketplace.application.ports.payment_gateway import (
    AlreadyInState,
    CustomerUnknown,
    InvalidRequest,
    KeyReused,
    ProviderObjectUnknown,
    UnknownPaymentMethod,
)
from marketplace.application.ports.saved_cards import CustomerRequest
from marketplace.domain.payments.payment import PaymentStatus
from marketplace.domain.shared.ids import AccountId
from tests.contracts.provider_control import BACK, GatewayScenes

# A provider may refuse the card, or the request that names it: both before anything is tried.
NOT_THEIR_CARD = (UnknownPaymentMethod, InvalidRequest)


def a_buyer(account_id: int = 31, **changes: Any) -> CustomerRequest:
    values: dict[str, Any] = {"email": "misty@example.com", "name": "Misty Waters", "language": "fr"}
    return CustomerRequest(account_id=AccountId(account_id), **{**values, **changes})


class CardGatewayContract(GatewayScenes):
    def known(self, gateway: Any, account_id: int = 31) -> str:
        customer: str = gateway.create_customer(a_buyer(account_id), key=f"cus:{account_id}:1").id
        return customer

    def saved(self, gateway: Any, control: Any, customer: str, method: str = "pm_card_visa", number: int = 1) -> str:
        setup = gateway.set_up_card(customer, key=f"si:{customer}:{number}")
        card: str = control.finish_setup(setup.id, method)
        return card

    def test_makes_a_buyer_known_once_for_a_key(self, gateway):
        customer = gateway.create_customer(a_buyer(), key="cus:31:1")
        assert customer.account_id == 31
        assert gateway.create_customer(a_buyer(), key="cus:31:1") == customer
        assert gateway.list_cards(customer.id) == []
        with pytest.raises(KeyReused):
            gateway.create_customer(a_buyer(email="other@example.com"), key="cus:31:1")

    def test_saves_a_card_that_the_buyer_gives_by_a_secret_of_their_own(self, gateway, control):
        customer = self.known(gateway)
        setup = gateway.set_up_card(customer, key="si:1:1")
        assert setup.status == "requires_payment_method"
        assert setup.client_secret
        assert setup.client_secret not in repr(setup)
        assert gateway.set_up_card(customer, key="si:1:1") == setup
        assert gateway.get_card_setup(setup.id) == setup
        assert setup.customer_id == customer
        card = gateway.get_card(control.finish_setup(setup.id, "pm_card_mastercard"))
        assert (card.customer_id, card.type, card.brand) == (customer, "card", "mastercard")
        assert len(card.last4) == 4
        assert gateway.list_cards(customer) == [card]
        assert gateway.get_card_setup(setup.id).status == "succeeded"

    def test_lists_each_buyers_own_cards_the_newest_first(self, gateway, control):
        customer, other = self.known(gateway), self.known(gateway, 32)
        first = self.saved(gateway, control, customer)
        second = self.saved(gateway, control, customer, "pm_card_mastercard", 2)
        self.saved(gateway, control, other)
        assert [card.id for card in gateway.list_cards(customer)] == [second, first]

    def test_pays_with_a_saved_card(self, gateway, control):
        customer = self.known(gateway)
        card = self.saved(gateway, control, customer)
        payment = self.paid(gateway, method=card, customer_id=customer)
        assert (payment.status, payment.amount_received) == (PaymentStatus.SUCCEEDED, 12112)
        assert self.paid(gateway, 8, method=card, customer_id=customer).status is PaymentStatus.SUCCEEDED

    def test_gives_a_payment_that_is_nobodys_the_buyer_who_has_saved_a_card_since(self, gateway, control):
        payment = self.created(gateway)
        assert payment.customer_id is None
        customer, other = self.known(gateway), self.known(gateway, 32)
        card = self.saved(gateway, control, customer)
        theirs = gateway.name_buyer(payment.id, customer, key="pi-customer:7:1")
        assert (theirs.id, theirs.customer_id) == (payment.id, customer)
        assert gateway.name_buyer(payment.id, customer, key="pi-customer:7:1") == theirs
        assert gateway.get_payment(payment.id).customer_id == customer
        with pytest.raises(InvalidRequest):
            gateway.name_buyer(payment.id, other, key="pi-customer:7:2")
        with pytest.raises(KeyReused):
            gateway.name_buyer(payment.id, other, key="pi-customer:7:1")
        paid = gateway.confirm_payment(payment.id, payment_method=card, return_url=BACK, key="pi-confirm:7:1")
        assert paid.status is PaymentStatus.SUCCEEDED
        with pytest.raises(AlreadyInState):
            gateway.name_buyer(payment.id, customer, key="pi-customer:7:3")

    def test_gives_a_payment_no_buyer_who_is_unknown(self, gateway):
        payment, customer = self.created(gateway), self.known(gateway)
        gateway.forget_customer(customer)
        with pytest.raises(CustomerUnknown):
            gateway.name_buyer(payment.id, customer, key="pi-customer:7:1")
        with pytest.raises(CustomerUnknown):
            gateway.name_buyer(payment.id, "cus_unknown", key="pi-customer:7:2")
        with pytest.raises(ProviderObjectUnknown):
            gateway.name_buyer("pi_unknown", self.known(gateway, 32), key="pi-customer:8:1")
        assert gateway.get_payment(payment.id).customer_id is None

    def test_makes_a_payment_in_the_name_of_its_buyer(self, gateway):
        customer = self.known(gateway)
        assert self.created(gateway, customer_id=customer).customer_id == customer

    def test_never_pays_with_somebody_elses_card(self, gateway, control):
        customer, other = self.known(gateway), self.known(gateway, 32)
        card = self.saved(gateway, control, customer)
        with pytest.raises(NOT_THEIR_CARD):
            self.paid(gateway, method=card, customer_id=other)
        with pytest.raises(NOT_THEIR_CARD):
            self.paid(gateway, 8, method=card)
        assert self.balance(gateway) == 0

    def test_a_card_that_was_removed_is_nobodys_and_pays_nothing(self, gateway, control):
        customer = self.known(gateway)
        card = self.saved(gateway, control, customer)
        gateway.remove_card(card, key="pm-detach:1:1")
        gateway.remove_card(card, key="pm-detach:1:1")
        gateway.remove_card(card, key="pm-detach:1:2")
        assert gateway.list_cards(customer) == []
        assert gateway.get_card(card).customer_id is None
        with pytest.raises(NOT_THEIR_CARD):
            self.paid(gateway, method=card, customer_id=customer)

    def test_a_buyer_who_was_forgotten_is_unknown_with_all_that_they_saved(self, gateway, control):
        customer = self.known(gateway)
        card = self.saved(gateway, control, customer)
        gateway.forget_customer(customer)
        gateway.forget_customer(customer)
        gateway.forget_customer("cus_unknown")
        for call in (
            lambda: gateway.list_cards(customer),
            lambda: gateway.set_up_card(customer, key="si:9:1"),
        ):
            with pytest.raises(ProviderObjectUnknown):
                call()
        with pytest.raises(CustomerUnknown):
            self.created(gateway, customer_id=customer)
        with pytest.raises(NOT_THEIR_CARD):
            self.paid(gateway, 8, method=card)

    def test_does_not_know_a_card_that_it_never_had(self, gateway):
        with pytest.raises(ProviderObjectUnknown):
            gateway.get_card("pm_unknown")
        with pytest.raises(ProviderObjectUnknown):
            gateway.get_card_setup("seti_unknown")
        gateway.remove_card("pm_unknown", key="pm-detach:9:1")

    def test_tells_of_cards_without_telling_whose_they_are(self, gateway, control, clock):
        customer = self.known(gateway)
        card = self.saved(gateway, control, customer)
        gateway.remove_card(card, key="pm-detach:1:1")
        gateway.forget_customer(customer)
        told = [
            gateway.parse_webhook(each.body, each.headers, source=each.source, now=clock.now())
            for each in control.told()
        ]
        assert {"setup_intent.succeeded", "payment_method.attached", "payment_method.detached", "customer.deleted"} <= {
            event.type for event in told
        }
        about = {event.object_id for event in told if event.type.startswith(("payment_method.", "customer.deleted"))}
        assert about == {card, customer}
        for event in told:
            assert "4242" not in str(event.payload)
            assert "_secret_" not in str(event.payload)
