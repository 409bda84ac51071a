"""Payments: one PaymentIntent for each attempt to collect the money of an order."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from marketplace.adapters.stripe_gateway.client import PAGE, Object, StripeApi, named, reading
from marketplace.adapters.stripe_gateway.currencies import from_stripe, to_stripe
from marketplace.adapters.stripe_gateway.errors import neutral_code
from marketplace.adapters.stripe_gateway.methods import SLOW
from marketplace.adapters.stripe_gateway.shapes import name_of, remembered, seconds, text
from marketplace.application.ports.payment_gateway import (
    CustomerUnknown,
    InvalidRequest,
    NextAction,
    OutcomeUnknown,
    PaymentRequest,
    ProviderObjectUnknown,
    ProviderPayment,
    UnknownPaymentMethod,
)
from marketplace.domain.payments.payment import PaymentStatus
from marketplace.domain.shared.ids import OrderId

if TYPE_CHECKING:
    from stripe.params import (
        PaymentIntentCancelParams,
        PaymentIntentConfirmParams,
        PaymentIntentCreateParams,
        PaymentIntentListParams,
        PaymentIntentUpdateParams,
    )

_STATUS = {
    "requires_payment_method": PaymentStatus.REQUIRES_PAYMENT_METHOD,
    "requires_confirmation": PaymentStatus.REQUIRES_PAYMENT_METHOD,
    "requires_action": PaymentStatus.REQUIRES_ACTION,
    "processing": PaymentStatus.PROCESSING,
    "requires_capture": PaymentStatus.PROCESSING,
    "succeeded": PaymentStatus.SUCCEEDED,
    "canceled": PaymentStatus.CANCELED,
}


def transfer_group(order_id: OrderId) -> str:
    """What ties the charge of an order and the transfers to its sellers together."""
    return f"order_{order_id}"


class Payments:
    _api: StripeApi

    def create_payment(self, request: PaymentRequest, *, key: str) -> ProviderPayment:
        params: PaymentIntentCreateParams = {
            "amount": to_stripe(request.amount),
            "currency": request.amount.currency.lower(),
            "automatic_payment_methods": {"enabled": True},
            "excluded_payment_method_types": [*SLOW],
            "description": request.description,
            "transfer_group": transfer_group(request.order_id),
            "metadata": {"order_id": str(request.order_id), "payment_id": str(request.payment_id)},
        }
        if request.customer_id is not None:
            params["customer"] = request.customer_id
        what = "create a payment"
        try:
            intent = self._api.send(
                what, lambda client, options: client.v1.payment_intents.create(params, options), key=key
            )
        except ProviderObjectUnknown as error:
            # Nothing else in it can be missing.
            raise CustomerUnknown(str(error)) from error
        return payment_of(intent, what)

    def get_payment(self, intent_id: str) -> ProviderPayment:
        name, what = named(intent_id), "read a payment"
        intent = self._api.read(
            what,
            lambda client: client.v1.payment_intents.retrieve(name, {"expand": ["latest_charge.balance_transaction"]}),
        )
        return payment_of(intent, what)

    def find_payment(self, order_id: OrderId, *, since: datetime) -> ProviderPayment | None:
        """By looking through all that were made since: the provider's search is some time behind."""
        params: PaymentIntentListParams = {"created": {"gte": seconds(since)}, "limit": PAGE}
        for intent in self._api.pages(
            "look for a payment", lambda client, after: client.v1.payment_intents.list(_next(params, after))
        ):
            if remembered(intent, "order_id", OrderId) == order_id:
                return self.get_payment(intent["id"])
        return None

    def name_buyer(self, intent_id: str, customer_id: str, *, key: str) -> ProviderPayment:
        name, what = named(intent_id), "give a payment its buyer"
        params: PaymentIntentUpdateParams = {"customer": named(customer_id)}
        try:
            intent = self._api.send(
                what, lambda client, options: client.v1.payment_intents.update(name, params, options), key=key
            )
        except ProviderObjectUnknown as error:
            self.get_payment(name)  # raises when it is the payment that is unknown
            raise CustomerUnknown(str(error)) from error
        return payment_of(intent, what)

    def confirm_payment(
        self, intent_id: str, *, payment_method: str, return_url: str | None, key: str
    ) -> ProviderPayment:
        name, what = named(intent_id), "pay"
        _require_name(payment_method)
        params: PaymentIntentConfirmParams = {"payment_method": payment_method}
        if return_url is not None:
            params["return_url"] = return_url
        else:
            params["off_session"] = True
            params["error_on_requires_action"] = True
        try:
            intent = self._api.send(
                what, lambda client, options: client.v1.payment_intents.confirm(name, params, options), key=key
            )
        except InvalidRequest as error:
            if self._may_be_charged(payment_method, name):
                raise
            message = f"{payment_method!r} is no payment method of this buyer's (any more)."
            raise UnknownPaymentMethod(message, errors={"payment_method": [message]}) from error
        return payment_of(intent, what)

    def cancel_payment(self, intent_id: str, *, key: str) -> ProviderPayment:
        name, what = named(intent_id), "cancel a payment"
        params: PaymentIntentCancelParams = {"cancellation_reason": "abandoned"}
        intent = self._api.send(
            what, lambda client, options: client.v1.payment_intents.cancel(name, params, options), key=key
        )
        return payment_of(intent, what)

    def _may_be_charged(self, payment_method: str, intent_id: str) -> bool:
        """Whether the payment has the buyer who saved it. The provider has no code for one that is somebody else's."""
        what = "read a payment method"
        method = self._api.read(what, lambda client: client.v1.payment_methods.retrieve(payment_method))
        intent = self._api.read("read a payment", lambda client: client.v1.payment_intents.retrieve(intent_id))
        return name_of(method.get("customer")) == name_of(intent.get("customer"))


