"""The door for Stripe's events: signed with one of the secrets of the address they came to, and not long ago."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from marketplace.adapters.stripe_gateway.events import THIN, event_of
from marketplace.application.ports.payment_gateway import (
    InvalidSignature,
    MalformedEvent,
    ProviderEvent,
    SignedAtAnotherTime,
    WebhookSource,
)

HEADER = "Stripe-Signature"
TOLERANCE = timedelta(minutes=5)
"""On both sides of our clock: the SDK looks at the past alone, and takes an event that was signed tomorrow."""
MAX_EVENT = 256 * 1024
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError, RecursionError)


class Webhooks:
    """Several secrets for each address, so that one can be replaced while the other is still in use."""

    _secrets: Mapping[WebhookSource, Sequence[str]]

    def parse_webhook(
        self, raw: bytes, headers: Mapping[str, str], *, source: WebhookSource, now: datetime
    ) -> ProviderEvent:
        if len(raw) > MAX_EVENT:
            raise MalformedEvent(f"The event is larger than {MAX_EVENT} bytes.")
        header = next((value for name, value in headers.items() if name.lower() == HEADER.lower()), None)
        if not header:
            raise InvalidSignature(f"There is no {HEADER} header.")
        _require_signed(raw, header, self._secrets.get(source, ()))
        _require_recent(header, now)
        try:
            event = orjson.loads(raw)
            _require_kind(event, source)
            return event_of(event)
        except _UNREADABLE as error:
            raise MalformedEvent("The body is signed, but it is not an event about an object.") from error


def _require_signed(raw: bytes, header: str, secrets: Sequence[str]) -> None:
    # Every secret is tried, so that the time taken tells nothing.
    if not any([_is_signed(raw, header, secret) for secret in secrets]):
        raise InvalidSignature(f"The {HEADER} header holds no signature of this body with a secret of ours.")


def _is_signed(raw: bytes, header: str, secret: str) -> bool:
    from stripe import SignatureVerificationError, WebhookSignature

    try:
        # Without its own look at the clock: it has another one than ours, and looks in one direction.
        WebhookSignature.verify_header(raw, header, secret, None)
    except (SignatureVerificationError, ValueError, TypeError, AttributeError):
        # A signature that is not ASCII is a TypeError, and a body that is not UTF-8 a ValueError.
        return False
    return True


def _require_recent(header: str, now: datetime) -> None:
    times = [value for name, _, value in (field.partition("=") for field in header.split(",")) if name == "t"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit() and len(times[0]) <= 12):
        raise InvalidSignature(f"The {HEADER} header has no time, or not one.")
    seconds_off = int(times[0]) - int(now.timestamp())
    if abs(seconds_off) > TOLERANCE.total_seconds():
        message = f"The event was signed more than {int(TOLERANCE.total_seconds())} seconds away from our clock."
        raise SignedAtAnotherTime(message, seconds_off=seconds_off)


def _require_kind(event: Any, source: WebhookSource) -> None:
    """Each address takes what is sent to it: thin notices to one, events with an object in them to the others."""
    if (event["object"] == THIN) != (source is WebhookSource.THIN) or event["object"] not in ("event", THIN):
        raise ValueError("not for this address")
