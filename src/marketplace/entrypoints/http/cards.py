"""Payment methods that buyers save at the payment provider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, jsonify
from marshmallow import fields

from marketplace.application.access import Actor
from marketplace.application.cards.keeping import ListCards, RemoveCard
from marketplace.application.cards.saving import BeginCardSetup, ReadSetupSecret
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.application.ports.saved_cards import SavedCard
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.fields import FieldNames
from marketplace.entrypoints.http.pages import PageArgs, page_body, page_of, page_request
from marketplace.entrypoints.http.schemas import Schema


class SetupIntentSchema(Schema):
    id = fields.String(required=True, metadata={"example": "seti_1"})
    status = fields.String(required=True, metadata={"example": "requires_payment_method"})
    client_secret = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "For the provider's client library; null once it is over."},
    )
    publishable_key = fields.String(required=True, allow_none=True)


class PaymentMethodSchema(Schema):
    id = fields.String(required=True, metadata={"description": "What `payment_method` of a payment takes."})
    type = fields.String(required=True, metadata={"example": "card"})
    brand = fields.String(required=True, metadata={"description": "Empty but for cards.", "example": "visa"})
    last4 = fields.String(required=True, metadata={"description": "Empty but for cards.", "example": "4242"})
    exp_month = fields.Integer(required=True, allow_none=True)
    exp_year = fields.Integer(required=True, allow_none=True)


class PaymentMethodsArgs(PageArgs):
    wanted = FieldNames(PaymentMethodSchema)


def cards_blueprint(
    *,
    begin_setup: BeginCardSetup,
    read_setup_secret: ReadSetupSecret,
    list_cards: ListCards,
    remove_card: RemoveCard,
    publishable_key: str | None,
) -> Blueprint:
    blueprint = Blueprint("cards", __name__, description="Saved payment methods")

    def with_its_secret(actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
        """An answer as it was given, with the secret, which is never kept, read again."""
        body["client_secret"] = read_setup_secret(actor=actor, setup_id=body["id"])
        return body

    @blueprint.post("/payments/setup-intents/")
    @signed_in(secrets=["client_secret"], reveal=with_its_secret)
    @problems(403)
    @blueprint.response(201, SetupIntentSchema)
    def begin() -> tuple[Response, int, dict[str, str]]:
        """Begin to save a payment method; the provider's client library finishes it with the secret."""
        setup = begin_setup(actor=current_actor())
        shown = {
            "id": setup.id,
            "status": setup.status,
            "client_secret": setup.client_secret,
            "publishable_key": publishable_key,
        }
        return jsonify(shown), 201, {"Cache-Control": "no-store"}

    @blueprint.get("/payments/methods/")
    @signed_in()
    @blueprint.arguments(PaymentMethodsArgs, location="query")
    @blueprint.response(200, page_of(PaymentMethodSchema))
    def methods(args: dict[str, Any]) -> dict[str, Any]:
        """One's own saved payment methods, the newest first; a hundred at most."""
        asked = page_request(args)
        return page_body(_page(list_cards(actor=current_actor()), asked), asked, args, show=card_json)

    @blueprint.delete("/payments/methods/<card_id>/")
    @signed_in()
    @problems(404)
    @blueprint.response(204)
    def remove(card_id: str) -> None:
        """Forget a payment method at the provider."""
        remove_card(actor=current_actor(), card_id=card_id)

    return blueprint


def card_json(card: SavedCard) -> dict[str, Any]:
    return {
        "id": card.id,
        "type": card.type,
        "brand": card.brand,
        "last4": card.last4,
        "exp_month": card.expires_month,
        "exp_year": card.expires_year,
    }


def _page(cards: Sequence[SavedCard], asked: PageRequest) -> Page[SavedCard]:
    """The provider gives all of them at once: places in the list are the keys."""
    start = (asked.number - 1) * asked.size
    if asked.after is not None:
        start = asked.after[0]
    elif asked.before is not None:
        start = max(asked.before[0] - asked.size, 0)
    end = start + asked.size
    return Page(
        items=cards[start:end],
        next=(end,) if end < len(cards) else None,
        previous=(start,) if 0 < start < len(cards) else None,
        count=len(cards),
        count_is_exact=True,
    )
