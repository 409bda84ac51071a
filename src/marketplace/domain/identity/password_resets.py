"""Forgotten passwords: a mailed code proves whose mailbox it is, and gives a token that sets a new password once.

    asked ──issue──> issued ──redeem──> proved ──spend──> spent
      ▲                └── the rules of codes         └── 15 minutes over: nothing
      └──ask again──── whatever came of the last one

A reset belongs to an **address**, not to an account: one is kept, in the same way, for an address that nobody has.
Whoever asks, tries and waits meets the same rules there in the same time, so that nothing tells who is a member. Of the
address there is a keyed digest; the address itself is sealed, until the worker has found out whose it is.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from marketplace.domain.identity.codes import CodeRequestedRecently, MailedCode
from marketplace.domain.identity.events import PasswordResetRequested
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import AccountId, CodeId

TOKEN_LIFETIME = timedelta(minutes=15)


class InvalidResetToken(Invalid):
    """Invented, used, expired, or given for an address that the account has no more."""

    code = "invalid_reset_token"

    def __init__(self) -> None:
        message = "This reset token is not valid, or no longer; start again at POST /api/v1/auth/password-reset/."
        super().__init__(message, errors={"reset_token": [message]})


@dataclass(kw_only=True, slots=True)
class PasswordReset(MailedCode):
    """``sealed_address`` is empty once it is known whose it is: ``account_id``, None for nobody's."""

    address_hash: str = field(repr=False)
    sealed_address: str = field(default="", repr=False)
    account_id: AccountId | None = None
    token_hash: str | None = field(default=None, repr=False)
    token_expires_at: datetime | None = None

    @classmethod
    def ask(cls, *, id: CodeId, address_hash: str, sealed_address: str, now: datetime) -> Self:
        """The first of an address."""
        reset = cls(id=id, address_hash=address_hash, sealed_address=sealed_address, requested_at=now)
        reset.events.append(PasswordResetRequested(occurred_at=now, reset_id=reset.id))
        return reset

    def ask_again(self, *, sealed_address: str, now: datetime) -> None:
        """Nothing happens within a minute of the last time, and nobody is told."""
        try:
            self.request(now=now)
        except CodeRequestedRecently:
            return
        self.sealed_address = sealed_address
        self.events.append(PasswordResetRequested(occurred_at=now, reset_id=self.id))

    def address_to(self, account_id: AccountId | None) -> None:
        """Whose the address is has been found out, None for nobody's: the address itself need not be known further."""
        self.account_id, self.sealed_address = account_id, ""

    def grant(self, token_hash: str, *, now: datetime) -> None:
        """Give a token, as a digest, for a code that was redeemed; an earlier one is worth nothing any more."""
        self.token_hash, self.token_expires_at = token_hash, now + TOKEN_LIFETIME

    def accepts(self, presented_hash: str, *, now: datetime) -> bool:
        """Whether this is the token that is good now."""
        if self.token_hash is None or self.token_expires_at is None or now >= self.token_expires_at:
            return False
        return hmac.compare_digest(self.token_hash, presented_hash)

    def void(self) -> None:
        """Neither its code nor its token is worth anything any more: the password has been set."""
        self.code_hash = self.expires_at = None
        self.token_hash = self.token_expires_at = None
