"""A seller's months over HTTP: as JSON, as a table, as pages."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from marshmallow import fields, validate

from marketplace.application.access import require_role
from marketplace.application.documents.statements import ReadStatements, statement_csv
from marketplace.application.ports.documents import PageRenderer
from marketplace.domain.identity import Role
from marketplace.domain.statements import EntryKind, Month
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.etags import etagged
from marketplace.entrypoints.http.fields import FieldNames
from marketplace.entrypoints.http.pages import PageArgs, page_body, page_of, page_request
from marketplace.entrypoints.http.schemas import Schema
from marketplace.entrypoints.statement_bodies import month_body, statement_body

_SIGNED = {"example": "-12.50", "pattern": r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$"}
_MONTH = {"example": "2026-11"}


class StatementMonthSchema(Schema):
    month = fields.String(required=True, metadata=_MONTH)
    is_final = fields.Boolean(required=True, metadata={"description": "Whether the month is over."})
    currency = fields.String(required=True)
    opening_balance = fields.String(required=True, metadata=_SIGNED)
    closing_balance = fields.String(required=True, metadata=_SIGNED)


class StatementEntrySchema(Schema):
    date = fields.DateTime(required=True)
    kind = fields.String(required=True, metadata={"enum": [kind.value for kind in EntryKind]})
    reference = fields.String(required=True, metadata={"description": "Of the sale; empty when it is of none."})
    amount = fields.String(required=True, metadata={**_SIGNED, "description": "Above nothing in the seller's favour."})
    source = fields.String(required=True, metadata={"description": "The entry of the ledger."})


class StandingSchema(Schema):
    """Where the closing balance stands; what is owed by the seller is below nothing."""

    pending = fields.String(required=True, metadata=_SIGNED)
    on_hold = fields.String(required=True, metadata=_SIGNED)
    payable = fields.String(required=True, metadata=_SIGNED)
    receivable = fields.String(required=True, metadata=_SIGNED)


class StatementSchema(StatementMonthSchema):
    entries = fields.List(fields.Nested(StatementEntrySchema), required=True)
    standing = fields.Nested(StandingSchema, required=True)


class StatementsArgs(PageArgs):
    wanted = FieldNames(StatementMonthSchema)


class StatementArgs(Schema):
    format = fields.String(validate=validate.OneOf(["json", "csv", "pdf"]), load_default="json")


def statements_blueprint(*, statements: ReadStatements, pages: PageRenderer) -> Blueprint:
    blueprint = Blueprint("statements", __name__, description="What moved on one's account, month by month")

    @blueprint.get("/sellers/me/statements/")
    @signed_in()
    @problems(403)
    @blueprint.arguments(StatementsArgs, location="query")
    @blueprint.response(200, page_of(StatementMonthSchema))
    def months(args: dict[str, Any]) -> Response:
        """The months in which anything moved, with their balances, the last one first."""
        actor = current_actor()
        require_role(actor, Role.SELLER)
        asked = page_request(args)
        return jsonify(page_body(statements.months(asked, seller_id=actor.account_id), asked, args, show=month_body))

    @blueprint.get("/sellers/me/statements/<string:month>/")
    @signed_in()
    @etagged
    @problems(403, 404, 409)
    @blueprint.arguments(StatementArgs, location="query")
    @blueprint.response(200, StatementSchema)
    @blueprint.doc(
        responses={
            200: {
                "content": {
                    "text/csv": {"schema": {"type": "string"}},
                    "application/pdf": {"schema": {"type": "string", "format": "binary"}},
                }
            }
        }
    )
    def statement(args: dict[str, Any], month: str) -> Response:
        """A month, written as 2026-11: opening balance, each sale, fee, refund and payout, closing balance."""
        actor = current_actor()
        require_role(actor, Role.SELLER)
        found = statements.statement(Month.parse(month), seller_id=actor.account_id)
        if args["format"] == "csv":
            return _file(statement_csv(found).encode(), "text/csv", f"statement-{month}.csv")
        if args["format"] == "pdf":
            return _file(pages.statement(found), "application/pdf", f"statement-{month}.pdf")
        return jsonify(statement_body(found))

    return blueprint


def _file(content: bytes, mimetype: str, name: str) -> Response:
    return Response(
        content,
        mimetype=mimetype,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-cache"},
    )
