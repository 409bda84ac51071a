"""Payouts and recoveries in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from marketplace.adapters.memory.orders import InMemoryOrders
from marketplace.adapters.memory.pages import paged
from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.adapters.memory.sellers import InMemorySellers
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.application.ports.payouts import (
    DueSeller,
    PayoutQueries,
    PayoutRepository,
    PayoutView,
    RecoveryRepository,
    RecoveryView,
    SellerBalance,
)
from marketplace.domain.payout_states import HoldReason, PayoutStatus
from marketplace.domain.payouts import Payout
from marketplace.domain.recoveries import Recovery, RecoveryStatus
from marketplace.domain.sellers import SellerProfile, SellerStatus
from marketplace.domain.shared.errors import Conflict, NotFound
from marketplace.domain.shared.ids import AccountId, OrderId, PayoutId, SaleId
from marketplace.domain.shared.money import Money

_HOLDABLE = (PayoutStatus.PENDING, PayoutStatus.DUE)


class InMemoryPayouts(InMemoryRepository[Payout], PayoutRepository):
    name = "payouts"
    noun = "payout"

    def check_constraints(self, entities: Collection[Payout]) -> None:
        if len({payout.sale_id for payout in entities}) < len(entities):
            raise Conflict("This sale has a payout already.")
        transfers = [payout.transfer_id for payout in entities if payout.transfer_id is not None]
        if len(set(transfers)) < len(transfers):
            raise Conflict("The provider's transfer belongs to another payout already.")

    def get_for_update(self, id: PayoutId) -> Payout:
        return self.get(id)

    def of_sale_for_update(self, sale_id: SaleId) -> Payout:
        found = self._first(lambda payout: payout.sale_id == sale_id)
        if found is None:
            raise NotFound(f"Sale {sale_id} has no payout.")
        return found

    def of_order_for_update(self, order_id: OrderId) -> Sequence[Payout]:
        return sorted(self._all(lambda payout: payout.order_id == order_id), key=lambda payout: payout.id)

    def find_by_transfer(self, transfer_id: str) -> Payout | None:
        return self._first(lambda payout: payout.transfer_id == transfer_id)

    def next_due_for_update(self, *, now: datetime) -> Payout | None:
        due = self._all(lambda payout: payout.is_to_be_sent(now))
        return min(due, key=lambda payout: (payout.next_check_at, payout.id), default=None)

    def next_to_hold_for_update(self) -> Payout | None:
        suspended = self._suspended()
        return _lowest(self._all(lambda payout: payout.status in _HOLDABLE and payout.seller_id in suspended))

    def next_to_release_for_update(self) -> Payout | None:
        suspended = self._suspended()

        def is_held_for_nothing(payout: Payout) -> bool:
            return payout.seller_id not in suspended and any(
                hold.reason is HoldReason.SELLER_SUSPENDED for hold in payout.open_holds
            )

        return _lowest(self._all(is_held_for_nothing))

    def next_kept_long_for_update(self, *, since: datetime) -> Payout | None:
        kept = self._all(
            lambda payout: payout.created_at < since and payout.status.is_open and not payout.kept_long_told
        )
        return min(kept, key=lambda payout: (payout.created_at, payout.id), default=None)

    def due_sellers(self, *, now: datetime, after: AccountId, limit: int) -> Sequence[DueSeller]:
        due = self._all(lambda payout: _waits(payout, now) and payout.seller_id > after)
        owed = InMemoryRecoveries(self._uow).owed
        return [
            DueSeller(
                seller_id=seller,
                due=sum(payout.remaining for payout in due if payout.seller_id == seller),
                owed=owed(seller),
            )
            for seller in sorted({payout.seller_id for payout in due})[:limit]
        ]

    def gather(self, seller_id: AccountId, *, batch_id: int, now: datetime) -> int:
        waiting = self._all(lambda payout: _waits(payout, now) and payout.seller_id == seller_id)
        for payout in waiting:
            payout.batch_id = batch_id
            self.save(payout)
        return len(waiting)

    def has_blocked(self, seller_id: AccountId) -> bool:
        waiting = (PayoutStatus.DUE, PayoutStatus.SENDING)
        return any(
            payout.blocked and payout.seller_id == seller_id and payout.status in waiting for payout in self._scan()
        )

    def make_due(self, seller_id: AccountId, *, now: datetime) -> int:
        waiting = self._all(lambda payout: _is_blocked(payout, seller_id))
        for payout in waiting:
            payout.next_check_at = now
            self.save(payout)
        return len(waiting)

    def _suspended(self) -> set[AccountId]:
        profiles: Iterable[SellerProfile] = self._uow.store.table(InMemorySellers.name).values()
        return {profile.account_id for profile in profiles if profile.status is SellerStatus.SUSPENDED}


class InMemoryRecoveries(InMemoryRepository[Recovery], RecoveryRepository):
    name = "recoveries"
    noun = "recovery"

    def check_constraints(self, entities: Collection[Recovery]) -> None:
        if len({(recovery.payout_id, recovery.cause) for recovery in entities}) < len(entities):
            raise Conflict("This payout has a recovery for that cause already.")

    def get_for_update(self, id: int) -> Recovery:
        return self.get(id)

    def of_payout_for_update(self, payout_id: PayoutId) -> Sequence[Recovery]:
        return sorted(self._all(lambda recovery: recovery.payout_id == payout_id), key=_age)

    def owed_for_update(self, seller_id: AccountId, *, limit: int) -> Sequence[Recovery]:
        return sorted(self._all(lambda recovery: _is_owed_by(recovery, seller_id)), key=_age)[:limit]

    def owed(self, seller_id: AccountId) -> int:
        """What a seller owes in all, in minor units."""
        return sum(recovery.left for recovery in self._scan() if _is_owed_by(recovery, seller_id))

    def next_due_for_update(self, *, now: datetime) -> Recovery | None:
        due = self._all(lambda recovery: recovery.is_to_be_tried(now))
        return min(due, key=lambda recovery: (recovery.next_check_at, recovery.id), default=None)


class InMemoryPayoutQueries(PayoutQueries):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def payouts(
        self,
        request: PageRequest,
        *,
        seller_id: AccountId | None = None,
        statuses: Collection[PayoutStatus] = (),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Page[PayoutView]:
        return paged(
            [
                payout
                for payout in self._payouts()
                if (seller_id is None or payout.seller_id == seller_id)
                and (not statuses or payout.status in statuses)
                and (since is None or payout.created_at >= since)
                and (until is None or payout.created_at < until)
            ],
            key=lambda payout: (payout.id,),
            descending=True,
            request=request,
            view=self._view,
        )

    def payout(self, id: PayoutId) -> PayoutView:
        for payout in self._payouts():
            if payout.id == id:
                return self._view(payout)
        raise NotFound(f"There is no payout {id}.")

    def balance(self, seller_id: AccountId, *, currency: str) -> SellerBalance:
        mine = [payout for payout in self._payouts() if payout.seller_id == seller_id]
        debts = [recovery for recovery in self._recoveries() if recovery.seller_id == seller_id]

        def of(status: PayoutStatus) -> int:
            return sum(payout.remaining for payout in mine if payout.status is status)

        tries = [payout.next_check_at for payout in mine if payout.status is PayoutStatus.DUE and payout.next_check_at]
        return SellerBalance(
            currency=currency,
            pending=of(PayoutStatus.PENDING),
            on_hold=of(PayoutStatus.ON_HOLD),
            due=of(PayoutStatus.DUE),
            sending=of(PayoutStatus.SENDING),
            paid_total=sum(payout.transferred_amount for payout in mine) - sum(debt.reversed_amount for debt in debts),
            receivable=sum(debt.left for debt in debts),
            next_payout_at=min(tries, default=None),
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
        return paged(
            [
                recovery
                for recovery in self._recoveries()
                if (seller_id is None or recovery.seller_id == seller_id)
                and (payout_id is None or recovery.payout_id == payout_id)
                and (not statuses or recovery.status in statuses)
                and (before is None or recovery.decided_at < before)
            ],
            key=lambda recovery: (recovery.id,),
            descending=True,
            request=request,
            view=recovery_view,
        )

    def _payouts(self) -> list[Payout]:
        with self._store.lock:
            return list(self._store.table(InMemoryPayouts.name).values())

    def _recoveries(self) -> list[Recovery]:
        with self._store.lock:
            return list(self._store.table(InMemoryRecoveries.name).values())

    def _view(self, payout: Payout) -> PayoutView:
        with self._store.lock:
            order = self._store.table(InMemoryOrders.name)[payout.order_id]
        currency = payout.amount.currency
        return PayoutView(
            id=payout.id,
            sale_id=payout.sale_id,
            sale_reference=order.sale(payout.sale_id).reference,
            order_id=payout.order_id,
            seller_id=payout.seller_id,
            status=payout.status,
            amount=payout.amount,
            reversed=Money(payout.reversed_amount, currency),
            netted=Money(payout.netted_amount, currency),
            sent=Money(payout.transferred_amount, currency),
            created_at=payout.created_at,
            due_at=payout.due_at,
            paid_at=payout.paid_at,
            hold_reason=payout.hold_reason,
            is_blocked=payout.blocked,
            last_error=payout.last_error,
            batch_id=payout.batch_id,
            transfer_id=payout.transfer_id,
            next_try_at=payout.next_check_at,
        )


def recovery_view(recovery: Recovery) -> RecoveryView:
    """What is told of it."""
    currency = recovery.amount.currency
    return RecoveryView(
        id=recovery.id,
        payout_id=recovery.payout_id,
        order_id=recovery.order_id,
        seller_id=recovery.seller_id,
        status=recovery.status,
        cause=recovery.cause,
        amount=recovery.amount,
        reversed=Money(recovery.reversed_amount, currency),
        netted=Money(recovery.netted_amount, currency),
        written_off=Money(recovery.written_off_amount, currency),
        left=Money(recovery.left, currency),
        decided_at=recovery.decided_at,
        last_error=recovery.last_error,
    )


def _age(recovery: Recovery) -> tuple[datetime, int]:
    return recovery.decided_at, recovery.id


def _is_owed_by(recovery: Recovery, seller_id: AccountId) -> bool:
    return recovery.seller_id == seller_id and recovery.status is RecoveryStatus.REFUSED


def _waits(payout: Payout, now: datetime) -> bool:
    return payout.status is PayoutStatus.DUE and payout.batch_id is None and payout.is_to_be_tried(now)


def _is_blocked(payout: Payout, seller_id: AccountId) -> bool:
    return payout.seller_id == seller_id and payout.status is PayoutStatus.DUE and payout.blocked


def _lowest(payouts: Sequence[Payout]) -> Payout | None:
    return min(payouts, key=lambda payout: payout.id, default=None)
