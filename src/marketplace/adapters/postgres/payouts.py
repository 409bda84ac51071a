"""Payouts and recoveries in PostgreSQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from marketplace.adapters.postgres.repository import PostgresRepository
from marketplace.adapters.postgres.tables.payouts import payout_holds, payouts, recoveries
from marketplace.application.ports.payouts import DueSeller, PayoutRepository, RecoveryRepository
from marketplace.domain.payout_states import Hold, HoldReason, PayoutStatus, Sending
from marketplace.domain.payouts import Payout
from marketplace.domain.recoveries import Recovery, RecoveryStatus
from marketplace.domain.shared.errors import Conflict, NotFound
from marketplace.domain.shared.ids import AccountId, OrderId, PayoutId, SaleId
from marketplace.domain.shared.money import Money

_payout, _hold, _recovery = payouts.c, payout_holds.c, recoveries.c

# What takes a payout to work on it goes through its order, which is locked first everywhere; an order that somebody
# else has locked is passed over. ``{}`` is which payout.
_NEXT = """
    select p.id from payouts p join orders o on o.id = p.order_id {} limit 1 for no key update of o skip locked
    """
_NEXT_DUE = sa.text(
    _NEXT.format(
        """
        where p.next_check_at <= :now and coalesce(p.locked_until <= :now, true)
            and (p.status = 'sending' or p.status = 'due' and p.batch_id is not null)
        order by p.next_check_at, p.id
        """
    )
)
# From the few who are suspended to what they have, since of all payouts that are open hardly any is theirs.
_NEXT_TO_HOLD = sa.text(
    """
    select p.id
    from seller_profiles s
    cross join lateral (
        select id, order_id from payouts
        where seller_id = s.account_id and status in ('pending', 'due') order by id limit 1
    ) p
    join orders o on o.id = p.order_id
    where s.status = 'suspended'
    order by p.id limit 1 for no key update of o skip locked
    """
)
_NEXT_TO_RELEASE = sa.text(
    _NEXT.format(
        """
        join payout_holds h on h.payout_id = p.id
        left join seller_profiles s on s.account_id = p.seller_id
        where h.released_at is null and h.reason = 'seller_suspended' and s.status is distinct from 'suspended'
        order by p.id
        """
    )
)
_NEXT_KEPT_LONG = sa.text(
    _NEXT.format(
        """
        where p.status not in ('paid', 'reversed') and not p.kept_long_told and p.created_at < :since
        order by p.created_at, p.id
        """
    )
)
_WAITS = """
    status = 'due' and batch_id is null and next_check_at <= :now and coalesce(locked_until <= :now, true)
    """
_DUE_SELLERS = sa.text(
    f"""
    select d.*, (
        select coalesce(sum(r.amount - r.reversed_amount - r.netted_amount - r.written_off_amount), 0)
        from recoveries r where r.seller_id = d.seller_id and r.status = 'refused'
    ) as owed
    from (
        select seller_id, sum(amount - withheld_amount - netted_amount) as due
        from payouts where {_WAITS} and seller_id > :after
        group by seller_id order by seller_id limit :limit
    ) d
    order by d.seller_id
    """
)
# Nothing waits for a row here, so that this cannot be part of a deadlock although it goes through many orders.
_GATHER = sa.text(
    f"""
    update payouts set batch_id = :batch_id, version = version + 1
    where id in (
        select id from payouts where {_WAITS} and seller_id = :seller_id order by id for no key update skip locked
    )
    """
)
_MAKE_DUE = sa.text(
    """
    update payouts set next_check_at = :now, version = version + 1
    where id in (
        select id from payouts where seller_id = :seller_id and status = 'due' and blocked
        order by id for no key update skip locked
    )
    """
)
_NEXT_RECOVERY = sa.text(
    """
    select r.id, r.payout_id from recoveries r join orders o on o.id = r.order_id
    where r.next_check_at <= :now and coalesce(r.locked_until <= :now, true)
    order by r.next_check_at, r.id limit 1 for no key update of o skip locked
    """
)


class PostgresPayouts(PostgresRepository[Payout], PayoutRepository):
    table = payouts
    noun = "payout"
    constraints: ClassVar = {
        "one_payout_a_sale": (Conflict, "This sale has a payout already."),
        "one_payout_a_transfer": (Conflict, "The provider's transfer belongs to another payout already."),
    }

    def add(self, payout: Payout) -> None:
        super().add(payout)
        self._save_holds(payout)

    def save(self, payout: Payout) -> None:
        super().save(payout)
        self._save_holds(payout)

    def of_sale_for_update(self, sale_id: SaleId) -> Payout:
        found = self._first(_payout.sale_id == sale_id, lock=True)
        if found is None:
            raise NotFound(f"Sale {sale_id} has no payout.")
        return found

    def of_order_for_update(self, order_id: OrderId) -> Sequence[Payout]:
        return self._all(_payout.order_id == order_id, order_by=[_payout.id], lock=True)

    def find_by_transfer(self, transfer_id: str) -> Payout | None:
        return self._first(_payout.transfer_id == transfer_id)

    def next_due_for_update(self, *, now: datetime) -> Payout | None:
        while (payout := self._next(_NEXT_DUE, now=now)) is not None:
            # It may have changed between being found and being locked: then it is looked for again.
            if payout.is_to_be_sent(now):
                break
        return payout

    def next_to_hold_for_update(self) -> Payout | None:
        return self._next(_NEXT_TO_HOLD)

    def next_to_release_for_update(self) -> Payout | None:
        return self._next(_NEXT_TO_RELEASE)

    def next_kept_long_for_update(self, *, since: datetime) -> Payout | None:
        return self._next(_NEXT_KEPT_LONG, since=since)

    def due_sellers(self, *, now: datetime, after: AccountId, limit: int) -> Sequence[DueSeller]:
        rows = self._execute(_DUE_SELLERS, {"now": now, "after": after, "limit": limit})
        return [DueSeller(seller_id=row.seller_id, due=int(row.due), owed=int(row.owed)) for row in rows]

    def gather(self, seller_id: AccountId, *, batch_id: int, now: datetime) -> int:
        return self._execute(_GATHER, {"seller_id": seller_id, "batch_id": batch_id, "now": now}).rowcount

    def has_blocked(self, seller_id: AccountId) -> bool:
        waiting = [PayoutStatus.DUE.value, PayoutStatus.SENDING.value]
        blocked = (_payout.seller_id == seller_id, _payout.status.in_(waiting), _payout.blocked)
        return self._execute(sa.select(sa.literal(1)).where(*blocked).limit(1)).first() is not None

    def make_due(self, seller_id: AccountId, *, now: datetime) -> int:
        return self._execute(_MAKE_DUE, {"seller_id": seller_id, "now": now}).rowcount

    def _next(self, statement: sa.TextClause, **parameters: Any) -> Payout | None:
        row = self._execute(statement, parameters).first()
        return None if row is None else self.get_for_update(row.id)

    def _first(self, *where: sa.ColumnElement[bool], lock: bool = False) -> Payout | None:
        found = super()._first(*where, lock=lock)
        return None if found is None else self._with_holds([found])[0]

    def _all(self, *where: sa.ColumnElement[bool], order_by: Iterable[Any] = (), lock: bool = False) -> list[Payout]:
        return self._with_holds(super()._all(*where, order_by=order_by, lock=lock))

    def _with_holds(self, found: list[Payout]) -> list[Payout]:
        """One statement for all of them."""
        of_payout = defaultdict(list)
        wanted = sa.select(payout_holds).where(_hold.payout_id.in_([payout.id for payout in found]))
        for row in self._execute(wanted.order_by(_hold.opened_at, _hold.key)):
            of_payout[row.payout_id].append(_a_hold(row))
        for payout in found:
            payout.holds = of_payout[payout.id]
        return found

    def _save_holds(self, payout: Payout) -> None:
        if payout.holds:
            upsert = insert(payout_holds)
            changed = {name: upsert.excluded[name] for name in ("count", "opened_at", "released_at")}
            self._execute(
                upsert.on_conflict_do_update(index_elements=["payout_id", "key"], set_=changed),
                [_hold_row(payout.id, hold) for hold in payout.holds],
            )

    def to_row(self, entity: Payout) -> dict[str, Any]:
        sending = entity.sending
        return {
            "id": entity.id,
            "order_id": entity.order_id,
            "sale_id": entity.sale_id,
            "seller_id": entity.seller_id,
            "status": entity.status.value,
            "amount": entity.amount.amount,
            "currency": entity.amount.currency,
            "withheld_amount": entity.withheld_amount,
            "reclaimed_amount": entity.reclaimed_amount,
            "netted_amount": entity.netted_amount,
            "transferred_amount": entity.transferred_amount,
            "batch_id": entity.batch_id,
            "attempt": entity.attempt,
            "sending_amount": sending and sending.amount,
            "destination": sending and sending.destination,
            "source_charge": sending and sending.source_charge,
            "first_sent_at": sending and sending.first_sent_at,
            "transfer_id": entity.transfer_id,
            "blocked": entity.blocked,
            "last_error": entity.last_error,
            "failures": entity.failures,
            "refusals": entity.refusals,
            "reversed_elsewhere": entity.reversed_elsewhere,
            "kept_long_told": entity.kept_long_told,
            "created_at": entity.created_at,
            "due_at": entity.due_at,
            "paid_at": entity.paid_at,
            "next_check_at": entity.next_check_at,
            "locked_until": entity.locked_until,
        }

    def from_row(self, row: Any) -> Payout:
        return Payout(
            id=row.id,
            order_id=row.order_id,
            sale_id=row.sale_id,
            seller_id=row.seller_id,
            status=PayoutStatus(row.status),
            amount=Money(row.amount, row.currency),
            withheld_amount=row.withheld_amount,
            reclaimed_amount=row.reclaimed_amount,
            netted_amount=row.netted_amount,
            transferred_amount=row.transferred_amount,
            batch_id=row.batch_id,
            attempt=row.attempt,
            sending=_sending(row),
            transfer_id=row.transfer_id,
            blocked=row.blocked,
            last_error=row.last_error,
            failures=row.failures,
            refusals=row.refusals,
            reversed_elsewhere=row.reversed_elsewhere,
            kept_long_told=row.kept_long_told,
            created_at=row.created_at,
            due_at=row.due_at,
            paid_at=row.paid_at,
            next_check_at=row.next_check_at,
            locked_until=row.locked_until,
            version=row.version,
        )


class PostgresRecoveries(PostgresRepository[Recovery], RecoveryRepository):
    table = recoveries
    noun = "recovery"
    constraints: ClassVar = {
        "one_recovery_a_cause": (Conflict, "This payout has a recovery for that cause already."),
    }

    def of_payout_for_update(self, payout_id: PayoutId) -> Sequence[Recovery]:
        oldest_first = [_recovery.decided_at, _recovery.id]
        return self._all(_recovery.payout_id == payout_id, order_by=oldest_first, lock=True)

    def owed_for_update(self, seller_id: AccountId, *, limit: int) -> Sequence[Recovery]:
        statement = (
            sa.select(recoveries)
            .where(_recovery.seller_id == seller_id, _recovery.status == RecoveryStatus.REFUSED.value)
            .order_by(_recovery.decided_at, _recovery.id)
            .limit(limit)
            .with_for_update(key_share=True)
        )
        return [self.from_row(row) for row in self._execute(statement)]

    def next_due_for_update(self, *, now: datetime) -> Recovery | None:
        found = self._execute(_NEXT_RECOVERY, {"now": now}).first()
        if found is None:
            return None
        self._uow.payouts.get_for_update(found.payout_id)
        recovery = self.get_for_update(found.id)
        # Changed between being found and being locked: it comes again if there is still something to do.
        return recovery if recovery.is_to_be_tried(now) else None

    def to_row(self, entity: Recovery) -> dict[str, Any]:
        return {
            "id": entity.id,
            "payout_id": entity.payout_id,
            "order_id": entity.order_id,
            "sale_id": entity.sale_id,
            "seller_id": entity.seller_id,
            "cause": entity.cause,
            "status": entity.status.value,
            "amount": entity.amount.amount,
            "currency": entity.amount.currency,
            "reversed_amount": entity.reversed_amount,
            "netted_amount": entity.netted_amount,
            "written_off_amount": entity.written_off_amount,
            "sending_amount": entity.sending_amount,
            "attempt": entity.attempt,
            "first_sent_at": entity.first_sent_at,
            "reversal_id": entity.reversal_id,
            "last_error": entity.last_error,
            "failures": entity.failures,
            "decided_at": entity.decided_at,
            "ended_at": entity.ended_at,
            "next_check_at": entity.next_check_at,
            "locked_until": entity.locked_until,
        }

    def from_row(self, row: Any) -> Recovery:
        return Recovery(
            id=row.id,
            payout_id=row.payout_id,
            order_id=row.order_id,
            sale_id=row.sale_id,
            seller_id=row.seller_id,
            cause=row.cause,
            status=RecoveryStatus(row.status),
            amount=Money(row.amount, row.currency),
            reversed_amount=row.reversed_amount,
            netted_amount=row.netted_amount,
            written_off_amount=row.written_off_amount,
            sending_amount=row.sending_amount,
            attempt=row.attempt,
            first_sent_at=row.first_sent_at,
            reversal_id=row.reversal_id,
            last_error=row.last_error,
            failures=row.failures,
            decided_at=row.decided_at,
            ended_at=row.ended_at,
            next_check_at=row.next_check_at,
            locked_until=row.locked_until,
            version=row.version,
        )


def _sending(row: Any) -> Sending | None:
    if row.first_sent_at is None:
        return None
    return Sending(
        amount=row.sending_amount,
        destination=row.destination,
        source_charge=row.source_charge,
        first_sent_at=row.first_sent_at,
    )


def _hold_row(payout_id: PayoutId, hold: Hold) -> dict[str, Any]:
    return {
        "payout_id": payout_id,
        "key": hold.key,
        "reason": hold.reason.value,
        "count": hold.count,
        "opened_at": hold.opened_at,
        "released_at": hold.released_at,
    }


def _a_hold(row: Any) -> Hold:
    return Hold(
        key=row.key,
        reason=HoldReason(row.reason),
        # "count" is a method of a row, so the column is read by name.
        count=row._mapping["count"],
        opened_at=row.opened_at,
        released_at=row.released_at,
    )
