"""Codes and tokens from the system's randomness, and digests that need our key."""

from __future__ import annotations

import hmac
import secrets

from marketplace.application.ports.identity import Secrets

_READABLE = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no i, l, o or u."""


class KeyedSecrets(Secrets):
    """``key`` is for these digests alone."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def code(self) -> str:
        return f"{secrets.randbelow(1_000_000):06d}"

    def token(self) -> str:
        return secrets.token_urlsafe(32)

    def recovery_code(self) -> str:
        drawn = "".join(secrets.choice(_READABLE) for _ in range(12))
        return f"{drawn[:4]}-{drawn[4:8]}-{drawn[8:]}"

    def digest(self, *parts: str) -> str:
        # Each part with its length, so that no two lists of parts read the same.
        text = "".join(f"{len(part)}:{part}" for part in parts)
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256").hex()
