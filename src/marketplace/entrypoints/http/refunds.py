"""Refunds, for administrators: deciding them, and settling those that the payment provider could not send."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from marshmallow import fields, validate

from marketplace.application.access import require_role
from marketplace.application.payments.deciding import RefundOrder
from marketplace.application.payments.refunding import RetryRefund, SettleRefund
from marketplace.application.payments.returns import RefundWish, Restocked
from marketplace.application.ports.payments import PaymentQueries, RefundView
from marketplace.domain.identity import Role
from marketplace.domain.payments.refund import MAX_NOTE, MAX_REASON, PaidBy, RefundCause, RefundStatus
from marketplace.domain.shared.ids import OrderId, RefundId, SaleId, SaleLineId
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.etags import etagged
from marketplace.entrypoints.http.fields import FieldNames, projected
from marketplace.entrypoints.http.pages import PageArgs, page_body, page_of, page_request
from marketplace.entrypoints.http.schemas import BoundedList, Flag, Id, MoneyString, Schema, StrictInteger, Text

MAX_ITEMS = 500
_STATUSES = [status.value for status in RefundStatus]
_CAUSES = [cause.value for cause in RefundCause]


class RefundItemSchema(Schema):
    item = Id(required=True, metadata={"description": "An item of a sale of this order."})
    quantity = StrictInteger(low=1, required=True)


class RefundRequestSchema(Schema):
    sale = Id(metadata={"description": "Only this sale of the order."})
    items = BoundedList(
        fields.Nested(RefundItemSchema),
        shortest=1,
        longest=MAX_ITEMS,
        metadata={"description": "Only these pieces. Not together with an amount."},
    )
    amount = MoneyString(
        metadata={
            "description": "So much of one sale, as item money: no fees go back, and no piece.",
            "example": "5.00",
        }
    )
    cause = fields.String(
        validate=validate.OneOf(_CAUSES),
        load_default=RefundCause.PLATFORM.value,
        metadata={"description": "not_shipped and platform give all fees back, seller and buyer the commission."},
    )
    restock = Flag(load_default=False, metadata={"description": "Put the pieces on offer again."})
    reason = Text(shortest=1, longest=MAX_REASON, required=True, metadata={"description": "The buyer is told."})


class RefundSchema(Schema):
    id = fields.Integer(required=True)
    order = fields.Integer(required=True)
    status = fields.String(required=True, metadata={"enum": _STATUSES})
    amount = fields.String(required=True, metadata={"example": "25.50"})
    currency = fields.String(required=True, metadata={"example": "EUR"})
    cause = fields.String(required=True, metadata={"enum": _CAUSES})
    reason = fields.String(required=True)
    failure_reason = fields.String(
        required=True, metadata={"description": "The provider's word for why it failed, or why it is pending."}
    )
    provider_refund_id = fields.String(required=True, allow_none=True)
    decided_at = fields.DateTime(required=True)
    settled_at = fields.DateTime(required=True, allow_none=True)
    settled_note = fields.String(required=True)


class RestockedSchema(Schema):
    item = fields.Integer(required=True)
    listing = fields.Integer(required=True)
    quantity = fields.Integer(required=True)
    is_restocked = fields.Boolean(required=True)
    refusal = fields.String(required=True, metadata={"description": "Why not; empty when it is on offer again."})


class DecidedRefundSchema(RefundSchema):
    restocked = fields.List(fields.Nested(RestockedSchema), required=True)


class RefundArgs(Schema):
    wanted = FieldNames(RefundSchema)


class RefundsArgs(PageArgs):
    status = fields.String(validate=validate.OneOf(_STATUSES))
    order = Id(in_query=True)
    wanted = FieldNames(RefundSchema)


class SettlementSchema(Schema):
    paid_by = fields.String(
        validate=validate.OneOf([way.value for way in PaidBy]),
        load_default=PaidBy.BANK.value,
        metadata={
            "description": "bank: from our bank account; chargeback: the buyer's bank has given it back already."
        },
    )
    note = Text(shortest=1, longest=MAX_NOTE, required=True, metadata={"description": "How: a transfer's reference."})


def refunds_blueprint(
    *, refund_order: RefundOrder, retry_refund: RetryRefund, settle_refund: SettleRefund, queries: PaymentQueries
) -> Blueprint:
    blueprint = Blueprint("refunds", __name__, description="Giving money back, for administrators")

    @blueprint.post("/admin/orders/<int:order_id>/refund/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(RefundRequestSchema)
    @blueprint.response(201, DecidedRefundSchema)
    def decide(body: dict[str, Any], order_id: int) -> tuple[Response, int]:
        """Give money back: all of an order, a sale, some pieces, or an amount. A worker sends it."""
        done = refund_order(
            actor=current_actor(),
            order_id=OrderId(order_id),
            reason=body["reason"],
            cause=RefundCause(body["cause"]),
            wish=RefundWish(
                sale_id=SaleId(body["sale"]) if "sale" in body else None,
                items=_pieces(body.get("items", [])),
                amount=body.get("amount"),
                restock=body["restock"],
            ),
        )
        shown = {
            **refund_json(queries.refund(done.id)),
            "restocked": [_restocked_json(each) for each in done.restocked],
        }
        return jsonify(shown), 201

    @blueprint.get("/admin/refunds/")
    @signed_in()
    @problems(403)
    @blueprint.arguments(RefundsArgs, location="query")
    @blueprint.response(200, page_of(RefundSchema))
    def refunds(args: dict[str, Any]) -> dict[str, Any]:
        """Refunds, the last decided first; those that failed are owed until they are settled."""
        require_role(current_actor(), Role.ADMIN)
        asked = page_request(args)
        page = queries.refunds_page(
            asked,
            statuses=[RefundStatus(args["status"])] if "status" in args else [],
            order_id=OrderId(args["order"]) if "order" in args else None,
        )
        return page_body(page, asked, args, show=refund_json)

    @blueprint.get("/admin/refunds/<int:refund_id>/")
    @signed_in()
    @etagged
    @problems(403)
    @blueprint.arguments(RefundArgs, location="query")
    @blueprint.response(200, RefundSchema)
    def refund(args: dict[str, Any], refund_id: int) -> Response:
        """One refund."""
        require_role(current_actor(), Role.ADMIN)
        return jsonify(projected(refund_json(queries.refund(RefundId(refund_id))), args.get("wanted")))

    @blueprint.post("/admin/refunds/<int:refund_id>/retry/")
    @signed_in()
    @problems(403, 409)
    @blueprint.response(200, RefundSchema)
    def retry(refund_id: int) -> Response:
        """Send a refund once more that failed."""
        retry_refund(actor=current_actor(), refund_id=RefundId(refund_id))
        return jsonify(refund_json(queries.refund(RefundId(refund_id))))

    @blueprint.post("/admin/refunds/<int:refund_id>/settle-elsewhere/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(SettlementSchema)
    @blueprint.response(200, RefundSchema)
    def settle(body: dict[str, Any], refund_id: int) -> Response:
        """Note that the buyer has got the money of a failed refund in another way."""
        settle_refund(
            actor=current_actor(), refund_id=RefundId(refund_id), paid_by=PaidBy(body["paid_by"]), note=body["note"]
        )
        return jsonify(refund_json(queries.refund(RefundId(refund_id))))

    return blueprint


def refund_json(refund: RefundView) -> dict[str, Any]:
    return {
        "id": refund.id,
        "order": refund.order_id,
        "status": refund.status.value,
        "amount": refund.amount.decimal,
        "currency": refund.amount.currency,
        "cause": refund.cause.value,
        "reason": refund.reason,
        "failure_reason": refund.failure_reason,
        "provider_refund_id": refund.provider_refund_id,
        "decided_at": refund.decided_at,
        "settled_at": refund.settled_at,
        "settled_note": refund.settled_note,
    }


def _pieces(items: list[dict[str, int]]) -> dict[SaleLineId, int]:
    """Pieces by item. An item that is named twice adds up."""
    pieces: dict[SaleLineId, int] = {}
    for each in items:
        id = SaleLineId(each["item"])
        pieces[id] = pieces.get(id, 0) + each["quantity"]
    return pieces


def _restocked_json(each: Restocked) -> dict[str, Any]:
    return {
        "item": each.line_id,
        "listing": each.listing_id,
        "quantity": each.quantity,
        "is_restocked": not each.refusal,
        "refusal": each.refusal,
    }
