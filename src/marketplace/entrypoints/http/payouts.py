"""Payouts: what sellers are paid and owed, and what administrators decide about single ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, jsonify
from marshmallow import fields, validate

from marketplace.application.access import require_role
from marketplace.application.payouts.operating import HoldPayout, ReleasePayout, RetryPayout
from marketplace.application.ports.payouts import PayoutQueries, PayoutView, RecoveryView, SellerBalance
from marketplace.domain.identity import Role
from marketplace.domain.payout_states import HoldReason, PayoutStatus
from marketplace.domain.sellers import MAX_REASON
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId, PayoutId
from marketplace.domain.shared.money import Money
from marketplace.entrypoints.http.audit import Moment
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.fields import FieldNames, projected
from marketplace.entrypoints.http.pages import PageArgs, page_body, page_of, page_request
from marketplace.entrypoints.http.schemas import Id, MoneyString, Schema, Text

_STATUSES = [status.value for status in PayoutStatus]


class PayoutSchema(Schema):
    id = fields.Integer(required=True)
    sale = fields.Integer(required=True)
    status = fields.String(required=True, metadata={"enum": _STATUSES})
    amount = MoneyString(required=True, metadata={"description": "What the sale brings its seller, as agreed."})
    reversed_amount = MoneyString(
        required=True, metadata={"description": "What refunds and chargebacks took of it, before or after it was paid."}
    )
    netted_amount = MoneyString(required=True, metadata={"description": "What of it paid what the seller owed."})
    transferred_amount = MoneyString(required=True, metadata={"description": "What was sent to the seller's account."})
    currency = fields.String(required=True)
    created_at = fields.DateTime(required=True)
    due_at = fields.DateTime(required=True, allow_none=True)
    paid_at = fields.DateTime(required=True, allow_none=True)
    hold_reason = fields.String(
        required=True, allow_none=True, metadata={"enum": [*(reason.value for reason in HoldReason), None]}
    )
    last_error = fields.String(required=True, metadata={"description": "Why it could not be sent; empty when nothing."})
    batch = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The same for payouts that were begun together."}
    )


class PayoutRecordSchema(PayoutSchema):
    seller = fields.Integer(required=True)
    order = fields.Integer(required=True)
    sale_reference = fields.String(required=True)
    transfer = fields.String(
        required=True, allow_none=True, metadata={"description": "The payment provider's name for the transfer."}
    )
    next_try_at = fields.DateTime(required=True, allow_none=True)


class SellerBalanceSchema(Schema):
    currency = fields.String(required=True)
    pending = MoneyString(required=True, metadata={"description": "Paid by buyers, the sales not complete."})
    on_hold = MoneyString(required=True, metadata={"description": "Kept back, by a dispute for example."})
    due = MoneyString(required=True, metadata={"description": "To be sent."})
    sending = MoneyString(required=True, metadata={"description": "Being sent."})
    paid_total = MoneyString(required=True, metadata={"description": "All that was ever sent, less what was reversed."})
    receivable = MoneyString(
        required=True, metadata={"description": "Owed by the seller, and kept from what is sent next."}
    )
    next_payout_at = fields.DateTime(
        required=True, allow_none=True, metadata={"description": "When what is due is tried next; null for nothing."}
    )


class PayoutsArgs(PageArgs):
    status = fields.String(validate=validate.OneOf(_STATUSES))
    since = Moment(data_key="from", metadata={"description": "The first instant at which its sale was paid."})
    until = Moment(data_key="to", metadata={"description": "The first instant that does not count."})
    wanted = FieldNames(PayoutSchema)


class PayoutArgs(Schema):
    wanted = FieldNames(PayoutSchema)


class PayoutRecordsArgs(PageArgs):
    seller = Id(in_query=True)
    status = fields.String(validate=validate.OneOf(_STATUSES))
    since = Moment(data_key="from", metadata={"description": "The first instant at which its sale was paid."})
    until = Moment(data_key="to", metadata={"description": "The first instant that does not count."})
    wanted = FieldNames(PayoutRecordSchema)


class PayoutReasonSchema(Schema):
    reason = Text(
        shortest=1, longest=MAX_REASON, required=True, metadata={"description": "What the audit trail keeps of it."}
    )


def payouts_blueprint(*, queries: PayoutQueries, currency: str) -> Blueprint:
    blueprint = Blueprint("payouts", __name__, description="What one is paid for one's sales")

    @blueprint.get("/sellers/me/payouts/")
    @signed_in()
    @problems(403)
    @blueprint.arguments(PayoutsArgs, location="query")
    @blueprint.response(200, page_of(PayoutSchema))
    def payouts(args: dict[str, Any]) -> Response:
        """One's own payouts, one a sale, the last paid sale first."""
        actor = current_actor()
        require_role(actor, Role.SELLER)
        asked = page_request(args)
        page = queries.payouts(asked, seller_id=actor.account_id, **_filters(args))
        return jsonify(page_body(page, asked, args, show=payout_json))

    @blueprint.get("/sellers/me/payouts/<int:payout_id>/")
    @signed_in()
    @problems(403)
    @blueprint.arguments(PayoutArgs, location="query")
    @blueprint.response(200, PayoutSchema)
    def payout(args: dict[str, Any], payout_id: int) -> Response:
        """One of one's own payouts."""
        actor = current_actor()
        require_role(actor, Role.SELLER)
        found = queries.payout(PayoutId(payout_id))
        if found.seller_id != actor.account_id:
            raise NotFound(f"There is no payout {payout_id}.")
        return jsonify(projected(payout_json(found), args.get("wanted")))

    @blueprint.get("/sellers/me/balance/")
    @signed_in()
    @problems(403)
    @blueprint.response(200, SellerBalanceSchema)
    def balance() -> Response:
        """What one has coming, by where it stands, and what one owes."""
        actor = current_actor()
        require_role(actor, Role.SELLER)
        return jsonify(balance_json(queries.balance(actor.account_id, currency=currency)))

    return blueprint


