"""Webhook signatures in the provider's form, ``t=<seconds>,v1=<HMAC-SHA256>``, and what an event must look like."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from marketplace.application.ports.payment_gateway import (
    InvalidSignature,
    MalformedEvent,
    ProviderEvent,
    SignedAtAnotherTime,
)
from marketplace.domain.shared.ids import MAX_ID, OrderId, RefundId

HEADER = "Stripe-Signature"
TOLERANCE = timedelta(minutes=5)
MAX_EVENT = 256 * 1024
_LONGEST_NAME = 255
_PERSONAL = ("account", "bank_account", "card", "customer", "external_account", "payment_method", "person")
_KEPT_OF_PERSONS = ("id", "object", "account", "customer", "deleted", "metadata")
_LEFT_OUT = ("billing_details", "client_secret", "evidence", "receipt_email", "shipping")


def webhook_secret(key: bytes) -> str:
    """The secret that the simulated provider and its webhook share: they are one program, with one key."""
    return f"whsec_{key.hex()}"


def sign(body: bytes, secret: str, *, now: datetime) -> str:
    """The header that goes with ``body``."""
    seconds = int(now.timestamp())
    return f"t={seconds},v1={_digest(body, secret, str(seconds))}"


def verify(body: bytes, header: str, secrets: Sequence[str], *, now: datetime) -> None:
    """Raises InvalidSignature unless one of our secrets signed the body, within the tolerance before or after now."""
    fields = [field.partition("=") for field in header.split(",")]
    times = [value for name, _, value in fields if name.strip() == "t"]
    signatures = [value.encode() for name, _, value in fields if name.strip() == "v1"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit() and len(times[0]) <= 12):
        raise InvalidSignature(f"The {HEADER} header has no time, or not one.")
    expected = [_digest(body, secret, times[0]).encode() for secret in secrets if secret]
    # Every pair is compared, so that the time taken tells nothing.
    if not any([hmac.compare_digest(mine, theirs) for mine in expected for theirs in signatures]):
        raise InvalidSignature(f"The {HEADER} header holds no signature of this body with a secret of ours.")
    seconds_off = int(times[0]) - int(now.timestamp())
    if abs(seconds_off) > TOLERANCE.total_seconds():
        message = f"The event was signed more than {int(TOLERANCE.total_seconds())} seconds away from our clock."
        raise SignedAtAnotherTime(message, seconds_off=seconds_off)


def read_event(body: bytes) -> ProviderEvent:
    """What a signed body says. Raises MalformedEvent unless it is an event about an object."""
    if len(body) > MAX_EVENT:
        raise MalformedEvent(f"The event is larger than {MAX_EVENT} bytes.")
    if b"\\u0000" in body:
        raise MalformedEvent("The event holds a NUL character.")
    try:
        event = orjson.loads(body)
        thing = event["data"]["object"]
        return ProviderEvent(
            id=_name(event["id"]),
            type=_name(event["type"]),
            object_id=_name(thing["id"]),
            intent_id=_intent(thing),
            order_id=_our_id(thing, "order_id", OrderId),
            refund_id=_our_id(thing, "refund_id", RefundId),
            account=_name(event["account"]) if event.get("account") is not None else None,
            livemode=_flag(event["livemode"]),
            api_version=str(event.get("api_version") or "")[:_LONGEST_NAME],
            created_at=datetime.fromtimestamp(event["created"], tz=UTC),
            payload=_without_secrets(event),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError, RecursionError) as error:
        raise MalformedEvent("The body is signed, but it is not an event about an object.") from error


def _digest(body: bytes, secret: str, seconds: str) -> str:
    return hmac.new(secret.encode(), f"{seconds}.".encode() + body, "sha256").hexdigest()


def _name(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME:
        raise ValueError("no name")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("no flag")
    return value


def _intent(thing: Mapping[str, Any]) -> str | None:
    found = thing["id"] if thing.get("object") == "payment_intent" else thing.get("payment_intent")
    return found if isinstance(found, str) and 0 < len(found) <= _LONGEST_NAME else None


def _our_id(thing: Mapping[str, Any], name: str, kind: Any) -> Any:
    """An identity that we gave the provider to remember; None when it is not one of ours."""
    metadata = thing.get("metadata")
    text = metadata.get(name) if isinstance(metadata, dict) else None
    if not isinstance(text, str) or not (text.isascii() and text.isdigit() and len(text) <= 16):
        return None
    return kind(int(text)) if 0 < int(text) <= MAX_ID else None


def _without_secrets(node: Any) -> Any:
    """The client secret would let anybody who reads our database pay, or cancel, in the buyer's name.

    Of a seller's account, a customer or a payment method only the names stay: the rest is who somebody is, and is read
    from the provider when needed. So is what was said against a chargeback, which is full of addresses.
    """
    if isinstance(node, dict):
        if node.get("object") in _PERSONAL:
            return {name: node[name] for name in _KEPT_OF_PERSONS if name in node}
        return {name: _without_secrets(value) for name, value in node.items() if name not in _LEFT_OUT}
    return [_without_secrets(item) for item in node] if isinstance(node, list) else node
