"""What the books tell administrators: how an order's amounts came about, and how they compare with the provider's."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from marketplace.application.access import require_role
from marketplace.application.ledger.explaining import ExplainOrder
from marketplace.application.ports.provider_books import ReconciliationQueries
from marketplace.domain.identity import Role
from marketplace.domain.reconciliation import DifferenceKind, Resolution, RunStatus
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.fields import FieldNames
from marketplace.entrypoints.http.pages import PageArgs, page_body, page_of, page_request
from marketplace.entrypoints.http.schemas import Schema, Text
from marketplace.entrypoints.ledger_bodies import difference_body, explanation_body, run_body


class ExplainArgs(Schema):
    order = Text(
        required=True, longest=20, metadata={"description": "Its id or its reference.", "example": "K7QM-2XPD"}
    )


class FeeShareSchema(Schema):
    seller = fields.Integer(required=True)
    base = fields.String(required=True)
    share = fields.String(required=True)
    exact = fields.String(required=True, metadata={"description": "Before rounding, in minor units."})


class FeeExplainedSchema(Schema):
    component = fields.String(required=True)
    payer = fields.String(required=True)
    amount = fields.String(required=True)
    text = fields.String(required=True)
    shares = fields.List(fields.Nested(FeeShareSchema), required=True)


class SaleExplainedSchema(Schema):
    sale = fields.Integer(required=True)
    seller = fields.Integer(required=True)
    base = fields.String(required=True)
    commission = fields.String(required=True)
    seller_fees = fields.String(required=True)
    net = fields.String(required=True)
    returned = fields.String(required=True)
    text = fields.String(required=True)


class RefundExplainedSchema(Schema):
    refund = fields.Integer(required=True)
    amount = fields.String(required=True)
    status = fields.String(required=True)
    cause = fields.String(required=True)
    reason = fields.String(required=True)
    decided_at = fields.DateTime(required=True)
    text = fields.String(required=True)


class EventLineSchema(Schema):
    account = fields.String(required=True)
    amount = fields.String(required=True, metadata={"description": "Debit positive, credit negative."})


class EventExplainedSchema(Schema):
    journal = fields.Integer(required=True)
    kind = fields.String(required=True)
    source_key = fields.String(required=True)
    occurred_at = fields.DateTime(required=True)
    text = fields.String(required=True)
    lines = fields.List(fields.Nested(EventLineSchema), required=True)


class PlaceSchema(Schema):
    place = fields.String(required=True)
    amount = fields.String(required=True)


class OrderExplainedSchema(Schema):
    order = fields.Integer(required=True)
    reference = fields.String(required=True)
    status = fields.String(required=True)
    currency = fields.String(required=True)
    total = fields.String(required=True)
    fee_schedule = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Null when the settings had the fees."}
    )
    fees = fields.List(fields.Nested(FeeExplainedSchema), required=True)
    sales = fields.List(fields.Nested(SaleExplainedSchema), required=True)
    refunds = fields.List(fields.Nested(RefundExplainedSchema), required=True)
    events = fields.List(fields.Nested(EventExplainedSchema), required=True)
    captured = fields.String(required=True)
    places = fields.List(fields.Nested(PlaceSchema), required=True, metadata={"description": "Add up to captured."})
    text = fields.String(required=True, metadata={"description": "All of it, to be read."})


class SidesSchema(Schema):
    currency = fields.String(required=True)
    provider = fields.String(required=True, metadata={"description": "What the provider says it holds."})
    movements = fields.String(required=True, metadata={"description": "What its movements add up to."})
    reserved = fields.String(required=True, metadata={"description": "What it keeps in reserve."})
    ledger = fields.String(required=True, metadata={"description": "What we have booked there."})
    owed = fields.String(required=True, metadata={"description": "What of it belongs to others."})


class ReconciliationSchema(Schema):
    id = fields.Integer(required=True)
    status = fields.String(required=True, metadata={"enum": [status.value for status in RunStatus]})
    since = fields.DateTime(required=True)
    started_at = fields.DateTime(required=True)
    finished_at = fields.DateTime(required=True, allow_none=True)
    next_due_at = fields.DateTime(required=True, allow_none=True)
    seen = fields.Integer(required=True, metadata={"description": "Movements that were new."})
    matched = fields.Integer(required=True)
    booked = fields.Integer(required=True, metadata={"description": "Journals posted on the provider's word alone."})
    opened = fields.Integer(required=True)
    closed = fields.Integer(required=True)
    balances = fields.List(fields.Nested(SidesSchema), required=True)
    error = fields.String(required=True)


class DifferenceSchema(Schema):
    id = fields.Integer(required=True)
    kind = fields.String(required=True, metadata={"enum": [kind.value for kind in DifferenceKind]})
    subject = fields.String(required=True)
    currency = fields.String(required=True)
    ours = fields.String(required=True, allow_none=True)
    theirs = fields.String(required=True, allow_none=True)
    detail = fields.String(required=True)
    opened_at = fields.DateTime(required=True)
    resolution = fields.String(
        required=True, allow_none=True, metadata={"enum": [*(each.value for each in Resolution), None]}
    )
    resolved_at = fields.DateTime(required=True, allow_none=True)
    note = fields.String(required=True)


class LastReconciliationSchema(Schema):
    last = fields.Nested(ReconciliationSchema, required=True, allow_none=True)


class DifferencesArgs(PageArgs):
    open = fields.Boolean()
    wanted = FieldNames(DifferenceSchema)


def ledger_answers_blueprint(*, explain: ExplainOrder, queries: ReconciliationQueries) -> Blueprint:
    blueprint = Blueprint("ledger-answers", __name__, description="What the books tell")

    @blueprint.get("/admin/ledger/explain/")
    @signed_in()
    @problems(403, 404)
    @blueprint.arguments(ExplainArgs, location="query")
    @blueprint.response(200, OrderExplainedSchema)
    def explained(args: dict[str, Any]) -> dict[str, Any]:
        """How each amount of an order came about, and where each cent is now."""
        return explanation_body(explain(actor=current_actor(), order=args["order"]))

    @blueprint.get("/admin/ledger/reconciliation/")
    @signed_in()
    @problems(403)
    @blueprint.response(200, LastReconciliationSchema)
    def reconciliation() -> dict[str, Any]:
        """The last comparison with the provider's books; null before the first. A worker makes one each day."""
        require_role(current_actor(), Role.ADMIN)
        last = queries.latest()
        return {"last": None if last is None else run_body(last)}

    @blueprint.get("/admin/ledger/differences/")
    @signed_in()
    @problems(403)
    @blueprint.arguments(DifferencesArgs, location="query")
    @blueprint.response(200, page_of(DifferenceSchema))
    def differences(args: dict[str, Any]) -> dict[str, Any]:
        """What comparing the books has left for an operator, the last found first."""
        require_role(current_actor(), Role.ADMIN)
        asked = page_request(args)
        return page_body(queries.differences(asked, is_open=args.get("open")), asked, args, show=difference_body)

    return blueprint
