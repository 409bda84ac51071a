"""The ledger in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.pages import paged
from marketplace.adapters.postgres.tables.ledger import journal_lines, journals
from marketplace.application.ports.ledger import (
    AccountBalance,
    EntryLine,
    Ledger,
    LedgerEntry,
    LedgerQueries,
)
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.ledger import Journal, JournalKind, UnbalancedJournal, accounts_of
from marketplace.domain.shared.ids import AccountId, OrderId
from marketplace.domain.shared.money import Money

if TYPE_CHECKING:
    from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork

# One round trip: it happens in the transaction that holds the payment's locks.
_POST = sa.text(
    """
    with posted as (
        insert into journals (kind, source_key, currency, occurred_at, order_id, line_count)
        values (:kind, :source_key, :currency, :occurred_at, :order_id, :line_count)
        on conflict on constraint one_journal_a_fact do nothing
        returning id
    )
    insert into journal_lines (journal_id, position, account, amount)
    select posted.id, line.position, line.account, line.amount
    from posted, unnest(cast(:accounts as text[]), cast(:amounts as bigint[]))
        with ordinality as line (account, amount, position)
    """
)


class PostgresLedger(Ledger):
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow
        uow.constraints["journal_balances"] = (UnbalancedJournal, "A journal does not add up to nothing.")

    def post(self, journal: Journal) -> bool:
        done = self._uow.execute(
            _POST,
            {
                "kind": journal.kind.value,
                "source_key": journal.source_key,
                "currency": journal.currency,
                "occurred_at": journal.occurred_at,
                "order_id": journal.order_id,
                "line_count": len(journal.lines),
                "accounts": [line.account for line in journal.lines],
                "amounts": [line.amount for line in journal.lines],
            },
        )
        return done.rowcount > 0

    def posted(self, kind: JournalKind, source_key: str) -> bool:
        found = sa.select(journals.c.id).where(journals.c.kind == kind.value, journals.c.source_key == source_key)
        return self._uow.execute(found).first() is not None

    def balance_for_update(self, account: str, currency: str) -> int:
        self.one_at_a_time(account)
        summed = (
            sa.select(sa.func.coalesce(sa.func.sum(journal_lines.c.amount), 0))
            .join(journals, journals.c.id == journal_lines.c.journal_id)
            .where(journal_lines.c.account == account, journals.c.currency == currency)
        )
        return int(self._uow.execute(summed).scalar_one())

    def one_at_a_time(self, subject: str) -> None:
        lock = sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"ledger {subject}", 0))
        self._uow.execute(sa.select(lock))


class PostgresLedgerQueries(LedgerQueries):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def entries(
        self,
        request: PageRequest,
        *,
        account: str | None = None,
        order_id: OrderId | None = None,
        kind: JournalKind | None = None,
    ) -> Page[LedgerEntry]:
        lines = (
            sa.select(
                sa.func.json_agg(
                    aggregate_order_by(
                        sa.func.json_build_array(journal_lines.c.account, journal_lines.c.amount),
                        journal_lines.c.position,
                    )
                )
            )
            .where(journal_lines.c.journal_id == journals.c.id)
            .scalar_subquery()
        )
        wanted = sa.select(journals, lines.label("lines"))
        if account is not None:
            touching = sa.select(journal_lines.c.journal_id).where(journal_lines.c.account == account)
            wanted = wanted.where(journals.c.id.in_(touching))
        if order_id is not None:
            wanted = wanted.where(journals.c.order_id == order_id)
        if kind is not None:
            wanted = wanted.where(journals.c.kind == kind.value)
        with translated({}), self._engine.connect() as connection:
            keys = [journals.c.occurred_at, journals.c.id]
            return paged(connection, wanted, keys=keys, descending=True, request=request, view=_entry)

    def balances_page(self, request: PageRequest, *, seller_id: AccountId | None = None) -> Page[AccountBalance]:
        with translated({}), self._engine.connect() as connection:
            return paged(
                connection,
                _summed(seller_id),
                keys=[_ACCOUNT, _CURRENCY],
                descending=False,
                request=request,
                view=_balance,
            )

    def balances(self, *, seller_id: AccountId | None = None) -> Sequence[AccountBalance]:
        with translated({}), self._engine.connect() as connection:
            return balances(connection, seller_id=seller_id)


def balances(connection: sa.Connection, *, seller_id: AccountId | None = None) -> Sequence[AccountBalance]:
    """As ``LedgerQueries.balances``, in the caller's transaction."""
    ordered = _summed(seller_id).order_by(_ACCOUNT, _CURRENCY)
    return [_balance(row) for row in connection.execute(ordered)]


_ACCOUNT, _CURRENCY = journal_lines.c.account, journals.c.currency


def _summed(seller_id: AccountId | None) -> sa.Select[Any]:
    summed = (
        sa.select(_ACCOUNT, _CURRENCY, sa.func.sum(journal_lines.c.amount).label("balance"))
        .join(journals, journals.c.id == journal_lines.c.journal_id)
        .group_by(_ACCOUNT, _CURRENCY)
    )
    return summed if seller_id is None else summed.where(_ACCOUNT.in_(accounts_of(seller_id)))


def _balance(row: Any) -> AccountBalance:
    return AccountBalance(account=row.account, balance=Money(int(row.balance), row.currency))


def _entry(row: Any) -> LedgerEntry:
    return LedgerEntry(
        id=row.id,
        kind=JournalKind(row.kind),
        source_key=row.source_key,
        currency=row.currency,
        occurred_at=row.occurred_at,
        order_id=row.order_id,
        lines=tuple(EntryLine(account=account, amount=Money(amount, row.currency)) for account, amount in row.lines),
    )
