"""The control of the simulated provider that the suites for payment gateways ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.simulated_gateway.gateway import SimulatedGateway
from marketplace.application.ports.payment_gateway import ProviderPayment
from marketplace.domain.shared.money import Money
from tests.contracts.provider_control import ProviderControl, Told


@dataclass(frozen=True, slots=True)
class SimulatedControl(ProviderControl):
    gateway: SimulatedGateway
    clock: FixedClock

    def ripen(self) -> None:
        self.clock.advance(timedelta(minutes=1))
        # Looked at, not taken: they are free again at once.
        self.gateway.due_deliveries(lease_for=timedelta(0), limit=1000)

    def make_available(self) -> None:
        self.clock.advance(timedelta(days=2))

    def activate(self, account: str) -> None:
        self.gateway.finish_onboarding(account, link=None, succeed=True)

    def restrict(self, account: str) -> None:
        self.gateway.finish_onboarding(account, link=None, succeed=False)

    def cut_off(self, account: str) -> None:
        self.gateway.cut_off(account)

    def empty(self, account: str) -> None:
        self.gateway.pay_seller_out(account, with_pending=True)

    def open_chargeback(self, payment: ProviderPayment, *, is_inquiry: bool = False, amount: int | None = None) -> str:
        return self.gateway.open_chargeback(payment.id, is_inquiry=is_inquiry, amount=amount).id

    def escalate(self, chargeback: str) -> None:
        self.gateway.escalate_chargeback(chargeback)

    def decide(self, chargeback: str, *, is_won: bool) -> None:
        self.gateway.decide_chargeback(chargeback, is_won=is_won)

    def appeal(self, chargeback: str) -> None:
        self.gateway.appeal_chargeback(chargeback)

    def finish_setup(self, setup: str, payment_method: str) -> str:
        return self.gateway.finish_setup(setup, payment_method=payment_method).id

    def pay_out(self, amount: int, currency: str) -> str:
        return self.gateway.pay_out(Money(amount, currency)).id

    def end_payout(self, payout: str, *, is_paid: bool) -> None:
        self.gateway.end_payout(payout, is_paid=is_paid)

    def top_up(self, amount: int, currency: str) -> None:
        self.gateway.top_up(Money(amount, currency))

    def adjust(self, amount: int, currency: str) -> None:
        self.gateway.adjust(Money(amount, currency))

    def told(self) -> Sequence[Told]:
        taken = self.gateway.due_deliveries(lease_for=timedelta(days=1), limit=1000)
        for delivery in taken:
            self.gateway.delivered(delivery)
        return [Told(source=each.source, body=each.body, headers=each.headers) for each in taken]
