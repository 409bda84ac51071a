"""What the books are checked against, read in one snapshot of the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.fee_rules import fee_of
from marketplace.adapters.postgres.ledger import balances
from marketplace.application.ports.ledger import (
    AccountBalance,
    AuditFacts,
    BrokenJournal,
    ChargebackFacts,
    DebtFacts,
    LedgerAudit,
    OrderFacts,
    PayoutFacts,
    RefundFacts,
    RefundJournal,
    SaleFacts,
    StockFacts,
)
from marketplace.domain.ledger import JournalKind, Line
from marketplace.domain.payout_states import PayoutStatus
from marketplace.domain.shared.ids import AccountId, OrderId, SaleId
from marketplace.domain.shared.money import Money

_AT_ONCE = 1000

_BROKEN = """
    select j.id, j.kind, j.source_key, j.line_count, count(l.journal_id) as lines, coalesce(sum(l.amount), 0) as total
    from journals j left join journal_lines l on l.journal_id = j.id
    group by j.id
    having coalesce(sum(l.amount), 0) <> 0 or count(l.journal_id) <> j.line_count
    order by j.id
"""
_STRAY = """
    select j.source_key, j.order_id from journals j
    where j.order_id is not null and not exists (select from orders o where o.id = j.order_id)
    order by j.id
"""
_ORDERS = """
    select o.id, o.reference, o.currency, o.paid_at is not null as is_paid,
        o.base, o.commission, o.processing, o.shipping, o.fees,
        (
            select json_agg(json_build_array(
                s.id, s.seller_id, s.base, s.commission, s.seller_fees, s.returned, l.lines, l.lines_returned,
                p.status, p.amount, p.withheld_amount + p.netted_amount, p.transferred_amount,
                exists (
                    select from disputes d
                    where d.sale_id = s.id and d.status in ('open', 'awaiting_seller', 'under_review')
                )
            ) order by s.id)
            from sales s left join payouts p on p.sale_id = s.id cross join lateral (
                select coalesce(sum(quantity * unit_price), 0) as lines,
                    coalesce(sum(returned * unit_price), 0) as lines_returned
                from sale_lines where sale_id = s.id
            ) l
            where s.order_id = o.id
        ) as sales,
        (
            select json_agg(c.lines order by c.id)
            from (
                select j.id, json_agg(json_build_array(l.account, l.amount) order by l.position) as lines
                from journals j join journal_lines l on l.journal_id = j.id
                where j.order_id = o.id and j.kind = 'payment_captured'
                group by j.id
            ) c
        ) as captures,
        (
            select json_agg(json_build_array(m.kind, m.account, m.total))
            from (
                select j.kind, l.account, sum(l.amount) as total
                from journals j join journal_lines l on l.journal_id = j.id
                where j.order_id = o.id
                group by j.kind, l.account
            ) m
        ) as moves,
        (
            select json_agg(json_build_array(coalesce(m.amount, 0), coalesce(m.fee, 0), coalesce(c.lost, 0)))
            from chargebacks c cross join lateral (
                select sum(amount) as amount, sum(fee) as fee from chargeback_movements where chargeback_id = c.id
            ) m
            where c.order_id = o.id
        ) as chargebacks
    from orders o
    order by o.id
"""
_REFUNDS = """
    select id, order_id, amount, currency, status in ('failed', 'settled_elsewhere') as has_failed, provider_refund_id,
           earlier_provider_refund_ids, status = 'settled_elsewhere' as is_settled
    from refunds
    order by id
"""
_REFUND_JOURNALS = """
    select j.kind, j.source_key, j.order_id, j.currency, abs(coalesce(sum(l.amount), 0)) as amount
    from journals j
    left join journal_lines l on l.journal_id = j.id and l.account = 'liabilities:refunds_payable'
    where j.kind in ('refund_decided', 'refund_created', 'refund_failed', 'refund_settled')
    group by j.id
    order by j.id
"""
_DEBTS = """
    select seller_id, currency,
        sum(amount - reversed_amount - netted_amount - written_off_amount) as remaining
    from recoveries group by seller_id, currency order by seller_id, currency
