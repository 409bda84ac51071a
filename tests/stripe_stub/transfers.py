"""Money between the platform's balance, sellers' balances and the platform's bank; and the lists of what moved."""

from __future__ import annotations

from tests.stripe_stub.answers import Call, answers, listed, lister, reader
from tests.stripe_stub.errors import Refusal, invalid
from tests.stripe_stub.world import Object, World

reader("/v1/balance_transactions/{id}", "balance_transaction", "id")
lister("/v1/balance_transactions", "balance_transaction", "currency", "payout", "source", "type")
reader("/v1/payouts/{payout}", "payout", "payout")
lister("/v1/payouts", "payout", "destination", "status")
reader("/v1/transfers/{transfer}", "transfer", "transfer")
lister("/v1/transfers", "transfer", "destination", "transfer_group")


@answers("POST", "/v1/transfers")
def transfer(call: Call) -> Object:
    world, given = call.world, call.given
    if "amount" not in given:
        raise invalid("Missing required param: amount.", "amount", "parameter_missing")
    amount, currency = given["amount"], given["currency"].lower()
    if amount < 1:
        raise invalid("Invalid positive integer", "amount", "parameter_invalid_integer")
    _refuse_destination(world, given["destination"])
    source = (
        world.get("charge", given["source_transaction"], param="source_transaction")
        if ("source_transaction" in given)
        else None
    )
    if source is not None:
        available = _from_source(world, source, amount, currency)
    elif world.balance(currency)[0] < amount:
        raise Refusal(400, "You have insufficient available funds in your Stripe account.", code="balance_insufficient")
    else:
        available = world.seconds()
    made = world.make(
        "transfer",
        amount=amount,
        currency=currency,
        description=given.get("description"),
        destination=given["destination"],
        destination_payment=world.name("py"),
        metadata=given.get("metadata", {}),
        source_transaction=source and source["id"],
        transfer_group=source["transfer_group"] if source else given.get("transfer_group"),
    )
    movement = world.move("transfer", made["id"], amount=-amount, currency=currency, available=available)
    made["balance_transaction"] = movement["id"]
    world.sellers[made["destination"]][currency] += amount
    world.tell("transfer.created", made)
    return made


@answers("POST", "/v1/transfers/{id}/reversals")
def reverse(call: Call) -> Object:
    world, given = call.world, call.given
    source = world.get("transfer", call.names["id"])
    left = source["amount"] - source["amount_reversed"]
    amount = given.get("amount", left)
    if amount < 1:
        raise invalid("Invalid positive integer", "amount", "parameter_invalid_integer")
    if amount > left:
        raise Refusal(400, f"Transfer reversal amount {amount} is greater than unreversed {left}.", param="amount")
    if source["destination"] in world.cut_off:
        raise Refusal(403, "The account is not connected to your platform any more.", code="account_invalid")
    if world.sellers[source["destination"]][source["currency"]] < amount:
        message = "The connected account has insufficient funds to be reversed."
        raise Refusal(400, message, code="balance_insufficient")
    made = world.make(
        "transfer_reversal",
        amount=amount,
        currency=source["currency"],
        metadata=given.get("metadata") or {},
        transfer=source["id"],
    )
    movement = world.move(
        "transfer_refund",
        made["id"],
        amount=amount,
        currency=source["currency"],
        category="transfer_reversal",
        available=world.seconds(),
    )
    made["balance_transaction"] = movement["id"]
    world.sellers[source["destination"]][source["currency"]] -= amount
    source["amount_reversed"] += amount
    source["reversed"] = source["amount_reversed"] == source["amount"]
    world.tell("transfer.reversed", source)
    return made


@answers("GET", "/v1/transfers/{id}/reversals")
def reversals(call: Call) -> Object:
    source = call.world.get("transfer", call.names["id"])
    return listed(call, call.world.find("transfer_reversal", transfer=source["id"]))


@answers("GET", "/v1/transfers/{transfer}/reversals/{id}")
def reversal(call: Call) -> Object:
    return call.world.get("transfer_reversal", call.names["id"])


@answers("GET", "/v1/balance")
def balance(call: Call) -> Object:
    world = call.world
    currencies = sorted({move["currency"] for move in world.find("balance_transaction")}) or ["eur"]
    held = {currency: world.balance(currency) for currency in currencies}
    return {
        **world.spec.fixture("balance"),
        "available": [{"amount": available, "currency": name} for name, (available, _) in held.items()],
        "pending": [{"amount": pending, "currency": name} for name, (_, pending) in held.items()],
    }


@answers("GET", "/v1/events")
def events(call: Call) -> Object:
    wanted = call.given.get("types") or ([call.given["type"]] if "type" in call.given else None)
    ours = [told.body for told in call.world.events if told.destination == "platform"]
    return listed(call, [event for event in ours if wanted is None or event["type"] in wanted])


@answers("GET", "/v1/events/{id}")
def event(call: Call) -> Object:
    for told in call.world.events:
        if told.body["id"] == call.names["id"] and told.destination == "platform":
            return told.body
    return call.world.get("event", call.names["id"])


def pay_out(world: World, amount: int, currency: str) -> Object:
    """The platform's money goes to its bank."""
    payout = world.make("payout", amount=amount, currency=currency, status="in_transit", automatic=False)
    movement = world.move("payout", payout["id"], amount=-amount, currency=currency, available=world.seconds())
    payout["balance_transaction"] = movement["id"]
    world.tell("payout.created", payout)
    return payout


def end_payout(world: World, payout: Object, status: str) -> None:
    """``paid`` or ``failed``: then the money comes back."""
    payout["status"] = status
    if status == "failed":
        payout["failure_code"] = "account_closed"
        movement = world.move(
            "payout_failure",
            payout["id"],
            amount=payout["amount"],
            currency=payout["currency"],
            available=world.seconds(),
        )
        payout["failure_balance_transaction"] = movement["id"]
    world.tell(f"payout.{status}", payout)


def _refuse_destination(world: World, id: str) -> None:
    account = world.objects.get(id)
    if account is None or account["object"] != "account" or id in world.cut_off:
        raise Refusal(400, f"No such destination: '{id}'", code="resource_missing", param="destination", kept=False)
    if account["capabilities"].get("transfers") != "active":
        message = "Your destination account needs to have at least one of the following capabilities: transfers."
        raise Refusal(400, message, code="insufficient_capabilities_for_transfer")


def _from_source(world: World, charge: Object, amount: int, currency: str) -> int:
    """When the money of a charge is available. Raises Refusal unless there is enough of it, in this currency."""
    if charge["status"] != "succeeded" or charge["balance_transaction"] is None:
        raise Refusal(400, f"Charge {charge['id']} has no money yet.", param="source_transaction")
    settled = world.objects[charge["balance_transaction"]]
    if settled["currency"] != currency:
        message = f"The currency of source_transaction's balance transaction ({settled['currency']}) is not {currency}."
        raise Refusal(400, message, param="currency")
    # What was reversed still counts.
    spent = sum(transfer["amount"] for transfer in world.find("transfer", source_transaction=charge["id"]))
    if spent + amount > charge["amount"]:
        message = f"Transfers using this transaction as a source must not exceed {charge['amount']}."
        raise Refusal(400, message, param="amount")
    available: int = settled["available_on"]
    return max(available, world.seconds())
