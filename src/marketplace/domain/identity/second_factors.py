"""The second factor: something that only the owner of an account has, asked for after the password.

    pending ──confirm──> on ──(removed)──>
       │ enrolled again
       └────────> pending

An authenticator's code (RFC 6238) belongs to a step of thirty seconds. Each step is good once, and never after a later
one (RFC 6238, 5.2: a verifier must not accept the second attempt of an OTP). Recovery codes are for whoever lost the
authenticator; each is good once. Neither the secret nor a recovery code is ever kept in clear.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from marketplace.domain.identity.sessions import InvalidCredentials
from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.errors import Conflict, Unauthenticated
from marketplace.domain.shared.events import Event
from marketplace.domain.shared.ids import AccountId

RECOVERY_CODES = 10


class FactorChange(StrEnum):
    ENABLED = "enabled"
    DISABLED = "disabled"
    RECOVERY_CODES_RENEWED = "recovery_codes_renewed"
    RESET = "reset"
    """An admin took it away, because its owner had lost it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SecondFactorChanged(Event):
    """Its owner is told, so that they know of it if it was somebody else. ``change`` is a FactorChange."""

    account_id: int
    change: str


class SecondFactorRequired(Unauthenticated):
    """The password is right and the account has a second factor."""

    code = "second_factor_required"

    def __init__(self) -> None:
        super().__init__(
            "Send a code of your authenticator as `otp` along with the name and the password, or a recovery code."
        )


class WrongSecondFactor(InvalidCredentials):
    """Wrong, expired or used before: which of them is nobody's business."""

    def __init__(self) -> None:
        super().__init__("This code is not valid, or was used before; wait for the next one, or use a recovery code.")


class SecondFactorIsOn(Conflict):
    code = "second_factor_enabled"

    def __init__(self) -> None:
        super().__init__("This account has a second factor already; turn it off first to set up another authenticator.")


class NoSecondFactor(Conflict):
    code = "second_factor_missing"


@dataclass(kw_only=True, slots=True)
class SecondFactor(Aggregate):
    """``sealed_secret`` is the authenticator's secret, encrypted. ``last_step`` is the last step that was used."""

    account_id: AccountId
    sealed_secret: str = field(repr=False)
    enrolled_at: datetime
    confirmed_at: datetime | None = None
    last_step: int = -1
    recovery_hashes: tuple[str, ...] = field(default=(), repr=False)

    @property
    def is_on(self) -> bool:
        """Whether it is asked for: not before its owner has shown that the authenticator works."""
        return self.confirmed_at is not None

    def enrol_again(self, sealed_secret: str, *, now: datetime) -> None:
        """Begin anew with another secret. Raises SecondFactorIsOn once it is confirmed."""
        if self.is_on:
            raise SecondFactorIsOn
        self.sealed_secret, self.enrolled_at, self.last_step = sealed_secret, now, -1

    def use_step(self, step: int | None) -> bool:
        """Use up the step of a code; None is no code of this secret. False when it is not good any more."""
        if step is None or step <= self.last_step:
            return False
        self.last_step = step
        return True

    def confirm(self, step: int | None, recovery_hashes: Sequence[str], *, now: datetime) -> bool:
        """Turn it on, if the code is right. Raises SecondFactorIsOn."""
        if self.is_on:
            raise SecondFactorIsOn
        if not self.use_step(step):
            return False
        self.confirmed_at, self.recovery_hashes = now, tuple(recovery_hashes)
        self._note(FactorChange.ENABLED, now=now)
        return True

    def use_recovery(self, presented_hash: str) -> bool:
        """Use up a recovery code, if it is one."""
        # Each is compared, so that the time taken does not tell which was right.
        right = [kept for kept in self.recovery_hashes if hmac.compare_digest(kept, presented_hash)]
        self.recovery_hashes = tuple(kept for kept in self.recovery_hashes if kept not in right)
        return bool(right)

    def renew_recovery(self, recovery_hashes: Sequence[str], *, now: datetime) -> None:
        """Fresh recovery codes take the place of whatever is left. Raises NoSecondFactor while it is off."""
        if not self.is_on:
            raise NoSecondFactor("This account has no second factor; set one up: POST /api/v1/auth/two-factor/.")
        self.recovery_hashes = tuple(recovery_hashes)
        self._note(FactorChange.RECOVERY_CODES_RENEWED, now=now)

    def _note(self, change: FactorChange, *, now: datetime) -> None:
        self.events.append(SecondFactorChanged(occurred_at=now, account_id=self.account_id, change=change.value))
