"""Media storage: files by their key, wherever they are kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from marketplace.domain.shared.errors import Invalid

MAX_BYTES = 20 * 1024 * 1024
"""No file is larger."""
MAX_KEY = 200
CONTENT_TYPES: Mapping[str, str] = {
    "csv": "text/csv",
    "jpg": "image/jpeg",
    "pdf": "application/pdf",
    "png": "image/png",
    "webp": "image/webp",
}
"""By the ending of the key."""

_KEY = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9_-]*/)*[A-Za-z0-9][A-Za-z0-9_-]*\.(?P<ending>[a-z0-9]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Media:
    content: bytes
    content_type: str


class MediaStorage(Protocol):
    """Keys are folders and a name with an ending: ``documents/2026/INV-2026-000001.pdf``.

    Never called while a unit of work is open. Everything raises Invalid on a key that is none, and Unavailable when
    the storage does not answer.
    """

    def put(self, key: str, content: bytes) -> None:
        """Keep a file, in place of one of that key; it is there whole or not at all. Raises Invalid when too large."""
        ...

    def get(self, key: str) -> Media | None:
        """None when there is no such file."""
        ...

    def exists(self, key: str) -> bool:
        """Whether there is a file of that key."""
        ...


def content_type_of(key: str) -> str:
    """What a file is by its key. Raises Invalid on a key that leads elsewhere, or to nothing that is kept here."""
    found = _KEY.fullmatch(key) if len(key) <= MAX_KEY else None
    if found is None or found["ending"] not in CONTENT_TYPES:
        endings = ", ".join(CONTENT_TYPES)
        raise Invalid(f"{key[:MAX_KEY]!r} is no key of a file; use folder/name with one of the endings {endings}.")
    return CONTENT_TYPES[found["ending"]]


def checked_size(key: str, content: bytes) -> None:
    """Raises Invalid for more than ``MAX_BYTES``."""
    if len(content) > MAX_BYTES:
        raise Invalid(f"{key} has {len(content)} bytes; a file has at most {MAX_BYTES}.")
