"""Buyers at the payment provider: keys that are the same while the words are, and others afterwards."""

from __future__ import annotations

import pytest

from marketplace.domain.payment_customers import CustomerRequest, PaymentCustomer
from marketplace.domain.shared.errors import Conflict
from marketplace.domain.shared.ids import AccountId
from tests.builders import NOW


def request(email: str = "misty@example.com") -> CustomerRequest:
    return CustomerRequest(account_id=AccountId(31), email=email, name="Misty Waters", language="fr")


@pytest.fixture
def customer() -> PaymentCustomer:
    return PaymentCustomer.ask(request(), provider="stripe", now=NOW)


def test_is_asked_for_with_one_key_until_it_is_known(customer):
    assert (customer.create_key, customer.is_at("stripe"), customer.is_asked_for_at("stripe")) == (
        "cus:31:1",
        False,
        True,
    )
    customer.made("cus_1")
    customer.made("cus_1")
    assert (customer.request, customer.is_at("stripe"), customer.is_at("simulated")) == (None, True, False)
    assert customer.is_asked_for_at("stripe")
    assert not customer.is_asked_for_at("simulated")
    with pytest.raises(Conflict):
        customer.made("cus_2")


def test_is_asked_for_anew_under_another_key_once_it_is_lost(customer):
    customer.made("cus_1")
    customer.begin_setup()
    customer.lose()
    assert (customer.provider_customer_id, customer.create_key) == (None, "cus:31:2")
    assert not customer.is_asked_for_at("stripe")
    customer.ask_anew(request("new@example.com"), provider="simulated")
    assert (customer.create_key, customer.provider, customer.is_asked_for_at("simulated")) == (
        "cus:31:3",
        "simulated",
        True,
    )
    customer.begin_setup()
    assert customer.setup_key == "si:31:3:1"


def test_asks_again_for_what_was_never_answered_and_no_more_for_what_was(customer):
    keys = []
    for answered in (False, True, True):
        customer.begin_setup()
        keys.append(customer.setup_key)
        if answered:
            customer.setup_answered(customer.setup_key)
    assert keys == ["si:31:1:1", "si:31:1:1", "si:31:1:2"]
    customer.begin_setup()
    customer.setup_answered("si:31:1:2")
    assert not customer.setup_is_answered


def test_does_not_show_who_it_is(customer):
    assert "misty" not in repr(customer)
    assert "Waters" not in repr(customer)
