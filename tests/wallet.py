"""The use cases of saved payment methods, put together for a ``Till``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.application.cards.customers import Customers, ForgetCustomer
from marketplace.application.cards.following import CardCheck
from marketplace.application.cards.keeping import CardOwner, ListCards, RemoveCard
from marketplace.application.cards.saving import BeginCardSetup, ReadSetupSecret
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.payment_gateway import PaymentGateway
from marketplace.application.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, kw_only=True)
class Wallet:
    customers: Customers
    begin_setup: BeginCardSetup
    read_secret: ReadSetupSecret
    list_cards: ListCards
    remove_card: RemoveCard
    owner: CardOwner
    check: CardCheck
    forget: ForgetCustomer

    @classmethod
    def of(cls, *, unit_of_work: Callable[[], UnitOfWork], gateway: PaymentGateway, clock: Clock) -> Wallet:
        customers = Customers(unit_of_work=unit_of_work, gateway=gateway, clock=clock)
        return cls(
            customers=customers,
            begin_setup=BeginCardSetup(unit_of_work=unit_of_work, gateway=gateway, customers=customers),
            read_secret=ReadSetupSecret(gateway=gateway, customers=customers),
            list_cards=ListCards(gateway=gateway, customers=customers),
            remove_card=RemoveCard(gateway=gateway, customers=customers),
            owner=CardOwner(gateway=gateway, customers=customers),
            check=CardCheck(unit_of_work=unit_of_work, gateway=gateway, customers=customers),
            forget=ForgetCustomer(unit_of_work=unit_of_work, gateway=gateway),
        )
