"""Chargebacks at the simulated provider, whose word for them is disputes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from marketplace.adapters.simulated_gateway.objects import Object, moment_of
from marketplace.adapters.simulated_gateway.provider import Provider, card_of
from marketplace.adapters.simulated_gateway.sessions import Answer, Sessions, refusal
from marketplace.application.ports.chargebacks import ChargebackMovement, ChargebackStage, ProviderChargeback
from marketplace.application.ports.payment_gateway import ProviderObjectUnknown
from marketplace.domain.shared.errors import Conflict, NotFound
from marketplace.domain.shared.money import exponent

DISPUTE_FEE = 20
"""In whole units of the currency, whatever becomes of the dispute."""
ANSWER_WITHIN = timedelta(days=7)

_STAGES = {
    "warning_needs_response": ChargebackStage.INQUIRY,
    "warning_under_review": ChargebackStage.INQUIRY,
    "warning_closed": ChargebackStage.INQUIRY_CLOSED,
    "needs_response": ChargebackStage.OPEN,
    "under_review": ChargebackStage.OPEN,
    "won": ChargebackStage.WON,
    "lost": ChargebackStage.LOST,
    "appeal_needs_response": ChargebackStage.APPEAL,
    "appeal_under_review": ChargebackStage.APPEAL,
    "prevented": ChargebackStage.PREVENTED,
}
_REVIEWED_AS = {
    "warning_needs_response": "warning_under_review",
    "needs_response": "under_review",
    "appeal_needs_response": "appeal_under_review",
}
_UNDECIDED = (ChargebackStage.INQUIRY, ChargebackStage.OPEN, ChargebackStage.APPEAL)
_KEEPS_THE_MONEY = (ChargebackStage.OPEN, ChargebackStage.LOST, ChargebackStage.APPEAL)
_DECISIVE = ("winning_evidence", "losing_evidence", "escalate_inquiry_evidence")


class SimulatedDisputes(Sessions):
    def get_chargeback(self, chargeback_id: str) -> ProviderChargeback:
        with self._provider() as provider:
            return chargeback_of(_known(provider.state.read(chargeback_id), chargeback_id))

    def submit_evidence(
        self, chargeback_id: str, *, evidence: Mapping[str, str], submit: bool, key: str
    ) -> ProviderChargeback:
        parameters = {"chargeback_id": chargeback_id, "evidence": dict(evidence), "submit": submit}

        def take(provider: Provider) -> Answer:
            dispute = _known(provider.state.get(chargeback_id), chargeback_id)
            if dispute["status"] not in _REVIEWED_AS:
                return refusal("in_state", f"{chargeback_id} is {dispute['status']}: it takes no evidence any more.")
            take_evidence(provider, dispute, evidence, submit=submit)
            return {"object": dispute}

        return chargeback_of(self._once("submit_evidence", key, parameters, take)["object"])

    def accept_chargeback(self, chargeback_id: str, *, key: str) -> ProviderChargeback:
        def accept(provider: Provider) -> Answer:
            dispute = _known(provider.state.get(chargeback_id), chargeback_id)
            if _STAGES[dispute["status"]] not in _UNDECIDED:
                return refusal("in_state", f"{chargeback_id} is {dispute['status']} already.")
            if _STAGES[dispute["status"]] is ChargebackStage.INQUIRY:
                _escalate(provider, dispute)
            _close(provider, dispute, "lost")
            return {"object": dispute}

        return chargeback_of(self._once("accept_chargeback", key, {"id": chargeback_id}, accept)["object"])

    # --- what banks do

    def open_chargeback(
        self, intent_id: str, *, is_inquiry: bool = False, amount: int | None = None, reason: str = "fraudulent"
    ) -> ProviderChargeback:
        with self._provider() as provider:
            intent = provider.state.read(intent_id)
            if intent is None or intent["object"] != "payment_intent":
                raise NotFound(f"There is no payment {intent_id}.")
            charge = provider.state.get(intent["latest_charge"] or "")
            if charge is None or charge["status"] != "succeeded":
                raise Conflict(f"Nothing was paid by {intent_id}, so that no bank takes it back.")
            if amount is not None and not 0 < amount <= charge["amount"]:
                raise Conflict(f"A bank takes back from 1 to {charge['amount']} minor units of {intent_id}.")
            return chargeback_of(open_dispute(provider, charge, reason=reason, is_inquiry=is_inquiry, amount=amount))

    def escalate_chargeback(self, chargeback_id: str) -> ProviderChargeback:
        return self._decided(chargeback_id, (ChargebackStage.INQUIRY,), _escalate)

    def decide_chargeback(self, chargeback_id: str, *, is_won: bool, with_fee: bool = False) -> ProviderChargeback:
        def decide(provider: Provider, dispute: Object) -> None:
            _decide(provider, dispute, is_won=is_won, with_fee=with_fee)

        return self._decided(chargeback_id, _UNDECIDED, decide)

    def reinstate_chargeback(self, chargeback_id: str, *, with_fee: bool = False) -> ProviderChargeback:
        def reinstate(provider: Provider, dispute: Object) -> None:
            if not _is_withdrawn(dispute):
                raise Conflict(f"The money of {chargeback_id} is back already.")
            _reinstate(provider, dispute, with_fee=with_fee)

        return self._decided(chargeback_id, _KEEPS_THE_MONEY, reinstate)

    def appeal_chargeback(self, chargeback_id: str) -> ProviderChargeback:
        def appeal(provider: Provider, dispute: Object) -> None:
            _turn(provider, dispute, "appeal_needs_response")

        return self._decided(chargeback_id, (ChargebackStage.LOST,), appeal)

    def prevent_chargeback(self, chargeback_id: str) -> ProviderChargeback:
        def prevent(provider: Provider, dispute: Object) -> None:
            _close(provider, dispute, "prevented")

        return self._decided(chargeback_id, (ChargebackStage.INQUIRY,), prevent)

    def _decided(
        self, id: str, stages: tuple[ChargebackStage, ...], act: Callable[[Provider, Object], None]
    ) -> ProviderChargeback:
        with self._provider() as provider:
            try:
                dispute = _known(provider.state.get(id), id)
            except ProviderObjectUnknown as error:
                raise NotFound(f"There is no chargeback {id}.") from error
            if _STAGES[dispute["status"]] not in stages:
                raise Conflict(f"The chargeback {id} is {dispute['status']}.")
            act(provider, dispute)
            return chargeback_of(dispute)


def ripen_dispute(provider: Provider, charge_id: str) -> None:
    """The bank does what the card of a charge makes it do, once."""
    charge = provider.state.get(charge_id)
    if charge is None or charge["disputed"]:
        return
    card = card_of(charge)
    open_dispute(provider, charge, reason=card.disputed_as, is_inquiry=card.is_inquiry, amount=None)


def open_dispute(provider: Provider, charge: Object, *, reason: str, is_inquiry: bool, amount: int | None) -> Object:
    """Of a charge that is locked."""
    dispute: Object = {
        "id": provider.name("du"),
        "object": "dispute",
        "amount": charge["amount"] - charge["amount_refunded"] if amount is None else amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": provider.seconds,
        "currency": charge["currency"],
        "evidence": {},
        "evidence_details": {
            "due_by": int((provider.now + ANSWER_WITHIN).timestamp()),
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": is_inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": "warning_needs_response" if is_inquiry else "needs_response",
    }
    charge["disputed"] = True
    provider.keep_charge(charge)
    _keep(provider, dispute)
    provider.tell("charge.dispute.created", dispute)
    if not is_inquiry:
        _withdraw(provider, dispute)
    return dispute


def take_evidence(provider: Provider, dispute: Object, evidence: Mapping[str, str], *, submit: bool) -> None:
    """Some words decide, as they do with the real provider's test cards."""
    dispute["evidence"] |= evidence
    details = dispute["evidence_details"]
    details["has_evidence"] = bool(dispute["evidence"])
    if not submit:
        _turn(provider, dispute, dispute["status"])
        return
    details["submission_count"] += 1
    _turn(provider, dispute, _REVIEWED_AS[dispute["status"]])
    word = next((word for word in _DECISIVE if word in dispute["evidence"].values()), "")
    if word == "escalate_inquiry_evidence" and _STAGES[dispute["status"]] is ChargebackStage.INQUIRY:
        _escalate(provider, dispute)
    elif word in ("winning_evidence", "losing_evidence"):
        _decide(provider, dispute, is_won=word == "winning_evidence", with_fee=False)


