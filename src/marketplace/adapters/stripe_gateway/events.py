"""What an event of Stripe's is about, whether it came to a webhook or was asked for, without what nobody needs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marketplace.adapters.stripe_gateway.shapes import moment, name_of, remembered
from marketplace.application.ports.payment_gateway import ProviderEvent
from marketplace.domain.shared.ids import OrderId, RefundId

THIN = "v2.core.event"
_LONGEST_NAME = 255
_PERSONAL = (
    *("account", "bank_account", "card", "customer", "external_account", "payment_method", "person"),
    "v2.core.account",
)
"""Objects that tell who somebody is; of them only what is needed to read them again is kept."""
_KEPT = ("id", "object", "account", "customer", "deleted", "metadata", "type")
_DROPPED = frozenset(
    [
        "billing_details",
        "client_secret",
        "customer_details",
        "evidence",
        "payment_method_details",
        "receipt_email",
        "receipt_number",
        "receipt_url",
        "shipping",
    ]
)
"""A client secret would let anybody who reads our database pay in the buyer's name; the others tell who that is."""


def event_of(event: Mapping[str, Any]) -> ProviderEvent:
    """Raises ValueError, TypeError, KeyError and the like for what is no event about an object."""
    return _thin(event) if event.get("object") == THIN else _snapshot(event)


def _snapshot(event: Mapping[str, Any]) -> ProviderEvent:
    thing = event["data"]["object"]
    # Some are about what there is only one of, which has no name: our balance.
    about = thing.get("id") or thing["object"]
    return ProviderEvent(
        id=_name(event["id"]),
        type=_name(event["type"]),
        object_id=_name(about),
        intent_id=_intent(thing),
        order_id=remembered(thing, "order_id", OrderId),
        refund_id=remembered(thing, "refund_id", RefundId),
        account=_name(event["account"]) if event.get("account") is not None else None,
        livemode=_flag(event["livemode"]),
        api_version=str(event.get("api_version") or "")[:_LONGEST_NAME],
        created_at=moment(event["created"]),
        payload=_without_secrets(event),
    )


def _thin(event: Mapping[str, Any]) -> ProviderEvent:
    """It holds nothing but the name of what it is about, which is a seller's account or something at one."""
    related = event.get("related_object") or {}
    object_id = _name(related.get("id") or event["id"])
    context = event.get("context")
    is_account = related.get("type") == "v2.core.account"
    return ProviderEvent(
        id=_name(event["id"]),
        type=_name(event["type"]),
        object_id=object_id,
        intent_id=None,
        order_id=None,
        refund_id=None,
        account=object_id if is_account else (_name(context) if context is not None else None),
        livemode=_flag(event["livemode"]),
        api_version="",
        created_at=_written(event["created"]),
        payload=_without_secrets(event),
    )


def _written(date: Any) -> datetime:
    at = datetime.fromisoformat(date)
    if at.tzinfo is None:
        raise ValueError("no time zone")
    return at


def _name(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME or not value.isprintable():
        raise ValueError("no name")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("no flag")
    return value


def _intent(thing: Mapping[str, Any]) -> str | None:
    found = name_of(thing if thing.get("object") == "payment_intent" else thing.get("payment_intent"))
    return found if found is not None and len(found) <= _LONGEST_NAME else None


def _without_secrets(node: Any) -> Any:
    if isinstance(node, Mapping):
        if node.get("object") in _PERSONAL:
            return {name: _without_secrets(node[name]) for name in _KEPT if name in node}
        return {_plain(name): _without_secrets(value) for name, value in node.items() if name not in _DROPPED}
    if isinstance(node, list):
        return [_without_secrets(item) for item in node]
    return _plain(node) if isinstance(node, str) else node


def _plain(text: str) -> str:
    """Without NUL, which is valid in JSON and which no database keeps."""
    return text.replace("\x00", "")
