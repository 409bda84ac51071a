"""Time-based one-time passwords by pyotp."""

from __future__ import annotations

import hmac
from datetime import datetime

import pyotp

from marketplace.application.ports.second_factors import Authenticators

_STEP_SECONDS = 30
_NEIGHBOURS = (-1, 0, 1)
"""RFC 6238, 5.2: one step for the way of the code and the difference of clocks."""


class TotpAuthenticators(Authenticators):
    """``issuer`` is what an authenticator shows above the codes."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    def new_secret(self) -> str:
        return pyotp.random_base32()

    def uri(self, secret: str, *, name: str) -> str:
        return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=self._issuer)

    def step_of(self, secret: str, code: str, *, now: datetime) -> int | None:
        present = int(now.timestamp()) // _STEP_SECONDS
        totp = pyotp.TOTP(secret)
        # All are reckoned and compared, so that the time taken does not tell which was right.
        right = [
            present + offset
            for offset in _NEIGHBOURS
            if hmac.compare_digest(totp.generate_otp(present + offset).encode(), code.encode("utf-8", "surrogatepass"))
        ]
        return max(right, default=None)
