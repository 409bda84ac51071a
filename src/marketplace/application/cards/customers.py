"""Buyers at the payment provider: made known once, made anew when they are gone there, forgotten when they leave us."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.application.cards.losing import lose_customer
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.payment_gateway import InvalidRequest, KeyReused, PaymentGateway
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity.accounts import Account
from marketplace.domain.payment_customers import CustomerRequest, PaymentCustomer
from marketplace.domain.shared.errors import NotFound, Unavailable
from marketplace.domain.shared.ids import AccountId
from marketplace.domain.shared.provider import ProviderAlarm


class BuyerRefused(Unavailable):
    """The payment provider does not take this buyer, by a fault of ours; operators were told."""

    code = "payment_methods_unavailable"


@dataclass(frozen=True, kw_only=True, slots=True)
class Customers:
    """Who a buyer is at the provider.

    All that a buyer is made known with is stored, with its key, before the first sending, and sent again word for word
    until the answer has arrived.
    """

    unit_of_work: Callable[[], UnitOfWork]
    gateway: PaymentGateway
    clock: Clock

    def name_of(self, account_id: AccountId) -> str | None:
        """The provider's name of a buyer, None while it knows none."""
        with self.unit_of_work() as uow:
            customer = uow.payment_customers.find(account_id)
        return customer.provider_customer_id if customer and customer.is_at(self.gateway.name) else None

    def known(self, account_id: AccountId) -> str:
        """The same, made known now if need be. Raises BuyerRefused, and Unavailable when there is no answer."""
        customer = self._asked_for(account_id)
        return customer.provider_customer_id or self._made(customer)

    def lose(self, account_id: AccountId, provider_customer_id: str) -> None:
        """The provider knows this customer no more: the buyer is made known anew when it is next needed."""
        with self.unit_of_work() as uow:
            lose_customer(uow, account_id, provider_customer_id)
            uow.commit()

    def alarm(self, account_id: AccountId, error: InvalidRequest | KeyReused) -> None:
        """Tell the operators of what the provider refused of a buyer's."""
        with self.unit_of_work() as uow:
            self._record_alarm(uow, account_id, error)
            uow.commit()

    def _asked_for(self, account_id: AccountId) -> PaymentCustomer:
        with self.unit_of_work() as uow:
            # Locked, so that of two requests at once one stores what the other then finds.
            owner = uow.accounts.get_for_update(account_id)
            if owner.erased_at is not None:
                raise NotFound("This account was erased.")
            customer = uow.payment_customers.find_for_update(account_id)
            if customer is None:
                customer = PaymentCustomer.ask(_request(owner), provider=self.gateway.name, now=self.clock.now())
                uow.payment_customers.add(customer)
                uow.commit()
            elif not customer.is_asked_for_at(self.gateway.name):
                customer.ask_anew(_request(owner), provider=self.gateway.name)
                uow.payment_customers.save(customer)
                uow.commit()
        return customer

    def _made(self, customer: PaymentCustomer) -> str:
        """The provider's name, made by this call or by an earlier one whose answer was lost."""
        assert customer.request is not None  # it is kept until it is answered
        try:
            made = self.gateway.create_customer(customer.request, key=customer.create_key)
        except (InvalidRequest, KeyReused) as error:
            self._forget_refused(customer, error)
            raise BuyerRefused(
                "Payment methods cannot be saved at the moment; the marketplace has been told."
            ) from error
        with self.unit_of_work() as uow:
            current = uow.payment_customers.find_for_update(customer.account_id)
            if current is not None and current.create_key == customer.create_key:
                current.made(made.id)
                uow.payment_customers.save(current)
                uow.commit()
                return made.id
        # They left meanwhile, or the provider was exchanged: nobody would come back for this one.
        self.gateway.forget_customer(made.id)
        raise BuyerRefused("This account changed meanwhile; try again.")

    def _forget_refused(self, customer: PaymentCustomer, error: InvalidRequest | KeyReused) -> None:
        """A definite no: the next request is made of what the account says then, under another key."""
        with self.unit_of_work() as uow:
            current = uow.payment_customers.find_for_update(customer.account_id)
            if current is not None and current.create_key == customer.create_key:
                current.lose()
                uow.payment_customers.save(current)
            self._record_alarm(uow, customer.account_id, error)
            uow.commit()

    def _record_alarm(self, uow: UnitOfWork, account_id: AccountId, error: InvalidRequest | KeyReused) -> None:
        subject, reason = f"payment methods of account {account_id}", f"{error.code}: {error}"
        uow.record(ProviderAlarm(occurred_at=self.clock.now(), subject=subject, reason=reason))


@dataclass(frozen=True, kw_only=True, slots=True)
class ForgetCustomer:
    """Let the provider forget whoever has left us, with all that they saved there."""

    unit_of_work: Callable[[], UnitOfWork]
    gateway: PaymentGateway

    def __call__(self, *, account_id: AccountId) -> None:
        """Repeating it changes nothing, nor does calling it for somebody who is there. Raises Unavailable when there is
        no answer: it has to be repeated then."""
        with self.unit_of_work() as uow:
            customer = uow.payment_customers.find(account_id)
            if customer is None or uow.accounts.get(account_id).erased_at is None:
                return
        name = self._name(customer)
        if name is not None:
            self.gateway.forget_customer(name)
        with self.unit_of_work() as uow:
            uow.payment_customers.remove(account_id)
            uow.commit()

    def _name(self, customer: PaymentCustomer) -> str | None:
        """Of one whose answer was lost, the provider tells the name again when it is asked again."""
        if customer.provider != self.gateway.name:
            return None
        if customer.request is None:
            return customer.provider_customer_id
        try:
            return self.gateway.create_customer(customer.request, key=customer.create_key).id
        except (InvalidRequest, KeyReused):
            return None


def _request(owner: Account) -> CustomerRequest:
    return CustomerRequest(
        account_id=owner.id,
        email=owner.email,
        name=f"{owner.first_name} {owner.last_name}".strip(),
        language=owner.language,
    )
