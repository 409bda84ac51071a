"""The good end of a sale: its buyer has it and says nothing against it, so its seller is to be paid."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.application.access import PROGRAM, Actor, named, require_role
from marketplace.application.payouts.positions import fall_due
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity import Role
from marketplace.domain.orders.order import Order, Sale
from marketplace.domain.orders.sale import SaleDisputed
from marketplace.domain.orders.status import SaleStatus
from marketplace.domain.shared.errors import Unavailable
from marketplace.domain.shared.ids import SaleId

TURN = timedelta(seconds=20)
"""How long the job keeps its worker at most."""
LOOK_AGAIN = timedelta(hours=1)
"""When a sale whose time is over, and which cannot complete yet, is looked at again."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class CompleteSale:
    """End a sale well before its time, by an operator who knows that all is well."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, sale_id: SaleId, reason: str) -> None:
        """The same again changes nothing.

        Raises Forbidden for anybody but an admin, NotFound, SaleDisputed while a claim about it is open, SaleNotPaid,
        SaleNotShipped and SaleEnded.
        """
        require_role(actor, Role.ADMIN)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            order = uow.orders.of_sale_for_update(sale_id)
            sale = order.sale(sale_id)
            before = {"status": sale.status.value}
            if sale.status is SaleStatus.COMPLETED:
                return
            if uow.disputes.is_open(sale.id):
                raise SaleDisputed(f"A dispute about sale {sale.reference} is open; decide it first.")
            _complete(uow, order, sale, now=now, actor=actor, reason=reason)
            after = {"sale_id": sale.id, "status": sale.status.value}
            uow.audit.add(
                actor.did("sale.completed", "order", order.id, now=now, reason=reason, before=before, after=after)
            )
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class CompleteSales:
    """End the sales whose time is over: for a worker. What an outage has kept waiting comes first afterwards."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    limit: int = 100

    def __call__(self) -> int:
        """End what is due, up to a bound; gives the number looked at.

        A disputed sale is put off, and so is one whose end fails: neither holds up the others. Raises Unavailable when
        the store does not answer.
        """
        looked_at: list[SaleId] = []
        until = self.clock.now() + TURN
        while len(looked_at) < self.limit and self._take(looked_at):
            if self.clock.now() >= until:
                break
        return len(looked_at)

    def _take(self, looked_at: list[SaleId]) -> bool:
        """End the next one that is not among ``looked_at``, and add it there; False when there is none."""
        now = self.clock.now()
        with self.unit_of_work() as uow:
            found = uow.orders.next_to_complete_for_update(now=now, skip=looked_at)
            if found is None:
                return False
            order, sale_id = found
            looked_at.append(sale_id)
            try:
                self._end(uow, order, order.sale(sale_id), now)
                uow.commit()
                return True
            except Unavailable:
                raise
            except Exception:
                _log.exception("sale %s could not be completed", sale_id)
        self._put_off(sale_id)
        return True

    def _end(self, uow: UnitOfWork, order: Order, sale: Sale, now: datetime) -> None:
        # Whoever had the order locked before may have moved the sale.
        if not sale.is_due(now):
            return
        if uow.disputes.is_open(sale.id):
            sale.completes_at = now + LOOK_AGAIN
            uow.orders.save(order)
            return
        reason = "no complaint after receipt" if sale.status is SaleStatus.DELIVERED else "no complaint after shipment"
        _complete(uow, order, sale, now=now, actor=PROGRAM, reason=reason)

    def _put_off(self, sale_id: SaleId) -> None:
        with self.unit_of_work() as uow:
            order = uow.orders.of_sale_for_update(sale_id)
            order.sale(sale_id).completes_at = self.clock.now() + LOOK_AGAIN
            uow.orders.save(order)
            uow.commit()


def _complete(uow: UnitOfWork, order: Order, sale: Sale, *, now: datetime, actor: Actor, reason: str) -> None:
    order.complete(sale, now=now, actor_id=named(actor), reason=reason)
    uow.orders.save(order)
    fall_due(uow, sale, order, now=now)
