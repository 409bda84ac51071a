"""Paying and cancelling an order, and the door for the provider's events."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from flask import Response, jsonify, request
from marshmallow import fields
from werkzeug.exceptions import RequestEntityTooLarge

from marketplace.application.access import Actor
from marketplace.application.fulfilment.cancelling import RequestCancellation
from marketplace.application.payments.cancelling import Cancellation, CancelOrder
from marketplace.application.payments.paying import PaymentProgress, PayOrder
from marketplace.application.payments.starting import ReadClientSecret
from marketplace.application.payments.webhooks import ReceiveWebhook
from marketplace.application.ports.payment_gateway import WebhookSource
from marketplace.domain.orders.sale import MAX_REASON
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.payment import PaymentBusy, PaymentStatus
from marketplace.domain.shared.ids import OrderId
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.bodies import MAX_WEBHOOK, bytes_within, raw_body
from marketplace.entrypoints.http.schemas import Pattern, Schema, Text

_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between one try and the next while somebody else works on the payment."""


class PaySchema(Schema):
    payment_method = fields.String(
        validate=Pattern(r"^[A-Za-z0-9_]{1,255}$"),
        metadata={
            "description": "The provider's name for a payment method; left out, the payment is only looked at.",
            "example": "pm_card_visa",
        },
    )


class NextActionSchema(Schema):
    type = fields.String(required=True)
    url = fields.String(required=True, metadata={"description": "Where to send the buyer; empty without a redirect."})


class PaymentProgressSchema(Schema):
    order = fields.Integer(required=True)
    status = fields.String(required=True, metadata={"enum": [str(status) for status in PaymentStatus]})
    client_secret = fields.String(required=True, allow_none=True)
    next_action = fields.Nested(NextActionSchema, required=True, allow_none=True)


_REQUESTED = "requested"


class CancellationWishSchema(Schema):
    reason = Text(longest=MAX_REASON, metadata={"description": "Of a paid order: what its sellers are told."})


class CancellationSchema(Schema):
    order = fields.Integer(required=True)
    status = fields.String(
        required=True,
        metadata={
            "enum": [OrderStatus.CANCELLED.value, OrderStatus.PENDING_PAYMENT.value, _REQUESTED],
            "description": "pending_payment: the provider has not confirmed yet; the cancellation goes on by itself."
            " requested: the order is paid, and the sellers of what is not sent decide.",
        },
    )
    requested_sales = fields.List(
        fields.Integer(), required=True, metadata={"description": "The sales whose sellers were asked."}
    )


class ReceivedSchema(Schema):
    received = fields.Boolean(required=True)


def _patiently(pay: Callable[[], PaymentProgress]) -> PaymentProgress:
    """Buyers who pay as soon as they have ordered, or try another card at once, meet a worker that reads what the
    provider's events tell of: that takes a moment, and is none of their business. Raises as ``pay`` does."""
    for pause in _PAUSES:
        try:
            return pay()
        except PaymentBusy:
            time.sleep(pause)
    return pay()


def payments_blueprint(
    *,
    pay_order: PayOrder,
    cancel_order: CancelOrder,
    request_cancellation: RequestCancellation,
    read_client_secret: ReadClientSecret,
) -> Blueprint:
    blueprint = Blueprint("payments", __name__, description="Paying for an order")

    def with_its_secret(actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
        """An answer as it was given, with the secret, which is never kept, read again."""
        body["client_secret"] = read_client_secret(actor=actor, order_id=OrderId(body["order"]))
        return body

    @blueprint.post("/orders/<int:order_id>/pay/")
    @signed_in(secrets=["client_secret"], reveal=with_its_secret)
    @problems(402)
    @blueprint.arguments(PaySchema)
    @blueprint.response(200, PaymentProgressSchema)
    def pay(body: dict[str, Any], order_id: int) -> tuple[Response, dict[str, str]]:
        """Try to pay; the order itself is paid when the provider's event has arrived."""
        actor, method = current_actor(), body.get("payment_method")
        progress = _patiently(lambda: pay_order(actor=actor, order_id=OrderId(order_id), payment_method=method))
        return jsonify(_progress_json(order_id, progress)), {"Cache-Control": "no-store"}

    @blueprint.post("/orders/<int:order_id>/cancel/")
    @signed_in()
    @blueprint.arguments(CancellationWishSchema, required=False)
    @blueprint.response(200, CancellationSchema)
    @blueprint.alt_response(
        202, schema=CancellationSchema, description="The provider has not confirmed yet, or the sellers are asked"
    )
    def cancel(body: dict[str, Any], order_id: int) -> tuple[Response, int]:
        """Cancel an order that is not paid; of a paid one ask the sellers of what is not sent to cancel it."""
        actor, of_order = current_actor(), OrderId(order_id)
        requested = request_cancellation(actor=actor, order_id=of_order, reason=body.get("reason", ""))
        if requested is not None:
            return jsonify({"order": order_id, "status": _REQUESTED, "requested_sales": list(requested)}), 202
        done = cancel_order(actor=actor, order_id=of_order) is Cancellation.CANCELLED
        status = OrderStatus.CANCELLED if done else OrderStatus.PENDING_PAYMENT
        return jsonify({"order": order_id, "status": status.value, "requested_sales": []}), 200 if done else 202

    return blueprint


def webhooks_blueprint(*, receive_webhook: ReceiveWebhook) -> Blueprint:
    blueprint = Blueprint("webhooks", __name__, description="The payment provider's events", any_query=True)

    def take(source: WebhookSource) -> Response:
        try:
            raw = bytes_within(MAX_WEBHOOK)
        except RequestEntityTooLarge:
            receive_webhook.refuse_size(source)
        receive_webhook(raw=raw, headers=dict(request.headers), source=source)
        return jsonify(received=True)

    @blueprint.post("/webhooks/stripe/")
    @raw_body()
    @blueprint.response(200, ReceivedSchema)
    def receive() -> Response:
        """Take a signed event of the payment provider; it is worked on afterwards."""
        return take(WebhookSource.PLATFORM)

    @blueprint.post("/webhooks/stripe/connect/")
    @raw_body()
    @blueprint.response(200, ReceivedSchema)
    def receive_connect() -> Response:
        """The same for what happens at sellers' accounts."""
        return take(WebhookSource.CONNECT)

    @blueprint.post("/webhooks/stripe/thin/")
    @raw_body()
    @blueprint.response(200, ReceivedSchema)
    def receive_thin() -> Response:
        """The same for notices without content."""
        return take(WebhookSource.THIN)

    return blueprint


def _progress_json(order_id: int, progress: PaymentProgress) -> dict[str, Any]:
    action = progress.next_action
    return {
        "order": order_id,
        "status": progress.status.value,
        "client_secret": progress.client_secret,
        "next_action": None if action is None else {"type": action.type, "url": action.url},
    }
