"""Sessions: one device signed in, as a family of refresh tokens of which only the newest is good.

open ──refresh──> open          each refresh spends a token and gives the next
  ├──revoke──────> revoked      signed out, suspended, or a spent token was shown again
  └──(time)──────> expired

An account has at most MAX_SESSIONS open ones: one more ends that which was used least lately.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from marketplace.domain.identity.devices import UNKNOWN_DEVICE, Device
from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.errors import Unauthenticated
from marketplace.domain.shared.ids import AccountId, SessionId

MAX_SESSIONS = 50


class InvalidCredentials(Unauthenticated):
    code = "invalid_credentials"


class RefreshRefused(Unauthenticated):
    """No such token, or its family has been revoked."""

    code = "not_authenticated"

    def __init__(self) -> None:
        super().__init__("This refresh token is not valid; log in again: POST /api/v1/auth/login/.")


class RefreshExpired(Unauthenticated):
    code = "token_expired"

    def __init__(self) -> None:
        super().__init__("This refresh token has expired; log in again: POST /api/v1/auth/login/.")


@dataclass(kw_only=True, slots=True)
class Session(Aggregate):
    """``token_hash`` is the digest of the one refresh token that is good; ``expires_at`` is that token's end.

    ``device`` is the one that was given that token.
    """

    id: SessionId
    account_id: AccountId
    token_hash: str = field(repr=False)
    started_at: datetime
    refreshed_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    device: Device = UNKNOWN_DEVICE

    def refresh(
        self, *, presented: str, fresh: str, now: datetime, lifetime: timedelta, device: Device | None = None
    ) -> bool:
        """Spend the presented token for a fresh one, both given as digests.

        A token of this family that is not its newest was spent before, and somebody else holds the newest: the session
        is revoked, which has to be saved, and the answer is False. Raises RefreshRefused and RefreshExpired.
        """
        if self.revoked_at is not None:
            raise RefreshRefused
        if not hmac.compare_digest(self.token_hash, presented):
            self.revoke(now=now)
            return False
        if now >= self.expires_at:
            raise RefreshExpired
        self.token_hash, self.refreshed_at, self.expires_at = fresh, now, now + lifetime
        self.device = device or self.device
        return True

    def is_open(self, *, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at

    def revoke(self, *, now: datetime) -> None:
        """Repeating it changes nothing."""
        self.revoked_at = self.revoked_at or now
