"""What the export of a member's data looks like: the objects of the API, each list whole, written as it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import orjson

from marketplace.application.access import OPERATOR
from marketplace.application.identity.personal_data import Section
from marketplace.application.ports.disputes import DisputeView
from marketplace.application.ports.notifications import NotificationView
from marketplace.application.ports.orders import SaleView
from marketplace.application.ports.payments import RefundView
from marketplace.application.ports.personal_data import KeptCode, KeptSession
from marketplace.application.ports.second_factors import SecondFactorView
from marketplace.domain.documents import Document
from marketplace.domain.notifications import Preference
from marketplace.domain.orders.status import Transition
from marketplace.domain.payment_customers import PaymentCustomer
from marketplace.domain.shared.ids import OrderId
from marketplace.entrypoints.http.audit import entry_json
from marketplace.entrypoints.http.disputes import dispute_json
from marketplace.entrypoints.http.documents import document_json
from marketplace.entrypoints.http.identity_schemas import address_json, user_json
from marketplace.entrypoints.http.listings import listing_json
from marketplace.entrypoints.http.order_schemas import order_json, seller_sale_json
from marketplace.entrypoints.http.payouts import payout_json, recovery_json
from marketplace.entrypoints.http.professional_info import professional_info_json
from marketplace.entrypoints.http.reservations import line_json
from marketplace.entrypoints.http.seller_schemas import own_json

FORMAT = "marketplace-export/1"
"""Changes when something in it gets another meaning; what is added does not change it."""


def document(sections: Iterable[Section], *, now: datetime) -> Iterator[bytes]:
    """One JSON object, in pieces: a page of the largest list is all that is ever in memory."""
    yield b'{"format":' + orjson.dumps(FORMAT) + b',"exported_at":' + orjson.dumps(now)
    for section in sections:
        show = _SHOWN[section.name]
        yield b"," + orjson.dumps(section.name) + b":"
        if section.many is None:
            yield orjson.dumps(show(section.one))
        else:
            yield b"["
            for number, record in enumerate(section.many):
                yield (b"," if number else b"") + orjson.dumps(show(record))
            yield b"]"
    yield b"}\n"


def _session(kept: KeptSession) -> dict[str, Any]:
    return {
        "id": kept.id,
        "device": kept.device.name,
        "ip": kept.device.address,
        "started_at": kept.started_at,
        "last_used_at": kept.last_used_at,
        "expires_at": kept.expires_at,
        "revoked_at": kept.revoked_at,
    }


def _code(kept: KeptCode) -> dict[str, Any]:
    return {"purpose": kept.purpose, "requested_at": kept.requested_at, "used_at": kept.used_at}


def _factor(view: SecondFactorView) -> dict[str, Any]:
    return {
        "enabled": view.confirmed_at is not None,
        "confirmed_at": view.confirmed_at,
        "recovery_codes_left": view.recovery_codes_left,
    }


def _move(moved: tuple[OrderId, Transition]) -> dict[str, Any]:
    order_id, move = moved
    return {
        "order": order_id,
        "sale": move.sale_id,
        "from": move.from_status,
        "to": move.to_status,
        "at": move.at,
        "reason": move.reason,
    }


def _refund(kept: RefundView) -> dict[str, Any]:
    return {
        "id": kept.id,
        "order": kept.order_id,
        "status": kept.status.value,
        "amount": kept.amount.decimal,
        "currency": kept.amount.currency,
        "cause": kept.cause.value,
        "reason": kept.reason,
        "decided_at": kept.decided_at,
    }


def _sale(sale: SaleView) -> dict[str, Any]:
    """Where it went is the buyer's."""
    return {name: value for name, value in seller_sale_json(sale).items() if name != "shipping_address"}


def _dispute(view: DisputeView) -> dict[str, Any]:
    """Who bought is not told to who sold, in either's file."""
    return {name: value for name, value in dispute_json(view, OPERATOR).items() if name != "buyer"}


def _document(document: Document) -> dict[str, Any]:
    """With the name and the address that it was made out to."""
    recipient = document.content.recipient
    return {**document_json(document), "recipient": {"name": recipient.name, "address": list(recipient.address)}}


def _notification(view: NotificationView) -> dict[str, Any]:
    return {
        "id": view.id,
        "kind": view.kind,
        "title": view.title,
        "body": view.body,
        "link": view.link,
        "created_at": view.created_at,
        "read_at": view.read_at,
    }


def _preference(choice: Preference) -> dict[str, Any]:
    return {"kind": choice.kind.value, "channel": choice.channel.value, "wanted": choice.wanted}


def _customer(kept: PaymentCustomer | None) -> dict[str, Any] | None:
    """What they saved is the provider's to give, under this name."""
    if kept is None:
        return None
    return {"provider": kept.provider, "customer": kept.provider_customer_id, "since": kept.created_at}


_SHOWN: Mapping[str, Callable[[Any], Any]] = {
    "account": user_json,
    "professional_info": professional_info_json,
    "second_factor": _factor,
    "addresses": address_json,
    "sessions": _session,
    "requested_codes": _code,
    "cart": line_json,
    "orders": order_json,
    "order_history": _move,
    "refunds": _refund,
    "payment_customer": _customer,
    "seller": own_json,
    "listings": listing_json,
    "sales": _sale,
    "payouts": payout_json,
    "recoveries": recovery_json,
    "disputes": _dispute,
    "documents": _document,
    "notifications": _notification,
    "notification_preferences": _preference,
    "audit": entry_json,
}
"""By the name of the section."""
