"""Lock-out: how often somebody may be wrong about a secret.

Each failure counts one, and one is forgotten for each hour that passes. From the tenth on, each starts a lock during
which nothing is tried: a minute, then two, four, eight ... and never more than an hour. Success forgets them all.

So the first ten guesses are free, and the patient one gets 24 a day: ten thousand take more than a year.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from marketplace.domain.shared.errors import Conflict
from marketplace.domain.shared.events import Event

FREE_FAILURES = 10
FIRST_LOCK = timedelta(minutes=1)
LONGEST_LOCK = timedelta(hours=1)
FORGOTTEN_EACH = timedelta(hours=1)
_MOST_FAILURES = FREE_FAILURES + 6  # 2^6 minutes is more than the longest lock: counting on would not change it
KEPT = FORGOTTEN_EACH * (_MOST_FAILURES + 1)
"""After so long without a failure there is nothing left of a counter."""

PLACE_KEPT = timedelta(days=90)
"""How long the network is remembered from which an account's owner got in."""


class AttemptPurpose(StrEnum):
    """What is being guessed at; each has counters of its own."""

    LOG_IN = "log_in"
    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"
    SECOND_FACTOR = "second_factor"
    CONFIRM_PASSWORD = "confirm_password"
    """Somebody who is signed in states their password again, to change it or to close the account."""


class TooManyAttempts(Conflict):
    """``retry_after`` says in how many seconds the next try is looked at."""

    code = "throttled"

    def __init__(self, wait: timedelta) -> None:
        seconds = max(1, -(-wait // timedelta(seconds=1)))
        super().__init__(
            f"Too many wrong tries; try again in {seconds} seconds, or reset the password.", retry_after=seconds
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptsLocked(Event):
    """Failures began to lock something; ``account_id`` is 0 when the name is nobody's, ``origin`` the last address."""

    account_id: int
    purpose: str
    origin: str


@dataclass(kw_only=True, slots=True)
class AttemptCounter:
    """The failures of one purpose on one name. ``counted_at`` is the instant up to which forgetting was reckoned."""

    key: str
    counted_at: datetime
    failures: int = 0
    locked_until: datetime | None = None

    def begin(self, *, now: datetime) -> None:
        """Count a try as failed before it is looked at, so that many at once are no more than one after another.

        Raises TooManyAttempts, and then counts nothing.
        """
        if self.locked_until is not None and now < self.locked_until:
            raise TooManyAttempts(min(self.locked_until - now, LONGEST_LOCK))
        self._forget(now)
        self.failures = min(self.failures + 1, _MOST_FAILURES)
        self.locked_until = None
        if self.failures >= FREE_FAILURES:
            self.locked_until = now + min(FIRST_LOCK * 2 ** (self.failures - FREE_FAILURES), LONGEST_LOCK)

    def take_back(self, *, locked_until: datetime | None) -> None:
        """The try that set this lock was no failure; locks that came of later ones stay."""
        self.failures = max(0, self.failures - 1)
        if self.locked_until == locked_until:
            self.locked_until = None

    def _forget(self, now: datetime) -> None:
        hours = max(0, (now - self.counted_at) // FORGOTTEN_EACH)
        self.failures = max(0, self.failures - hours)
        self.counted_at = self.counted_at + hours * FORGOTTEN_EACH if self.failures else now
