"""What sellers are told of their money, each piece of news once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from marketplace.application.notifications.notify import Notify
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.notifications import Kind
from marketplace.domain.payout_states import HoldReason, PayoutFailed, PayoutHeld, PayoutSent
from marketplace.domain.recoveries import RecoveryRefused, RecoveryReversed
from marketplace.domain.shared.ids import AccountId, OrderId, SaleId
from marketplace.domain.shared.money import Money

PayoutNews = PayoutSent | PayoutHeld | PayoutFailed | RecoveryReversed | RecoveryRefused


@dataclass(frozen=True, kw_only=True, slots=True)
class TellPayoutNews:
    """Tell sellers what was sent, kept back or taken back."""

    unit_of_work: Callable[[], UnitOfWork]
    notify: Notify

    def __call__(self, news: PayoutNews) -> None:
        """Raises Unavailable when a message was not taken. Doing it again tells nothing twice."""
        match news:
            case PayoutSent(amount=amount, currency=currency):
                self._tell(Kind.PAYOUT_SENT, news, amount=Money(amount, currency))
            case PayoutHeld(reason=HoldReason.SELLER_SUSPENDED):
                pass  # they are told of the suspension, and that it keeps their money back
            case PayoutHeld(reason=reason):
                self._tell(Kind.PAYOUT_HELD, news, claimed=HoldReason(reason).is_claim)
            case PayoutFailed():
                self._tell(Kind.PAYOUT_IMPOSSIBLE, news)
            case RecoveryReversed(amount=amount, currency=currency):
                self._tell(Kind.PAYOUT_TAKEN_BACK, news, amount=Money(amount, currency), owed=False)
            case _:
                owed = Money(news.amount, news.currency)
                self._tell(Kind.PAYOUT_TAKEN_BACK, news, amount=owed, owed=True)

    def _tell(self, kind: Kind, news: PayoutNews, **values: Any) -> None:
        with self.unit_of_work() as uow:
            sale = uow.orders.get(OrderId(news.order_id)).sale(SaleId(news.sale_id))
        self.notify(
            kind,
            account=AccountId(news.seller_id),
            # A payout may be held more than once, and one recovery be taken back in part and owed for the rest.
            occasion=f"{news.name}-{news.payout_id}-{news.occurred_at:%Y%m%dT%H%M%S%f}",
            link=f"/sellers/me/payouts/{news.payout_id}/",
            sale=sale.reference,
            **values,
        )
