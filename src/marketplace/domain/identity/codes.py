"""One-time codes: six digits in a mail that prove who reads the mailbox.

    requested ──issue──> issued ──redeem──> used
        ▲                  ├── 10 minutes over, or five wrong tries: dead
        └─────request──────┘   (60 seconds after the last request)

An account has one code for each purpose, whose row is used again. Only a keyed digest of a code is ever kept.
Tries at one code after another are counted as well, see attempts.py.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.errors import Conflict, Invalid
from marketplace.domain.shared.ids import AccountId, CodeId

LIFETIME = timedelta(minutes=10)
COOL_DOWN = timedelta(seconds=60)
MAX_TRIES = 5


class CodePurpose(StrEnum):
    VERIFY_EMAIL = "verify_email"
    CHANGE_EMAIL = "change_email"


class CodeRequestedRecently(Conflict):
    """``retry_after`` says in how many seconds another one may be asked for."""

    code = "throttled"


class WrongCode(Invalid):
    """Wrong, used, expired or tried too often: which of them is nobody's business."""

    code = "invalid_code"

    def __init__(self) -> None:
        message = "This code is not valid, or no longer; ask for a new one."
        super().__init__(message, errors={"otp": [message]})


@dataclass(kw_only=True, slots=True)
class MailedCode(Aggregate):
    """The rules of a code, whatever it is for."""

    id: CodeId
    requested_at: datetime
    code_hash: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    tries: int = 0
    used_at: datetime | None = None

    def request(self, *, now: datetime) -> None:
        """Ask for a new one; the old one works until that is made. Raises CodeRequestedRecently."""
        wait = self.requested_at + COOL_DOWN - now
        if wait > timedelta(0):
            seconds = max(1, round(wait.total_seconds()))
            raise CodeRequestedRecently(
                f"A code was asked for a moment ago; look into the mailbox, or ask again in {seconds} seconds.",
                retry_after=seconds,
            )
        self.requested_at = now

    def issue(self, code_hash: str, *, now: datetime) -> None:
        """A fresh code takes the place of whatever there was."""
        self.code_hash, self.expires_at = code_hash, now + LIFETIME
        self.tries, self.used_at = 0, None

    def redeem(self, presented_hash: str, *, now: datetime) -> bool:
        """Use the code up if it is the right one; a wrong one costs a try, to be saved whatever the answer is."""
        if self.code_hash is None or self.expires_at is None or self.used_at is not None:
            return False
        if now >= self.expires_at or self.tries >= MAX_TRIES:
            return False
        self.tries += 1
        if not hmac.compare_digest(self.code_hash, presented_hash):
            return False
        self.used_at = now
        return True


@dataclass(kw_only=True, slots=True)
class OneTimeCode(MailedCode):
    """A code that an account asked for."""

    account_id: AccountId
    purpose: CodePurpose
