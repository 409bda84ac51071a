"""News of a transfer from the provider: only ever a reason to look, at ours and at what the provider has now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.application.ports.clock import Clock
from marketplace.application.ports.payment_gateway import PaymentGateway, ProviderObjectUnknown
from marketplace.application.ports.transfers import ProviderTransfer
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.payouts import Payout
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import PayoutId


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferCheck:
    """Compare a transfer with its payout: one that is being sent is gone on with, a strange reversal is told."""

    unit_of_work: Callable[[], UnitOfWork]
    gateway: PaymentGateway
    clock: Clock

    def __call__(self, transfer_id: str) -> bool:
        """Whether it is a payout's of ours. Raises Unavailable when there is no answer."""
        try:
            transfer = self.gateway.get_transfer(transfer_id)
        except ProviderObjectUnknown:
            return False
        payout_id = self._payout_of(transfer)
        if payout_id is None:
            return False
        now = self.clock.now()
        with self.unit_of_work() as uow:
            uow.orders.get_for_update(uow.payouts.get(payout_id).order_id)
            payout = uow.payouts.get_for_update(payout_id)
            payout.look_again(now=now)
            if payout.transfer_id == transfer.id:
                known = sum(recovery.at_the_provider for recovery in uow.recoveries.of_payout_for_update(payout.id))
                payout.found_reversed_elsewhere(transfer.amount_reversed - known, now=now)
            uow.payouts.save(payout)
            uow.commit()
        return True

    def _payout_of(self, transfer: ProviderTransfer) -> PayoutId | None:
        """By its name at the provider, else by ours: which may be that of another marketplace of the same account."""
        with self.unit_of_work() as uow:
            found: Payout | None = uow.payouts.find_by_transfer(transfer.id)
            if found is None and transfer.payout_id is not None:
                try:
                    found = uow.payouts.get(transfer.payout_id)
                except NotFound:
                    return None
        return None if found is None else found.id
