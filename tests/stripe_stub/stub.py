"""A Stripe for tests: a loopback server that refuses what Stripe refuses, and what a test does behind its API."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.stripe_stub import accounts, cards, disputes, payments, transfers
from tests.stripe_stub.faults import Fault, When
from tests.stripe_stub.server import API_KEY, Asked, StubServer
from tests.stripe_stub.world import Object, World

SECRETS = {"platform": "whsec_stub_platform", "connect": "whsec_stub_connect", "thin": "whsec_stub_thin"}
RATE_LIMITED = {"type": "invalid_request_error", "code": "rate_limit", "message": "Too many requests."}
LOCKED = {
    "type": "invalid_request_error",
    "code": "lock_timeout",
    "message": "This object cannot be accessed right now.",
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event as it is brought to the endpoint for ``destination``."""

    destination: str
    event: Object
    body: bytes
    headers: dict[str, str]


class StripeStub:
    """Give a client ``url`` as the base address of the API, and ``api_key``. Between tests, ``reset``."""

    api_key = API_KEY

    def __init__(self) -> None:
        self.server = StubServer()
        self.url = self.server.url
        self._delivered = 0

    def close(self) -> None:
        self.server.close()

    def reset(self, *, now: Callable[[], datetime] | None = None) -> None:
        """Forget everything. ``now`` is the clock from here on; each instance begins with the true one."""
        self.server.reset(World(now=now or (lambda: datetime.now(UTC))))
        self._delivered = 0

    @property
    def world(self) -> World:
        return self.server.world

    # --- what was asked

    @property
    def asked(self) -> list[Asked]:
        return self.server.asked

    def keys(self, path: str = "") -> list[str | None]:
        """The keys of the POST requests whose path contains ``path``, in their order."""
        return [asked.key for asked in self.asked if asked.verb == "POST" and path in asked.path]

    def check(self) -> None:
        """Raises AssertionError when an answer of the stub itself did not fit Stripe's description."""
        assert self.server.unfit == []

    # --- what goes wrong

    def fault(self, **fault: Any) -> Fault:
        """See ``Fault``: what the next matching requests meet."""
        return self.server.faults.add(Fault(**fault))

    def drop(self, path: str, *, when: When, verb: str = "POST", times: int = 1) -> Fault:
        return self.fault(verb=verb, path=path, drop=when, times=times)

    def hang(self, path: str, *, when: When, verb: str = "POST", times: int = 1) -> Fault:
        return self.fault(verb=verb, path=path, hang=when, times=times)

    def fail(self, path: str, *, kept: bool = False, verb: str = "POST", times: int = 1, status: int = 500) -> Fault:
        """Answer an error of Stripe's own, ``kept`` under the key of the request or not."""
        return self.fault(verb=verb, path=path, status=status, kept=kept, times=times)

    def limit(self, path: str, *, locked: bool = False, verb: str = "POST", times: int = 1) -> Fault:
        """Answer 429: too many requests, or with ``locked`` an object that somebody else holds."""
        error = LOCKED if locked else RATE_LIMITED
        return self.fault(verb=verb, path=path, status=429, error=error, times=times)

    def garble(self, path: str, body: bytes = b'{"id": ', *, verb: str = "POST", times: int = 1) -> Fault:
        """Do it, and answer something that cannot be read."""
        return self.fault(verb=verb, path=path, garbled=body, times=times)

    # --- what buyers and their banks do

    def authenticate(self, intent_id: str, *, succeed: bool = True) -> None:
        """The buyer comes to their bank's page, and confirms or does not."""
        with self.server.lock:
            intent = self.world.get("payment_intent", intent_id)
            assert intent["status"] == "requires_action"
            if succeed:
                payments.succeed(self.world, intent)
            else:
                payments.fail_authentication(self.world, intent)

    def pay(self, intent_id: str, card: str = "pm_card_visa") -> None:
        """The buyer's browser confirms the payment with the client secret, behind our back."""
        with self.server.lock:
            intent = self.world.get("payment_intent", intent_id)
            intent["payment_method"] = cards.a_card(self.world, card, customer=intent["customer"])["id"]
            payments.succeed(self.world, intent)

    def process(self, intent_id: str) -> None:
        """A slow payment method: the money is under way, and ``pay`` or nothing follows."""
        with self.server.lock:
            intent = self.world.get("payment_intent", intent_id)
            intent["status"] = "processing"
            self.world.tell("payment_intent.processing", intent)

    def bounce(self, intent_id: str) -> None:
        """The money of a slow payment method does not come."""
        with self.server.lock:
            intent = self.world.get("payment_intent", intent_id)
            assert intent["status"] == "processing"
            payments.bounce(self.world, intent)

    def book_fees(self) -> None:
        """Make the movements of charges that ``world.fees_come_late`` held back."""
        with self.server.lock:
            for charge in self.world.find("charge", balance_transaction=None, status="succeeded"):
                payments.book(self.world, charge)

    def ripen_refund(self, refund_id: str, status: str, *, reason: str = "expired_or_canceled_card") -> None:
        """A refund becomes ``succeeded``, ``failed`` or ``pending``."""
        with self.server.lock:
            disputes.ripen(self.world, self.world.get("refund", refund_id), status, reason=reason)

    def ripen_refunds(self) -> None:
        """What the test cards make of their refunds: pending ones succeed, those of a closed card fail."""
        with self.server.lock:
            for refund in self.world.find("refund"):
                card = self.world.cards.get(self.world.objects[refund["charge"]]["payment_method"])
                if card == "pendingRefund" and refund["status"] == "pending":
                    disputes.ripen(self.world, refund, "succeeded")
                elif card == "refundFail" and refund["status"] == "succeeded":
                    disputes.ripen(self.world, refund, "failed")

    def save_card(self, setup_intent_id: str, card: str = "pm_card_visa") -> str:
        """The buyer's browser finishes saving a card; gives its name."""
        with self.server.lock:
            setup = self.world.get("setup_intent", setup_intent_id)
            id: str = cards.finish_setup(self.world, setup, card)["id"]
            return id

    def forget_card(self, card: str) -> None:
        """A saved payment method is taken from whoever saved it, in the dashboard."""
        with self.server.lock:
            cards.remove(self.world, self.world.get("payment_method", card))

    def forget_customer(self, customer_id: str) -> None:
        """A customer is deleted in the dashboard, with what they saved."""
        with self.server.lock:
            cards.delete(self.world, self.world.get("customer", customer_id))

    def open_dispute(self, charge_id: str, **how: Any) -> str:
        """See ``disputes.open_dispute``; gives its name."""
        with self.server.lock:
            id: str = disputes.open_dispute(self.world, self.world.get("charge", charge_id), **how)["id"]
            return id

    def turn_dispute(self, dispute_id: str, status: str, *, with_fee: bool = True) -> None:
        """``won``, ``lost``, ``under_review``, ``warning_closed``, ``appeal_needs_response``, or another state.

        Winning gives the money back first, and the fee unless not ``with_fee``.
        """
        with self.server.lock:
            disputes.turn(self.world, self.world.get("dispute", dispute_id), status, with_fee=with_fee)

    def move_dispute(self, dispute_id: str, *, back: bool, with_fee: bool = True) -> None:
        """The disputed money is withdrawn, or comes ``back``, whatever the state says."""
        with self.server.lock:
            dispute = self.world.get("dispute", dispute_id)
            if back:
                disputes.reinstate(self.world, dispute, with_fee=with_fee)
            else:
                disputes.withdraw(self.world, dispute)

    def warn_of_fraud(self, charge_id: str) -> None:
        """The card network believes that a charge is fraud."""
        with self.server.lock:
            charge = self.world.get("charge", charge_id)
            about = {"id": self.world.name("issfr"), "object": "radar.early_fraud_warning", "actionable": True}
            about |= {"charge": charge_id, "payment_intent": charge["payment_intent"], "fraud_type": "misc"}
            self.world.tell("radar.early_fraud_warning.created", about)

    # --- what sellers and Stripe do

    def activate(self, account_id: str) -> None:
        """Stripe knows enough of a seller."""
        with self.server.lock:
            account = self.world.get("account", account_id)
            accounts.change(self.world, account, transfers="active", due=[], reason=None)

    def restrict(self, account_id: str, *, reason: str = "requirements.past_due") -> None:
        """Stripe wants to know more, or with ``rejected.fraud`` nothing any more."""
        with self.server.lock:
            account = self.world.get("account", account_id)
            due = ["individual.verification.document"]
            accounts.change(self.world, account, transfers="inactive", due=due, reason=reason)

    def cut_off(self, account_id: str) -> None:
        """The seller disconnects their account from ours."""
        with self.server.lock:
            accounts.cut_off(self.world, self.world.get("account", account_id))

    def fail_bank(self, account_id: str, amount: int) -> None:
        """What left a seller's balance comes back from their bank, and nothing more is sent there."""
        with self.server.lock:
            accounts.fail_bank(self.world, self.world.get("account", account_id), amount)

    def drain(self, account_id: str, amount: int, currency: str = "eur") -> None:
        """So much of a seller's balance goes to their bank."""
        with self.server.lock:
            self.world.sellers[account_id][currency] -= amount

    def top_up(self, amount: int, currency: str = "eur") -> None:
        """We pay money in, which is available at once."""
        with self.server.lock:
            world = self.world
            world.move("topup", world.name("tu"), amount=amount, currency=currency, available=world.seconds())

    def pay_out(self, amount: int, currency: str = "eur") -> str:
        """Our money leaves for our bank; gives the name of the payout."""
        with self.server.lock:
            id: str = transfers.pay_out(self.world, amount, currency)["id"]
            return id

    def end_payout(self, payout_id: str, status: str) -> None:
        """``paid`` or ``failed``."""
        with self.server.lock:
            transfers.end_payout(self.world, self.world.get("payout", payout_id), status)

    # --- its events

    def deliveries(self, *, secrets: dict[str, str] | None = None) -> list[Delivery]:
        """What was not delivered yet, the oldest first, signed now for the endpoint that it goes to."""
        with self.server.lock:
            told = self.world.events[self._delivered :]
            self._delivered = len(self.world.events)
        return [
            signed(one.body, one.destination, at=self.world.now(), secret=(secrets or SECRETS)[one.destination])
            for one in told
        ]


def signed(event: Object, destination: str, *, at: datetime, secret: str) -> Delivery:
    """An event with the signature that Stripe would give it."""
    import stripe  # here, for it takes its time, and few tests need it

    body = json.dumps(event).encode()
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, timestamp=int(at.timestamp()))
    return Delivery(destination, event, body, {"Stripe-Signature": header, "Content-Type": "application/json"})
