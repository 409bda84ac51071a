"""What second factors need of the outside: kept, their codes reckoned, their secrets sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from marketplace.domain.identity.second_factors import SecondFactor
from marketplace.domain.shared.errors import Unavailable
from marketplace.domain.shared.ids import AccountId


class SealBroken(Unavailable):
    """What was sealed cannot be opened: SECRET_KEY is another one than then, or somebody changed what was kept."""

    code = "seal_broken"


class SecondFactorRepository(Protocol):
    def add(self, factor: SecondFactor) -> None:
        """Raises ConcurrencyConflict if the account has one, at the latest on commit."""
        ...

    def of(self, account_id: AccountId) -> SecondFactor | None:
        """Locked until the unit ends, so that no code is used twice."""
        ...

    def save(self, factor: SecondFactor) -> None:
        """Raises ConcurrencyConflict if it changed since it was read, at the latest on commit."""
        ...

    def remove(self, account_id: AccountId) -> None:
        """Nothing happens when there is none."""
        ...

    def after(self, account_id: AccountId, *, limit: int) -> list[SecondFactor]:
        """At most ``limit`` of accounts with greater ids, by account, locked until the unit ends."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class SecondFactorView:
    """How an account stands; ``confirmed_at`` is None while it is off. ``recovery_codes_left`` were not used yet."""

    confirmed_at: datetime | None
    recovery_codes_left: int


class SecondFactorQueries(Protocol):
    def of(self, account_id: AccountId) -> SecondFactorView:
        """Off, of an account that has none."""
        ...


class Authenticators(Protocol):
    """Time-based one-time passwords (RFC 6238): six digits, steps of thirty seconds, SHA-1, as every program takes."""

    def new_secret(self) -> str:
        """160 bits from the system's randomness, in base 32."""
        ...

    def uri(self, secret: str, *, name: str) -> str:
        """``otpauth://totp/...``, which authenticators read, usually as a QR code; ``name`` is the account's there."""
        ...

    def step_of(self, secret: str, code: str, *, now: datetime) -> int | None:
        """The step of a code: the present one or a neighbour, for clocks differ. None when it is wrong."""
        ...


class Vault(Protocol):
    """Keeps what has to be read again, and is worthless to whoever reads the database.

    ``label`` says whose it is: what was sealed with one opens with no other, should somebody move it about.
    """

    def seal(self, text: str, *, label: str) -> str:
        """Encrypted and authenticated; the same text never gives the same twice."""
        ...

    def open(self, sealed: str, *, label: str) -> str:
        """Raises SealBroken."""
        ...

    def reseal(self, sealed: str) -> str:
        """The same with the present key, in place of an earlier one. Raises SealBroken."""
        ...