def _next(params: PaymentIntentListParams, after: str | None) -> PaymentIntentListParams:
    return params if after is None else {**params, "starting_after": after}


def payment_of(intent: Object, what: str) -> ProviderPayment:
    """``latest_charge`` is also that of a declined attempt: only that of a success is the one the money came by."""
    with reading(what):
        status = _STATUS.get(intent["status"])
        if status is None:
            raise OutcomeUnknown(f"Payment {intent['id']} is {intent['status']!r}, which this version does not know.")
        currency = intent["currency"].upper()
        charge = intent.get("latest_charge") if status is PaymentStatus.SUCCEEDED else None
        movement = charge.get("balance_transaction") if isinstance(charge, dict) else None
        return ProviderPayment(
            id=intent["id"],
            status=status,
            amount=from_stripe(intent["amount"], currency),
            amount_received=from_stripe(intent.get("amount_received", 0), currency),
            currency=currency,
            client_secret=intent.get("client_secret"),
            order_id=remembered(intent, "order_id", OrderId),
            livemode=_flag(intent["livemode"]),
            charge_id=name_of(charge),
            balance_transaction_id=name_of(movement) if isinstance(movement, dict) else None,
            fee=from_stripe(movement["fee"], movement["currency"]) if isinstance(movement, dict) else None,
            settled_in=movement["currency"].upper() if isinstance(movement, dict) else None,
            decline_code=neutral_code(intent.get("last_payment_error")),
            next_action=_next_action(intent.get("next_action")) if status is PaymentStatus.REQUIRES_ACTION else None,
            customer_id=name_of(intent.get("customer")),
        )


def _require_name(payment_method: str) -> None:
    """Raises UnknownPaymentMethod for what cannot be one."""
    try:
        named(payment_method)
    except ProviderObjectUnknown as error:
        raise UnknownPaymentMethod(str(error), errors={"payment_method": [str(error)]}) from error


def _next_action(action: Any) -> NextAction | None:
    if not isinstance(action, dict):
        return None
    redirect = action.get("redirect_to_url")
    return NextAction(type=action["type"], url=text(redirect.get("url")) if isinstance(redirect, dict) else "")


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("no flag")
    return value
