"""Buyers at the payment provider, in PostgreSQL."""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa

from marketplace.adapters.postgres.repository import PostgresRepository
from marketplace.adapters.postgres.tables.payment_customers import payment_customers
from marketplace.application.ports.payment_customers import PaymentCustomerRepository
from marketplace.domain.payment_customers import CustomerRequest, PaymentCustomer
from marketplace.domain.shared.errors import Conflict
from marketplace.domain.shared.ids import AccountId

_columns = payment_customers.c


class PostgresPaymentCustomers(PostgresRepository[PaymentCustomer], PaymentCustomerRepository):
    table = payment_customers
    noun = "customer at the payment provider of account"
    key = "account_id"
    constraints: ClassVar = {
        "payment_customers_pkey": (Conflict, "This buyer is known to the payment provider already."),
        "one_buyer_a_payment_customer": (Conflict, "The provider's customer is another buyer already."),
    }

    def find(self, account_id: AccountId) -> PaymentCustomer | None:
        return self._first(_columns.account_id == account_id)

    def find_for_update(self, account_id: AccountId) -> PaymentCustomer | None:
        return self._first(_columns.account_id == account_id, lock=True)

    def find_by_provider(self, provider_customer_id: str) -> PaymentCustomer | None:
        return self._first(_columns.provider_customer_id == provider_customer_id)

    def remove(self, account_id: AccountId) -> None:
        self._execute(sa.delete(payment_customers).where(_columns.account_id == account_id))

    def to_row(self, entity: PaymentCustomer) -> dict[str, Any]:
        request = entity.request
        return {
            "account_id": entity.account_id,
            "provider": entity.provider,
            "attempt": entity.attempt,
            "request": request and {"email": request.email, "name": request.name, "language": request.language},
            "provider_customer_id": entity.provider_customer_id,
            "setups": entity.setups,
            "setup_is_answered": entity.setup_is_answered,
            "created_at": entity.created_at,
        }

    def from_row(self, row: Any) -> PaymentCustomer:
        return PaymentCustomer(
            account_id=row.account_id,
            provider=row.provider,
            attempt=row.attempt,
            request=row.request and CustomerRequest(account_id=row.account_id, **row.request),
            provider_customer_id=row.provider_customer_id,
            setups=row.setups,
            setup_is_answered=row.setup_is_answered,
            created_at=row.created_at,
            version=row.version,
        )
