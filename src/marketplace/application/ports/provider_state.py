"""The simulated payment provider's memory, and what it can do beyond the port of a real one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from marketplace.application.ports.payment_gateway import WebhookSource
from marketplace.domain.payout_accounts import AccountState
from marketplace.domain.shared.ids import AccountId
from marketplace.domain.shared.money import Money


@dataclass(frozen=True, kw_only=True, slots=True)
class RememberedAnswer:
    """What was answered to a key, and to which request: ``fingerprint`` tells whether the next one is the same."""

    fingerprint: str
    answer: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class OutgoingEvent:
    """An event on its way to a webhook. ``body`` is the very text that is signed. ``attempts`` counts this one."""

    id: str
    type: str
    body: str = field(repr=False)
    attempts: int = 0


OUR_BALANCE = ""
"""The account whose movements are on our own balance."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Movement:
    """Money on a balance: ``net`` minor units, counted as pending until ``available_at``."""

    id: str
    account: str
    currency: str
    net: int
    available_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Funds:
    """What there is on one balance in one currency, in minor units; either may be negative."""

    currency: str
    available: int
    pending: int


class ProviderTransaction(Protocol):
    """One change at the provider: all of it or nothing. Objects are JSON-ready, with ``id`` in them.

    Whoever locks several objects takes them in this order, so that nobody waits for one who waits for them: key,
    refund or dispute or transfer, payment, charge, account, payout, balance.
    """

    def answered(self, key: str) -> RememberedAnswer | None:
        """Locks the key until the transaction ends, so that two requests with one key follow one another."""
        ...

    def remember(self, key: str, answer: RememberedAnswer, *, at: datetime) -> None:
        """Answer this key so from now on. Call ``answered`` before, which locks the key."""
        ...

    def get(self, id: str) -> dict[str, Any] | None:
        """Locked until the transaction ends."""
        ...

    def read(self, id: str) -> dict[str, Any] | None:
        """As it was last committed, not locked: to look at, or for what never changes."""
        ...

    def latest(self, kind: str, *, limit: int) -> Sequence[dict[str, Any]]:
        """The newest first."""
        ...

    def move(self, movement: Movement) -> None:
        """Count a movement on a balance."""
        ...

    def funds(self, account: str, *, now: datetime, currency: str | None = None) -> Sequence[Funds]:
        """What there is on a balance, by currency; of one currency when that is named."""
        ...

    def lock_balance(self, account: str) -> None:
        """Until the transaction ends, so that what is there is spent once."""
        ...

    def put(self, object: Mapping[str, Any], *, kind: str, parent: str, at: datetime) -> None:
        """Add an object, or replace the one with its id."""
        ...

    def children(self, kind: str, parent: str) -> Sequence[dict[str, Any]]:
        """The oldest first."""
        ...

    def listing(self, kind: str, *, since: datetime, after: str | None, limit: int | None) -> Sequence[dict[str, Any]]:
        """Those made from ``since`` on, the oldest first, that come after the one called ``after``."""
        ...

    def emit(self, event: OutgoingEvent, *, at: datetime) -> None:
        """Send an event to the webhook, due at ``at``. Names of the provider's own reminders begin with simulated."""
        ...

    def told(self, *, since: datetime, after: str | None, limit: int) -> Sequence[OutgoingEvent]:
        """What was to tell from ``since`` on, delivered or not, the oldest first, after the event called ``after``."""
        ...


class ProviderState(Protocol):
    def begin(self) -> AbstractContextManager[ProviderTransaction]:
        """A transaction of the provider's own, committed at the end unless an exception leaves it."""
        ...

    def lease_events(self, *, now: datetime, lease_for: timedelta, limit: int) -> Sequence[OutgoingEvent]:
        """Events that are due and that nobody else is delivering, oldest first; this caller's until the lease ends."""
        ...

    def delivered(self, event_id: str, *, now: datetime) -> None:
        """The webhook took it: it is not sent again."""
        ...

    def refused(self, event_id: str, *, retry_at: datetime | None) -> None:
        """The webhook did not take it; None: it is given up."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Challenge:
    """A payment that waits for its buyer at the bank's page."""

    intent_id: str
    amount: Money
    description: str
    return_url: str


class SimulatedBank(Protocol):
    """The page at which a buyer confirms a payment in person, in development."""

    def challenge(self, intent_id: str) -> Challenge:
        """Raises NotFound, and Conflict when the payment does not wait for its buyer."""
        ...

    def answer(self, intent_id: str, *, succeed: bool) -> str:
        """The buyer's decision; gives the address to return to. Raises as ``challenge``."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class OnboardingForm:
    """A seller's account at the simulated provider, as its page shows it.

    ``return_url`` is where the seller goes on to, empty for whoever came without a link. ``expired`` tells that the
    link cannot be used any more; then ``refresh_url`` is where to ask for another.
    """

    account: str
    seller_id: AccountId
    state: AccountState
    return_url: str
    refresh_url: str
    expired: bool


class SimulatedOnboarding(Protocol):
    """The page at which a seller tells the provider about themselves, in development."""

    def onboarding(self, account: str, *, link: str | None) -> OnboardingForm:
        """Raises NotFound for an account, or a link to it, that does not exist."""
        ...

    def finish_onboarding(self, account: str, *, link: str | None, succeed: bool) -> OnboardingForm:
        """What the provider makes of it: it pays the seller from now on, or asks for more and does not.

        Uses the link up; an expired one changes nothing. Raises as ``onboarding``.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedDelivery:
    """An event as it goes to the webhook called ``source``. ``attempts`` counts this one."""

    event_id: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str]
    attempts: int
    source: WebhookSource = WebhookSource.PLATFORM


class SimulatedCourier(Protocol):
    """What brings the simulated provider's events to the webhook, as the real one does by HTTP."""

    def due_deliveries(self, *, lease_for: timedelta, limit: int) -> Sequence[SignedDelivery]:
        """Events that are due, signed anew; this caller's until the lease ends."""
        ...

    def delivered(self, delivery: SignedDelivery) -> None:
        """The webhook took it: it does not come again."""
        ...

    def refused(self, delivery: SignedDelivery) -> None:
        """The webhook did not take it: it comes again, later each time, and not for ever."""
        ...
