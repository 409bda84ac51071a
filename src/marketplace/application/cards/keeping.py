"""The payment methods that a buyer has saved: read at the provider whenever they are wanted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.application.access import Actor
from marketplace.application.cards.customers import Customers
from marketplace.application.ports.payment_gateway import PaymentGateway, ProviderObjectUnknown
from marketplace.application.ports.saved_cards import SavedCard
from marketplace.domain.shared.errors import NotFound

_NAME = re.compile(r"[A-Za-z0-9_]{1,255}", re.ASCII)
"""What the provider could call something."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ListCards:
    """A buyer's own payment methods, the newest first."""

    gateway: PaymentGateway
    customers: Customers

    def __call__(self, *, actor: Actor) -> Sequence[SavedCard]:
        """A hundred at most. Raises Unavailable when there is no answer."""
        customer_id = self.customers.name_of(actor.account_id)
        if customer_id is None:
            return []
        try:
            return self.gateway.list_cards(customer_id)
        except ProviderObjectUnknown:
            self.customers.lose(actor.account_id, customer_id)
            return []


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoveCard:
    """Take a payment method from whoever saved it, for good."""

    gateway: PaymentGateway
    customers: Customers

    def __call__(self, *, actor: Actor, card_id: str) -> None:
        """Done already is done. Raises NotFound for another's, before anything is asked to be done, and Unavailable
        when there is no answer."""
        customer_id = self.customers.name_of(actor.account_id)
        if customer_id is None or not _NAME.fullmatch(card_id):
            raise _not_found(card_id)
        try:
            card = self.gateway.get_card(card_id)
        except ProviderObjectUnknown:
            raise _not_found(card_id) from None
        if card.customer_id is None:
            return
        if card.customer_id != customer_id:
            raise _not_found(card_id)
        # A payment method that was taken from somebody is nobody's for good, so that there is one such request for it.
        self.gateway.remove_card(card_id, key=f"pm-detach:{card_id}:1")


@dataclass(frozen=True, kw_only=True, slots=True)
class CardOwner:
    """In whose name a payment method pays."""

    gateway: PaymentGateway
    customers: Customers

    def __call__(self, *, actor: Actor, card_id: str) -> str | None:
        """The provider's name of the caller when they saved it; None for what nobody did, or what the provider will not
        know. Raises NotFound for another's, and Unavailable when there is no answer."""
        try:
            saved_by = self.gateway.get_card(card_id).customer_id
        except ProviderObjectUnknown:
            return None
        if saved_by is not None and saved_by != self.customers.name_of(actor.account_id):
            raise _not_found(card_id)
        return saved_by


def _not_found(card_id: str) -> NotFound:
    return NotFound(f"You have saved no payment method {card_id!r}.")
