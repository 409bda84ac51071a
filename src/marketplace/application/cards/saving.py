"""Saving a payment method: the buyer's client gives it to the provider itself, with a secret that we only pass on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.application.access import Actor, require_verified_email
from marketplace.application.cards.customers import BuyerRefused, Customers
from marketplace.application.ports.payment_gateway import (
    InvalidRequest,
    KeyReused,
    OutcomeUnknown,
    PaymentGateway,
    ProviderObjectUnknown,
)
from marketplace.application.ports.saved_cards import CardSetup
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.shared.errors import Unavailable
from marketplace.domain.shared.ids import AccountId

OPEN = frozenset(["requires_payment_method", "requires_confirmation", "requires_action"])
"""While the buyer's client can go on with it, in the provider's words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BeginCardSetup:
    """Begin to save a payment method, in the name of a buyer who is made known to the provider first."""

    unit_of_work: Callable[[], UnitOfWork]
    gateway: PaymentGateway
    customers: Customers

    def __call__(self, *, actor: Actor) -> CardSetup:
        """Raises Forbidden until the e-mail address is verified, so that nobody tries stolen cards out with accounts
        made for it; BuyerRefused; and Unavailable when there is no answer."""
        require_verified_email(actor)
        customer_id = self.customers.known(actor.account_id)
        try:
            return self._begun(actor.account_id, customer_id)
        except ProviderObjectUnknown:
            # Deleted there, with all that was saved. Nothing of that comes back; the buyer begins anew.
            self.customers.lose(actor.account_id, customer_id)
        try:
            return self._begun(actor.account_id, self.customers.known(actor.account_id))
        except ProviderObjectUnknown as error:
            raise BuyerRefused("The payment provider does not know a buyer whom it has just been told of.") from error

    def _begun(self, account_id: AccountId, customer_id: str) -> CardSetup:
        key, is_repeated = self._key(account_id, customer_id)
        try:
            setup = self.gateway.set_up_card(customer_id, key=key)
        except OutcomeUnknown:
            # A provider that answers a key with an error does so for a day. One that nobody can finish does no harm.
            if is_repeated:
                self._answered(account_id, key)
            raise
        except (InvalidRequest, KeyReused) as error:
            self._answered(account_id, key)
            self.customers.alarm(account_id, error)
            raise BuyerRefused(
                "Payment methods cannot be saved at the moment; the marketplace has been told."
            ) from error
        self._answered(account_id, key)
        return setup

    def _key(self, account_id: AccountId, customer_id: str) -> tuple[str, bool]:
        """Stored before it is sent; and whether it was sent before."""
        with self.unit_of_work() as uow:
            customer = uow.payment_customers.find_for_update(account_id)
            if customer is None or customer.provider_customer_id != customer_id:
                raise BuyerRefused("This account changed meanwhile; try again.")
            is_repeated = not customer.setup_is_answered
            customer.begin_setup()
            uow.payment_customers.save(customer)
            uow.commit()
            return customer.setup_key, is_repeated

    def _answered(self, account_id: AccountId, key: str) -> None:
        with self.unit_of_work() as uow:
            customer = uow.payment_customers.find_for_update(account_id)
            if customer is not None:
                customer.setup_answered(key)
                uow.payment_customers.save(customer)
                uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadSetupSecret:
    """The secret that lets a buyer, and nobody else, finish what they began to save. It is never stored, only read."""

    gateway: PaymentGateway
    customers: Customers

    def __call__(self, *, actor: Actor, setup_id: str) -> str | None:
        """None when it is over, or somebody else's, or when the provider is silent."""
        customer_id = self.customers.name_of(actor.account_id)
        try:
            setup = self.gateway.get_card_setup(setup_id)
        except (Unavailable, ProviderObjectUnknown):
            return None
        is_own = customer_id is not None and setup.customer_id == customer_id
        return setup.client_secret if is_own and setup.status in OPEN else None
