"""Buyers at the payment provider, in memory."""

from __future__ import annotations

from collections.abc import Collection

from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.application.ports.payment_customers import PaymentCustomerRepository
from marketplace.domain.payment_customers import PaymentCustomer
from marketplace.domain.shared.errors import Conflict
from marketplace.domain.shared.ids import AccountId


class InMemoryPaymentCustomers(InMemoryRepository[PaymentCustomer], PaymentCustomerRepository):
    name = "payment_customers"
    noun = "customer at the payment provider of account"

    def key(self, entity: PaymentCustomer) -> AccountId:
        return entity.account_id

    def check_constraints(self, entities: Collection[PaymentCustomer]) -> None:
        named = [entity.provider_customer_id for entity in entities if entity.provider_customer_id is not None]
        if len(set(named)) < len(named):
            raise Conflict("The provider's customer is another buyer already.")

    def find(self, account_id: AccountId) -> PaymentCustomer | None:
        return self._first(lambda customer: customer.account_id == account_id)

    def find_for_update(self, account_id: AccountId) -> PaymentCustomer | None:
        return self.find(account_id)

    def find_by_provider(self, provider_customer_id: str) -> PaymentCustomer | None:
        return self._first(lambda customer: customer.provider_customer_id == provider_customer_id)
