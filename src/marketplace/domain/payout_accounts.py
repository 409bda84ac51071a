"""A seller's account at the payment provider: asked for once, and only ever what the provider said of it last.

    asked for ──> made (inactive or pending) <──> active
    (no name)

The marketplace may pay a seller while the capability ``transfers`` is active. What the provider tells is read as a
whole and put in the place of what was known, so that it does not matter why, how often or in which order it is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.errors import Conflict, Invalid
from marketplace.domain.shared.events import Event
from marketplace.domain.shared.ids import AccountId

_EEA = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
COUNTRIES = frozenset(f"{_EEA} CA CH GB US".split())
"""Where the provider lets a platform of the same group pay sellers (EEA, United Kingdom, Switzerland, US, Canada)."""
READ_AGAIN_AFTER = timedelta(hours=1)
"""While something is missing. The provider's events come sooner; this finds what they did not tell."""
TRUST_FOR = timedelta(days=1)
"""The same while nothing is missing."""
RETRY_LONGEST = timedelta(hours=6)


class Transfers(StrEnum):
    """The capability that lets the marketplace pay the seller."""

    INACTIVE = "inactive"
    PENDING = "pending"
    ACTIVE = "active"


class EntityType(StrEnum):
    INDIVIDUAL = "individual"
    COMPANY = "company"


class PayoutAccountBusy(Conflict):
    code = "payout_account_busy"


@dataclass(frozen=True, kw_only=True, slots=True)
class SellerBankFailed(Event):
    """What the seller has at the provider does not go on to their bank any more; we can pay them all the same."""

    account_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountRequest:
    """What creates an account: sent again word for word, as its key demands, until it is made.

    ``country`` is ISO 3166-1 alpha-2, None for the platform's own. Raises Invalid where nobody can be paid.
    """

    seller_id: AccountId
    email: str = field(repr=False)
    display_name: str
    entity_type: EntityType
    country: str | None

    def __post_init__(self) -> None:
        if self.country is not None and self.country not in COUNTRIES:
            message = f"Sellers in {self.country} cannot be paid; the countries are: {', '.join(sorted(COUNTRIES))}."
            raise Invalid(f"country: {message}", errors={"country": [message]})


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountState:
    """What the provider says of an account. ``requirements_due`` are its names for what it wants to be told."""

    transfers: Transfers = Transfers.INACTIVE
    payouts_enabled: bool = False
    requirements_due: tuple[str, ...] = ()
    disabled_reason: str = ""


CLOSED = AccountState(disabled_reason="closed")
"""Of an account that the provider does not know any more, or takes no orders of ours for."""


@dataclass(kw_only=True, slots=True)
class PayoutAccount(Aggregate):
    """``provider_account_id`` is the provider's name, None until it is made. ``request`` is forgotten once it is made,
    since it holds personal data."""

    account_id: AccountId
    provider: str
    request: AccountRequest | None
    created_at: datetime
    attempt: int = 1
    provider_account_id: str | None = None
    state: AccountState = AccountState()
    failures: int = 0
    checked_at: datetime | None = None
    next_check_at: datetime | None = None
    locked_until: datetime | None = None

    @classmethod
    def ask(cls, request: AccountRequest, *, provider: str, now: datetime) -> Self:
        """An account that the provider has not heard of yet."""
        return cls(account_id=request.seller_id, provider=provider, request=request, created_at=now)

    @property
    def create_key(self) -> str:
        return f"acct:{self.account_id}:{self.attempt}"

    @property
    def is_ready(self) -> bool:
        return self.state.transfers is Transfers.ACTIVE

    def ask_anew(self, request: AccountRequest) -> None:
        """After a definite refusal: other words, hence another key. Raises Conflict once it is made."""
        if self.provider_account_id is not None:
            raise Conflict("This seller has an account at the payment provider already.")
        self.request = replace(request, seller_id=self.account_id)
        self.attempt += 1

    def made(self, provider_account_id: str, *, now: datetime) -> None:
        """Repeating it changes nothing. Raises Conflict for another account than the one that it is already."""
        if self.provider_account_id not in (None, provider_account_id):
            raise Conflict(f"Seller {self.account_id} has the account {self.provider_account_id} already.")
        if self.provider_account_id is None:
            self.provider_account_id = provider_account_id
            self.request = None
            self.next_check_at = now + READ_AGAIN_AFTER

    def lease(self, *, now: datetime, until: datetime) -> None:
        """Raises PayoutAccountBusy while somebody else's lease stands."""
        if self.locked_until is not None and now < self.locked_until:
            raise PayoutAccountBusy("This seller's account is being read; try again in a moment.")
        self.locked_until = until

    def read(self, state: AccountState, *, now: datetime) -> None:
        """What the provider says now, in place of what it said before; the lease is over."""
        # Whom we cannot pay at all is told of that instead.
        if self.state.payouts_enabled and not state.payouts_enabled and state.transfers is Transfers.ACTIVE:
            self.events.append(SellerBankFailed(occurred_at=now, account_id=self.account_id))
        self.state = state
        self.failures = 0
        self.checked_at = now
        self.locked_until = None
        self.next_check_at = now + (TRUST_FOR if self.is_ready else READ_AGAIN_AFTER)

    def look_again(self, *, now: datetime) -> None:
        """Something has shown that it may not be as it was read last: it is read soon."""
        self.next_check_at = now

    def failed_to_reach(self, *, now: datetime) -> None:
        """What was said last stands until the provider answers again."""
        self.failures += 1
        self.locked_until = None
        self.next_check_at = now + min(timedelta(minutes=1) * (1 << min(self.failures, 10)), RETRY_LONGEST)
