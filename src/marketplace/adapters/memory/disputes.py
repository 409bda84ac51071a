"""Disputes and chargebacks in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from marketplace.adapters.memory.pages import paged
from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.disputes import (
    ChargebackQueries,
    ChargebackRepository,
    ChargebackView,
    DisputeFilter,
    DisputeQueries,
    DisputeRepository,
    DisputeView,
)
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.disputes import AlreadyDisputed, Dispute
from marketplace.domain.orders.order import Order
from marketplace.domain.payments.chargebacks import Chargeback, ChargebackStage
from marketplace.domain.shared.errors import Conflict, NotFound
from marketplace.domain.shared.ids import ChargebackId, DisputeId, OrderId, SaleId


class InMemoryDisputes(InMemoryRepository[Dispute], DisputeRepository):
    name = "disputes"
    noun = "dispute"

    def check_constraints(self, entities: Collection[Dispute]) -> None:
        by_hand = Counter(d.sale_id for d in entities if d.is_open and d.chargeback_id is None)
        if any(count > 1 for count in by_hand.values()):
            raise AlreadyDisputed("A dispute is open on this sale already.")
        by_bank = Counter((d.sale_id, d.chargeback_id) for d in entities if d.chargeback_id is not None)
        if any(count > 1 for count in by_bank.values()):
            raise Conflict("This chargeback has opened a dispute on this sale already.")

    def get_for_update(self, id: DisputeId) -> Dispute:
        return self.get(id)

    def is_open(self, sale_id: SaleId) -> bool:
        return any(dispute.sale_id == sale_id and dispute.is_open for dispute in self._scan())

    def open_by_buyer_for_update(self, sale_id: SaleId) -> Dispute | None:
        return self._first(lambda found: found.sale_id == sale_id and found.is_open and found.chargeback_id is None)

    def of_chargeback_for_update(self, chargeback_id: ChargebackId) -> Sequence[Dispute]:
        return sorted(self._all(lambda dispute: dispute.chargeback_id == chargeback_id), key=lambda dispute: dispute.id)


class InMemoryChargebacks(InMemoryRepository[Chargeback], ChargebackRepository):
    name = "chargebacks"
    noun = "chargeback"

    def check_constraints(self, entities: Collection[Chargeback]) -> None:
        if len({chargeback.provider_chargeback_id for chargeback in entities}) < len(entities):
            raise Conflict("This chargeback is known already.")

    def get_for_update(self, id: ChargebackId) -> Chargeback:
        return self.get(id)

    def find(self, provider_chargeback_id: str) -> Chargeback | None:
        return self._first(lambda chargeback: chargeback.provider_chargeback_id == provider_chargeback_id)

    def of_order(self, order_id: OrderId) -> Sequence[Chargeback]:
        return sorted(self._all(lambda chargeback: chargeback.order_id == order_id), key=lambda found: found.id)

    def next_due_for_update(self, *, now: datetime) -> Chargeback | None:
        due = self._all(lambda chargeback: _is_due(chargeback, now))
        return min(due, key=lambda chargeback: (chargeback.next_check_at, chargeback.id), default=None)


class InMemoryDisputeQueries(DisputeQueries):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def dispute(self, id: DisputeId) -> DisputeView:
        with self._store.lock:
            found: Dispute | None = self._store.table(InMemoryDisputes.name).get(id)
            if found is None:
                raise NotFound(f"There is no dispute {id}.")
            return self._view(found)

    def disputes(self, request: PageRequest, wanted: DisputeFilter) -> Page[DisputeView]:
        with self._store.lock:
            stored: list[Dispute] = list(self._store.table(InMemoryDisputes.name).values())
            return paged(
                [dispute for dispute in stored if _matches(dispute, wanted)],
                key=lambda dispute: (dispute.opened_at.isoformat(), dispute.id),
                descending=True,
                request=request,
                view=self._view,
            )

    def _view(self, dispute: Dispute) -> DisputeView:
        order: Order = self._store.table("orders")[dispute.order_id]
        return DisputeView(
            id=dispute.id,
            order=dispute.order_id,
            sale=dispute.sale_id,
            sale_reference=order.sale(dispute.sale_id).reference,
            buyer_id=dispute.buyer_id,
            seller_id=dispute.seller_id,
            reason=dispute.reason,
            status=dispute.status,
            outcome=dispute.outcome,
            amount=dispute.amount,
            currency=dispute.currency,
            description=dispute.description,
            desired_outcome=dispute.desired_outcome,
            note=dispute.note,
            respond_by=dispute.respond_by,
            opened_at=dispute.opened_at,
            resolved_at=dispute.resolved_at,
            resolved_by=dispute.resolved_by,
            refund_id=dispute.refund_id,
            chargeback_id=dispute.chargeback_id,
        )


class InMemoryChargebackQueries(ChargebackQueries):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def chargeback(self, id: ChargebackId) -> ChargebackView:
        with self._store.lock:
            found: Chargeback | None = self._store.table(InMemoryChargebacks.name).get(id)
            if found is None:
                raise NotFound(f"There is no chargeback {id}.")
            return self._view(found)

    def chargebacks(
        self, request: PageRequest, *, stages: Collection[ChargebackStage] = (), order: OrderId | None = None
    ) -> Page[ChargebackView]:
        def is_wanted(chargeback: Chargeback) -> bool:
            return (not stages or chargeback.stage in stages) and order in (None, chargeback.order_id)

        with self._store.lock:
            stored: list[Chargeback] = list(self._store.table(InMemoryChargebacks.name).values())
            return paged(
                [chargeback for chargeback in stored if is_wanted(chargeback)],
                key=lambda chargeback: (chargeback.opened_at.isoformat(), chargeback.id),
                descending=True,
                request=request,
                view=self._view,
            )

    def _view(self, chargeback: Chargeback) -> ChargebackView:
        order: Order = self._store.table("orders")[chargeback.order_id]
        return ChargebackView(
            id=chargeback.id,
            provider_chargeback_id=chargeback.provider_chargeback_id,
            order=chargeback.order_id,
            order_reference=order.reference,
            amount=chargeback.amount,
            reason=chargeback.reason,
            stage=chargeback.stage,
            status=chargeback.status,
            movements=tuple(chargeback.movements),
            lost=chargeback.lost,
            evidence=dict(chargeback.evidence),
            evidence_due_at=chargeback.evidence_due_at,
            evidence_submitted_at=chargeback.evidence_submitted_at,
            opened_at=chargeback.opened_at,
            decided_at=chargeback.decided_at,
        )


def _matches(dispute: Dispute, wanted: DisputeFilter) -> bool:
    narrowed: list[Any] = [
        wanted.party is None or wanted.party in (dispute.buyer_id, dispute.seller_id),
        not wanted.statuses or dispute.status in wanted.statuses,
        not wanted.reasons or dispute.reason in wanted.reasons,
        wanted.sale in (None, dispute.sale_id),
        wanted.order in (None, dispute.order_id),
    ]
    return all(narrowed)


def _is_due(chargeback: Chargeback, now: datetime) -> bool:
    free = chargeback.locked_until is None or chargeback.locked_until <= now
    return free and chargeback.next_check_at is not None and chargeback.next_check_at <= now
