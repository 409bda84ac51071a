"""What buyers and sellers are told of disputes, each piece of news once.

Of a chargeback only the seller is told here: the buyer has gone to their bank, which answers them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from marketplace.application.notifications.notify import Notify
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.disputes import Dispute, DisputeOpened, DisputeReason, DisputeResolved
from marketplace.domain.notifications import Kind
from marketplace.domain.orders.order import Order
from marketplace.domain.shared.ids import AccountId, DisputeId

DisputeNews = DisputeOpened | DisputeResolved


@dataclass(frozen=True, kw_only=True, slots=True)
class TellDisputeNews:
    """Tell the parties of a dispute that it is open, and how it ended."""

    unit_of_work: Callable[[], UnitOfWork]
    notify: Notify

    def __call__(self, news: DisputeNews) -> None:
        """Raises Unavailable when a message was not taken. Doing it again tells nothing twice."""
        with self.unit_of_work() as uow:
            dispute = uow.disputes.get(DisputeId(news.dispute_id))
            order = uow.orders.get(dispute.order_id)
        by_bank = dispute.reason is DisputeReason.CHARGEBACK
        if isinstance(news, DisputeOpened):
            self._tell_of_opening(dispute, order, by_bank=by_bank)
        else:
            self._tell_of_end(news, dispute, order, by_bank=by_bank)

    def _tell_of_opening(self, dispute: Dispute, order: Order, *, by_bank: bool) -> None:
        # When it was to be answered is not kept once it has ended; who was told late need not answer any more.
        respond_by = dispute.respond_by or dispute.opened_at
        self._tell(
            Kind.SALE_DISPUTED,
            dispute.seller_id,
            dispute,
            order,
            description=dispute.description,
            respond_by=respond_by,
            by_bank=by_bank,
        )
        if not by_bank:
            self._tell(
                Kind.DISPUTE_OPENED, dispute.buyer_id, dispute, order, order=order.reference, respond_by=respond_by
            )

    def _tell_of_end(self, news: DisputeResolved, dispute: Dispute, order: Order, *, by_bank: bool) -> None:
        withdrawn = not news.outcome
        said: dict[str, Any] = {"amount": dispute.amount, "note": dispute.note}
        sale = order.sale(dispute.sale_id)
        left = sale.returned < sale.base
        self._tell(Kind.SALE_DISPUTE_ENDED, dispute.seller_id, dispute, order, withdrawn=withdrawn, left=left, **said)
        if not by_bank and not withdrawn:
            self._tell(Kind.DISPUTE_DECIDED, dispute.buyer_id, dispute, order, order=order.reference, **said)

    def _tell(self, kind: Kind, account: AccountId, dispute: Dispute, placed: Order, **values: Any) -> None:
        self.notify(
            kind,
            account=account,
            occasion=f"{kind.value}-{dispute.id}",
            link=f"/disputes/{dispute.id}/",
            sale=placed.sale(dispute.sale_id).reference,
            **values,
        )
