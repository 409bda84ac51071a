"""What is held on a person, to be given to them or forgotten: whatever no other port of reading or writing covers.

A capability that keeps something new on a person extends the adapters of these two ports: what it keeps is in the
export, gone after an erasure, and, where money or goods are under way, a reason not to erase yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from marketplace.application.ports.pages import Page, PageRequest
from marketplace.application.ports.payments import RefundView
from marketplace.domain.identity.devices import Device
from marketplace.domain.identity.erasure import OpenMatter
from marketplace.domain.orders.status import Transition
from marketplace.domain.shared.ids import AccountId, OrderId, SessionId


@dataclass(frozen=True, kw_only=True, slots=True)
class Traces:
    """The words by which a person is known, to be found in texts.

    ``names`` are theirs alone, so that they are found wherever somebody else was answered with them: user name, e-mail
    addresses, telephone number, shop. ``words`` are all that is known of them, and may be anybody's: a city, a first
    name; they count only in what was written about this person. ``address_hashes`` are the keyed
    digests under which password resets of their e-mail addresses are kept, whoever asked for them.
    """

    names: frozenset[str] = field(default=frozenset(), repr=False)
    words: frozenset[str] = field(default=frozenset(), repr=False)
    address_hashes: frozenset[str] = field(default=frozenset(), repr=False)


class PersonalData(Protocol):
    """``uow.personal_data``."""

    def shut(self, account_id: AccountId) -> None:
        """From now on until the unit ends nothing begins for this account: no order, no session, no listing.

        Waits for what has begun. What comes after an erasure is refused by the store.
        """
        ...

    def open_matters(self, account_id: AccountId) -> Sequence[OpenMatter]:
        """What keeps the account from being erased, by kind; ``SUBJECTS`` of each kind at most are named."""
        ...

    def forget(self, account_id: AccountId, *, traces: Traces, now: datetime) -> None:
        """Take everything of this person out of the store but their account and seller profile, which are saved.

        Orders, sales, payments, refunds, the ledger and the audit trail stay and are nobody's; listings are archived
        without what was written in them. Repeating it forgets what has come since.
        """
        ...


SUBJECTS = 10
"""How many references of one open matter are named."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptSession:
    """A device, signed in or not any more, without its tokens."""

    id: SessionId
    device: Device
    started_at: datetime
    last_used_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptCode:
    """That a code was asked for, never which."""

    purpose: str
    requested_at: datetime
    used_at: datetime | None


class PersonalDataQueries(Protocol):
    def sessions(self, account_id: AccountId, request: PageRequest) -> Page[KeptSession]:
        """Every session that is remembered, the oldest id first."""
        ...

    def codes(self, account_id: AccountId) -> Sequence[KeptCode]:
        """A handful: one a purpose, and one for each address at which a password reset was asked for."""
        ...

    def refunds(self, buyer_id: AccountId, request: PageRequest) -> Page[RefundView]:
        """Of the orders that this person bought, the oldest id first."""
        ...

    def history(self, buyer_id: AccountId, request: PageRequest) -> Page[tuple[OrderId, Transition]]:
        """Every move of the orders that this person bought, and of their sales, the oldest first."""
        ...
