"""One key for each purpose, all derived from SECRET_KEY: what is made with one is of no use where another is asked for.

HKDF with SHA-256 (RFC 5869), the purpose in its ``info``. SECRET_KEY itself signs and seals nothing.
"""

from __future__ import annotations

import hmac
from enum import StrEnum

_SALT = b"marketplace.keys.1"
"""Public, and the same everywhere: it only keeps what is derived here apart from what others derive."""


class Purpose(StrEnum):
    """What a key is for. Renaming one changes its key."""

    ACCESS_TOKENS = "sign access tokens"
    IDENTITY_DIGESTS = "digest codes and tokens"
    SECOND_FACTORS = "seal the secrets of second factors"
    RESET_ADDRESSES = "seal the addresses of password resets"
    IDEMPOTENCY_FINGERPRINTS = "fingerprint requests"
    PAGE_CURSORS = "guard the cursors of lists"
    SIMULATED_WEBHOOKS = "sign the simulated provider's events"
    BANK_PAGES = "guard the forms of the simulated bank"
    ONBOARDING_PAGES = "guard the forms of the simulated onboarding"
    PROVIDER_PAGES = "guard the forms of the simulated provider's back office"


def derived(secret_key: str, purpose: Purpose) -> bytes:
    """The 32 bytes that ``purpose`` gets; whoever has them learns neither SECRET_KEY nor another purpose's key."""
    extracted = hmac.digest(_SALT, secret_key.encode(), "sha256")
    # The first and only block of the expansion: a digest is as long as what is asked for.
    return hmac.digest(extracted, purpose.encode() + b"\x01", "sha256")
