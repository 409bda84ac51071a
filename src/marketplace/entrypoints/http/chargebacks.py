"""Chargebacks, for administrators: what buyers' banks claim, and what is answered."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from marshmallow import fields, validate

from marketplace.application.access import require_role
from marketplace.application.payments.answering import AcceptChargeback, SubmitEvidence
from marketplace.application.ports.disputes import ChargebackQueries, ChargebackView
from marketplace.domain.identity import Role
from marketplace.domain.payments.chargebacks import EVIDENCE_FIELDS, MAX_EVIDENCE, ChargebackStage
from marketplace.domain.payments.refund import MAX_REASON
from marketplace.domain.shared.ids import ChargebackId, OrderId
from marketplace.domain.shared.money import Money
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.etags import etagged
from marketplace.entrypoints.http.fields import FieldNames, projected
from marketplace.entrypoints.http.pages import PageArgs, page_body, page_of, page_request
from marketplace.entrypoints.http.schemas import Flag, Id, Schema, Text

_STAGES = [stage.value for stage in ChargebackStage]


class ChargebackMovementSchema(Schema):
    balance_transaction_id = fields.String(required=True)
    amount = fields.String(required=True, metadata={"description": "Negative when it was taken from us."})
    fee = fields.String(required=True)
    created_at = fields.DateTime(required=True)


class ChargebackSchema(Schema):
    id = fields.Integer(required=True)
    provider_chargeback_id = fields.String(required=True)
    order = fields.Integer(required=True)
    order_reference = fields.String(required=True)
    stage = fields.String(
        required=True,
        allow_none=True,
        metadata={"enum": [*_STAGES, None], "description": "Null until it was read at the provider."},
    )
    status = fields.String(required=True, metadata={"description": "The provider's own word."})
    reason = fields.String(required=True, metadata={"description": "The provider's own word."})
    amount = fields.String(required=True)
    lost = fields.String(
        required=True, allow_none=True, metadata={"description": "What the sellers and we bore; null until then."}
    )
    currency = fields.String(required=True, metadata={"example": "EUR"})
    movements = fields.List(fields.Nested(ChargebackMovementSchema), required=True)
    evidence = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    evidence_due_at = fields.DateTime(required=True, allow_none=True)
    evidence_submitted_at = fields.DateTime(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)
    decided_at = fields.DateTime(required=True, allow_none=True)


class ChargebackArgs(Schema):
    wanted = FieldNames(ChargebackSchema)


class ChargebacksArgs(PageArgs):
    stage = fields.String(validate=validate.OneOf(_STAGES))
    order = Id(in_query=True)
    wanted = FieldNames(ChargebackSchema)


EvidenceTextsSchema = Schema.from_dict(
    {name: Text(longest=MAX_EVIDENCE) for name in sorted(EVIDENCE_FIELDS)}, name="EvidenceTexts"
)


class EvidenceSchema(Schema):
    evidence = fields.Nested(
        EvidenceTextsSchema, required=True, metadata={"description": "Added to what was kept before."}
    )
    submit = Flag(
        load_default=False, metadata={"description": "Send all of it to the bank: nothing can be added afterwards."}
    )


class AcceptanceSchema(Schema):
    reason = Text(longest=MAX_REASON, load_default="", metadata={"description": "For the audit trail."})


def chargebacks_blueprint(
    *, submit_evidence: SubmitEvidence, accept_chargeback: AcceptChargeback, queries: ChargebackQueries
) -> Blueprint:
    blueprint = Blueprint("chargebacks", __name__, description="Claims of buyers' banks, for administrators")

    @blueprint.get("/admin/chargebacks/")
    @signed_in()
    @problems(403)
    @blueprint.arguments(ChargebacksArgs, location="query")
    @blueprint.response(200, page_of(ChargebackSchema))
    def chargebacks(args: dict[str, Any]) -> dict[str, Any]:
        """Chargebacks, the last opened first."""
        require_role(current_actor(), Role.ADMIN)
        asked = page_request(args)
        page = queries.chargebacks(
            asked,
            stages=[ChargebackStage(args["stage"])] if "stage" in args else [],
            order=OrderId(args["order"]) if "order" in args else None,
        )
        return page_body(page, asked, args, show=chargeback_json)

    @blueprint.get("/admin/chargebacks/<int:chargeback_id>/")
    @signed_in()
    @etagged
    @problems(403)
    @blueprint.arguments(ChargebackArgs, location="query")
    @blueprint.response(200, ChargebackSchema)
    def chargeback(args: dict[str, Any], chargeback_id: int) -> Response:
        """One chargeback."""
        require_role(current_actor(), Role.ADMIN)
        return jsonify(projected(chargeback_json(queries.chargeback(ChargebackId(chargeback_id))), args.get("wanted")))

    @blueprint.post("/admin/chargebacks/<int:chargeback_id>/evidence/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(EvidenceSchema)
    @blueprint.response(200, ChargebackSchema)
    def evidence(body: dict[str, Any], chargeback_id: int) -> Response:
        """Keep what speaks against it, and send it to the bank when it is complete."""
        id = ChargebackId(chargeback_id)
        submit_evidence(actor=current_actor(), chargeback_id=id, evidence=body["evidence"], submit=body["submit"])
        return jsonify(chargeback_json(queries.chargeback(id)))

    @blueprint.post("/admin/chargebacks/<int:chargeback_id>/accept/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(AcceptanceSchema, required=False)
    @blueprint.response(200, ChargebackSchema)
    def accept(body: dict[str, Any], chargeback_id: int) -> Response:
        """Give in: the buyer keeps the money."""
        id = ChargebackId(chargeback_id)
        accept_chargeback(actor=current_actor(), chargeback_id=id, reason=body.get("reason", ""))
        return jsonify(chargeback_json(queries.chargeback(id)))

    return blueprint


def chargeback_json(chargeback: ChargebackView) -> dict[str, Any]:
    currency = chargeback.amount.currency

    def decimal(minor: int) -> str:
        return Money(minor, currency).decimal

    return {
        "id": chargeback.id,
        "provider_chargeback_id": chargeback.provider_chargeback_id,
        "order": chargeback.order,
        "order_reference": chargeback.order_reference,
        "stage": None if chargeback.stage is None else chargeback.stage.value,
        "status": chargeback.status,
        "reason": chargeback.reason,
        "amount": chargeback.amount.decimal,
        "lost": None if chargeback.lost is None else decimal(chargeback.lost),
        "currency": currency,
        "movements": [
            {
                "balance_transaction_id": movement.balance_transaction_id,
                "amount": decimal(movement.amount),
                "fee": decimal(movement.fee),
                "created_at": movement.created_at,
            }
            for movement in chargeback.movements
        ],
        "evidence": dict(chargeback.evidence),
        "evidence_due_at": chargeback.evidence_due_at,
        "evidence_submitted_at": chargeback.evidence_submitted_at,
        "created_at": chargeback.opened_at,
        "decided_at": chargeback.decided_at,
    }