def refuses_refunds(provider: Provider, charge: Object) -> bool:
    """Whether a bank has the money already, or may have it soon."""
    if not charge["disputed"]:
        return False
    disputes = provider.state.children("dispute", charge["id"])
    return any(_STAGES[dispute["status"]] in _KEEPS_THE_MONEY for dispute in disputes)


def chargeback_of(dispute: Object) -> ProviderChargeback:
    due_by = dispute["evidence_details"]["due_by"]
    return ProviderChargeback(
        id=dispute["id"],
        intent_id=dispute["payment_intent"],
        charge_id=dispute["charge"],
        amount=dispute["amount"],
        currency=dispute["currency"].upper(),
        reason=dispute["reason"],
        status=dispute["status"],
        stage=_STAGES[dispute["status"]],
        movements=_movements_of(dispute),
        evidence_due_at=moment_of(due_by) if due_by is not None else None,
        livemode=dispute["livemode"],
        created_at=moment_of(dispute["created"]),
    )


def _movements_of(dispute: Object) -> Sequence[ChargebackMovement]:
    return [
        ChargebackMovement(
            balance_transaction_id=movement["id"],
            amount=movement["amount"],
            fee=movement["fee"],
            created_at=moment_of(movement["created"]),
        )
        for movement in dispute["balance_transactions"]
    ]


