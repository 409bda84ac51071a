"""A step of a transaction that its caller has open: a buyer whom the provider knows no more."""

from __future__ import annotations

from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.shared.ids import AccountId


def lose_customer(uow: UnitOfWork, account_id: AccountId, provider_customer_id: str | None) -> None:
    """In the caller's transaction. Nothing when the buyer has got another name since."""
    customer = uow.payment_customers.find_for_update(account_id)
    if customer is not None and customer.provider_customer_id == provider_customer_id is not None:
        customer.lose()
        uow.payment_customers.save(customer)
