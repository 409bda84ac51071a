"""What the marketplace charges: versions of it for administrators, and a preview for those who sell."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from marshmallow import fields

from marketplace.application.access import require_role
from marketplace.application.fees.adding import MAX_NOTE, AddFeeSchedule
from marketplace.application.fees.in_force import RememberedFees
from marketplace.application.fees.previewing import MAX_PIECES, FeePreview, PreviewFees
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.fees import FeeScheduleQueries
from marketplace.domain.fees import MAX_RULES, AppliedFee, FeeComponent, FeePayer, FeeSchedule, Quote, written
from marketplace.domain.fees.rules import ACCOUNT_TYPES
from marketplace.domain.identity import Role
from marketplace.entrypoints.http.audit import Moment
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.fields import FieldNames
from marketplace.entrypoints.http.pages import PageArgs, page_body, page_of, page_request
from marketplace.entrypoints.http.reservations import TotalsSchema, totals_json
from marketplace.entrypoints.http.schemas import Id, MoneyString, Schema, StrictInteger, Text
from marketplace.entrypoints.http.variants import Ref

_AMOUNT = {"example": "0.30"}
_ACCOUNT_TYPES = {"enum": [*ACCOUNT_TYPES, None]}


class FeeRuleSchema(Schema):
    """A fee for whatever fits all that it names. The most specific rule of a component counts: one for the seller, then
    for the category (the deepest), then for the account type, then the general one."""

    component = fields.String(required=True, metadata={"enum": [component.value for component in FeeComponent]})
    payer = fields.String(metadata={"enum": [payer.value for payer in FeePayer]})
    percent = fields.String(metadata={"example": "0.05", "description": "A fraction from 0 to 1 of the items' price."})
    fixed = fields.String(metadata={**_AMOUNT, "description": "On top of it, once an order; a seller fee once a sale."})
    floor = fields.String(metadata={**_AMOUNT, "description": "No less than this."})
    cap = fields.String(allow_none=True, metadata={**_AMOUNT, "description": "No more than this."})
    account_type = fields.String(allow_none=True, metadata=_ACCOUNT_TYPES)
    seller = fields.Integer(allow_none=True)
    category = fields.Integer(allow_none=True, metadata={"description": "And everything below it."})


class _AsWritten(fields.Nested):
    """Passed on as it came: all that is wrong with a schedule is named at once, by whoever judges the rest of it."""

    def _deserialize(self, value: Any, *context: Any, **kwargs: Any) -> Any:
        return value


class FeeScheduleSchema(Schema):
    id = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Null: the standard one, of the settings."}
    )
    currency = fields.String(required=True, metadata={"example": "EUR"})
    effective_from = fields.DateTime(required=True, allow_none=True)
    note = fields.String(required=True)
    rules = fields.List(fields.Nested(FeeRuleSchema), required=True)


class NewFeeScheduleSchema(Schema):
    rules = fields.List(
        _AsWritten(FeeRuleSchema),
        required=True,
        metadata={
            "description": f"One to {MAX_RULES}, a general one for commission, processing and shipping included."
        },
    )
    currency = Text(longest=3, metadata={"description": "That of this marketplace."})
    effective_from = Moment(metadata={"description": "Not in the past; by default now."})
    note = Text(longest=MAX_NOTE)


class FeeSchedulesArgs(PageArgs):
    wanted = FieldNames(FeeScheduleSchema)


class FeePreviewRequestSchema(Schema):
    price = MoneyString(required=True)
    quantity = StrictInteger(low=1, high=MAX_PIECES)
    category = Ref(metadata={"description": "Its id or its slug."})
    seller = Id(metadata={"description": "Admins only; sellers ask about themselves."})
    account_type = fields.String(metadata={"enum": list(ACCOUNT_TYPES), "description": "Admins only."})


class AppliedFeeSchema(Schema):
    component = fields.String(required=True, metadata={"enum": [component.value for component in FeeComponent]})
    payer = fields.String(required=True, metadata={"enum": [payer.value for payer in FeePayer]})
    amount = fields.String(required=True, metadata={"example": "5.00", "description": "What each payer is charged."})
    explanation = fields.String(
        required=True, metadata={"example": "commission, paid by both: 5% of 100.00 EUR is 5.00 EUR"}
    )
    rule = fields.Nested(FeeRuleSchema, required=True)


class SellerAmountsSchema(Schema):
    base_price = fields.String(required=True, metadata={"example": "100.00"})
    platform_commission = fields.String(required=True, metadata={"example": "5.00"})
    seller_fees = fields.String(required=True, metadata={"example": "0.00"})
    seller_net_amount = fields.String(required=True, metadata={"example": "95.00"})


class FeePreviewSchema(Schema):
    schedule = fields.Integer(required=True, allow_none=True, metadata={"description": "The version; null as there."})
    currency = fields.String(required=True, metadata={"example": "EUR"})
    buyer = fields.Nested(TotalsSchema, required=True, metadata={"description": "What an order of this alone costs."})
    seller = fields.Nested(SellerAmountsSchema, required=True, metadata={"description": "What it brings."})
    fees = fields.List(fields.Nested(AppliedFeeSchema), required=True)


def fees_blueprint(
    *,
    queries: FeeScheduleQueries,
    in_force: RememberedFees,
    add_fee_schedule: AddFeeSchedule,
    preview_fees: PreviewFees,
    clock: Clock,
) -> Blueprint:
    blueprint = Blueprint("fees", __name__, description="What the marketplace charges")

    @blueprint.get("/admin/fees/")
    @signed_in()
    @problems(403)
    @blueprint.arguments(FeeSchedulesArgs, location="query")
    @blueprint.response(200, page_of(FeeScheduleSchema))
    def schedules(args: dict[str, Any]) -> dict[str, Any]:
        """Every version of the fees, the one that takes effect last first."""
        require_role(current_actor(), Role.ADMIN)
        asked = page_request(args)
        return page_body(queries.schedules(asked), asked, args, show=schedule_json)

    @blueprint.post("/admin/fees/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(NewFeeScheduleSchema)
    @blueprint.response(201, FeeScheduleSchema)
    def add(body: dict[str, Any]) -> tuple[Response, int]:
        """A new version, which is never changed; orders that exist keep the fees they were made under."""
        return jsonify(schedule_json(add_fee_schedule(actor=current_actor(), **body))), 201

    @blueprint.get("/admin/fees/current/")
    @signed_in()
    @problems(403)
    @blueprint.response(200, FeeScheduleSchema)
    def current() -> Response:
        """The version in force."""
        require_role(current_actor(), Role.ADMIN)
        return jsonify(schedule_json(in_force.read(clock.now())))

    @blueprint.post("/fees/preview/")
    @signed_in()
    @problems(403)
    @blueprint.arguments(FeePreviewRequestSchema)
    @blueprint.response(200, FeePreviewSchema)
    def preview(body: dict[str, Any]) -> Response:
        """What a sale of this price would cost its buyer and bring its seller."""
        body["seller_id"] = body.pop("seller", None)
        return jsonify(preview_json(preview_fees(actor=current_actor(), **body)))

    return blueprint


def schedule_json(schedule: FeeSchedule) -> dict[str, Any]:
    return {
        "id": schedule.id,
        "currency": schedule.currency,
        "effective_from": schedule.effective_from,
        "note": schedule.note,
        "rules": [written(rule, schedule.currency) for rule in schedule.rules],
    }


def preview_json(preview: FeePreview) -> dict[str, Any]:
    quote = preview.quote
    return {
        "schedule": preview.schedule.id,
        "currency": quote.currency,
        "buyer": totals_json(quote),
        "seller": _seller_json(quote),
        "fees": [applied_json(fee) for fee in quote.applied],
    }


def _seller_json(quote: Quote) -> dict[str, str]:
    (share,) = quote.sellers
    return {
        "base_price": quote.money(share.base).decimal,
        "platform_commission": quote.money(share.commission).decimal,
        "seller_fees": quote.money(share.fees).decimal,
        "seller_net_amount": quote.money(share.net).decimal,
    }


def applied_json(fee: AppliedFee) -> dict[str, Any]:
    shown = written(fee.rule, fee.currency)
    return {
        "component": shown["component"],
        "payer": shown["payer"],
        "amount": fee.money.decimal,
        "explanation": str(fee),
        "rule": shown,
    }
