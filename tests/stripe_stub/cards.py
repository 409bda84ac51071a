"""Customers, and the payment methods that they save."""

from __future__ import annotations

from tests.stripe_stub.answers import Call, answers, listed, reader
from tests.stripe_stub.errors import Refusal, missing
from tests.stripe_stub.world import Object, World

_BRANDS = ("visa", "mastercard", "amex", "unionpay", "jcb", "diners", "discover", "cartesBancaires")
_GOOD = (
    "br",
    "bypassPending",
    "debit",
    "fr",
    "us",
    "visa_debit",
    "mastercard_debit",
    "mastercard_prepaid",
    "pendingRefund",
    "refundFail",
)
TESTS = (
    "authenticationRequired",
    "bypassPending",
    "chargeCustomerFail",
    "chargeDeclined",
    "chargeDeclinedExpiredCard",
    "chargeDeclinedFraudulent",
    "chargeDeclinedIncorrectCvc",
    "chargeDeclinedInsufficientFunds",
    "chargeDeclinedLostCard",
    "chargeDeclinedProcessingError",
    "chargeDeclinedStolenCard",
    "chargeDeclinedVelocityLimitExceeded",
    "createDispute",
    "createDisputeInquiry",
    "createDisputeProductNotReceived",
    "radarBlock",
    "threeDSecure2Required",
    "threeDSecureRequired",
)
_KNOWN = {
    **{f"pm_card_{name}": name for name in (*_BRANDS, *_GOOD, *TESTS)},
    **{f"pm_card_visa_{name}": name for name in TESTS},
}

reader("/v1/customers/{customer}", "customer", "customer")
reader("/v1/payment_methods/{payment_method}", "payment_method", "payment_method")
reader("/v1/setup_intents/{intent}", "setup_intent", "intent")


@answers("POST", "/v1/customers")
def create_customer(call: Call) -> Object:
    known = call.world.spec.schema("customer")["properties"]
    customer = call.world.make("customer", **{name: value for name, value in call.given.items() if name in known})
    call.world.tell("customer.created", customer)
    return customer


@answers("DELETE", "/v1/customers/{customer}")
def delete_customer(call: Call) -> Object:
    world, customer = call.world, call.world.get("customer", call.names["customer"])
    if customer.get("deleted"):
        raise missing("customer", customer["id"])
    return delete(world, customer)


def delete(world: World, customer: Object) -> Object:
    """With all that they saved; gives what is left of them."""
    for method in world.find("payment_method", customer=customer["id"]):
        _detach(world, method)
    world.tell("customer.deleted", customer)
    deleted = {"id": customer["id"], "object": "customer", "deleted": True}
    world.objects[customer["id"]] = deleted
    return deleted


@answers("GET", "/v1/customers/{customer}/payment_methods")
def saved(call: Call) -> Object:
    customer = call.world.get("customer", call.names["customer"])
    if customer.get("deleted"):
        raise missing("customer", customer["id"])
    wanted = {"type": call.given["type"]} if "type" in call.given else {}
    return listed(call, call.world.find("payment_method", customer=customer["id"], **wanted))


@answers("POST", "/v1/payment_methods/{payment_method}/detach")
def detach(call: Call) -> Object:
    world, method = call.world, call.world.get("payment_method", call.names["payment_method"])
    if method["customer"] is None:
        raise Refusal(400, "The payment method you provided is not attached to a customer so detachment is impossible.")
    return remove(world, method)


def remove(world: World, method: Object) -> Object:
    _detach(world, method)
    world.tell("payment_method.detached", method)
    return method


@answers("POST", "/v1/setup_intents")
def create_setup(call: Call) -> Object:
    world, given = call.world, call.given
    if "customer" in given:
        a_customer(world, given["customer"])
    id = world.name("seti")
    return world.make(
        "setup_intent",
        id=id,
        client_secret=f"{id}_secret_{world.name('s')}",
        customer=given.get("customer"),
        automatic_payment_methods=given.get("automatic_payment_methods"),
        metadata=given.get("metadata", {}),
        usage=given.get("usage", "off_session"),
        status="requires_payment_method",
    )


def finish_setup(world: World, setup: Object, named: str) -> Object:
    """What the buyer's browser does: it saves a card; gives the payment method."""
    method = a_card(world, named, customer=None)
    method["customer"] = setup["customer"]
    setup.update(status="succeeded", payment_method=method["id"])
    world.tell("payment_method.attached", method)
    world.tell("setup_intent.succeeded", setup)
    return method


def a_card(world: World, named: str, *, customer: str | None) -> Object:
    """The payment method that a parameter names; a test card makes a new one. Raises Refusal."""
    if named in _KNOWN:
        brand = next((brand for brand in _BRANDS if named.startswith(f"pm_card_{brand}")), "visa")
        method = world.make("payment_method", customer=None)
        method["card"].update(brand=brand, display_brand=brand)
        world.cards[method["id"]] = _KNOWN[named]
        return method
    method = world.get("payment_method", named, param="payment_method")
    if named in world.detached:
        message = "The provided PaymentMethod was detached from a Customer. It may not be used again."
        raise Refusal(400, message, param="payment_method", kept=False)
    # One that was detached is nobody's for good.
    if method["customer"] is None or method["customer"] != customer:
        message = "The PaymentMethod you provided belongs to a Customer, whom the request has to name."
        raise Refusal(400, message, param="payment_method", kept=False)
    return method


def _detach(world: World, method: Object) -> None:
    method["customer"] = None
    world.detached.add(method["id"])


def a_customer(world: World, id: str) -> Object:
    """A customer whom a parameter names. Raises Refusal."""
    found = world.get("customer", id, param="customer")
    if found.get("deleted"):
        raise missing("customer", id, param="customer")
    return found