def _known(dispute: Object | None, id: str) -> Object:
    if dispute is None or dispute["object"] != "dispute":
        raise ProviderObjectUnknown(f"The provider has no dispute {id!r}.")
    return dispute


def _escalate(provider: Provider, dispute: Object) -> None:
    dispute["is_charge_refundable"] = False
    _turn(provider, dispute, "needs_response")
    _withdraw(provider, dispute)


def _decide(provider: Provider, dispute: Object, *, is_won: bool, with_fee: bool) -> None:
    if _STAGES[dispute["status"]] is ChargebackStage.INQUIRY:
        if is_won:
            _close(provider, dispute, "warning_closed")
        else:
            _escalate(provider, dispute)
        return
    if is_won and _is_withdrawn(dispute):
        _reinstate(provider, dispute, with_fee=with_fee)
    _close(provider, dispute, "won" if is_won else "lost")


def _is_withdrawn(dispute: Object) -> bool:
    return bool(sum(movement["amount"] for movement in dispute["balance_transactions"]) < 0)


def _withdraw(provider: Provider, dispute: Object) -> None:
    fee = DISPUTE_FEE * 10 ** exponent(dispute["currency"].upper())
    _move(provider, dispute, amount=-dispute["amount"], fee=fee, category="dispute")
    provider.tell("charge.dispute.funds_withdrawn", dispute)


def _reinstate(provider: Provider, dispute: Object, *, with_fee: bool) -> None:
    fee = -sum(movement["fee"] for movement in dispute["balance_transactions"]) if with_fee else 0
    _move(provider, dispute, amount=dispute["amount"], fee=fee, category="dispute_reversal")
    provider.tell("charge.dispute.funds_reinstated", dispute)


def _move(provider: Provider, dispute: Object, *, amount: int, fee: int, category: str) -> None:
    movement = provider.move(
        "adjustment",
        dispute["id"],
        currency=dispute["currency"],
        amount=amount,
        fee=fee,
        category=category,
        available_on=provider.seconds,
    )
    dispute["balance_transactions"] = [*dispute["balance_transactions"], movement]
    _keep(provider, dispute)


def _turn(provider: Provider, dispute: Object, status: str) -> None:
    dispute["status"] = status
    _keep(provider, dispute)
    provider.tell("charge.dispute.updated", dispute)


def _close(provider: Provider, dispute: Object, status: str) -> None:
    dispute["status"] = status
    _keep(provider, dispute)
    provider.tell("charge.dispute.closed", dispute)


def _keep(provider: Provider, dispute: Object) -> None:
    provider.state.put(dispute, kind="dispute", parent=dispute["charge"], at=provider.now)