def payouts_admin_blueprint(
    *, queries: PayoutQueries, hold: HoldPayout, release: ReleasePayout, retry: RetryPayout
) -> Blueprint:
    blueprint = Blueprint("payouts admin", __name__, description="Payouts of all sellers")

    def decided(act: Callable[..., Any], payout_id: int, body: dict[str, Any]) -> Response:
        act(actor=current_actor(), payout_id=PayoutId(payout_id), reason=body["reason"])
        return jsonify(record_json(queries.payout(PayoutId(payout_id))))

    @blueprint.get("/admin/payouts/")
    @signed_in()
    @problems(403)
    @blueprint.arguments(PayoutRecordsArgs, location="query")
    @blueprint.response(200, page_of(PayoutRecordSchema))
    def payouts(args: dict[str, Any]) -> Response:
        """Payouts of all sellers or of one, the last paid sale first."""
        require_role(current_actor(), Role.ADMIN)
        asked = page_request(args)
        seller = AccountId(args["seller"]) if "seller" in args else None
        return jsonify(
            page_body(queries.payouts(asked, seller_id=seller, **_filters(args)), asked, args, show=record_json)
        )

    @blueprint.post("/admin/payouts/<int:payout_id>/hold/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(PayoutReasonSchema)
    @blueprint.response(200, PayoutRecordSchema)
    def hold_payout(body: dict[str, Any], payout_id: int) -> Response:
        """Keep a payout back until it is released."""
        return decided(hold, payout_id, body)

    @blueprint.post("/admin/payouts/<int:payout_id>/release/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(PayoutReasonSchema)
    @blueprint.response(200, PayoutRecordSchema)
    def release_payout(body: dict[str, Any], payout_id: int) -> Response:
        """End an administrator's hold; disputes, chargebacks and suspensions go on holding it."""
        return decided(release, payout_id, body)

    @blueprint.post("/admin/payouts/<int:payout_id>/retry/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(PayoutReasonSchema)
    @blueprint.response(200, PayoutRecordSchema)
    def retry_payout(body: dict[str, Any], payout_id: int) -> Response:
        """Try a payout that is due or being sent with the worker's next turn, whatever pause it has."""
        return decided(retry, payout_id, body)

    return blueprint


def payout_json(payout: PayoutView) -> dict[str, Any]:
    return {
        "id": payout.id,
        "sale": payout.sale_id,
        "status": payout.status.value,
        "amount": payout.amount.decimal,
        "reversed_amount": payout.reversed.decimal,
        "netted_amount": payout.netted.decimal,
        "transferred_amount": payout.sent.decimal,
        "currency": payout.amount.currency,
        "created_at": payout.created_at,
        "due_at": payout.due_at,
        "paid_at": payout.paid_at,
        "hold_reason": None if payout.hold_reason is None else payout.hold_reason.value,
        # What is wrong on our side of it is no seller's business.
        "last_error": payout.last_error if payout.is_blocked else "",
        "batch": payout.batch_id,
    }


def record_json(payout: PayoutView) -> dict[str, Any]:
    """What administrators see of it."""
    return {
        **payout_json(payout),
        "last_error": payout.last_error,
        "seller": payout.seller_id,
        "order": payout.order_id,
        "sale_reference": payout.sale_reference,
        "transfer": payout.transfer_id,
        "next_try_at": payout.next_try_at,
    }


def recovery_json(recovery: RecoveryView) -> dict[str, Any]:
    """Of a debt, for whoever owes it."""
    return {
        "id": recovery.id,
        "payout": recovery.payout_id,
        "status": recovery.status.value,
        "cause": recovery.cause,
        "amount": recovery.amount.decimal,
        "reversed_amount": recovery.reversed.decimal,
        "netted_amount": recovery.netted.decimal,
        "written_off_amount": recovery.written_off.decimal,
        "currency": recovery.amount.currency,
        "decided_at": recovery.decided_at,
    }


def balance_json(balance: SellerBalance) -> dict[str, Any]:
    parts = ("pending", "on_hold", "due", "sending", "paid_total", "receivable")
    return {
        "currency": balance.currency,
        **{part: Money(getattr(balance, part), balance.currency).decimal for part in parts},
        "next_payout_at": balance.next_payout_at,
    }


def _filters(args: dict[str, Any]) -> dict[str, Any]:
    return {
        "statuses": [PayoutStatus(args["status"])] if "status" in args else [],
        "since": args.get("since"),
        "until": args.get("until"),
    }
