"""What the ledger in PostgreSQL holds on one seller's accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from marketplace.adapters.postgres.errors import translated
from marketplace.application.ports.statements import MonthChange, StatementQueries
from marketplace.domain.ledger import JournalKind, Line, accounts_of
from marketplace.domain.shared.ids import AccountId
from marketplace.domain.statements import Agreed, Month, Move

_OPENING = sa.text(
    """
    select l.account, sum(l.amount)::bigint as balance
    from journal_lines l join journals j on j.id = l.journal_id
    where l.account = any(:accounts) and j.currency = :currency and j.occurred_at < :at
    group by l.account
    """
)
# What a refund took back of this seller's sales stands in its parts, and what a payment brought in their sale.
_MOVES = sa.text(
    """
    with theirs as (
        select l.journal_id, json_agg(json_build_array(l.account, l.amount) order by l.position) as lines
        from journal_lines l join journals j on j.id = l.journal_id
        where l.account = any(:accounts)
            and j.currency = :currency and j.occurred_at >= :since and j.occurred_at < :until
        group by l.journal_id
    )
    select j.kind, j.source_key, j.occurred_at, t.lines, s.reference, s.base, s.commission, s.seller_fees,
        p.items, p.commission_back, p.seller_fees_back
    from theirs t
        join journals j on j.id = t.journal_id
        left join sales s on s.order_id = j.order_id and s.seller_id = :seller
        left join lateral (
            select sum(r.items)::bigint as items, sum(r.seller_commission)::bigint as commission_back,
                sum(r.seller_fees)::bigint as seller_fees_back
            from refund_parts r
            where j.kind = 'refund_decided'
                and r.refund_id = cast(substring(j.source_key from '^refund:([0-9]+)$') as bigint)
                and r.seller_id = :seller
        ) p on true
    order by j.occurred_at, j.id
    limit :limit
    """
)
_MONTHS = sa.text(
    """
    select extract(year from moved.month)::int as year, extract(month from moved.month)::int as number,
        -sum(moved.amount)::bigint as change, count(distinct moved.id)::int as journals
    from (
        select date_trunc('month', j.occurred_at at time zone 'UTC') as month, l.amount, j.id
        from journal_lines l join journals j on j.id = l.journal_id
        where l.account = any(:accounts) and j.currency = :currency
    ) moved
    group by moved.month
    order by moved.month
    """
)


class PostgresStatementQueries(StatementQueries):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def opening(self, seller_id: AccountId, *, currency: str, at: datetime) -> Mapping[str, int]:
        rows = self._read(_OPENING, seller_id, currency, at=at)
        return {row.account: row.balance for row in rows}

    def moves(
        self, seller_id: AccountId, *, currency: str, since: datetime, until: datetime, limit: int
    ) -> Sequence[Move]:
        rows = self._read(_MOVES, seller_id, currency, seller=seller_id, since=since, until=until, limit=limit)
        return [_move(row) for row in rows]

    def months(self, seller_id: AccountId, *, currency: str) -> Sequence[MonthChange]:
        rows = self._read(_MONTHS, seller_id, currency)
        return [
            MonthChange(month=Month(row.year, row.number), change=row.change, journals=row.journals) for row in rows
        ]

    def _read(self, statement: sa.TextClause, seller_id: AccountId, currency: str, **values: Any) -> Sequence[Any]:
        asked = {"accounts": list(accounts_of(seller_id)), "currency": currency, **values}
        with translated({}), self._engine.connect() as connection:
            return connection.execute(statement, asked).all()


def _move(row: Any) -> Move:
    kind, agreed = JournalKind(row.kind), None
    if kind is JournalKind.PAYMENT_CAPTURED and row.base is not None:
        agreed = Agreed(items=row.base, commission=row.commission, seller_fees=row.seller_fees)
    elif row.items is not None:
        agreed = Agreed(items=row.items, commission=row.commission_back, seller_fees=row.seller_fees_back)
    return Move(
        kind=kind,
        source_key=row.source_key,
        at=row.occurred_at,
        lines=tuple(Line(account, amount) for account, amount in row.lines),
        reference=row.reference or "",
        agreed=agreed,
    )
