"""The control of the tests' Stripe that the suites for payment gateways ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from marketplace.adapters.memory.clock import FixedClock
from marketplace.application.ports.payment_gateway import ProviderPayment, WebhookSource
from tests.contracts.provider_control import ProviderControl, Told
from tests.stripe_stub import StripeStub


@dataclass(frozen=True, slots=True)
class StripeControl(ProviderControl):
    stub: StripeStub
    clock: FixedClock

    def ripen(self) -> None:
        self.clock.advance(timedelta(minutes=1))
        self.stub.ripen_refunds()

    def make_available(self) -> None:
        self.clock.advance(timedelta(days=2))

    def activate(self, account: str) -> None:
        self.stub.activate(account)

    def restrict(self, account: str) -> None:
        self.stub.restrict(account)

    def cut_off(self, account: str) -> None:
        self.stub.cut_off(account)

    def empty(self, account: str) -> None:
        for currency, amount in dict(self.stub.world.sellers[account]).items():
            self.stub.drain(account, amount, currency)

    def open_chargeback(self, payment: ProviderPayment, *, is_inquiry: bool = False, amount: int | None = None) -> str:
        return self.stub.open_dispute(payment.charge_id or "", inquiry=is_inquiry, amount=amount)

    def escalate(self, chargeback: str) -> None:
        self.stub.turn_dispute(chargeback, "needs_response")
        self.stub.move_dispute(chargeback, back=False)

    def decide(self, chargeback: str, *, is_won: bool) -> None:
        is_inquiry = self.stub.world.objects[chargeback]["status"].startswith("warning_")
        won = "warning_closed" if is_inquiry else "won"
        self.stub.turn_dispute(chargeback, won if is_won else "lost")

    def appeal(self, chargeback: str) -> None:
        self.stub.turn_dispute(chargeback, "appeal_needs_response")

    def finish_setup(self, setup: str, payment_method: str) -> str:
        return self.stub.save_card(setup, payment_method)

    def pay_out(self, amount: int, currency: str) -> str:
        return self.stub.pay_out(amount, currency.lower())

    def end_payout(self, payout: str, *, is_paid: bool) -> None:
        self.stub.end_payout(payout, "paid" if is_paid else "failed")

    def top_up(self, amount: int, currency: str) -> None:
        self.stub.top_up(amount, currency.lower())

    def adjust(self, amount: int, currency: str) -> None:
        world = self.stub.world
        world.move("adjustment", None, amount=amount, currency=currency.lower(), available=world.seconds())

    def told(self) -> Sequence[Told]:
        return [
            Told(source=WebhookSource(each.destination), body=each.body, headers=each.headers)
            for each in self.stub.deliveries()
        ]
