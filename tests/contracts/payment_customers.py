"""What every store of buyers at the payment provider promises."""

import pytest

from marketplace.domain.payment_customers import CustomerRequest, PaymentCustomer
from marketplace.domain.shared.errors import ConcurrencyConflict, Conflict
from tests.builders import NOW, store_account


def asked(account_id):
    request = CustomerRequest(account_id=account_id, email="misty@example.com", name="Misty Waters", language="fr")
    return PaymentCustomer.ask(request, provider="simulated", now=NOW)


def known(account_id, name):
    customer = asked(account_id)
    customer.made(name)
    return customer


class PaymentCustomerContract:
    """Subclasses provide the fixture ``unit_of_work``."""

    @pytest.fixture
    def add(self, unit_of_work):
        def add(customer):
            with unit_of_work() as uow:
                uow.payment_customers.add(customer)
                uow.commit()
            return customer

        return add

    @pytest.fixture
    def buyer(self, unit_of_work):
        return store_account(unit_of_work)

    def test_gives_back_what_was_asked_for_until_it_is_known(self, unit_of_work, add, buyer):
        customer = add(asked(buyer))
        with unit_of_work() as uow:
            assert uow.payment_customers.find(buyer) == customer
            customer.made("cus_1")
            customer.begin_setup()
            uow.payment_customers.save(customer)
            uow.commit()
        with unit_of_work() as uow:
            assert uow.payment_customers.find_for_update(buyer) == customer
            assert uow.payment_customers.find_by_provider("cus_1") == customer
            assert uow.payment_customers.find_by_provider("cus_2") is None
        assert (customer.request, customer.setup_key) == (None, f"si:{buyer}:1:1")

    def test_knows_who_has_none_and_forgets(self, unit_of_work, add, buyer):
        with unit_of_work() as uow:
            assert uow.payment_customers.find(buyer) is None
            assert uow.payment_customers.find_for_update(buyer) is None
        add(known(buyer, "cus_1"))
        for _ in range(2):
            with unit_of_work() as uow:
                uow.payment_customers.remove(buyer)
                uow.commit()
        with unit_of_work() as uow:
            assert uow.payment_customers.find(buyer) is None

    def test_lets_a_buyer_be_one_and_a_customer_one_buyer(self, unit_of_work, add, buyer):
        add(known(buyer, "cus_1"))
        with pytest.raises(Conflict):
            add(known(buyer, "cus_2"))
        with pytest.raises(Conflict):
            add(known(store_account(unit_of_work), "cus_1"))

    def test_refuses_a_stale_save(self, unit_of_work, add, buyer):
        add(known(buyer, "cus_1"))

        def save(customer):
            customer.begin_setup()
            with unit_of_work() as uow:
                uow.payment_customers.save(customer)
                uow.commit()

        with unit_of_work() as uow:
            first, second = uow.payment_customers.find(buyer), uow.payment_customers.find(buyer)
        save(first)
        with pytest.raises(ConcurrencyConflict):
            save(second)
