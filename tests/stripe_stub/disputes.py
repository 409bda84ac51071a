"""Refunds and disputes: the ways in which a buyer's money goes back."""

from __future__ import annotations

from typing import Any

from tests.stripe_stub.answers import Call, answers, lister, reader
from tests.stripe_stub.errors import Refusal, invalid
from tests.stripe_stub.world import DISPUTE_FEE, Object, World

_OVER = ("lost", "won", "warning_closed", "prevented")

reader("/v1/refunds/{refund}", "refund", "refund")
lister("/v1/refunds", "refund", "charge", "payment_intent")
reader("/v1/disputes/{dispute}", "dispute", "dispute")
lister("/v1/disputes", "dispute", "charge", "payment_intent")


@answers("POST", "/v1/refunds")
def refund(call: Call) -> Object:
    world, given = call.world, call.given
    charge = _charge_of(call)
    left = charge["amount"] - charge["amount_refunded"]
    if charge["disputed"] and not _is_refundable(world, charge):
        raise Refusal(400, f"Charge {charge['id']} has been charged back.", code="charge_disputed")
    if left == 0:
        raise Refusal(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = given.get("amount", left)
    if amount < 1:
        raise invalid("Invalid positive integer", "amount", "parameter_invalid_integer")
    if amount > left:
        raise Refusal(400, f"Refund amount {amount} is greater than unrefunded amount {left}.", param="amount")
    is_slow = world.cards.get(charge["payment_method"], "") == "pendingRefund"
    made = world.make(
        "refund",
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        metadata=given.get("metadata") or {},
        payment_intent=charge["payment_intent"],
        pending_reason=world.refunds_wait_for or ("processing" if is_slow else None),
        reason=given.get("reason"),
        status="pending" if is_slow or world.refunds_wait_for else "succeeded",
    )
    movement = world.move("refund", made["id"], amount=-amount, currency=_settled(world, charge))
    made["balance_transaction"] = movement["id"]
    _note_refunded(charge, amount)
    world.tell("refund.created", made)
    world.tell("charge.refunded", charge)
    return made


def ripen(world: World, refund: Object, status: str, *, reason: str = "expired_or_canceled_card") -> None:
    """A refund becomes ``succeeded``, ``failed`` or ``pending``."""
    refund["status"] = status
    if status != "failed":
        world.tell("refund.updated", refund)
        return
    charge = world.objects[refund["charge"]]
    refund["failure_reason"] = reason
    movement = world.move(
        "refund_failure", refund["id"], amount=refund["amount"], currency=_settled(world, charge), available=0
    )
    refund["failure_balance_transaction"] = movement["id"]
    _note_refunded(charge, -refund["amount"])
    world.tell("refund.failed", refund)


def open_dispute(
    world: World, charge: Object, *, inquiry: bool = False, amount: int | None = None, reason: str = "fraudulent"
) -> Object:
    """The buyer's bank takes the money back; with ``inquiry`` it only asks."""
    charge["disputed"] = True
    dispute = world.make(
        "dispute",
        amount=charge["amount"] - charge["amount_refunded"] if amount is None else amount,
        balance_transactions=[],
        charge=charge["id"],
        currency=charge["currency"],
        is_charge_refundable=inquiry,
        payment_intent=charge["payment_intent"],
        reason=reason,
        status="warning_needs_response" if inquiry else "needs_response",
    )
    dispute["evidence_details"]["due_by"] = world.seconds() + 7 * 86_400
    world.tell("charge.dispute.created", dispute)
    if not inquiry:
        withdraw(world, dispute)
    return dispute


def withdraw(world: World, dispute: Object) -> None:
    _move(world, dispute, -dispute["amount"], DISPUTE_FEE, "dispute")
    world.tell("charge.dispute.funds_withdrawn", dispute)


def reinstate(world: World, dispute: Object, *, with_fee: bool) -> None:
    _move(world, dispute, dispute["amount"], -DISPUTE_FEE if with_fee else 0, "dispute_reversal")
    world.tell("charge.dispute.funds_reinstated", dispute)


def turn(world: World, dispute: Object, status: str, *, with_fee: bool = True) -> None:
    """A dispute goes on to ``status``; one that is won brings the money back first."""
    if status == "won":
        reinstate(world, dispute, with_fee=with_fee)
    dispute["status"] = status
    world.tell("charge.dispute.closed" if status in _OVER else "charge.dispute.updated", dispute)


@answers("POST", "/v1/disputes/{dispute}")
def update(call: Call) -> Object:
    world, dispute, given = call.world, call.world.get("dispute", call.names["dispute"]), call.given
    _refuse_decided(dispute)
    told = given.get("evidence") or {}
    dispute["evidence"] = {**dispute["evidence"], **told}
    dispute["metadata"] = {**dispute["metadata"], **(given.get("metadata") or {})}
    details = dispute["evidence_details"]
    details["has_evidence"] = details["has_evidence"] or bool(told)
    # Stripe takes this for yes when it is not said.
    if told and given.get("submit", True):
        details["submission_count"] += 1
        is_inquiry = dispute["status"].startswith("warning_")
        turn(world, dispute, "warning_under_review" if is_inquiry else "under_review")
        outcome = {"winning_evidence": "won", "losing_evidence": "lost"}.get(told.get("uncategorized_text", ""))
        if outcome:
            turn(world, dispute, outcome)
    return dispute


@answers("POST", "/v1/disputes/{dispute}/close")
def close(call: Call) -> Object:
    world, dispute = call.world, call.world.get("dispute", call.names["dispute"])
    _refuse_decided(dispute)
    turn(world, dispute, "lost")
    return dispute


def _refuse_decided(dispute: Object) -> None:
    if dispute["status"] in _OVER:
        raise Refusal(400, f"This dispute is already closed: {dispute['status']}.")


def _move(world: World, dispute: Object, amount: int, fee: int, category: str) -> None:
    charge = world.objects[dispute["charge"]]
    movement = world.move(
        "adjustment",
        charge["id"],
        amount=amount,
        fee=fee,
        currency=_settled(world, charge),
        category=category,
        available=0,
    )
    dispute["balance_transactions"] = [*dispute["balance_transactions"], movement["id"]]


def _charge_of(call: Call) -> dict[str, Any]:
    world, given = call.world, call.given
    if "charge" in given:
        return world.get("charge", given["charge"], param="charge")
    if "payment_intent" not in given:
        raise invalid("One of the following params should be provided: payment_intent or charge.", "charge")
    intent = world.get("payment_intent", given["payment_intent"], param="payment_intent")
    if intent["status"] != "succeeded":
        message = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        raise Refusal(400, message, code="payment_intent_unexpected_state", param="payment_intent")
    return world.objects[intent["latest_charge"]]


def _is_refundable(world: World, charge: Object) -> bool:
    disputes = world.find("dispute", charge=charge["id"])
    return all(d["is_charge_refundable"] or d["status"] in ("won", "warning_closed", "prevented") for d in disputes)


def _settled(world: World, charge: Object) -> str:
    currency: str = world.settles_in.get(charge["currency"], charge["currency"])
    return currency


def _note_refunded(charge: Object, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
