"""What the simulated provider does with a payment: attempts, cancellation, refunds, and the events of each.

Each method works within one transaction of the provider's own memory and leaves the events that it causes in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from marketplace.adapters.simulated_gateway.cards import CARDS, Card, Outcome
from marketplace.adapters.simulated_gateway.objects import (
    Object,
    fee_of,
    new_balance_transaction,
    new_charge,
    new_event,
    new_intent,
    new_refund,
)
from marketplace.application.ports.payment_gateway import PaymentRequest
from marketplace.application.ports.provider_state import OutgoingEvent, ProviderTransaction

CONFIRMABLE = ("requires_payment_method", "requires_action")
RIPENS_AFTER = timedelta(minutes=1)
"""How long a refund takes to become what its card makes it."""
RIPEN = "simulated.refund_ripens"
"""Not an event of the provider: its own reminder, among them because they have the clock that it needs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Provider:
    """``token()`` gives the random part of a new name."""

    state: ProviderTransaction
    token: Callable[[], str]
    now: datetime
    key: str | None = None

    def create(self, request: PaymentRequest) -> Object:
        id = self.name("pi")
        intent = new_intent(request, id=id, client_secret=f"{id}_secret_{self.token()}", now=self.now)
        self._keep_intent(intent)
        self.tell("payment_intent.created", intent)
        return intent

    def confirm(self, intent: Object, payment_method: str, *, page: str, return_url: str) -> None:
        """One attempt with a payment method that is known."""
        card = CARDS[payment_method]
        intent["last_payment_error"] = intent["next_action"] = None
        intent["payment_method"] = payment_method
        if card.outcome is Outcome.ASKS_THE_BUYER:
            intent["status"] = "requires_action"
            intent["next_action"] = {
                "type": "redirect_to_url",
                "redirect_to_url": {"return_url": return_url, "url": page},
            }
            self._keep_intent(intent)
            self.tell("payment_intent.requires_action", intent)
        elif card.outcome is Outcome.DECLINED:
            self.decline(intent, code=card.code, decline_code=card.decline_code)
        else:
            self.succeed(intent)

    def succeed(self, intent: Object) -> None:
        """The money arrives, and with it the movement on our balance."""
        charge = new_charge(intent, id=self.name("ch"), payment_method=intent["payment_method"], now=self.now)
        intent.update(
            status="succeeded",
            amount_received=intent["amount"],
            latest_charge=charge["id"],
            last_payment_error=None,
            next_action=None,
        )
        self._keep_intent(intent)
        self._keep_charge(charge)
        self.tell("charge.succeeded", charge)
        self.tell("payment_intent.succeeded", intent)
        movement = self._move("charge", charge["id"], intent, amount=charge["amount"], fee=fee_of(charge["amount"]))
        charge["balance_transaction"] = movement["id"]
        self._keep_charge(charge)
        self.tell("charge.updated", charge)

    def decline(self, intent: Object, *, code: str, decline_code: str) -> None:
        """An attempt that came to nothing: another payment method may be tried."""
        charge = new_charge(intent, id=self.name("ch"), payment_method=intent["payment_method"], now=self.now)
        charge.update(amount_captured=0, captured=False, paid=False, status="failed", failure_code=code)
        error = {"type": "card_error", "code": code, "decline_code": decline_code, "charge": charge["id"]}
        intent.update(status="requires_payment_method", last_payment_error=error, next_action=None, payment_method=None)
        self._keep_intent(intent)
        self._keep_charge(charge)
        self.tell("charge.failed", charge)
        self.tell("payment_intent.payment_failed", intent)

    def cancel(self, intent: Object) -> None:
        intent.update(
            status="canceled",
            canceled_at=int(self.now.timestamp()),
            cancellation_reason="abandoned",
            next_action=None,
        )
        self._keep_intent(intent)
        self.tell("payment_intent.canceled", intent)

    def refund(self, charge: Object, *, amount: int, reason: str, metadata: Mapping[str, str]) -> Object:
        """Give back part of a charge; what its card makes of the refund comes later."""
        card = self._card_of(charge)
        refund = new_refund(
            charge,
            id=self.name("re"),
            amount=amount,
            reason=reason,
            metadata=metadata,
            status=card.refund_starts,
            now=self.now,
        )
        movement = self._move("refund", refund["id"], charge, amount=-amount, fee=0)
        refund["balance_transaction"] = movement["id"]
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        self._keep_refund(refund)
        self._keep_charge(charge)
        self.tell("refund.created", refund)
        self.tell("charge.refunded", charge)
        if card.refund_becomes:
            reminder = OutgoingEvent(id=self.name("evt"), type=RIPEN, body=refund["id"])
            self.state.emit(reminder, at=self.now + RIPENS_AFTER)
        return refund

    def ripen(self, refund_id: str) -> None:
        """A refund becomes what its card makes of it, once: a courier that dies here is reminded again."""
        refund = self.found(refund_id)
        charge = self.found(refund["charge"])
        becomes = self._card_of(charge).refund_becomes
        if refund["status"] == becomes:
            return
        refund["status"] = becomes
        if refund["status"] == "failed":
            refund["failure_reason"] = "expired_or_canceled_card"
            movement = self._move("refund_failure", refund["id"], charge, amount=refund["amount"], fee=0)
            refund["failure_balance_transaction"] = movement["id"]
            charge["amount_refunded"] -= refund["amount"]
            charge["refunded"] = False
            self._keep_charge(charge)
        self._keep_refund(refund)
        self.tell("refund.failed" if refund["status"] == "failed" else "refund.updated", refund)

    def keep_account(self, account: Object) -> None:
        self.state.put(account, kind="account", parent=account["metadata"]["seller_id"], at=self.now)

    def tell(self, type: str, about: Object) -> None:
        """Leave an event, to be brought to the webhook."""
        event = new_event(id=self.name("evt"), type=type, about=about, key=self.key, now=self.now)
        self.state.emit(OutgoingEvent(id=event["id"], type=type, body=orjson.dumps(event).decode()), at=self.now)

    def name(self, prefix: str) -> str:
        return f"{prefix}_sim_{self.token()}"

    def found(self, id: str) -> Object:
        """An object that another one names."""
        found = self.state.get(id)
        if found is None:
            raise LookupError(f"The simulated provider has lost {id}.")
        return found

    def _card_of(self, charge: Object) -> Card:
        return CARDS.get(charge["payment_method"], Card(Outcome.SUCCEEDS))

    def _move(self, type: str, source: str, about: Object, *, amount: int, fee: int) -> Object:
        movement = new_balance_transaction(
            id=self.name("txn"),
            type=type,
            source=source,
            amount=amount,
            fee=fee,
            currency=about["currency"],
            now=self.now,
        )
        self.state.put(movement, kind="balance_transaction", parent=source, at=self.now)
        return movement

    def _keep_intent(self, intent: Object) -> None:
        self.state.put(intent, kind="payment_intent", parent=intent["metadata"]["order_id"], at=self.now)

    def _keep_charge(self, charge: Object) -> None:
        self.state.put(charge, kind="charge", parent=charge["payment_intent"], at=self.now)

    def _keep_refund(self, refund: Object) -> None:
        self.state.put(refund, kind="refund", parent=refund["payment_intent"], at=self.now)
