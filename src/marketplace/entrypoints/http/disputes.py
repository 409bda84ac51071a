"""Disputes: for the two parties of a sale, and for those who decide them."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from marshmallow import fields, validate

from marketplace.application.access import Actor, require_dispute_visible, require_role, sees_every_dispute
from marketplace.application.disputes.opening import OpenDispute, WithdrawDispute
from marketplace.application.disputes.resolving import ResolveDispute
from marketplace.application.ports.disputes import DisputeFilter, DisputeQueries, DisputeView
from marketplace.domain.disputes import (
    MAX_DESCRIPTION,
    MAX_NOTE,
    DisputeOutcome,
    DisputeReason,
    DisputeStatus,
)
from marketplace.domain.identity import Role
from marketplace.domain.shared.ids import DisputeId, OrderId, SaleId
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.etags import etagged
from marketplace.entrypoints.http.fields import FieldNames, projected
from marketplace.entrypoints.http.pages import PageArgs, page_body, page_of, page_request
from marketplace.entrypoints.http.schemas import Id, MoneyString, Schema, Text

_REASONS = [reason.value for reason in DisputeReason]
_OUTCOMES = [outcome.value for outcome in DisputeOutcome]
_WISHES = [outcome.value for outcome in DisputeOutcome if outcome is not DisputeOutcome.DISMISSED]
_STATUSES = [status.value for status in DisputeStatus]


class NewDisputeSchema(Schema):
    sale = Id(required=True)
    reason = fields.String(
        required=True,
        validate=validate.OneOf([reason for reason in _REASONS if reason != DisputeReason.CHARGEBACK]),
    )
    description = Text(shortest=1, longest=MAX_DESCRIPTION, required=True)
    desired_outcome = fields.String(validate=validate.OneOf(_WISHES), allow_none=True, load_default=None)


class ResolutionSchema(Schema):
    outcome = fields.String(
        required=True,
        validate=validate.OneOf(_OUTCOMES),
        metadata={"description": "A replacement cannot be shipped through the marketplace yet, and is a 409."},
    )
    amount = MoneyString(metadata={"description": "Of a partial refund: item money of the sale.", "example": "5.00"})
    note = Text(longest=MAX_NOTE, load_default="", metadata={"description": "Both parties read it."})


class DisputeSchema(Schema):
    id = fields.Integer(required=True)
    order = fields.Integer(required=True)
    sale = fields.Integer(required=True)
    sale_reference = fields.String(required=True, metadata={"example": "K7QM-2XPD-1"})
    seller = fields.Integer(required=True)
    buyer = fields.Integer(
        required=True, allow_none=True, metadata={"description": "For the buyer, verifiers and administrators."}
    )
    reason = fields.String(required=True, metadata={"enum": _REASONS})
    status = fields.String(required=True, metadata={"enum": _STATUSES})
    outcome = fields.String(required=True, allow_none=True, metadata={"enum": [*_OUTCOMES, None]})
    amount = fields.String(
        required=True, allow_none=True, metadata={"description": "What the buyer gets back by its outcome."}
    )
    currency = fields.String(required=True, metadata={"example": "EUR"})
    description = fields.String(required=True)
    desired_outcome = fields.String(required=True, allow_none=True, metadata={"enum": [*_WISHES, None]})
    note = fields.String(required=True, metadata={"description": "Of whoever decided it."})
    respond_by = fields.DateTime(
        required=True, allow_none=True, metadata={"description": "Until when the seller is waited for."}
    )
    created_at = fields.DateTime(required=True)
    resolved_at = fields.DateTime(required=True, allow_none=True)


class DisputeArgs(Schema):
    wanted = FieldNames(DisputeSchema)


class DisputesArgs(PageArgs):
    status = fields.String(validate=validate.OneOf(_STATUSES))
    reason = fields.String(validate=validate.OneOf(_REASONS))
    sale = Id(in_query=True)
    order = Id(in_query=True)
    wanted = FieldNames(DisputeSchema)


def disputes_blueprint(
    *,
    open_dispute: OpenDispute,
    withdraw_dispute: WithdrawDispute,
    resolve_dispute: ResolveDispute,
    queries: DisputeQueries,
) -> Blueprint:
    blueprint = Blueprint("disputes", __name__, description="Claims of buyers, and what becomes of them")

    def shown(dispute_id: DisputeId) -> dict[str, Any]:
        return dispute_json(queries.dispute(dispute_id), current_actor())

    @blueprint.post("/disputes/")
    @signed_in()
    @problems(404, 409)
    @blueprint.arguments(NewDisputeSchema)
    @blueprint.response(201, DisputeSchema, headers={"Location": {"schema": {"type": "string"}}})
    def open_one(body: dict[str, Any]) -> tuple[Response, int, dict[str, str]]:
        """Claim that something is wrong with a sale; its seller's money is kept back until that is settled."""
        wish = body["desired_outcome"]
        id = open_dispute(
            actor=current_actor(),
            sale_id=SaleId(body["sale"]),
            reason=DisputeReason(body["reason"]),
            description=body["description"],
            desired_outcome=None if wish is None else DisputeOutcome(wish),
        )
        return jsonify(shown(id)), 201, {"Location": f"/api/v1/disputes/{id}/"}

    @blueprint.get("/disputes/")
    @signed_in()
    @blueprint.arguments(DisputesArgs, location="query")
    @blueprint.response(200, page_of(DisputeSchema))
    def disputes(args: dict[str, Any]) -> dict[str, Any]:
        """One's own disputes, as buyer or seller; verifiers and administrators see all of them."""
        return _page(queries, args, current_actor())

    @blueprint.get("/disputes/<int:dispute_id>/")
    @signed_in()
    @etagged
    @blueprint.arguments(DisputeArgs, location="query")
    @blueprint.response(200, DisputeSchema)
    def dispute(args: dict[str, Any], dispute_id: int) -> Response:
        """One dispute."""
        actor, found = current_actor(), queries.dispute(DisputeId(dispute_id))
        require_dispute_visible(actor, found.id, buyer_id=found.buyer_id, seller_id=found.seller_id)
        return jsonify(projected(dispute_json(found, actor), args.get("wanted")))

    @blueprint.post("/disputes/<int:dispute_id>/withdraw/")
    @signed_in()
    @problems(403, 409)
    @blueprint.response(200, DisputeSchema)
    def withdraw(dispute_id: int) -> Response:
        """Claim nothing any more; for the buyer."""
        withdraw_dispute(actor=current_actor(), dispute_id=DisputeId(dispute_id))
        return jsonify(shown(DisputeId(dispute_id)))

    @blueprint.post("/disputes/<int:dispute_id>/resolve/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(ResolutionSchema)
    @blueprint.response(200, DisputeSchema)
    def resolve(body: dict[str, Any], dispute_id: int) -> Response:
        """Decide it; for verifiers and administrators who are no party of it."""
        resolve_dispute(
            actor=current_actor(),
            dispute_id=DisputeId(dispute_id),
            outcome=DisputeOutcome(body["outcome"]),
            note=body["note"],
            amount=body.get("amount"),
        )
        return jsonify(shown(DisputeId(dispute_id)))

    @blueprint.get("/admin/disputes/")
    @signed_in()
    @problems(403)
    @blueprint.arguments(DisputesArgs, location="query")
    @blueprint.response(200, page_of(DisputeSchema))
    def everybody_s(args: dict[str, Any]) -> dict[str, Any]:
        """Everybody's disputes, for administrators."""
        require_role(current_actor(), Role.ADMIN)
        return _page(queries, args, current_actor())

    return blueprint


def _page(queries: DisputeQueries, args: dict[str, Any], actor: Actor) -> dict[str, Any]:
    asked = page_request(args)
    wanted = DisputeFilter(
        party=None if sees_every_dispute(actor) else actor.account_id,
        statuses=[DisputeStatus(args["status"])] if "status" in args else [],
        reasons=[DisputeReason(args["reason"])] if "reason" in args else [],
        sale=SaleId(args["sale"]) if "sale" in args else None,
        order=OrderId(args["order"]) if "order" in args else None,
    )
    page = queries.disputes(asked, wanted)
    return page_body(page, asked, args, show=lambda found: dispute_json(found, actor))


def dispute_json(dispute: DisputeView, actor: Actor) -> dict[str, Any]:
    """Who the buyer is, its seller is not told here."""
    knows_buyer = sees_every_dispute(actor) or actor.account_id == dispute.buyer_id
    return {
        "id": dispute.id,
        "order": dispute.order,
        "sale": dispute.sale,
        "sale_reference": dispute.sale_reference,
        "seller": dispute.seller_id,
        "buyer": dispute.buyer_id if knows_buyer else None,
        "reason": dispute.reason.value,
        "status": dispute.status.value,
        "outcome": None if dispute.outcome is None else dispute.outcome.value,
        "amount": None if dispute.amount is None else dispute.amount.decimal,
        "currency": dispute.currency,
        "description": dispute.description,
        "desired_outcome": None if dispute.desired_outcome is None else dispute.desired_outcome.value,
        "note": dispute.note,
        "respond_by": dispute.respond_by,
        "created_at": dispute.opened_at,
        "resolved_at": dispute.resolved_at,
    }
