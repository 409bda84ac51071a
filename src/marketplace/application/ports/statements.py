"""Statements: what the ledger holds on one seller's accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from marketplace.domain.shared.ids import AccountId
from marketplace.domain.statements import Month, Move


@dataclass(frozen=True, kw_only=True, slots=True)
class MonthChange:
    """``change`` is what the journals of a month add to the seller's balance, in minor units."""

    month: Month
    change: int
    journals: int


class StatementQueries(Protocol):
    def opening(self, seller_id: AccountId, *, currency: str, at: datetime) -> Mapping[str, int]:
        """What stood on each of the seller's accounts before that instant, debit positive; one that is missing: 0."""
        ...

    def moves(
        self, seller_id: AccountId, *, currency: str, since: datetime, until: datetime, limit: int
    ) -> Sequence[Move]:
        """Journals that touch the seller's accounts, from ``since`` on and before ``until``, the first fact first."""
        ...

    def months(self, seller_id: AccountId, *, currency: str) -> Sequence[MonthChange]:
        """The months in which anything moved, the first one first."""
        ...