"""
_LISTINGS = """
    select l.id, l.stock, l.claimed, coalesce(r.reserved, 0) as reserved
    from listings l
    left join (
        select listing_id, sum(quantity) as reserved from reservations
        where status in ('held', 'ordered') group by listing_id
    ) r on r.listing_id = l.id
    order by l.id
"""


class PostgresLedgerAudit(LedgerAudit):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @contextmanager
    def snapshot(self) -> Iterator[AuditFacts]:
        with translated({}), self._engine.connect() as connection:
            frozen = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            # Reading all the books takes longer than any request may.
            frozen.execute(sa.text("set local statement_timeout = 0"))
            yield _Snapshot(frozen)


class _Snapshot(AuditFacts):
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def _rows(self, statement: str) -> Iterator[Any]:
        yield from self._connection.execution_options(yield_per=_AT_ONCE).execute(sa.text(statement))

    def broken_journals(self) -> Iterator[BrokenJournal]:
        for row in self._rows(_BROKEN):
            yield BrokenJournal(
                id=row.id,
                kind=row.kind,
                source_key=row.source_key,
                total=int(row.total),
                lines=row.lines,
                lines_posted=row.line_count,
            )

    def stray_journals(self) -> Iterator[tuple[str, OrderId]]:
        for row in self._rows(_STRAY):
            yield row.source_key, row.order_id

    def balances(self) -> Sequence[AccountBalance]:
        return balances(self._connection)

    def orders(self) -> Iterator[OrderFacts]:
        for row in self._rows(_ORDERS):
            yield OrderFacts(
                id=row.id,
                reference=row.reference,
                currency=row.currency,
                is_paid=row.is_paid,
                base=row.base,
                commission=row.commission,
                processing=row.processing,
                shipping=row.shipping,
                fees=tuple(fee_of(fee, row.currency) for fee in row.fees),
                sales=tuple(_sale(values) for values in row.sales or ()),
                captures=tuple(
                    tuple(Line(account, amount) for account, amount in lines) for lines in row.captures or ()
                ),
                moves={(kind, account): total for kind, account, total in row.moves or ()},
                chargebacks=tuple(
                    ChargebackFacts(amount=amount, fee=fee, lost=lost) for amount, fee, lost in row.chargebacks or ()
                ),
            )

    def refunds(self) -> Iterator[RefundFacts]:
        for row in self._rows(_REFUNDS):
            yield RefundFacts(
                id=row.id,
                order_id=row.order_id,
                amount=Money(row.amount, row.currency),
                has_failed=row.has_failed,
                provider_refund_id=row.provider_refund_id,
                earlier_provider_refund_ids=tuple(row.earlier_provider_refund_ids),
                is_settled=row.is_settled,
            )

    def refund_journals(self) -> Iterator[RefundJournal]:
        for row in self._rows(_REFUND_JOURNALS):
            yield RefundJournal(
                kind=JournalKind(row.kind),
                source_key=row.source_key,
                order_id=row.order_id,
                amount=Money(int(row.amount), row.currency),
            )

    def debts(self) -> Iterator[DebtFacts]:
        for row in self._rows(_DEBTS):
            yield DebtFacts(seller_id=row.seller_id, left=Money(int(row.remaining), row.currency))

    def listings(self) -> Iterator[StockFacts]:
        for row in self._rows(_LISTINGS):
            yield StockFacts(listing_id=row.id, stock=row.stock, claimed=row.claimed, reserved=int(row.reserved))


def _sale(values: Sequence[Any]) -> SaleFacts:
    id, seller_id, base, commission, seller_fees, returned, lines, lines_returned, *payout, is_claimed = values
    return SaleFacts(
        id=SaleId(id),
        seller_id=AccountId(seller_id),
        base=base,
        commission=commission,
        seller_fees=seller_fees,
        returned=returned,
        lines=lines,
        lines_returned=lines_returned,
        payout=_payout(*payout),
        is_claimed=is_claimed,
    )


def _payout(status: str | None, amount: int, gone: int, transferred: int) -> PayoutFacts | None:
    if status is None:
        return None
    known = PayoutStatus(status)
    return PayoutFacts(
        status=known, amount=amount, remaining=amount - gone if known.is_open else 0, transferred=transferred
    )
