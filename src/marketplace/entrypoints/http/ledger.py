"""The books, for administrators."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from marketplace.application.access import require_role
from marketplace.application.ports.ledger import AccountBalance, LedgerEntry, LedgerQueries
from marketplace.domain.identity import Role
from marketplace.domain.ledger import JournalKind
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.fields import FieldNames
from marketplace.entrypoints.http.pages import PageArgs, page_body, page_of, page_request
from marketplace.entrypoints.http.schemas import Id, Schema, Text

_SIGNED = {"description": "Debit positive, credit negative.", "example": "-47.54"}


class LedgerLineSchema(Schema):
    account = fields.String(required=True, metadata={"example": "liabilities:shipping"})
    amount = fields.String(required=True, metadata=_SIGNED)


class LedgerEntrySchema(Schema):
    id = fields.Integer(required=True)
    kind = fields.String(required=True, metadata={"enum": [kind.value for kind in JournalKind]})
    source_key = fields.String(required=True, metadata={"description": "The fact that it books, once."})
    order = fields.Integer(required=True, allow_none=True)
    currency = fields.String(required=True)
    occurred_at = fields.DateTime(required=True)
    lines = fields.List(fields.Nested(LedgerLineSchema), required=True)


class LedgerBalanceSchema(Schema):
    account = fields.String(required=True)
    balance = fields.String(required=True, metadata=_SIGNED)
    currency = fields.String(required=True)


class LedgerEntriesArgs(PageArgs):
    account = Text(longest=100)
    order = Id(in_query=True)
    kind = fields.String(validate=validate.OneOf([kind.value for kind in JournalKind]))
    wanted = FieldNames(LedgerEntrySchema)


class LedgerBalancesArgs(PageArgs):
    seller = Id(in_query=True)
    wanted = FieldNames(LedgerBalanceSchema)


def ledger_blueprint(*, queries: LedgerQueries) -> Blueprint:
    blueprint = Blueprint("ledger", __name__, description="The books")

    @blueprint.get("/admin/ledger/entries/")
    @signed_in()
    @problems(403)
    @blueprint.arguments(LedgerEntriesArgs, location="query")
    @blueprint.response(200, page_of(LedgerEntrySchema))
    def entries(args: dict[str, Any]) -> dict[str, Any]:
        """Journals with their lines, the latest fact first."""
        require_role(current_actor(), Role.ADMIN)
        asked = page_request(args)
        kind = args.get("kind")
        page = queries.entries(
            asked,
            account=args.get("account"),
            order_id=args.get("order"),
            kind=None if kind is None else JournalKind(kind),
        )
        return page_body(page, asked, args, show=_entry)

    @blueprint.get("/admin/ledger/balances/")
    @signed_in()
    @problems(403)
    @blueprint.arguments(LedgerBalancesArgs, location="query")
    @blueprint.response(200, page_of(LedgerBalanceSchema))
    def balances(args: dict[str, Any]) -> dict[str, Any]:
        """What stands on each account, or on those of one seller."""
        require_role(current_actor(), Role.ADMIN)
        asked = page_request(args)
        page = queries.balances_page(asked, seller_id=args.get("seller"))
        return page_body(page, asked, args, show=_balance)

    return blueprint


def _entry(entry: LedgerEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "kind": entry.kind.value,
        "source_key": entry.source_key,
        "order": entry.order_id,
        "currency": entry.currency,
        "occurred_at": entry.occurred_at,
        "lines": [{"account": line.account, "amount": line.amount.decimal} for line in entry.lines],
    }


def _balance(entry: AccountBalance) -> dict[str, Any]:
    return {
        "account": entry.account,
        "balance": entry.balance.decimal,
        "currency": entry.balance.currency,
    }
