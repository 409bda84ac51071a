"""What the provider tells of buyers and what they save there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.application.cards.customers import Customers
from marketplace.application.ports.payment_gateway import PaymentGateway, ProviderEvent, ProviderObjectUnknown
from marketplace.application.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, kw_only=True, slots=True)
class CardCheck:
    """Forget a customer whom the provider has deleted.

    Of payment methods nothing is kept here that could be out of date: what is told of them was never needed.
    """

    unit_of_work: Callable[[], UnitOfWork]
    gateway: PaymentGateway
    customers: Customers

    def __call__(self, event: ProviderEvent) -> bool:
        """Always true: whom we do not know (any more) needs nothing. Raises Unavailable when there is no answer."""
        if event.type == "customer.deleted":
            self._look(event.object_id)
        return True

    def _look(self, provider_customer_id: str) -> None:
        with self.unit_of_work() as uow:
            customer = uow.payment_customers.find_by_provider(provider_customer_id)
        if customer is None or not customer.is_at(self.gateway.name):
            return
        try:
            self.gateway.list_cards(provider_customer_id)
        except ProviderObjectUnknown:
            self.customers.lose(customer.account_id, provider_customer_id)
