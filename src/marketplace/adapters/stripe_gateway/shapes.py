"""Reading what Stripe's objects say: times, names, and the identities that we gave it to remember."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from marketplace.domain.shared.ids import MAX_ID

T = TypeVar("T", bound=int)


def moment(seconds: Any) -> datetime:
    """Raises TypeError for what is no number of seconds."""
    if type(seconds) is not int:
        raise TypeError("no time")
    return datetime.fromtimestamp(seconds, tz=UTC)


def seconds(at: datetime) -> int:
    return int(at.timestamp())


def name_of(thing: Any) -> str | None:
    """Of an object that is named or, when it was asked for, there itself."""
    found = thing.get("id") if isinstance(thing, dict) else thing
    return found if isinstance(found, str) and found else None


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def remembered(thing: Any, name: str, kind: Callable[[int], T]) -> T | None:
    """An identity of ours from an object's metadata, None for none that could be ours."""
    metadata = thing.get("metadata") if isinstance(thing, dict) else None
    written = metadata.get(name) if isinstance(metadata, dict) else None
    if not isinstance(written, str) or not (written.isascii() and written.isdigit() and len(written) <= 16):
        return None
    return kind(int(written)) if 0 < int(written) <= MAX_ID else None
