"""Payouts of the platform: money on its way from our balance at the provider to our own bank."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.application.ports.clock import Clock
from marketplace.application.ports.payment_gateway import (
    PaymentGateway,
    PlatformPayout,
    PlatformPayoutStatus,
    ProviderObjectUnknown,
)
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain import journals
from marketplace.domain.ledger import JournalKind
from marketplace.domain.payments.payment import ProviderAlarm
from marketplace.domain.shared.money import Money


@dataclass(frozen=True, kw_only=True, slots=True)
class PlatformPayoutCheck:
    """Book a payout as the provider has it now. Doing it again books nothing."""

    unit_of_work: Callable[[], UnitOfWork]
    gateway: PaymentGateway
    clock: Clock

    def __call__(self, payout_id: str) -> bool:
        """Whether the provider has such a payout of ours. Raises what the provider raises."""
        try:
            payout = self.gateway.get_platform_payout(payout_id)
        except ProviderObjectUnknown:
            return False
        with self.unit_of_work() as uow:
            # What was read first may be written last: a later state is never followed by an earlier one.
            uow.ledger.one_at_a_time(f"payout {payout.id}")
            self._book(uow, payout)
            uow.commit()
        return True

    def _book(self, uow: UnitOfWork, payout: PlatformPayout) -> None:
        now = self.clock.now()
        id, currency, amount = payout.id, payout.currency, payout.amount
        uow.ledger.post(
            journals.payout_created(provider_payout_id=id, currency=currency, amount=amount, at=payout.created_at)
        )
        failed = uow.ledger.posted(JournalKind.PAYOUT_FAILED, f"payout_failed:{id}")
        if payout.status is PlatformPayoutStatus.PAID and not failed:
            uow.ledger.post(journals.payout_paid(provider_payout_id=id, currency=currency, amount=amount, at=now))
        elif payout.status in (PlatformPayoutStatus.FAILED, PlatformPayoutStatus.CANCELED) and not failed:
            arrived = uow.ledger.posted(JournalKind.PAYOUT_PAID, f"payout_paid:{id}")
            uow.ledger.post(
                journals.payout_failed(
                    provider_payout_id=id, currency=currency, amount=amount, at=now, after_paid=arrived
                )
            )
            reason = f"{Money(amount, currency)} for our bank came back ({payout.failure_code or payout.status.value})"
            uow.record(ProviderAlarm(occurred_at=now, subject=f"payout {id}", reason=reason))
