"""How the content of documents is written down."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from marketplace.domain.documents import DocumentContent, DocumentLine, LineGroup, LineKind, Mention, Party, Vat


def content_json(content: DocumentContent) -> dict[str, Any]:
    """JSON-ready; amounts in minor units, the rate as a decimal string."""
    return {
        "issuer": _party_json(content.issuer),
        "recipient": _party_json(content.recipient),
        "language": content.language,
        "currency": content.currency,
        "order_reference": content.order_reference,
        "supplied_at": content.supplied_at.isoformat(),
        "groups": [
            {"title": group.title, "reference": group.reference, "lines": [_line_json(line) for line in group.lines]}
            for group in content.groups
        ],
        "vat": {"rate": str(content.vat.rate), "gross": content.vat.gross, "amount": content.vat.amount},
        "mentions": [mention.value for mention in content.mentions],
        "refers_to": content.refers_to,
        "reason": content.reason,
        "layout": content.layout,
    }


def content_of(held: Mapping[str, Any]) -> DocumentContent:
    """What ``content_json`` wrote."""
    return DocumentContent(
        issuer=_party(held["issuer"]),
        recipient=_party(held["recipient"]),
        language=held["language"],
        currency=held["currency"],
        order_reference=held["order_reference"],
        supplied_at=datetime.fromisoformat(held["supplied_at"]),
        groups=tuple(
            LineGroup(
                title=group["title"], reference=group["reference"], lines=tuple(_line(line) for line in group["lines"])
            )
            for group in held["groups"]
        ),
        vat=Vat(rate=Decimal(held["vat"]["rate"]), gross=held["vat"]["gross"], amount=held["vat"]["amount"]),
        mentions=tuple(Mention(mention) for mention in held["mentions"]),
        refers_to=held["refers_to"],
        reason=held["reason"],
        layout=held["layout"],
    )


def _party_json(party: Party) -> dict[str, Any]:
    return {
        "name": party.name,
        "address": list(party.address),
        "vat_number": party.vat_number,
        "registration": party.registration,
    }


def _party(held: Mapping[str, Any]) -> Party:
    return Party(
        name=held["name"],
        address=tuple(held["address"]),
        vat_number=held["vat_number"],
        registration=held["registration"],
    )


def _line_json(line: DocumentLine) -> dict[str, Any]:
    return {
        "kind": line.kind.value,
        "text": line.text,
        "detail": line.detail,
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "amount": line.amount,
    }


def _line(held: Mapping[str, Any]) -> DocumentLine:
    return DocumentLine(
        kind=LineKind(held["kind"]),
        text=held["text"],
        detail=held["detail"],
        quantity=held["quantity"],
        unit_price=held["unit_price"],
        amount=held["amount"],
    )
