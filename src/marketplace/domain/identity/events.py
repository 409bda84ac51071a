"""What happens to accounts that others react to."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.domain.shared.events import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class EmailVerificationRequested(Event):
    """A code has to be made and mailed; it is in no event."""

    account_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class VendorRegistered(Event):
    """A new account wants to sell. ``shop_name`` is a first proposal: nobody was asked for one."""

    account_id: int
    shop_name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class EmailVerified(Event):
    account_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountSuspended(Event):
    account_id: int
