"""Buyers at the payment provider: each is made known there once they save a payment method, and forgotten with us.

    asked for ──> known ──> (deleted there) ──> to be asked for anew, under another key
    (no name)

Which payment methods a buyer keeps there is not kept here: it is read when it is wanted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.errors import Conflict
from marketplace.domain.shared.ids import AccountId


@dataclass(frozen=True, kw_only=True, slots=True)
class CustomerRequest:
    """What makes a buyer known to the provider: sent again word for word, as its key demands, until it is done."""

    account_id: AccountId
    email: str = field(repr=False)
    name: str = field(repr=False)
    language: str


@dataclass(kw_only=True, slots=True)
class PaymentCustomer(Aggregate):
    """``provider_customer_id`` is the provider's name, None until it is known. ``request`` holds personal data, and is
    forgotten once it was answered. ``setups`` counts the payment methods that were begun to be saved."""

    account_id: AccountId
    provider: str
    request: CustomerRequest | None
    created_at: datetime
    attempt: int = 1
    provider_customer_id: str | None = None
    setups: int = 0
    setup_is_answered: bool = True

    @classmethod
    def ask(cls, request: CustomerRequest, *, provider: str, now: datetime) -> Self:
        """A buyer whom the provider has not heard of yet."""
        return cls(account_id=request.account_id, provider=provider, request=request, created_at=now)

    @property
    def create_key(self) -> str:
        return f"cus:{self.account_id}:{self.attempt}"

    @property
    def setup_key(self) -> str:
        return f"si:{self.account_id}:{self.attempt}:{self.setups}"

    def is_at(self, provider: str) -> bool:
        """Whether this provider knows them."""
        return self.provider == provider and self.provider_customer_id is not None

    def is_asked_for_at(self, provider: str) -> bool:
        """Whether there is a request to this provider, answered or not."""
        return self.provider == provider and (self.provider_customer_id is not None or self.request is not None)

    def ask_anew(self, request: CustomerRequest, *, provider: str) -> None:
        """Where there is nothing any more, or at another provider: other words, hence another key."""
        self.lose()
        self.provider = provider
        self.request = request

    def made(self, provider_customer_id: str) -> None:
        """Repeating it changes nothing. Raises Conflict for another customer than the one that it is already."""
        if self.provider_customer_id not in (None, provider_customer_id):
            raise Conflict(f"Buyer {self.account_id} is {self.provider_customer_id} at the payment provider already.")
        self.provider_customer_id = provider_customer_id
        self.request = None

    def lose(self) -> None:
        """The provider refused them, or knows them no more, nor what they saved: the next request is another one."""
        self.provider_customer_id = None
        self.request = None
        self.attempt += 1
        self.setups = 0
        self.setup_is_answered = True

    def begin_setup(self) -> None:
        """Count a payment method to be saved, before it is sent. One whose answer was lost is asked for again, under
        the same key: nobody has seen it."""
        if self.setup_is_answered:
            self.setups += 1
            self.setup_is_answered = False

    def setup_answered(self, key: str) -> None:
        """By the provider, with yes or no."""
        if key == self.setup_key:
            self.setup_is_answered = True
