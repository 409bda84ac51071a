"""Invoices and credit notes over HTTP: a buyer's by order, a seller's of fees, all of them for administrators."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from marshmallow import fields, validate

from marketplace.application.access import require_role
from marketplace.application.documents.reading import SELLERS, DocumentFile, ReadDocuments
from marketplace.application.ports.documents import DocumentQueries
from marketplace.domain.documents import Document, DocumentKind
from marketplace.domain.identity import Role
from marketplace.domain.shared.ids import AccountId, DocumentId, OrderId
from marketplace.domain.shared.money import Money
from marketplace.entrypoints.http.audit import Moment
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.etags import etagged
from marketplace.entrypoints.http.fields import FieldNames
from marketplace.entrypoints.http.pages import PageArgs, page_body, page_of, page_request
from marketplace.entrypoints.http.schemas import Id, MoneyString, Schema

_KINDS = [kind.value for kind in DocumentKind]
_PDF = {"type": "string", "format": "binary"}


class DocumentSchema(Schema):
    id = fields.Integer(required=True)
    number = fields.String(required=True, metadata={"example": "INV-2026-000001"})
    kind = fields.String(required=True, metadata={"enum": _KINDS})
    order = fields.Integer(required=True)
    refers_to = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The number of the invoice that a credit note is about."},
    )
    total = MoneyString(required=True, metadata={"description": "What it comes to; of a credit note, what goes back."})
    fees = MoneyString(required=True, metadata={"description": "What of it are the marketplace's own fees, VAT in."})
    vat = MoneyString(required=True, metadata={"description": "The VAT in those."})
    vat_percent = fields.String(required=True, metadata={"description": "A fraction.", "example": "0.20"})
    currency = fields.String(required=True)
    issued_at = fields.DateTime(required=True)


class DocumentRecordSchema(DocumentSchema):
    account = fields.Integer(required=True, metadata={"description": "Whom it is for."})


class DocumentsArgs(PageArgs):
    wanted = FieldNames(DocumentSchema)


class DocumentRecordsArgs(PageArgs):
    kind = fields.String(validate=validate.OneOf(_KINDS))
    account = Id(in_query=True)
    order = Id(in_query=True)
    since = Moment(data_key="from", metadata={"description": "The first instant of issue."})
    until = Moment(data_key="to", metadata={"description": "The first instant that does not count."})
    wanted = FieldNames(DocumentRecordSchema)


def documents_blueprint(*, read: ReadDocuments, queries: DocumentQueries) -> Blueprint:
    blueprint = Blueprint("documents", __name__, description="Invoices and credit notes")

    @blueprint.get("/orders/<int:order_id>/invoice/")
    @signed_in()
    @etagged
    @problems(409)
    @blueprint.response(200, _PDF, content_type="application/pdf")
    def invoice(order_id: int) -> Response:
        """The invoice of an order, as PDF; 409 `invoice_not_ready` until it is issued, soon after the payment."""
        return pdf(read.invoice(actor=current_actor(), order_id=OrderId(order_id)))

    @blueprint.get("/orders/<int:order_id>/documents/")
    @signed_in()
    @blueprint.arguments(DocumentsArgs, location="query")
    @blueprint.response(200, page_of(DocumentSchema))
    def of_order(args: dict[str, Any], order_id: int) -> Response:
        """The invoice of an order and its credit notes, the last issued first."""
        asked = page_request(args)
        page = read.of_order(asked, actor=current_actor(), order_id=OrderId(order_id))
        return jsonify(page_body(page, asked, args, show=document_json))

    @blueprint.get("/orders/<int:order_id>/documents/<int:document_id>/")
    @signed_in()
    @etagged
    @blueprint.response(200, _PDF, content_type="application/pdf")
    def one_of_order(order_id: int, document_id: int) -> Response:
        """One of them, as PDF."""
        return pdf(
            read.one_of_order(actor=current_actor(), order_id=OrderId(order_id), document_id=DocumentId(document_id))
        )

    @blueprint.get("/sellers/me/documents/")
    @signed_in()
    @problems(403)
    @blueprint.arguments(DocumentsArgs, location="query")
    @blueprint.response(200, page_of(DocumentSchema))
    def of_seller(args: dict[str, Any]) -> Response:
        """What one was charged for one's sales, and what of it went back, the last issued first."""
        actor = current_actor()
        require_role(actor, Role.SELLER)
        asked = page_request(args)
        page = queries.documents(asked, account_id=actor.account_id, kinds=SELLERS)
        return jsonify(page_body(page, asked, args, show=document_json))

    @blueprint.get("/sellers/me/documents/<int:document_id>/")
    @signed_in()
    @etagged
    @problems(403)
    @blueprint.response(200, _PDF, content_type="application/pdf")
    def one_of_seller(document_id: int) -> Response:
        """One of them, as PDF."""
        actor = current_actor()
        require_role(actor, Role.SELLER)
        return pdf(read.one_of_seller(actor=actor, document_id=DocumentId(document_id)))

    return blueprint


def documents_admin_blueprint(*, read: ReadDocuments, queries: DocumentQueries) -> Blueprint:
    blueprint = Blueprint("documents admin", __name__, description="Invoices and credit notes of everybody")

    @blueprint.get("/admin/documents/")
    @signed_in()
    @problems(403)
    @blueprint.arguments(DocumentRecordsArgs, location="query")
    @blueprint.response(200, page_of(DocumentRecordSchema))
    def documents(args: dict[str, Any]) -> Response:
        """Everything that was issued, the last first."""
        require_role(current_actor(), Role.ADMIN)
        asked = page_request(args)
        page = queries.documents(
            asked,
            account_id=AccountId(args["account"]) if "account" in args else None,
            order_id=OrderId(args["order"]) if "order" in args else None,
            kinds=[DocumentKind(args["kind"])] if "kind" in args else [],
            since=args.get("since"),
            until=args.get("until"),
        )
        return jsonify(page_body(page, asked, args, show=record_json))

    @blueprint.get("/admin/documents/<int:document_id>/")
    @signed_in()
    @etagged
    @problems(403)
    @blueprint.response(200, _PDF, content_type="application/pdf")
    def document(document_id: int) -> Response:
        """One of them, as PDF; the audit trail keeps who has read it."""
        actor = current_actor()
        require_role(actor, Role.ADMIN)
        return pdf(read.one(actor=actor, document=queries.document(DocumentId(document_id))))

    return blueprint


def pdf(file: DocumentFile) -> Response:
    """To be shown or kept, under its number."""
    return Response(
        file.content,
        mimetype="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{file.name}"', "Cache-Control": "private, no-cache"},
    )


def document_json(document: Document) -> dict[str, Any]:
    content = document.content
    return {
        "id": document.id,
        "number": document.number,
        "kind": document.kind.value,
        "order": document.order_id,
        "refers_to": content.refers_to or None,
        "total": document.total.decimal,
        "fees": Money(content.vat.gross, content.currency).decimal,
        "vat": Money(content.vat.amount, content.currency).decimal,
        "vat_percent": str(content.vat.rate),
        "currency": content.currency,
        "issued_at": document.issued_at,
    }


def record_json(document: Document) -> dict[str, Any]:
    """What administrators see of it."""
    return {**document_json(document), "account": document.account_id}
