"""Statements: a seller's month, read from the ledger."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from marketplace.application.documents.parties import Sellers
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.application.ports.statements import StatementQueries
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.documents import Issuer
from marketplace.domain.shared.ids import AccountId
from marketplace.domain.shared.money import Money
from marketplace.domain.statements import (
    MAX_MOVES,
    Month,
    Statement,
    StatementTooLong,
    entries_of,
    standing_of,
)

CSV_COLUMNS = ("date", "entry", "reference", "amount", "balance", "currency", "source")
# What spreadsheets take for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class MonthSummary:
    """Balances in minor units of ``currency``. ``is_final``: the month is over."""

    month: Month
    opening: int
    closing: int
    currency: str
    is_final: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadStatements:
    """What a seller's account held and what moved on it, month by month. The caller has asked who may know."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    queries: StatementQueries
    sellers: Sellers
    issuer: Issuer
    currency: str

    def months(self, request: PageRequest, *, seller_id: AccountId) -> Page[MonthSummary]:
        """Every month in which anything moved, the last one first."""
        changes = self.queries.months(seller_id, currency=self.currency)
        closing = list(accumulate(each.change for each in changes))
        now = self.clock.now()
        summaries = [
            MonthSummary(
                month=each.month,
                opening=after - each.change,
                closing=after,
                currency=self.currency,
                is_final=each.month.ends <= now,
            )
            for each, after in zip(changes, closing, strict=True)
        ]
        return _page(summaries[::-1], request)

    def statement(self, month: Month, *, seller_id: AccountId) -> Statement:
        """One month, of nothing perhaps. Raises StatementTooLong, and NotFound when nobody has this account."""
        now, address = self.clock.now(), self.sellers.address(seller_id)
        with self.unit_of_work() as uow:
            seller = self.sellers.party(uow, seller_id, address)
        opening = self.queries.opening(seller_id, currency=self.currency, at=month.begins)
        moves = self.queries.moves(
            seller_id, currency=self.currency, since=month.begins, until=month.ends, limit=MAX_MOVES + 1
        )
        if len(moves) > MAX_MOVES:
            raise StatementTooLong(
                f"More than {MAX_MOVES} movements in {month} do not fit into one statement; "
                "read GET /api/v1/sellers/me/sales/ and /payouts/ page by page."
            )
        return Statement(
            seller_id=seller_id,
            seller_name=seller.party.name,
            seller_address=seller.party.address,
            issuer_name=self.issuer.party.name,
            issuer_address=self.issuer.party.address,
            language=seller.language,
            month=month,
            currency=self.currency,
            opening=-sum(opening.values()),
            entries=entries_of(moves),
            standing=standing_of(seller_id, opening, moves),
            as_of=now,
            is_final=month.ends <= now,
        )


def statement_csv(statement: Statement) -> str:
    """With a line for each balance at either end. No cell is taken for a formula."""
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)

    def write(date: str, entry: str, reference: str, amount: str, balance: int, source: str) -> None:
        shown = Money(balance, statement.currency).decimal
        # Amounts are numbers of ours: a minus in front of those is no formula.
        writer.writerow(
            [date, entry, safe_cell(reference), amount, shown, statement.currency, safe_cell(source)],
        )

    balance = statement.opening
    write(statement.month.begins.isoformat(), "opening_balance", "", "", balance, "")
    for entry in statement.entries:
        balance += entry.amount
        amount = Money(entry.amount, statement.currency).decimal
        write(entry.at.isoformat(), entry.kind.value, entry.reference, amount, balance, entry.source)
    write(statement.month.ends.isoformat(), "closing_balance", "", "", balance, "")
    return held.getvalue()


def safe_cell(text: str) -> str:
    """As text whatever it begins with: spreadsheets take some characters for the beginning of a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _page(summaries: Sequence[MonthSummary], request: PageRequest) -> Page[MonthSummary]:
    """There are a dozen a year, so that all of them are at hand."""
    keys = [str(summary.month) for summary in summaries]
    if request.after is not None:
        start = next((i for i, key in enumerate(keys) if key < request.after[0]), len(keys))
    elif request.before is not None:
        start = max(0, next((i for i, key in enumerate(keys) if key <= request.before[0]), len(keys)) - request.size)
    else:
        start = (request.number - 1) * request.size
    stop = start + request.size
    if request.before is not None:
        stop = next((i for i, key in enumerate(keys) if key <= request.before[0]), len(keys))
    shown = summaries[start:stop]
    return Page(
        items=shown,
        next=(keys[start + len(shown) - 1],) if shown and start + len(shown) < len(keys) else None,
        previous=(keys[start],) if shown and start > 0 else None,
        count=len(keys),
        count_is_exact=True,
    )
