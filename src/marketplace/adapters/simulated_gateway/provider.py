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
    AVAILABLE_AFTER,
    Object,
    fee_of,
    moment_of,
    new_balance_transaction,
    new_charge,
    new_event,
    new_intent,
    new_refund,
)
from marketplace.application.ports.payment_gateway import PaymentRequest
from marketplace.application.ports.provider_state import OUR_BALANCE, Movement, OutgoingEvent, ProviderTransaction

CONFIRMABLE = ("requires_payment_method", "requires_action")
RIPENS_AFTER = timedelta(minutes=1)
"""How long a refund takes to become what its card makes it, and a bank to dispute a charge."""
RIPEN = "simulated.refund_ripens"
"""Not an event of the provider: its own reminder, among them because they have the clock that it needs."""
DISPUTE = "simulated.charge_is_disputed"
"""Another reminder."""


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
        self.keep_intent(intent)
        self.tell("payment_intent.created", intent)
        return intent

    @property
    def seconds(self) -> int:
        return int(self.now.timestamp())

    def confirm(self, intent: Object, payment_method: str, *, named: str, page: str, return_url: str) -> None:
        """One attempt with a payment method that is known: the test card called ``named``."""
        card = CARDS[named]
        intent["last_payment_error"] = intent["next_action"] = None
        intent["payment_method"] = payment_method
        intent["simulated_card"] = named
        if card.outcome is Outcome.ASKS_THE_BUYER:
            intent["status"] = "requires_action"
            intent["next_action"] = {
                "type": "redirect_to_url",
                "redirect_to_url": {"return_url": return_url, "url": page},
            }
            self.keep_intent(intent)
            self.tell("payment_intent.requires_action", intent)
        elif card.outcome is Outcome.DECLINED:
            self.decline(intent, code=card.code, decline_code=card.decline_code)
        else:
            self.succeed(intent)

    def succeed(self, intent: Object) -> None:
        """The money arrives, and with it the movement on our balance."""
        charge = self._new_charge(intent)
        card = card_of(charge)
        intent.update(
            status="succeeded",
            amount_received=intent["amount"],
            latest_charge=charge["id"],
            last_payment_error=None,
            next_action=None,
        )
        self.keep_intent(intent)
        self.tell("charge.succeeded", charge)
        self.tell("payment_intent.succeeded", intent)
        movement = self.move(
            "charge",
            charge["id"],
            currency=charge["currency"],
            amount=charge["amount"],
            fee=fee_of(charge["amount"]),
            available_on=int((self.now if card.is_available_at_once else self.now + AVAILABLE_AFTER).timestamp()),
        )
        charge["balance_transaction"] = movement["id"]
        self.keep_charge(charge)
        self.tell("charge.updated", charge)
        if card.disputed_as:
            self._remind(DISPUTE, charge["id"])

    def decline(self, intent: Object, *, code: str, decline_code: str) -> None:
        """An attempt that came to nothing: another payment method may be tried."""
        charge = self._new_charge(intent)
        charge.update(amount_captured=0, captured=False, paid=False, status="failed", failure_code=code)
        error = {"type": "card_error", "code": code, "decline_code": decline_code, "charge": charge["id"]}
        intent.update(status="requires_payment_method", last_payment_error=error, next_action=None, payment_method=None)
        self.keep_intent(intent)
        self.keep_charge(charge)
        self.tell("charge.failed", charge)
        self.tell("payment_intent.payment_failed", intent)

    def cancel(self, intent: Object) -> None:
        intent.update(
            status="canceled",
            canceled_at=int(self.now.timestamp()),
            cancellation_reason="abandoned",
            next_action=None,
        )
        self.keep_intent(intent)
        self.tell("payment_intent.canceled", intent)

    def refund(self, charge: Object, *, amount: int, reason: str, metadata: Mapping[str, str]) -> Object:
        """Give back part of a charge; what its card makes of the refund comes later."""
        card = card_of(charge)
        refund = new_refund(
            charge,
            id=self.name("re"),
            amount=amount,
            reason=reason,
            metadata=metadata,
            status=card.refund_starts,
            now=self.now,
        )
        movement = self.move(
            "refund",
            refund["id"],
            currency=charge["currency"],
            amount=-amount,
            available_on=self.available_on(charge),
        )
        refund["balance_transaction"] = movement["id"]
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        self._keep_refund(refund)
        self.keep_charge(charge)
        self.tell("refund.created", refund)
        self.tell("charge.refunded", charge)
        if card.refund_becomes:
            self._remind(RIPEN, refund["id"])
        return refund

    def ripen(self, refund_id: str) -> None:
        """A refund becomes what its card makes of it, once: a courier that dies here is reminded again."""
        refund = self.found(refund_id)
        charge = self.found(refund["charge"])
        becomes = card_of(charge).refund_becomes
        if refund["status"] == becomes:
            return
        refund["status"] = becomes
        if refund["status"] == "failed":
            refund["failure_reason"] = "expired_or_canceled_card"
            movement = self.move(
                "refund_failure",
                refund["id"],
                currency=charge["currency"],
                amount=refund["amount"],
                available_on=self.available_on(charge),
            )
            refund["failure_balance_transaction"] = movement["id"]
            charge["amount_refunded"] -= refund["amount"]
            charge["refunded"] = False
            self.keep_charge(charge)
        self._keep_refund(refund)
        self.tell("refund.failed" if refund["status"] == "failed" else "refund.updated", refund)

    def keep_account(self, account: Object) -> None:
        self.state.put(account, kind="account", parent=account["metadata"]["seller_id"], at=self.now)

    def keep_charge(self, charge: Object) -> None:
        self.state.put(charge, kind="charge", parent=charge["payment_intent"], at=self.now)

    def tell(self, type: str, about: Object, *, account: str | None = None) -> None:
        """Leave an event, to be brought to the webhook; with ``account``, of what happened there and not at ours."""
        event = new_event(id=self.name("evt"), type=type, about=about, account=account, key=self.key, now=self.now)
        self.state.emit(OutgoingEvent(id=event["id"], type=type, body=orjson.dumps(event).decode()), at=self.now)

    def name(self, prefix: str) -> str:
        return f"{prefix}_sim_{self.token()}"

    def found(self, id: str) -> Object:
        """An object that another one names."""
        found = self.state.get(id)
        if found is None:
            raise LookupError(f"The simulated provider has lost {id}.")
        return found

    # --- money

    def available_on(self, charge: Object) -> int:
        """When what moves with the money of a charge is available: with it, unless that is now."""
        movement = self.state.read(charge["balance_transaction"] or "")
        return max(movement["available_on"], self.seconds) if movement is not None else self.seconds

    def funds(self, account: str, currency: str) -> tuple[int, int]:
        """Available and pending, in minor units."""
        found = self.state.funds(account, now=self.now, currency=currency.lower())
        return (found[0].available, found[0].pending) if found else (0, 0)

    def move(
        self,
        type: str,
        source: str,
        *,
        currency: str,
        amount: int,
        available_on: int,
        fee: int = 0,
        category: str | None = None,
    ) -> Object:
        """A movement on our balance, as the provider tells of it."""
        movement = new_balance_transaction(
            id=self.name("txn"),
            type=type,
            category=category or type,
            source=source,
            amount=amount,
            fee=fee,
            currency=currency,
            available_on=available_on,
            now=self.now,
        )
        self.state.put(movement, kind="balance_transaction", parent=source, at=self.now)
        self._count(OUR_BALANCE, movement["id"], currency, movement["net"], available_on)
        return movement

    def move_seller(self, account: str, *, currency: str, net: int, available_on: int) -> None:
        """A movement on a seller's balance, whose account is locked: what is there is spent once."""
        self._count(account, self.name("txn"), currency, net, available_on)

    def _count(self, account: str, id: str, currency: str, net: int, available_on: int) -> None:
        self.state.move(
            Movement(id=id, account=account, currency=currency, net=net, available_at=moment_of(available_on))
        )

    # --- details

    def _new_charge(self, intent: Object) -> Object:
        method = intent["payment_method"]
        named = intent.get("simulated_card") or method
        return new_charge(intent, id=self.name("ch"), payment_method=method, card=named, now=self.now)

    def _remind(self, of: str, about: str) -> None:
        self.state.emit(OutgoingEvent(id=self.name("evt"), type=of, body=about), at=self.now + RIPENS_AFTER)

    def keep_intent(self, intent: Object) -> None:
        self.state.put(intent, kind="payment_intent", parent=intent["metadata"]["order_id"], at=self.now)

    def _keep_refund(self, refund: Object) -> None:
        self.state.put(refund, kind="refund", parent=refund["payment_intent"], at=self.now)


def card_of(charge: Object) -> Card:
    return CARDS.get(charge.get("simulated_card") or charge["payment_method"], Card(Outcome.SUCCEEDS))
