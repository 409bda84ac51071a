"""Seller profiles: who may sell, and what is missing to whoever may not yet.

    none ──> pending ──> approved <──> suspended
                └──────> rejected

Selling needs four things at once: a verified e-mail address, an admin's approval, a verified identity and finished
onboarding at the payment provider. A holiday, or the loss of one of the four, pauses every listing of the seller until
it is over; the listings themselves are not touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Self

from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.errors import Conflict, IllegalTransition
from marketplace.domain.shared.events import Event
from marketplace.domain.shared.ids import AccountId
from marketplace.domain.shared.text import checked_text

MAX_SHOP_NAME = 80
MAX_DESCRIPTION = 2_000
MAX_REASON = 500


class SellerStatus(StrEnum):
    NONE = "none"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUSPENDED = "suspended"


_MOVES: Mapping[SellerStatus, frozenset[SellerStatus]] = {
    SellerStatus.NONE: frozenset({SellerStatus.PENDING}),
    SellerStatus.PENDING: frozenset({SellerStatus.APPROVED, SellerStatus.REJECTED}),
    SellerStatus.APPROVED: frozenset({SellerStatus.SUSPENDED}),
    SellerStatus.REJECTED: frozenset(),
    SellerStatus.SUSPENDED: frozenset({SellerStatus.APPROVED}),
}


class SellingStep(StrEnum):
    """One of the four things that selling needs, in the order in which a seller meets them."""

    VERIFIED_EMAIL = "verified_email"
    APPROVAL = "approval"
    IDENTITY = "identity"
    ONBOARDING = "onboarding"


class ShopNameTaken(Conflict):
    code = "shop_name_taken"


@dataclass(frozen=True, kw_only=True, slots=True)
class SellerApplied(Event):
    account_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SellerApproved(Event):
    account_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SellerRejected(Event):
    account_id: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SellerSuspended(Event):
    account_id: int
    reason: str


def missing_steps(
    *, email_verified: bool, approved: bool, kyc_verified: bool, payouts_ready: bool
) -> tuple[SellingStep, ...]:
    """What of the four is not there, in order."""
    done = {
        SellingStep.VERIFIED_EMAIL: email_verified,
        SellingStep.APPROVAL: approved,
        SellingStep.IDENTITY: kyc_verified,
        SellingStep.ONBOARDING: payouts_ready,
    }
    return tuple(step for step in SellingStep if not done[step])


@dataclass(kw_only=True, slots=True)
class SellerProfile(Aggregate):
    """What an account is as a seller. ``status_reason`` explains a rejection or a suspension, empty otherwise."""

    account_id: AccountId
    shop_name: str
    description: str
    created_at: datetime
    status: SellerStatus = SellerStatus.NONE
    status_reason: str = ""
    email_verified: bool = False
    kyc_verified: bool = False
    payouts_ready: bool = False
    holiday: bool = False
    rating: Decimal | None = None

    @classmethod
    def of(
        cls, account_id: AccountId, *, shop_name: str, now: datetime, email_verified: bool, description: str = ""
    ) -> Self:
        """A profile that has asked for nothing yet. Raises Invalid on an empty, long or unprintable name."""
        return cls(
            account_id=account_id,
            shop_name=checked_text(shop_name, field="shop_name", minimum=1, maximum=MAX_SHOP_NAME),
            description=checked_text(description, field="description", maximum=MAX_DESCRIPTION, lines=True),
            email_verified=email_verified,
            created_at=now,
        )

    @property
    def missing(self) -> tuple[SellingStep, ...]:
        """The checklist: what this seller lacks of the four."""
        return missing_steps(
            email_verified=self.email_verified,
            approved=self.status is SellerStatus.APPROVED,
            kyc_verified=self.kyc_verified,
            payouts_ready=self.payouts_ready,
        )

    @property
    def may_sell(self) -> bool:
        """Whether all four are there; a seller on holiday may still prepare listings."""
        return not self.missing

    @property
    def is_selling(self) -> bool:
        """Whether the public sees this seller's listings and can buy from them now."""
        return self.may_sell and not self.holiday

    def apply(self, *, now: datetime) -> None:
        self._move(SellerStatus.PENDING)
        self.events.append(SellerApplied(occurred_at=now, account_id=self.account_id))

    def approve(self, *, now: datetime) -> None:
        """From pending, or back from a suspension."""
        self._move(SellerStatus.APPROVED)
        self.events.append(SellerApproved(occurred_at=now, account_id=self.account_id))

    def reject(self, reason: str, *, now: datetime) -> None:
        reason = _reason(reason)
        self._move(SellerStatus.REJECTED, reason)
        self.events.append(SellerRejected(occurred_at=now, account_id=self.account_id, reason=reason))

    def suspend(self, reason: str, *, now: datetime) -> None:
        reason = _reason(reason)
        self._move(SellerStatus.SUSPENDED, reason)
        self.events.append(SellerSuspended(occurred_at=now, account_id=self.account_id, reason=reason))

    def confirm_email(self) -> None:
        self.email_verified = True

    def confirm_identity(self) -> None:
        self.kyc_verified = True

    def set_payouts_ready(self, ready: bool) -> None:
        """What the payment provider says of this seller's account; it may be taken back."""
        self.payouts_ready = ready

    def set_holiday(self, holiday: bool) -> None:
        self.holiday = holiday

    def _move(self, to: SellerStatus, reason: str = "") -> None:
        if to not in _MOVES[self.status]:
            raise IllegalTransition(
                f"Seller {self.account_id} is {self.status} and cannot become {to}.", current_status=str(self.status)
            )
        self.status = to
        self.status_reason = reason


def _reason(text: str) -> str:
    return checked_text(text, field="reason", minimum=1, maximum=MAX_REASON)
