"""What a test of payment gateways does behind the gateway's back: the part of buyers, banks, sellers and time.

Each implementation's tests supply a ``control`` fixture that follows ``ProviderControl``, next to ``gateway``,
``clock`` and ``unit_of_work``. The suites know nothing else of a provider, so that one suite holds for all of them.
Accounts, payments, charges and cards are given by their names at the provider; amounts are in minor units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from marketplace.application.ports.payment_gateway import PaymentRequest, ProviderPayment, ProviderRefund, WebhookSource
from marketplace.application.ports.transfers import ProviderReversal, ProviderTransfer, TransferRequest
from marketplace.domain.payout_accounts import AccountRequest, EntityType
from marketplace.domain.shared.ids import AccountId, OrderId, PaymentId, PayoutId, RecoveryId
from marketplace.domain.shared.money import Money

BACK = "https://cards.example/back"


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """An event as it is brought to the webhook for ``source``."""

    source: WebhookSource
    body: bytes
    headers: Mapping[str, str]


class ProviderControl(Protocol):
    def ripen(self) -> None:
        """What test cards make of their payments and refunds a while later happens: refunds end, charges are disputed.

        At least a minute of the clock's time goes by.
        """
        ...

    def make_available(self) -> None:
        """Time goes by until all the money that came in is available, to us and to sellers."""
        ...

    def activate(self, account: str) -> None:
        """The provider knows enough of a seller: money can be transferred to the account."""
        ...

    def restrict(self, account: str) -> None:
        """The provider wants to know more: nothing can be transferred to the account."""
        ...

    def cut_off(self, account: str) -> None:
        """The seller takes our access to the account away."""
        ...

    def empty(self, account: str) -> None:
        """All that is on a seller's balance, pending or available, goes to the seller's bank."""
        ...

    def open_chargeback(self, payment: ProviderPayment, *, is_inquiry: bool = False, amount: int | None = None) -> str:
        """The buyer's bank takes a payment back, or ``amount`` of it, or asks; gives the name of the chargeback."""
        ...

    def escalate(self, chargeback: str) -> None:
        """An inquiry becomes a chargeback."""
        ...

    def decide(self, chargeback: str, *, is_won: bool) -> None:
        """The bank decides; also an appeal. An inquiry that is won is closed."""
        ...

    def appeal(self, chargeback: str) -> None:
        """One that was lost is looked at again."""
        ...

    def finish_setup(self, setup: str, payment_method: str) -> str:
        """The buyer's client saves the test card called ``payment_method``; gives the name of the saved one."""
        ...

    def pay_out(self, amount: int, currency: str) -> str:
        """Available money of ours goes to our bank; gives the name of the payout."""
        ...

    def end_payout(self, payout: str, *, is_paid: bool) -> None:
        """A payout of ours arrives, or comes back; also, later, one that had arrived."""
        ...

    def top_up(self, amount: int, currency: str) -> None:
        """We pay in, available at once."""
        ...

    def adjust(self, amount: int, currency: str) -> None:
        """The provider changes our balance for reasons of its own."""
        ...

    def told(self) -> Sequence[Told]:
        """The events that were not taken by this before, the oldest first, signed now."""
        ...


def a_request(
    order_id: int = 7, amount: int = 12112, currency: str = "EUR", customer_id: str | None = None
) -> PaymentRequest:
    return PaymentRequest(
        payment_id=PaymentId(order_id + 1),
        order_id=OrderId(order_id),
        amount=Money(amount, currency),
        description=f"Order {order_id}",
        customer_id=customer_id,
    )


class GatewayScenes:
    """What several suites have to do first. Each step has one key, so that it can be repeated."""

    def created(self, gateway: Any, order_id: int = 7, **changes: Any) -> ProviderPayment:
        payment: ProviderPayment = gateway.create_payment(a_request(order_id, **changes), key=f"pi:{order_id}:1")
        return payment

    def paid(self, gateway: Any, order_id: int = 7, method: str = "pm_card_visa", **changes: Any) -> ProviderPayment:
        intent = self.created(gateway, order_id, **changes)
        payment: ProviderPayment = gateway.confirm_payment(
            intent.id, payment_method=method, return_url=BACK, key=f"pi-confirm:{order_id}:1"
        )
        return payment

    def refund(
        self, gateway: Any, intent_id: str, amount: int, number: int = 1, currency: str = "EUR"
    ) -> ProviderRefund:
        refund: ProviderRefund = gateway.refund(
            intent_id,
            amount=Money(amount, currency),
            reason="requested_by_customer",
            metadata={"order_id": "7", "refund_id": str(number)},
            key=f"re:{number}:1",
        )
        return refund

    def seller(self, gateway: Any, control: ProviderControl, seller_id: int = 41) -> str:
        """A seller's account that money can be transferred to."""
        request = AccountRequest(
            seller_id=AccountId(seller_id),
            email=f"seller{seller_id}@example.com",
            display_name="Cerulean Cards",
            entity_type=EntityType.INDIVIDUAL,
            country="FR",
        )
        account: str = gateway.create_account(request, key=f"acct:{seller_id}:1").id
        control.activate(account)
        return account

    def transfer(
        self,
        gateway: Any,
        destination: str,
        source_charge: str | None,
        amount: int = 4754,
        *,
        payout_id: int = 1,
        currency: str = "EUR",
        attempt: int = 1,
    ) -> ProviderTransfer:
        request = TransferRequest(
            payout_id=PayoutId(payout_id),
            order_id=OrderId(7),
            seller_id=AccountId(41),
            amount=Money(amount, currency),
            destination=destination,
            source_charge=source_charge,
            description="Order 7",
        )
        made: ProviderTransfer = gateway.create_transfer(request, key=f"tr:{payout_id}:{attempt}")
        return made

    def reverse(
        self, gateway: Any, transfer_id: str, amount: int, *, recovery_id: int = 1, attempt: int = 1
    ) -> ProviderReversal:
        made: ProviderReversal = gateway.reverse_transfer(
            transfer_id,
            amount=Money(amount, "EUR"),
            recovery_id=RecoveryId(recovery_id),
            description="Refund of order 7",
            key=f"trr:{recovery_id}:41:{attempt}",
        )
        return made

    def balance(self, gateway: Any, currency: str = "EUR") -> int:
        """All that is on our balance, in minor units."""
        found = gateway.balance(currency)
        total: int = found.available + found.pending
        return total

    def types_told(self, gateway: Any, control: ProviderControl, clock: Any) -> list[tuple[WebhookSource, str]]:
        """What the events that were not taken yet are about."""
        return [
            (told.source, gateway.parse_webhook(told.body, told.headers, source=told.source, now=clock.now()).type)
            for told in control.told()
        ]
