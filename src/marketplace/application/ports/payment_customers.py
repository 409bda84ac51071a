"""What buyers at the payment provider need of a store."""

from __future__ import annotations

from typing import Protocol

from marketplace.domain.payment_customers import PaymentCustomer
from marketplace.domain.shared.ids import AccountId


class PaymentCustomerRepository(Protocol):
    """Keyed by the buyer's account. In a unit of work it is locked after the account, and after a payment."""

    def add(self, customer: PaymentCustomer) -> None:
        """Raises Conflict when the buyer has one, at the latest on commit."""
        ...

    def find(self, account_id: AccountId) -> PaymentCustomer | None:
        """The buyer's; None until they have begun to save a payment method."""
        ...

    def find_for_update(self, account_id: AccountId) -> PaymentCustomer | None:
        """The same, locked until the unit ends."""
        ...

    def find_by_provider(self, provider_customer_id: str) -> PaymentCustomer | None:
        """By the provider's name for the buyer."""
        ...

    def save(self, customer: PaymentCustomer) -> None:
        """Raises ConcurrencyConflict if it changed since it was read, at the latest on commit."""
        ...

    def remove(self, account_id: AccountId) -> None:
        """Of somebody who left, once the provider has forgotten them."""
        ...
