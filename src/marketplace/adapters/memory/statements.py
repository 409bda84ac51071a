"""What the ledger in memory holds on one seller's accounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.statements import MonthChange, StatementQueries
from marketplace.domain.ledger import Journal, JournalKind, Line, accounts_of
from marketplace.domain.shared.ids import AccountId, RefundId
from marketplace.domain.statements import Agreed, Month, Move


class InMemoryStatementQueries(StatementQueries):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def opening(self, seller_id: AccountId, *, currency: str, at: datetime) -> Mapping[str, int]:
        balances: dict[str, int] = defaultdict(int)
        for journal, lines in self._theirs(seller_id, currency):
            if journal.occurred_at < at:
                for line in lines:
                    balances[line.account] += line.amount
        return dict(balances)

    def moves(
        self, seller_id: AccountId, *, currency: str, since: datetime, until: datetime, limit: int
    ) -> Sequence[Move]:
        found = [
            (journal, lines)
            for journal, lines in self._theirs(seller_id, currency)
            if since <= journal.occurred_at < until
        ]
        found.sort(key=lambda each: (each[0].occurred_at, each[0].id or 0))
        return [self._move(seller_id, journal, lines) for journal, lines in found[:limit]]

    def months(self, seller_id: AccountId, *, currency: str) -> Sequence[MonthChange]:
        changes: dict[Month, list[int]] = defaultdict(list)
        for journal, lines in self._theirs(seller_id, currency):
            changes[Month.of(journal.occurred_at)].append(-sum(line.amount for line in lines))
        return [
            MonthChange(month=month, change=sum(changes[month]), journals=len(changes[month]))
            for month in sorted(changes)
        ]

    def _theirs(self, seller_id: AccountId, currency: str) -> Iterator[tuple[Journal, tuple[Line, ...]]]:
        accounts = accounts_of(seller_id)
        with self._store.lock:
            journals: list[Journal] = list(self._store.table("journals").values())
        for journal in journals:
            lines = tuple(line for line in journal.lines if line.account in accounts)
            if lines and journal.currency == currency:
                yield journal, lines

    def _move(self, seller_id: AccountId, journal: Journal, lines: tuple[Line, ...]) -> Move:
        with self._store.lock:
            order = self._store.table("orders").get(journal.order_id)
            sale = next((s for s in order.sales if s.seller_id == seller_id), None) if order is not None else None
            agreed = None
            if journal.kind is JournalKind.PAYMENT_CAPTURED and sale is not None:
                agreed = Agreed(items=sale.base, commission=sale.commission, seller_fees=sale.seller_fees)
            elif journal.kind is JournalKind.REFUND_DECIDED:
                agreed = self._given_back(seller_id, journal)
        return Move(
            kind=journal.kind,
            source_key=journal.source_key,
            at=journal.occurred_at,
            lines=lines,
            reference="" if sale is None else sale.reference,
            agreed=agreed,
        )

    def _given_back(self, seller_id: AccountId, journal: Journal) -> Agreed | None:
        refund = self._store.table("refunds").get(RefundId(int(journal.source_key.partition(":")[2])))
        parts = [part.components for part in refund.parts if part.seller_id == seller_id] if refund is not None else []
        if not parts:
            return None
        return Agreed(
            items=sum(part.items for part in parts),
            commission=sum(part.seller_commission for part in parts),
            seller_fees=sum(part.seller_fees for part in parts),
        )
