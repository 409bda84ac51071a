"""Buyers at the payment provider, and the payment methods that they keep there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from marketplace.domain.payment_customers import CustomerRequest as CustomerRequest
from marketplace.domain.shared.ids import AccountId


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderCustomer:
    """``account_id`` is what we gave it to remember."""

    id: str
    account_id: AccountId | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CardSetup:
    """A payment method about to be saved: the client finishes it with ``client_secret``, which is never stored.

    ``customer_id`` is whose it will be, None once they were forgotten.
    """

    id: str
    customer_id: str | None
    status: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedCard:
    """``customer_id`` is whose it is, None once it is nobody's. ``brand`` and ``last4`` are empty but for cards."""

    id: str
    customer_id: str | None
    type: str
    brand: str = ""
    last4: str = ""
    expires_month: int | None = None
    expires_year: int | None = None


class CardGateway(Protocol):
    """Part of ``PaymentGateway``, and raises what every method of that one may."""

    def create_customer(self, request: CustomerRequest, *, key: str) -> ProviderCustomer:
        """Make a buyer known. The same ``key`` again gives the same customer."""
        ...

    def forget_customer(self, customer_id: str) -> None:
        """Delete a buyer with all that they saved. Done already is done."""
        ...

    def set_up_card(self, customer_id: str, *, key: str) -> CardSetup:
        """Begin to save a payment method. Raises ProviderObjectUnknown for a customer who was deleted."""
        ...

    def get_card_setup(self, setup_id: str) -> CardSetup:
        """Raises ProviderObjectUnknown."""
        ...

    def list_cards(self, customer_id: str) -> Sequence[SavedCard]:
        """At most a hundred, the newest first. Raises ProviderObjectUnknown for a customer who was deleted."""
        ...

    def get_card(self, card_id: str) -> SavedCard:
        """Raises ProviderObjectUnknown."""
        ...

    def remove_card(self, card_id: str, *, key: str) -> None:
        """Take it from its customer. Done already is done."""
        ...
