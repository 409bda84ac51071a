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


@dataclass(frozen=True, kw_only=True, slots=True)
class PasswordResetRequested(Event):
    """Somebody says that they forgot the password of an address, which may be nobody's; a code is made in any case."""

    reset_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PasswordChanged(Event):
    """Its owner is told, so that they know of it if it was somebody else. ``by_reset``: by a code from the mailbox."""

    account_id: int
    by_reset: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class EmailChangeRequested(Event):
    """A code has to be mailed to the new address, and the old one told; neither address is in any event."""

    account_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class EmailChanged(Event):
    account_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountErased(Event):
    """Its owner has left for good; whatever was on its way to them, or from them, is to be forgotten too."""

    account_id: int
