"""Orders for their buyers."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from marketplace.application.access import Actor, require_own
from marketplace.application.orders import PlaceOrder, QuoteOrder
from marketplace.application.payments.starting import ReadClientSecret, StartPayment
from marketplace.application.ports.orders import OrderQueries
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.shared.ids import AccountId, OrderId
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.etags import etagged
from marketplace.entrypoints.http.fields import projected
from marketplace.entrypoints.http.idempotency import current_idempotency_key
from marketplace.entrypoints.http.order_schemas import (
    NewOrderSchema,
    OrderArgs,
    OrdersArgs,
    OrderSchema,
    QuoteRequestSchema,
    QuoteSchema,
    order_json,
)
from marketplace.entrypoints.http.pages import page_body, page_of, page_request
from marketplace.entrypoints.http.reservations import line_json, totals_json


def orders_blueprint(
    *,
    quote_order: QuoteOrder,
    place_order: PlaceOrder,
    start_payment: StartPayment,
    read_client_secret: ReadClientSecret,
    queries: OrderQueries,
    publishable_key: str | None,
) -> Blueprint:
    blueprint = Blueprint("orders", __name__, description="Buying")

    def with_its_secret(actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
        """A placed order as it was answered, with the secret, which is never kept, read again."""
        body["payment"]["client_secret"] = read_client_secret(actor=actor, order_id=OrderId(body["id"]))
        return body

    @blueprint.post("/orders/quote/")
    @signed_in()
    @problems(404, 409)
    @blueprint.arguments(QuoteRequestSchema)
    @blueprint.response(200, QuoteSchema)
    def quote(body: dict[str, Any]) -> Response:
        """What an order would cost, and what stands in its way."""
        quoted = quote_order(actor=current_actor(), cart_items=body.get("cart_items"))
        return jsonify(
            {
                "items": [line_json(line) for line in quoted.lines],
                "totals": totals_json(quoted.totals),
                "currency": quoted.totals.currency,
            }
        )

    @blueprint.post("/orders/")
    @signed_in(secrets=["payment.client_secret"], reveal=with_its_secret)
    @problems(403, 404, 409)
    @blueprint.arguments(NewOrderSchema)
    @blueprint.response(201, OrderSchema, headers={"Location": {"schema": {"type": "string"}}})
    def place(body: dict[str, Any]) -> tuple[Response, int, dict[str, str]]:
        """Order the cart, or some of its items, and begin to pay for it."""
        actor = current_actor()
        order_id = place_order(
            actor=actor,
            cart_items=body.get("cart_items"),
            shipping_address=body["shipping_address"],
            billing_address=body["billing_address"],
            expected_total=body.get("expected_total"),
            request_key=current_idempotency_key(),
        )
        started = start_payment(actor=actor, order_id=order_id)
        placed = order_json(
            queries.order(order_id), publishable_key=publishable_key, client_secret=started.client_secret
        )
        return jsonify(placed), 201, {"Location": f"/api/v1/orders/{order_id}/", "Cache-Control": "no-store"}

    @blueprint.get("/orders/")
    @signed_in()
    @blueprint.arguments(OrdersArgs, location="query")
    @blueprint.response(200, page_of(OrderSchema))
    def orders(args: dict[str, Any]) -> Response:
        """One's own orders."""
        asked = page_request(args)
        page = queries.orders(
            current_actor().account_id,
            asked,
            statuses=[OrderStatus(args["status"])] if "status" in args else [],
        )
        return jsonify(
            page_body(page, asked, args, show=lambda order: order_json(order, publishable_key=publishable_key))
        )

    @blueprint.get("/orders/<int:order_id>/")
    @signed_in()
    @etagged
    @blueprint.arguments(OrderArgs, location="query")
    @blueprint.response(200, OrderSchema)
    def order(args: dict[str, Any], order_id: int) -> Response:
        """One order; its buyer finds here what is needed to go on paying for it."""
        actor = current_actor()
        found = queries.order(OrderId(order_id))
        require_own(actor, AccountId(found.buyer_id), f"order {order_id}")
        payable = found.status is OrderStatus.PENDING_PAYMENT and found.buyer_id == actor.account_id
        secret = read_client_secret(actor=actor, order_id=OrderId(order_id)) if payable else None
        shown = order_json(found, publishable_key=publishable_key, client_secret=secret)
        response = jsonify(projected(shown, args.get("wanted")))
        if secret is not None:
            response.headers["Cache-Control"] = "no-store"
        return response

    return blueprint
