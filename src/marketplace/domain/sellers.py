"""Seller profiles: who may sell, and what is missing to whoever may not yet.

    none ──> pending ──> approved <──> suspended
                └──────> rejected

Selling needs four things at once: a verified e-mail address, an admin's approval, a verified identity and finished
onboarding at the payment provider. A holiday, or the loss of one of the four, pauses every listing of the seller until
it is over; the listings themselves are not touched. A holiday begins and ends by the clock: nothing has to happen then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.errors import Conflict, IllegalTransition, Invalid
from marketplace.domain.shared.events import Event
from marketplace.domain.shared.ids import AccountId
from marketplace.domain.shared.text import checked_text, text_key

MAX_SHOP_NAME = 80
MAX_DESCRIPTION = 2_000
MAX_REASON = 500
MAX_HOLIDAY = timedelta(days=366)
"""Longer than that and a shop is closed rather than on holiday."""


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


class SellerExists(Conflict):
    """The account has applied already."""

    code = "seller_exists"


def shop_name_key(name: str) -> str:
    """The form in which two shop names are the same, whatever their case, Unicode form and spacing."""
    return text_key(name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Holiday:
    """From the first instant on, until the second, which is on sale again. Raises Invalid unless it has a length."""

    begins_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        if self.ends_at <= self.begins_at:
            raise _refused("holiday_until", "A holiday ends after it has begun: give an instant after holiday_from.")
        if self.ends_at - self.begins_at > MAX_HOLIDAY:
            raise _refused("holiday_until", f"A holiday lasts at most {MAX_HOLIDAY.days} days.")

    def covers(self, now: datetime) -> bool:
        return self.begins_at <= now < self.ends_at


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


@dataclass(frozen=True, kw_only=True, slots=True)
class SellerReinstated(Event):
    account_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SellerIdentityChecked(Event):
    """An admin has found the seller's identity to be right, or (not ``verified``) no longer to be."""

    account_id: int
    verified: bool
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SellerOnboarded(Event):
    """The payment provider is ready to pay the seller."""

    account_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SellerRestricted(Event):
    """The payment provider no longer pays the seller."""

    account_id: int


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
    holiday: Holiday | None = None
    rating: Decimal | None = None

    @classmethod
    def of(
        cls, account_id: AccountId, *, shop_name: str, now: datetime, email_verified: bool, description: str = ""
    ) -> Self:
        """A profile that has asked for nothing yet. Raises Invalid on an empty, long or unprintable name."""
        return cls(
            account_id=account_id,
            shop_name=_shop_name(shop_name),
            description=_description(description),
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
    def shop_name_key(self) -> str:
        return shop_name_key(self.shop_name)

    def standing(self) -> dict[str, Any]:
        """What of a seller the audit trail tells, before and after a decision."""
        return {
            "status": self.status.value,
            "kyc_verified": self.kyc_verified,
            "payouts_ready": self.payouts_ready,
            "may_sell": self.may_sell,
        }

    def is_on_holiday(self, now: datetime) -> bool:
        return self.holiday is not None and self.holiday.covers(now)

    def is_selling(self, now: datetime) -> bool:
        """Whether the public sees this seller's listings and can buy from them at that instant."""
        return self.may_sell and not self.is_on_holiday(now)

    def apply(self, *, now: datetime) -> None:
        self._move(SellerStatus.PENDING)
        self.events.append(SellerApplied(occurred_at=now, account_id=self.account_id))

    def approve(self, *, now: datetime) -> None:
        """From pending. Raises IllegalTransition."""
        if self.status is not SellerStatus.PENDING:
            raise self._no_way_to(SellerStatus.APPROVED)
        self._move(SellerStatus.APPROVED)
        self.events.append(SellerApproved(occurred_at=now, account_id=self.account_id))

    def reject(self, reason: str, *, now: datetime) -> None:
        reason = checked_reason(reason)
        self._move(SellerStatus.REJECTED, reason)
        self.events.append(SellerRejected(occurred_at=now, account_id=self.account_id, reason=reason))

    def suspend(self, reason: str, *, now: datetime) -> None:
        reason = checked_reason(reason)
        self._move(SellerStatus.SUSPENDED, reason)
        self.events.append(SellerSuspended(occurred_at=now, account_id=self.account_id, reason=reason))

    def reinstate(self, *, now: datetime) -> None:
        """Back from a suspension. Raises IllegalTransition."""
        if self.status is not SellerStatus.SUSPENDED:
            raise self._no_way_to(SellerStatus.APPROVED)
        self._move(SellerStatus.APPROVED)
        self.events.append(SellerReinstated(occurred_at=now, account_id=self.account_id))

    def change(self, changes: Mapping[str, Any]) -> None:
        """Set what its owner may set: ``shop_name``, ``description``, ``holiday`` (None ends it). Raises Invalid."""
        for name, value in changes.items():
            match name:
                case "shop_name":
                    self.shop_name = _shop_name(value)
                case "description":
                    self.description = _description(value)
                case "holiday":
                    self.set_holiday(value)
                case _:
                    raise _refused(name, "It cannot be changed here.")

    def follow_email(self, verified: bool) -> None:
        """What is so of the account's address now; a new one is not verified yet."""
        self.email_verified = verified

    def confirm_identity(self, *, now: datetime) -> None:
        """Repeating it changes nothing."""
        if not self.kyc_verified:
            self.kyc_verified = True
            self.events.append(SellerIdentityChecked(occurred_at=now, account_id=self.account_id, verified=True))

    def withdraw_identity(self, reason: str, *, now: datetime) -> None:
        """The check of the identity counts no longer. Repeating it changes nothing."""
        reason = checked_reason(reason)
        if self.kyc_verified:
            self.kyc_verified = False
            self.events.append(
                SellerIdentityChecked(occurred_at=now, account_id=self.account_id, verified=False, reason=reason)
            )

    def set_payouts_ready(self, ready: bool, *, now: datetime) -> None:
        """What the payment provider says of this seller's account; it may be taken back. Repeating it tells nobody."""
        if ready != self.payouts_ready:
            self.payouts_ready = ready
            news = SellerOnboarded if ready else SellerRestricted
            self.events.append(news(occurred_at=now, account_id=self.account_id))

    def vouch(self) -> None:
        """Identity and payouts count as done on somebody's word: nothing was checked, so nobody is told of it."""
        self.kyc_verified = self.payouts_ready = True

    def set_holiday(self, holiday: Holiday | None) -> None:
        self.holiday = holiday

    def close(self, name: str) -> None:
        """The shop of somebody who left for good: nothing was applied for, and nobody is told who it was."""
        self.shop_name, self.description, self.rating = name, "", None
        self.status, self.status_reason = SellerStatus.NONE, ""
        self.email_verified = self.kyc_verified = self.payouts_ready = False
        self.holiday = None

    def _move(self, to: SellerStatus, reason: str = "") -> None:
        if to not in _MOVES[self.status]:
            raise self._no_way_to(to)
        self.status = to
        self.status_reason = reason

    def _no_way_to(self, to: SellerStatus) -> IllegalTransition:
        return IllegalTransition(
            f"Seller {self.account_id} is {self.status} and cannot become {to} this way.",
            current_status=str(self.status),
        )


def checked_reason(text: str) -> str:
    """Raises Invalid on an empty, long or unprintable one."""
    return checked_text(text, field="reason", minimum=1, maximum=MAX_REASON, lines=True)


def _shop_name(text: str) -> str:
    return " ".join(checked_text(text, field="shop_name", minimum=1, maximum=MAX_SHOP_NAME).split())


def _description(text: str) -> str:
    return checked_text(text, field="description", maximum=MAX_DESCRIPTION, lines=True)


def _refused(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", errors={field: [message]})
