"""Payment intents and charges."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from tests.stripe_stub.answers import Call, answers, lister, reader
from tests.stripe_stub.cards import a_card, a_customer
from tests.stripe_stub.disputes import open_dispute
from tests.stripe_stub.errors import Refusal, card_error, invalid
from tests.stripe_stub.world import Object, World, fee_of

MAX_AMOUNT = 99_999_999
_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
_DISPUTES: dict[str, dict[str, Any]] = {
    "createDispute": {"reason": "fraudulent"},
    "createDisputeProductNotReceived": {"reason": "product_not_received"},
    "createDisputeInquiry": {"reason": "fraudulent", "inquiry": True},
}
_DECLINES = {
    "chargeCustomerFail": ("card_declined", "generic_decline"),
    "chargeDeclined": ("card_declined", "generic_decline"),
    "chargeDeclinedExpiredCard": ("expired_card", None),
    "chargeDeclinedFraudulent": ("card_declined", "fraudulent"),
    "chargeDeclinedIncorrectCvc": ("incorrect_cvc", None),
    "chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds"),
    "chargeDeclinedLostCard": ("card_declined", "lost_card"),
    "chargeDeclinedProcessingError": ("processing_error", None),
    "chargeDeclinedStolenCard": ("card_declined", "stolen_card"),
    "chargeDeclinedVelocityLimitExceeded": ("card_declined", "card_velocity_exceeded"),
    "radarBlock": ("card_declined", "fraudulent"),
}
_ASKING = ("authenticationRequired", "threeDSecure2Required", "threeDSecureRequired")

reader("/v1/payment_intents/{intent}", "payment_intent", "intent")
lister("/v1/payment_intents", "payment_intent", "customer")
reader("/v1/charges/{charge}", "charge", "charge")
lister("/v1/charges", "charge", "customer", "payment_intent", "transfer_group")


@answers("POST", "/v1/payment_intents")
def create(call: Call) -> Object:
    world, given = call.world, call.given
    if given["amount"] < 1:
        raise invalid("Invalid positive integer", "amount", "parameter_invalid_integer")
    if given["amount"] > MAX_AMOUNT:
        raise invalid(f"Amount must be no more than {MAX_AMOUNT}", "amount", "amount_too_large")
    if "customer" in given:
        a_customer(world, given["customer"])
    id = world.name("pi")
    known = world.spec.schema("payment_intent")["properties"]
    kept = {name: value for name, value in given.items() if name in known and name != "payment_method"}
    automatic = given.get("automatic_payment_methods")
    intent = world.make(
        "payment_intent",
        id=id,
        **{
            **kept,
            "automatic_payment_methods": automatic and {"allow_redirects": "always", **automatic},
            "capture_method": given.get("capture_method", "automatic_async"),
            "client_secret": f"{id}_secret_{world.name('s')}",
            "currency": given["currency"].lower(),
            "status": "requires_payment_method",
        },
    )
    world.tell("payment_intent.created", intent)
    if given.get("confirm"):
        attempt(call, intent)
    return intent


@answers("POST", "/v1/payment_intents/{intent}")
def update(call: Call) -> Object:
    """Only whose it is."""
    world, intent = call.world, call.world.get("payment_intent", call.names["intent"])
    assert call.given.keys() == {"customer"}
    a_customer(world, call.given["customer"])
    if intent["status"] not in _OPEN:
        raise _unexpected(intent, "updated")
    if intent["customer"] not in (None, call.given["customer"]):
        raise invalid("You cannot modify `customer` on a PaymentIntent once it already has been set.", "customer")
    intent["customer"] = call.given["customer"]
    return intent


@answers("POST", "/v1/payment_intents/{intent}/confirm")
def confirm(call: Call) -> Object:
    intent = call.world.get("payment_intent", call.names["intent"])
    if intent["status"] not in _OPEN:
        raise _unexpected(intent, "confirmed")
    attempt(call, intent)
    return intent


@answers("POST", "/v1/payment_intents/{intent}/cancel")
def cancel(call: Call) -> Object:
    world, intent = call.world, call.world.get("payment_intent", call.names["intent"])
    if intent["status"] not in _OPEN:
        raise _unexpected(intent, "canceled")
    reason = call.given.get("cancellation_reason")
    intent.update(status="canceled", canceled_at=world.seconds(), cancellation_reason=reason, next_action=None)
    world.tell("payment_intent.canceled", intent)
    return intent


def attempt(call: Call, intent: Object) -> None:
    """Try a payment method. Raises Refusal when it is declined, or the buyer is needed and cannot be asked."""
    world, given = call.world, call.given
    named = given.get("payment_method") or intent["payment_method"]
    if named is None:
        raise Refusal(400, "You cannot confirm this PaymentIntent because it's missing a payment method.")
    method = a_card(world, named, customer=intent["customer"])
    test = world.cards.get(method["id"], "")
    asks_at_once = given.get("error_on_requires_action") or given.get("off_session")
    automatic = intent["automatic_payment_methods"] or {}
    if automatic.get("allow_redirects") == "always" and not asks_at_once and "return_url" not in given:
        raise invalid("You must provide a `return_url`, or set allow_redirects to never.", "return_url")
    intent.update(last_payment_error=None, next_action=None, payment_method=method["id"])
    if test in _DECLINES:
        code, decline = _DECLINES[test]
        decline_payment(world, intent, code=code, decline_code=decline)
    if test in _ASKING and asks_at_once:
        decline_payment(world, intent, code="authentication_required", decline_code="authentication_required")
    if test in _ASKING:
        intent["status"] = "requires_action"
        page = f"https://hooks.stripe.com/3d_secure_2/authenticate/{intent['id']}"
        intent["next_action"] = {
            "type": "redirect_to_url",
            "redirect_to_url": {"return_url": given.get("return_url"), "url": page},
        }
        world.tell("payment_intent.requires_action", intent)
    else:
        succeed(world, intent)


def succeed(world: World, intent: Object) -> Object:
    """The money arrives; gives the charge."""
    charge = _charge(world, intent, amount_captured=intent["amount"], captured=True, paid=True, status="succeeded")
    intent.update(
        status="succeeded",
        amount_received=intent["amount"],
        latest_charge=charge["id"],
        last_payment_error=None,
        next_action=None,
    )
    world.tell("charge.succeeded", charge)
    world.tell("payment_intent.succeeded", intent)
    if not world.fees_come_late:
        book(world, charge)
    test = world.cards.get(charge["payment_method"], "")
    if test in _DISPUTES:
        open_dispute(world, charge, **_DISPUTES[test])
    return charge


def book(world: World, charge: Object) -> None:
    """The movement of a charge on the balance."""
    currency = world.settles_in.get(charge["currency"], charge["currency"])
    amount = charge["amount"]
    at_once = world.seconds() if world.cards.get(charge["payment_method"]) == "bypassPending" else None
    movement = world.move(
        "charge", charge["id"], amount=amount, fee=fee_of(amount), currency=currency, available=at_once
    )
    charge["balance_transaction"] = movement["id"]
    world.tell("charge.updated", charge)


def fail_authentication(world: World, intent: Object) -> None:
    """The buyer did not confirm at their bank."""
    with suppress(Refusal):
        decline_payment(world, intent, code="payment_intent_authentication_failure", decline_code=None)


def bounce(world: World, intent: Object) -> None:
    """What was processing comes to nothing: the buyer may try something else."""
    intent["payment_method"] = a_card(world, "pm_card_visa", customer=intent["customer"])["id"]
    with suppress(Refusal):
        decline_payment(world, intent, code="payment_intent_payment_attempt_failed", decline_code=None)


def decline_payment(world: World, intent: Object, *, code: str, decline_code: str | None) -> None:
    """An attempt that came to nothing. Raises Refusal."""
    charge = _charge(world, intent, amount_captured=0, captured=False, paid=False, status="failed", failure_code=code)
    error: dict[str, Any] = {
        "type": "card_error",
        "code": code,
        "message": "Your card was declined.",
        "charge": charge["id"],
        "payment_method": world.objects[intent["payment_method"]],
    }
    if decline_code is not None:
        error["decline_code"] = decline_code
    intent.update(
        status="requires_payment_method",
        last_payment_error=error,
        next_action=None,
        payment_method=None,
        latest_charge=charge["id"],
    )
    world.tell("charge.failed", charge)
    world.tell("payment_intent.payment_failed", intent)
    facts = {name: value for name, value in error.items() if name not in ("type", "code", "message")}
    raise card_error(error["message"], code=code, payment_intent=dict(intent), **facts)


def _charge(world: World, intent: Object, **values: Any) -> Object:
    return world.make(
        "charge",
        amount=intent["amount"],
        amount_refunded=0,
        currency=intent["currency"],
        customer=intent["customer"],
        description=intent["description"],
        disputed=False,
        metadata=dict(intent["metadata"]),
        payment_intent=intent["id"],
        payment_method=intent["payment_method"],
        refunded=False,
        transfer_group=intent["transfer_group"],
        **values,
    )


def _unexpected(intent: Object, what: str) -> Refusal:
    message = f"This PaymentIntent could not be {what} because it has a status of {intent['status']}."
    return Refusal(400, message, code="payment_intent_unexpected_state", payment_intent=dict(intent))
