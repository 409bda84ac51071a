"""The second factor in tests: its parts, and somebody's authenticator."""

from datetime import timedelta

import pyotp

from marketplace.adapters.authenticators import TotpAuthenticators
from marketplace.adapters.fernet_vault import FernetVault
from marketplace.application.identity.second_factors import FactorCodes


def factor_codes(clock, secrets, *, vault=None):
    return FactorCodes(
        clock=clock,
        secrets=secrets,
        authenticators=TotpAuthenticators("cards.example.com"),
        vault=vault or FernetVault([b"k" * 32]),
    )


class Authenticator:
    """The program on somebody's telephone, whose clock is right."""

    def __init__(self, secret, clock):
        self._totp, self._clock = pyotp.TOTP(secret), clock

    def code(self):
        return self._totp.at(self._clock.now())

    def wrong(self):
        """A code that is none of those that are good now."""
        good = {self._totp.at(self._clock.now() + timedelta(seconds=away)) for away in (-30, 0, 30)}
        return next(code for code in (f"{number:06d}" for number in range(4)) if code not in good)
