"""Refunds of a payment, always of the platform's charge: what sellers give back for it is another call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, cast

from marketplace.adapters.stripe_gateway.client import PAGE, Object, StripeApi, named, reading
from marketplace.adapters.stripe_gateway.currencies import from_stripe, to_stripe
from marketplace.adapters.stripe_gateway.payments import payment_of
from marketplace.adapters.stripe_gateway.shapes import remembered, text
from marketplace.application.ports.payment_gateway import (
    AlreadyInState,
    InvalidRequest,
    ProviderRefund,
    RefundNotPossible,
)
from marketplace.domain.payments.payment import PaymentStatus
from marketplace.domain.payments.refund import RefundStatus
from marketplace.domain.shared.ids import RefundId
from marketplace.domain.shared.money import Money

if TYPE_CHECKING:
    from stripe.params import RefundCreateParams, RefundListParams

_Reason = Literal["duplicate", "fraudulent", "requested_by_customer"]
_REASONS = ("duplicate", "fraudulent", "requested_by_customer")
_STATUS = {
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.PENDING,
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}


class Refunds:
    _api: StripeApi

    def refund(
        self, intent_id: str, *, amount: Money, reason: str, metadata: Mapping[str, str], key: str
    ) -> ProviderRefund:
        """The payment is read first: a refund names no currency, and would go back in that of the payment."""
        name, what = named(intent_id), "give money back"
        if reason not in _REASONS:
            raise InvalidRequest(f"{reason!r} is no reason for a refund; the reasons are: {', '.join(_REASONS)}.")
        self._require_refundable(name, amount)
        params: RefundCreateParams = {
            "payment_intent": name,
            "amount": to_stripe(amount),
            "reason": cast(_Reason, reason),
            "metadata": dict(metadata),
        }
        try:
            made = self._api.send(what, lambda client, options: client.v1.refunds.create(params, options), key=key)
        except AlreadyInState as error:
            raise RefundNotPossible(str(error)) from error
        except InvalidRequest as error:
            if self._left_of(name) >= amount.amount:
                raise
            raise RefundNotPossible(str(error)) from error
        return refund_of(made, what)

    def find_refund(self, intent_id: str, refund_id: RefundId) -> ProviderRefund | None:
        name, what = named(intent_id), "look for a refund"
        for made in self._api.pages(what, lambda client, after: client.v1.refunds.list(_page(name, after))):
            if remembered(made, "refund_id", RefundId) == refund_id:
                return refund_of(made, what)
        return None

    def _require_refundable(self, intent_id: str, amount: Money) -> None:
        intent = self._api.read("read a payment", lambda client: client.v1.payment_intents.retrieve(intent_id))
        payment = payment_of(intent, "read a payment")
        received = payment.amount_received if payment.status is PaymentStatus.SUCCEEDED else 0
        if amount.currency != payment.currency or not 0 < amount.amount <= received:
            raise RefundNotPossible(
                f"{amount} of payment {intent_id} cannot go back: {received} minor units of {payment.currency} came in."
            )

    def _left_of(self, intent_id: str) -> int:
        """Minor units that were not given back yet."""
        intent = self._api.read(
            "read a payment",
            lambda client: client.v1.payment_intents.retrieve(intent_id, {"expand": ["latest_charge"]}),
        )
        with reading("read a payment"):
            charge = intent["latest_charge"]
            return from_stripe(charge["amount"] - charge["amount_refunded"], charge["currency"])


def _page(intent_id: str, after: str | None) -> RefundListParams:
    params: RefundListParams = {"payment_intent": intent_id, "limit": PAGE}
    return params if after is None else {**params, "starting_after": after}


def refund_of(refund: Object, what: str) -> ProviderRefund:
    """A status that is not known yet is read again, as a pending one is."""
    with reading(what):
        status = _STATUS.get(refund["status"], RefundStatus.PENDING)
        is_canceled = refund["status"] == "canceled"
        waits_for = text(refund.get("pending_reason")) if status is RefundStatus.PENDING else ""
        return ProviderRefund(
            id=refund["id"],
            status=status,
            amount=from_stripe(refund["amount"], refund["currency"]),
            currency=refund["currency"].upper(),
            refund_id=remembered(refund, "refund_id", RefundId),
            failure_reason=text(refund.get("failure_reason")) or waits_for or ("canceled" if is_canceled else ""),
        )
