"""The audit in memory keeps the audit's promises."""

from copy import copy
from functools import partial
from typing import Any

import pytest

from marketplace.adapters.memory.ledger_audit import InMemoryLedgerAudit
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from marketplace.domain.ledger import Line
from marketplace.domain.payments.refund import RefundStatus
from marketplace.domain.shared.money import Money
from tests.contracts.ledger_audit import LedgerAuditContract


class Tamper:
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def _set(self, entity: Any, fields: dict[str, Any]) -> None:
        for name, value in fields.items():
            setattr(entity, name, value)

    def _sales(self):
        return [sale for order in self._store.table("orders").values() for sale in order.sales]

    def order(self, id: int, **fields: Any) -> None:
        self._set(self._store.table("orders")[id], fields)

    def sale(self, id: int, **fields: Any) -> None:
        self._set(next(sale for sale in self._sales() if sale.id == id), fields)

    def line(self, id: int, **fields: Any) -> None:
        self._set(next(line for sale in self._sales() for line in sale.lines if line.id == id), fields)

    def listing(self, id: int, **fields: Any) -> None:
        self._set(self._store.table("listings")[id], fields)

    def refund(self, id: int, **fields: Any) -> None:
        if "amount" in fields:
            fields["amount"] = Money(fields["amount"], "EUR")
        if "status" in fields:
            fields["status"] = RefundStatus(fields["status"])
        self._set(self._store.table("refunds")[id], fields)

    def payout(self, id: int, **fields: Any) -> None:
        self._set(self._store.table("payouts")[id], fields)

    def _journal(self, source_key: str):
        return next(j for j in self._store.table("journals").values() if j.source_key == source_key)

    def remove_journal(self, source_key: str) -> None:
        journal = self._journal(source_key)
        del self._store.table("journals")[journal.kind, journal.source_key]

    def rebook(self, source_key: str, account: str, *, to: str | None = None, amount: int | None = None) -> None:
        journal = self._journal(source_key)
        lines = tuple(
            Line(to or account, line.amount if amount is None else amount) if line.account == account else line
            for line in journal.lines
        )
        changed = copy(journal)
        object.__setattr__(changed, "lines", lines)
        self._store.table("journals")[journal.kind, journal.source_key] = changed


@pytest.fixture
def store():
    return InMemoryStore()


@pytest.fixture
def unit_of_work(store):
    return partial(InMemoryUnitOfWork, store)


@pytest.fixture
def audit(store):
    return InMemoryLedgerAudit(store)


@pytest.fixture
def tamper(store):
    return Tamper(store)


class TestInMemoryLedgerAudit(LedgerAuditContract):
    pass
