"""The parts by which buyers save payment methods at the provider, and are forgotten there."""

from __future__ import annotations

from dependency_injector import containers, providers

from marketplace.application.cards import following, keeping, saving
from marketplace.application.cards.customers import Customers, ForgetCustomer
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.payment_gateway import PaymentGateway


class Cards(containers.DeclarativeContainer):
    """``check`` and ``forget`` are the worker's, ``owner`` is asked before a payment, the rest are use cases."""

    backend = providers.DependenciesContainer()
    clock: providers.Dependency[Clock] = providers.Dependency()
    gateway: providers.Dependency[PaymentGateway] = providers.Dependency()

    unit_of_work = backend.unit_of_work.provider
    customers = providers.Singleton(Customers, unit_of_work=unit_of_work, gateway=gateway, clock=clock)
    begin_setup = providers.Singleton(
        saving.BeginCardSetup, unit_of_work=unit_of_work, gateway=gateway, customers=customers
    )
    read_setup_secret = providers.Singleton(saving.ReadSetupSecret, gateway=gateway, customers=customers)
    list_cards = providers.Singleton(keeping.ListCards, gateway=gateway, customers=customers)
    remove_card = providers.Singleton(keeping.RemoveCard, gateway=gateway, customers=customers)
    owner = providers.Singleton(keeping.CardOwner, gateway=gateway, customers=customers)
    check = providers.Singleton(following.CardCheck, unit_of_work=unit_of_work, gateway=gateway, customers=customers)
    forget = providers.Singleton(ForgetCustomer, unit_of_work=unit_of_work, gateway=gateway)
