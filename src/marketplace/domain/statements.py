"""Statements: what moved on a seller's accounts in one month, from the opening to the closing balance.

The balance is what the marketplace owes the seller: what is pending, kept back and payable, less what the seller owes.
Every entry is a journal of the ledger, or a part of one, so that the balances are those of the ledger's accounts.
Months begin at midnight UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

from marketplace.domain.ledger import JournalKind, Line, accounts_of
from marketplace.domain.shared.errors import Conflict, Invalid
from marketplace.domain.shared.ids import AccountId

MAX_MOVES = 20_000
"""Journals of one statement."""
MAX_PRINTED = 2_000
"""Entries of one that is printed."""
_MONTH = re.compile(r"(?P<year>20\d\d)-(?P<month>0[1-9]|1[0-2])", re.ASCII)


class StatementTooLong(Conflict):
    """More happened in a month than one statement holds; sales and payouts can be read page by page."""

    code = "statement_too_long"


class EntryKind(StrEnum):
    """What a line of a statement is."""

    SALE = "sale"
    COMMISSION = "commission"
    SELLER_FEES = "seller_fees"
    REFUND = "refund"
    COMMISSION_BACK = "commission_back"
    SELLER_FEES_BACK = "seller_fees_back"
    CHARGEBACK = "chargeback"
    PAYOUT = "payout"
    RECOVERY = "recovery"
    KEPT_FROM_PAYOUT = "kept_from_payout"
    DEBT_PAID = "debt_paid"
    WRITTEN_OFF = "written_off"
    OTHER = "other"


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of the years from 2000 to 2099, in UTC."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``2026-11``. Raises Invalid."""
        found = _MONTH.fullmatch(text)
        if found is None:
            raise Invalid(f"{text[:20]!r} is no month; write a year and a month, such as 2026-11.")
        return cls(int(found["year"]), int(found["month"]))

    @classmethod
    def of(cls, instant: datetime) -> Self:
        """The month in which it lies."""
        utc = instant.astimezone(UTC)
        return cls(utc.year, utc.month)

    @property
    def following(self) -> Month:
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def begins(self) -> datetime:
        """Its first instant."""
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def ends(self) -> datetime:
        """The first instant after it."""
        return self.following.begins

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreed:
    """What a sale was made of: minor units of items, commission and seller fees."""

    items: int
    commission: int
    seller_fees: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """A journal that touches a seller's accounts, with its lines on those; debit positive.

    ``agreed`` is what the sale of a payment was made of, or what a refund took back of it; None for all else.
    """

    kind: JournalKind
    source_key: str
    at: datetime
    lines: tuple[Line, ...]
    reference: str = ""
    agreed: Agreed | None = None

    @property
    def change(self) -> int:
        """What it adds to the balance, in minor units."""
        return -sum(line.amount for line in self.lines)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """``amount`` in minor units: positive in the seller's favour. ``reference`` is the sale's or the order's."""

    kind: EntryKind
    at: datetime
    amount: int
    reference: str
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """Amounts in minor units. ``standing`` is the closing balance by account; what the seller owes is negative.

    It was read at ``as_of``; ``is_final``: the month was over by then.
    """

    seller_id: AccountId
    seller_name: str
    seller_address: tuple[str, ...]
    issuer_name: str
    issuer_address: tuple[str, ...]
    language: str
    month: Month
    currency: str
    opening: int
    entries: tuple[Entry, ...]
    standing: Mapping[str, int]
    as_of: datetime
    is_final: bool

    @property
    def closing(self) -> int:
        """The balance at its end."""
        return self.opening + sum(entry.amount for entry in self.entries)

    def total(self, *kinds: EntryKind) -> int:
        """What the entries of these kinds add up to."""
        return sum(entry.amount for entry in self.entries if entry.kind in kinds)


STANDINGS = ("pending", "on_hold", "payable", "receivable")
"""Where a seller's money stands, in the order of ``ledger.accounts_of``."""

_SINGLE = {
    JournalKind.CHARGEBACK_LOST: EntryKind.CHARGEBACK,
    JournalKind.TRANSFER_CREATED: EntryKind.PAYOUT,
    JournalKind.TRANSFER_REVERSED: EntryKind.RECOVERY,
    JournalKind.SELLER_WRITEOFF: EntryKind.WRITTEN_OFF,
}
_PARTS = {
    JournalKind.PAYMENT_CAPTURED: (EntryKind.SALE, EntryKind.COMMISSION, EntryKind.SELLER_FEES),
    JournalKind.REFUND_DECIDED: (EntryKind.REFUND, EntryKind.COMMISSION_BACK, EntryKind.SELLER_FEES_BACK),
}


def entries_of(moves: Iterable[Move]) -> tuple[Entry, ...]:
    """What a seller reads of the journals: those that only move money between their own accounts are left out.

    Netting is told twice, as what was kept from a payout and as the debt that it paid.
    """
    return tuple(
        Entry(kind=kind, at=move.at, amount=amount, reference=move.reference, source=move.source_key)
        for move in moves
        for kind, amount in _told(move)
        if amount
    )


def _told(move: Move) -> Sequence[tuple[EntryKind, int]]:
    if move.kind is JournalKind.RECEIVABLE_NETTED:
        kept = sum(line.amount for line in move.lines if line.amount > 0)
        return (EntryKind.KEPT_FROM_PAYOUT, -kept), (EntryKind.DEBT_PAID, kept + move.change)
    if move.kind in _PARTS and move.agreed is not None:
        sign = 1 if move.kind is JournalKind.PAYMENT_CAPTURED else -1
        amounts = (sign * move.agreed.items, -sign * move.agreed.commission, -sign * move.agreed.seller_fees)
        if sum(amounts) == move.change:
            return tuple(zip(_PARTS[move.kind], amounts, strict=True))
    return ((_SINGLE.get(move.kind, EntryKind.OTHER), move.change),)


def standing_of(seller_id: AccountId, opening: Mapping[str, int], moves: Iterable[Move]) -> dict[str, int]:
    """The closing balance by account. ``opening`` holds the ledger's balances by account, debit positive."""
    balances = dict(opening)
    for move in moves:
        for line in move.lines:
            balances[line.account] = balances.get(line.account, 0) + line.amount
    return {name: -balances.get(account, 0) for name, account in zip(STANDINGS, accounts_of(seller_id), strict=True)}
