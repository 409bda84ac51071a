"""The cart: what a buyer holds for a while."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from marshmallow import fields

from marketplace.application.ports.reservations import CartLine
from marketplace.application.reservations import (
    AddToCart,
    ChangeCartItem,
    EmptyCart,
    RemoveFromCart,
    ShowCart,
)
from marketplace.domain.fees import Quote
from marketplace.domain.reservations import MAX_QUANTITY, Problem, ReservationStatus
from marketplace.domain.shared.ids import ListingId, ReservationId
from marketplace.domain.shared.money import Money
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.idempotency import current_idempotency_key
from marketplace.entrypoints.http.listings import ListingProductSchema, ListingSellerSchema, listing_json
from marketplace.entrypoints.http.schemas import Id, Schema, StrictInteger
from marketplace.entrypoints.http.variants import VariantSchema

_STATES = [str(state) for state in ReservationStatus if state is not ReservationStatus.RELEASED]


class TotalsSchema(Schema):
    base_price = fields.String(required=True, metadata={"example": "100.00"})
    platform_commission = fields.String(required=True, metadata={"example": "5.00"})
    buyer_processing_fee = fields.String(required=True, metadata={"example": "6.00"})
    buyer_shipping_fee = fields.String(required=True, metadata={"example": "10.00"})
    buyer_total_price = fields.String(required=True, metadata={"example": "121.00"})


class CartItemSchema(Schema):
    id = fields.Integer(required=True)
    listing = fields.Integer(required=True)
    product = fields.Nested(ListingProductSchema, required=True)
    variant = fields.Nested(VariantSchema, required=True)
    seller = fields.Nested(ListingSellerSchema, required=True)
    available = fields.Integer(required=True, metadata={"description": "What anybody could claim beside this."})
    quantity = fields.Integer(required=True)
    unit_price = fields.String(
        required=True,
        metadata={
            "example": "25.99",
            "description": "As last answered to you, and no other price is charged.",
        },
    )
    currency = fields.String(required=True, metadata={"example": "EUR"})
    current_price = fields.String(required=True, metadata={"example": "25.99"})
    reservation = fields.String(required=True, metadata={"enum": _STATES})
    reserved_until = fields.DateTime(required=True, allow_none=True, metadata={"description": "While it is held."})
    order = fields.Integer(required=True, allow_none=True, metadata={"description": "The unpaid order that holds it."})
    problem = fields.String(
        required=True,
        allow_none=True,
        metadata={"enum": [*(str(p) for p in Problem), None], "description": "Why it cannot be ordered as it is."},
    )


class CartSchema(Schema):
    items = fields.List(fields.Nested(CartItemSchema), required=True)
    totals = fields.Nested(
        TotalsSchema, required=True, metadata={"description": "What an order of all that is not ordered would cost."}
    )
    currency = fields.String(required=True, metadata={"example": "EUR"})


class _QuantitySchema(Schema):
    quantity = StrictInteger(low=1, high=MAX_QUANTITY, required=True)


class NewCartItemSchema(_QuantitySchema):
    listing = Id(required=True)


class CartItemChangesSchema(_QuantitySchema):
    pass


def cart_blueprint(
    *,
    show_cart: ShowCart,
    add_to_cart: AddToCart,
    change_cart_item: ChangeCartItem,
    remove_from_cart: RemoveFromCart,
    empty_cart: EmptyCart,
) -> Blueprint:
    blueprint = Blueprint("cart", __name__, description="What a buyer holds for a while")

    @blueprint.get("/cart/")
    @signed_in()
    @blueprint.response(200, CartSchema)
    def cart() -> Response:
        """One's own cart; looking at it renews nothing."""
        found = show_cart(actor=current_actor())
        return jsonify(
            {
                "items": [line_json(line) for line in found.lines],
                "totals": totals_json(found.totals),
                "currency": found.totals.currency,
            }
        )

    @blueprint.delete("/cart/")
    @signed_in()
    @blueprint.response(204)
    def empty() -> None:
        """Let go of everything but what unpaid orders hold."""
        empty_cart(actor=current_actor())

    @blueprint.post("/cart/items/")
    @signed_in()
    @problems(404, 409)
    @blueprint.arguments(NewCartItemSchema)
    @blueprint.response(201, CartItemSchema)
    def add(body: dict[str, Any]) -> tuple[Response, int]:
        """Hold so many pieces of a listing, on top of those in the cart."""
        line = add_to_cart(
            actor=current_actor(),
            listing_id=ListingId(body["listing"]),
            quantity=body["quantity"],
            request_key=current_idempotency_key(),
        )
        return jsonify(line_json(line)), 201

    @blueprint.patch("/cart/items/<int:item_id>/")
    @signed_in()
    @problems(409)
    @blueprint.arguments(CartItemChangesSchema)
    @blueprint.response(200, CartItemSchema)
    def change(body: dict[str, Any], item_id: int) -> Response:
        """Hold another number of pieces; the same number renews the hold."""
        line = change_cart_item(actor=current_actor(), item_id=ReservationId(item_id), quantity=body["quantity"])
        return jsonify(line_json(line))

    @blueprint.delete("/cart/items/<int:item_id>/")
    @signed_in()
    @problems(409)
    @blueprint.response(204)
    def remove(item_id: int) -> None:
        """Let go of one item."""
        remove_from_cart(actor=current_actor(), item_id=ReservationId(item_id))

    return blueprint


def line_json(line: CartLine) -> dict[str, Any]:
    reservation, listing = line.item.reservation, line.item.listing
    shown = listing_json(listing)
    return {
        "id": reservation.id,
        "listing": listing.id,
        "product": shown["product"],
        "variant": shown["variant"],
        "seller": shown["seller"],
        "available": shown["available"],
        "quantity": reservation.quantity,
        "unit_price": reservation.unit_price.decimal,
        "currency": reservation.unit_price.currency,
        "current_price": Money(listing.price, listing.currency).decimal,
        "reservation": line.state.value,
        "reserved_until": line.reserved_until,
        "order": reservation.order_id,
        "problem": None if line.problem is None else line.problem.value,
    }


def totals_json(totals: Quote) -> dict[str, str]:
    return {
        "base_price": totals.money(totals.base).decimal,
        "platform_commission": totals.money(totals.commission).decimal,
        "buyer_processing_fee": totals.money(totals.processing).decimal,
        "buyer_shipping_fee": totals.money(totals.shipping).decimal,
        "buyer_total_price": totals.money(totals.total).decimal,
    }
