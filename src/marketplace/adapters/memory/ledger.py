"""The ledger in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from marketplace.adapters.memory.pages import paged
from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.ledger import (
    AccountBalance,
    EntryLine,
    Ledger,
    LedgerEntry,
    LedgerQueries,
)
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.ledger import Journal, JournalKind, accounts_of
from marketplace.domain.shared.ids import AccountId, JournalId, OrderId
from marketplace.domain.shared.money import Money


class InMemoryLedger(InMemoryRepository[Journal], Ledger):
    name = "journals"
    noun = "journal"

    def key(self, entity: Journal) -> Any:
        return entity.kind, entity.source_key

    def post(self, journal: Journal) -> bool:
        if self._find(self.key(journal)) is not None:
            return False
        self.add(replace(journal, id=JournalId(sum(1 for _ in self._scan()) + 1)))
        return True

    def posted(self, kind: JournalKind, source_key: str) -> bool:
        return self._find((kind, source_key)) is not None

    def balance_for_update(self, account: str, currency: str) -> int:
        booked = (journal.lines for journal in self._scan() if journal.currency == currency)
        return sum(line.amount for lines in booked for line in lines if line.account == account)

    def one_at_a_time(self, subject: str) -> None:
        """Units of work in memory follow one another anyway."""


class InMemoryLedgerQueries(LedgerQueries):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def entries(
        self,
        request: PageRequest,
        *,
        account: str | None = None,
        order_id: OrderId | None = None,
        kind: JournalKind | None = None,
    ) -> Page[LedgerEntry]:
        with self._store.lock:
            journals: list[Journal] = list(self._store.table("journals").values())
        return paged(
            [
                journal
                for journal in journals
                if (account is None or any(line.account == account for line in journal.lines))
                and (order_id is None or journal.order_id == order_id)
                and (kind is None or journal.kind == kind)
            ],
            key=lambda journal: (journal.occurred_at.isoformat(), journal.id),
            descending=True,
            request=request,
            view=_entry,
        )

    def balances_page(self, request: PageRequest, *, seller_id: AccountId | None = None) -> Page[AccountBalance]:
        return paged(
            self.balances(seller_id=seller_id),
            key=lambda entry: (entry.account, entry.balance.currency),
            descending=False,
            request=request,
            view=lambda entry: entry,
        )

    def balances(self, *, seller_id: AccountId | None = None) -> Sequence[AccountBalance]:
        wanted = None if seller_id is None else accounts_of(seller_id)
        totals: dict[tuple[str, str], int] = defaultdict(int)
        with self._store.lock:
            for journal in self._store.table("journals").values():
                for line in journal.lines:
                    if wanted is None or line.account in wanted:
                        totals[line.account, journal.currency] += line.amount
        return [
            AccountBalance(account=account, balance=Money(amount, currency))
            for (account, currency), amount in sorted(totals.items())
        ]


def _entry(journal: Journal) -> LedgerEntry:
    return LedgerEntry(
        id=JournalId(journal.id or 0),
        kind=journal.kind,
        source_key=journal.source_key,
        currency=journal.currency,
        occurred_at=journal.occurred_at,
        order_id=journal.order_id,
        lines=tuple(
            EntryLine(account=line.account, amount=Money(line.amount, journal.currency)) for line in journal.lines
        ),
    )
