"""Sellers: the public profile, and what an account still lacks to sell."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask import Response, jsonify
from marshmallow import fields

from marketplace.application.ports.sellers import OwnSellerView, SellerQueries
from marketplace.domain.sellers import SellerStatus, SellingStep
from marketplace.domain.shared.ids import AccountId
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint
from marketplace.entrypoints.http.etags import etagged
from marketplace.entrypoints.http.schemas import Schema

_ACTIONS: Mapping[SellingStep, str] = {
    SellingStep.VERIFIED_EMAIL: "Send the code that was mailed to you to POST /api/v1/auth/verify-email/.",
    SellingStep.APPROVAL: "An administrator looks at your profile; you need do nothing.",
    SellingStep.IDENTITY: "The marketplace verifies who you are; you need do nothing.",
    SellingStep.ONBOARDING: "The marketplace opens your account at the payment provider; you need do nothing.",
}


class SellerSchema(Schema):
    id = fields.Integer(required=True)
    shop_name = fields.String(required=True)
    description = fields.String(required=True)
    rating = fields.Float(required=True, allow_none=True, metadata={"description": "1 to 5, null without reviews."})
    on_holiday = fields.Boolean(required=True)
    created_at = fields.DateTime(required=True)


class ChecklistStepSchema(Schema):
    step = fields.String(required=True, metadata={"enum": [str(step) for step in SellingStep]})
    done = fields.Boolean(required=True)
    action = fields.String(required=True, allow_none=True, metadata={"description": "What to do; null when done."})


class OwnSellerSchema(Schema):
    id = fields.Integer(required=True)
    shop_name = fields.String(required=True, allow_none=True)
    description = fields.String(required=True)
    rating = fields.Float(required=True, allow_none=True)
    status = fields.String(required=True, metadata={"enum": [str(status) for status in SellerStatus]})
    status_reason = fields.String(required=True)
    is_selling = fields.Boolean(required=True, metadata={"description": "Whether the public sees your listings."})
    on_holiday = fields.Boolean(required=True)
    checklist = fields.List(fields.Nested(ChecklistStepSchema), required=True)
    created_at = fields.DateTime(required=True, allow_none=True)


def sellers_blueprint(*, queries: SellerQueries) -> Blueprint:
    blueprint = Blueprint("sellers", __name__, description="Shops, and becoming one")

    @blueprint.get("/sellers/<int:seller_id>/")
    @etagged
    @blueprint.response(200, SellerSchema)
    def seller(seller_id: int) -> Response:
        """A shop as everybody sees it."""
        found = queries.seller(AccountId(seller_id))
        return jsonify(
            {
                "id": found.id,
                "shop_name": found.shop_name,
                "description": found.description,
                "rating": rating_json(found.rating),
                "on_holiday": found.on_holiday,
                "created_at": found.created_at,
            }
        )

    @blueprint.get("/sellers/me/")
    @signed_in()
    @blueprint.response(200, OwnSellerSchema)
    def own() -> Response:
        """The caller as a seller: the status, and what is missing."""
        return jsonify(_own_json(queries.own(current_actor().account_id)))

    return blueprint


def rating_json(rating: Decimal | None) -> float | None:
    return None if rating is None else float(rating)


def _own_json(found: OwnSellerView) -> dict[str, Any]:
    return {
        "id": found.id,
        "shop_name": found.shop_name,
        "description": found.description,
        "rating": rating_json(found.rating),
        "status": found.status.value,
        "status_reason": found.status_reason,
        "is_selling": found.is_selling,
        "on_holiday": found.on_holiday,
        "checklist": [
            {
                "step": step.value,
                "done": step not in found.missing,
                "action": _ACTIONS[step] if step in found.missing else None,
            }
            for step in SellingStep
        ],
        "created_at": found.created_at,
    }
