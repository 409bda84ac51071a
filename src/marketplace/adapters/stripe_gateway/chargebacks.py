"""Chargebacks: Stripe's disputes, with its many states brought down to ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from marketplace.adapters.stripe_gateway.client import Object, StripeApi, named, reading
from marketplace.adapters.stripe_gateway.currencies import from_stripe
from marketplace.adapters.stripe_gateway.shapes import moment, name_of, text
from marketplace.application.ports.chargebacks import ChargebackMovement, ChargebackStage, ProviderChargeback
from marketplace.application.ports.payment_gateway import AlreadyInState, InvalidRequest

if TYPE_CHECKING:
    from stripe.params import DisputeUpdateParams, DisputeUpdateParamsEvidence

_STAGE = {
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
_ANSWERABLE = (ChargebackStage.INQUIRY, ChargebackStage.OPEN, ChargebackStage.APPEAL)


class Chargebacks:
    _api: StripeApi

    def get_chargeback(self, chargeback_id: str) -> ProviderChargeback:
        name, what = named(chargeback_id), "read a chargeback"
        return self._chargeback_of(self._api.read(what, lambda client: client.v1.disputes.retrieve(name)), what)

    def submit_evidence(
        self, chargeback_id: str, *, evidence: Mapping[str, str], submit: bool, key: str
    ) -> ProviderChargeback:
        name, what = named(chargeback_id), "answer a chargeback"
        params: DisputeUpdateParams = {
            "evidence": cast("DisputeUpdateParamsEvidence", dict(evidence)),
            "submit": submit,
        }
        try:
            kept = self._api.send(
                what, lambda client, options: client.v1.disputes.update(name, params, options), key=key
            )
        except InvalidRequest as error:
            raise self._why(name, error) from error
        return self._chargeback_of(kept, what)

    def accept_chargeback(self, chargeback_id: str, *, key: str) -> ProviderChargeback:
        name, what = named(chargeback_id), "give in to a chargeback"
        try:
            lost = self._api.send(what, lambda client, options: client.v1.disputes.close(name, {}, options), key=key)
        except InvalidRequest as error:
            raise self._why(name, error) from error
        return self._chargeback_of(lost, what)

    def _why(self, chargeback_id: str, error: InvalidRequest) -> InvalidRequest | AlreadyInState:
        """The provider has no code for a chargeback that is decided: its state tells."""
        is_open = self.get_chargeback(chargeback_id).stage in _ANSWERABLE
        return error if is_open else AlreadyInState(str(error))

    def _chargeback_of(self, dispute: Object, what: str) -> ProviderChargeback:
        with reading(what):
            movements = [self._movement(each) for each in dispute["balance_transactions"]]
            due_by = (dispute.get("evidence_details") or {}).get("due_by")
            return ProviderChargeback(
                id=dispute["id"],
                intent_id=name_of(dispute.get("payment_intent")),
                charge_id=name_of(dispute["charge"]) or "",
                amount=from_stripe(dispute["amount"], dispute["currency"]),
                currency=dispute["currency"].upper(),
                reason=text(dispute.get("reason")),
                status=dispute["status"],
                stage=stage_of(dispute["status"], movements),
                movements=movements,
                evidence_due_at=moment(due_by) if due_by is not None else None,
                livemode=bool(dispute["livemode"]),
                created_at=moment(dispute["created"]),
            )

    def _movement(self, movement: Any) -> ChargebackMovement:
        if isinstance(movement, str):
            name, what = named(movement), "read a movement on our balance"
            movement = self._api.read(what, lambda client: client.v1.balance_transactions.retrieve(name))
        currency = movement["currency"]
        return ChargebackMovement(
            balance_transaction_id=movement["id"],
            amount=from_stripe(movement["amount"], currency),
            fee=from_stripe(movement["fee"], currency),
            created_at=moment(movement["created"]),
        )


def stage_of(status: str, movements: Sequence[ChargebackMovement]) -> ChargebackStage:
    """A status that this version does not know yet is taken for one that decides nothing: the money stays held."""
    unknown = ChargebackStage.OPEN if movements else ChargebackStage.INQUIRY
    return _STAGE.get(status, unknown)
