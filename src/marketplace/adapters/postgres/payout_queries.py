"""Reading payouts and recoveries from PostgreSQL, one statement each (a page: a second one for its count)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.pages import paged
from marketplace.adapters.postgres.tables.orders import sales
from marketplace.adapters.postgres.tables.payouts import payout_holds, payouts, recoveries
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.application.ports.payouts import PayoutQueries, PayoutView, RecoveryView, SellerBalance
from marketplace.domain.payout_states import HoldReason, PayoutStatus
from marketplace.domain.recoveries import RecoveryStatus
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId, PayoutId
from marketplace.domain.shared.money import Money

_payout, _hold, _recovery = payouts.c, payout_holds.c, recoveries.c

_FIRST_REASON = (
    sa.select(_hold.reason)
    .where(_hold.payout_id == _payout.id, _hold.released_at.is_(None))
    .order_by(_hold.opened_at, _hold.key)
    .limit(1)
    .correlate(payouts)
    .scalar_subquery()
)
_PAYOUTS = sa.select(
    payouts,
    sales.c.reference,
    sa.case((_payout.status == PayoutStatus.ON_HOLD.value, _FIRST_REASON)).label("hold_reason"),
).join(sales, sales.c.id == _payout.sale_id)
_BALANCE = sa.text(
    """
    select
        coalesce(sum(p.remaining) filter (where p.status = 'pending'), 0) as pending,
        coalesce(sum(p.remaining) filter (where p.status = 'on_hold'), 0) as on_hold,
        coalesce(sum(p.remaining) filter (where p.status = 'due'), 0) as due,
        coalesce(sum(p.remaining) filter (where p.status = 'sending'), 0) as sending,
        coalesce(sum(p.transferred_amount), 0) - (
            select coalesce(sum(r.reversed_amount), 0) from recoveries r where r.seller_id = :seller_id
        ) as paid_total,
        (
            select coalesce(sum(r.amount - r.reversed_amount - r.netted_amount - r.written_off_amount), 0)
            from recoveries r where r.seller_id = :seller_id
        ) as receivable,
        min(p.next_check_at) filter (where p.status = 'due') as next_payout_at
    from (
        select *, amount - withheld_amount - netted_amount as remaining from payouts where seller_id = :seller_id
    ) p
    """
)


class PostgresPayoutQueries(PayoutQueries):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def payouts(
        self,
        request: PageRequest,
        *,
        seller_id: AccountId | None = None,
        statuses: Collection[PayoutStatus] = (),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Page[PayoutView]:
        statement = _PAYOUTS
        if seller_id is not None:
            statement = statement.where(_payout.seller_id == seller_id)
        if statuses:
            statement = statement.where(_payout.status.in_([status.value for status in statuses]))
        if since is not None:
            statement = statement.where(_payout.created_at >= since)
        if until is not None:
            statement = statement.where(_payout.created_at < until)
        with translated({}), self._engine.connect() as connection:
            return paged(connection, statement, keys=[_payout.id], descending=True, request=request, view=_view)

    def payout(self, id: PayoutId) -> PayoutView:
        with translated({}), self._engine.connect() as connection:
            row = connection.execute(_PAYOUTS.where(_payout.id == id)).first()
        if row is None:
            raise NotFound(f"There is no payout {id}.")
        return _view(row)

    def balance(self, seller_id: AccountId, *, currency: str) -> SellerBalance:
        with translated({}), self._engine.connect() as connection:
            row = connection.execute(_BALANCE, {"seller_id": seller_id}).one()
        return SellerBalance(
            currency=currency,
            pending=int(row.pending),
            on_hold=int(row.on_hold),
            due=int(row.due),
            sending=int(row.sending),
            paid_total=int(row.paid_total),
            receivable=int(row.receivable),
            next_payout_at=row.next_payout_at,
        )

    def recoveries(
        self,
        request: PageRequest,
        *,
        seller_id: AccountId | None = None,
        payout_id: PayoutId | None = None,
        statuses: Collection[RecoveryStatus] = (),
        before: datetime | None = None,
    ) -> Page[RecoveryView]:
        statement = sa.select(recoveries)
        if seller_id is not None:
            statement = statement.where(_recovery.seller_id == seller_id)
        if payout_id is not None:
            statement = statement.where(_recovery.payout_id == payout_id)
        if statuses:
            statement = statement.where(_recovery.status.in_([status.value for status in statuses]))
        if before is not None:
            statement = statement.where(_recovery.decided_at < before)
        with translated({}), self._engine.connect() as connection:
            return paged(
                connection, statement, keys=[_recovery.id], descending=True, request=request, view=_recovery_view
            )


def _view(row: Any) -> PayoutView:
    def money(amount: int) -> Money:
        return Money(amount, row.currency)

    return PayoutView(
        id=row.id,
        sale_id=row.sale_id,
        sale_reference=row.reference,
        order_id=row.order_id,
        seller_id=row.seller_id,
        status=PayoutStatus(row.status),
        amount=money(row.amount),
        reversed=money(row.withheld_amount + row.reclaimed_amount),
        netted=money(row.netted_amount),
        sent=money(row.transferred_amount),
        created_at=row.created_at,
        due_at=row.due_at,
        paid_at=row.paid_at,
        hold_reason=None if row.hold_reason is None else HoldReason(row.hold_reason),
        is_blocked=row.blocked,
        last_error=row.last_error,
        batch_id=row.batch_id,
        transfer_id=row.transfer_id,
        next_try_at=row.next_check_at,
    )


def _recovery_view(row: Any) -> RecoveryView:
    def money(amount: int) -> Money:
        return Money(amount, row.currency)

    return RecoveryView(
        id=row.id,
        payout_id=row.payout_id,
        order_id=row.order_id,
        seller_id=row.seller_id,
        status=RecoveryStatus(row.status),
        cause=row.cause,
        amount=money(row.amount),
        reversed=money(row.reversed_amount),
        netted=money(row.netted_amount),
        written_off=money(row.written_off_amount),
        left=money(row.amount - row.reversed_amount - row.netted_amount - row.written_off_amount),
        decided_at=row.decided_at,
        last_error=row.last_error,
    )
