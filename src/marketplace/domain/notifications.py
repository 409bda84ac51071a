"""What members are told of, through which channel, and what of it nobody can switch off.

Necessary is what keeps an account safe (codes, changes of how to sign in), what the law or a contract makes us tell
(an order that binds, money that goes back, a decision on a shop), and whatever somebody has to act on at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar

from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import AccountId, NotificationId


class Channel(StrEnum):
    MAIL = "mail"
    IN_APP = "in_app"


class Rule(StrEnum):
    """Whether a kind goes through a channel."""

    ALWAYS = "always"
    """Necessary: its recipient cannot switch it off."""
    UNLESS_REFUSED = "unless_refused"
    IF_ASKED_FOR = "if_asked_for"
    NEVER = "never"
    """The channel is no place for it: a code, say, is for the mailbox alone."""


class Kind(StrEnum):
    """Stable codes: clients choose pictures and texts by them, and every letter is named after its kind."""

    EMAIL_VERIFICATION = "email_verification"
    PASSWORD_RESET = "password_reset"
    PASSWORD_CHANGED = "password_changed"
    SECOND_FACTOR_ENABLED = "second_factor_enabled"
    SECOND_FACTOR_REMOVED = "second_factor_removed"
    RECOVERY_CODES_RENEWED = "recovery_codes_renewed"
    ATTEMPTS_LOCKED = "attempts_locked"
    EMAIL_CHANGE_CODE = "email_change_code"
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    EMAIL_ALREADY_USED = "email_already_used"
    SELLER_APPROVED = "seller_approved"
    SELLER_REJECTED = "seller_rejected"
    SELLER_SUSPENDED = "seller_suspended"
    SELLER_REINSTATED = "seller_reinstated"
    SELLER_IDENTITY_VERIFIED = "seller_identity_verified"
    SELLER_IDENTITY_WITHDRAWN = "seller_identity_withdrawn"
    SELLER_ONBOARDED = "seller_onboarded"
    SELLER_RESTRICTED = "seller_restricted"
    SELLER_BANK_FAILED = "seller_bank_failed"
    ORDER_CONFIRMED = "order_confirmed"
    ORDER_CANCELLED = "order_cancelled"
    ORDER_PAYMENT_FAILED = "order_payment_failed"
    ORDER_EXPIRED = "order_expired"
    ORDER_ITEMS_MISSING = "order_items_missing"
    REFUND_DECIDED = "refund_decided"
    REFUND_FAILED = "refund_failed"
    ORDER_SHIPPED = "order_shipped"
    ORDER_SALE_CANCELLED = "order_sale_cancelled"
    SALE_MADE = "sale_made"
    SALE_ITEMS_MISSING = "sale_items_missing"
    SALE_REFUNDED = "sale_refunded"
    SALE_CANCELLED = "sale_cancelled"
    SALE_CANCELLATION_REQUESTED = "sale_cancellation_requested"
    SALE_DELIVERED = "sale_delivered"
    SALE_COMPLETED = "sale_completed"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_DECIDED = "dispute_decided"
    SALE_DISPUTED = "sale_disputed"
    SALE_DISPUTE_ENDED = "sale_dispute_ended"
    PAYOUT_SENT = "payout_sent"
    PAYOUT_HELD = "payout_held"
    PAYOUT_IMPOSSIBLE = "payout_impossible"
    PAYOUT_TAKEN_BACK = "payout_taken_back"
    NEWSLETTER = "newsletter"


_A, _U, _I, _N = Rule.ALWAYS, Rule.UNLESS_REFUSED, Rule.IF_ASKED_FOR, Rule.NEVER

# Of each kind: by mail, in the application.
_TABLE: Mapping[Kind, tuple[Rule, Rule]] = {
    Kind.EMAIL_VERIFICATION: (_A, _N),
    Kind.PASSWORD_RESET: (_A, _N),
    Kind.PASSWORD_CHANGED: (_A, _A),
    Kind.SECOND_FACTOR_ENABLED: (_A, _A),
    Kind.SECOND_FACTOR_REMOVED: (_A, _A),
    Kind.RECOVERY_CODES_RENEWED: (_A, _A),
    Kind.ATTEMPTS_LOCKED: (_A, _A),
    Kind.EMAIL_CHANGE_CODE: (_A, _N),
    Kind.EMAIL_CHANGE_REQUESTED: (_A, _A),
    Kind.EMAIL_ALREADY_USED: (_A, _N),
    Kind.SELLER_APPROVED: (_A, _A),
    Kind.SELLER_REJECTED: (_A, _A),
    Kind.SELLER_SUSPENDED: (_A, _A),
    Kind.SELLER_REINSTATED: (_A, _A),
    Kind.SELLER_IDENTITY_VERIFIED: (_A, _A),
    Kind.SELLER_IDENTITY_WITHDRAWN: (_A, _A),
    Kind.SELLER_ONBOARDED: (_A, _A),
    Kind.SELLER_RESTRICTED: (_A, _A),
    Kind.SELLER_BANK_FAILED: (_A, _A),
    Kind.ORDER_CONFIRMED: (_A, _A),
    Kind.ORDER_CANCELLED: (_U, _U),
    Kind.ORDER_PAYMENT_FAILED: (_U, _A),
    Kind.ORDER_EXPIRED: (_U, _U),
    Kind.ORDER_ITEMS_MISSING: (_A, _A),
    Kind.REFUND_DECIDED: (_A, _A),
    Kind.REFUND_FAILED: (_A, _A),
    Kind.ORDER_SHIPPED: (_U, _A),
    Kind.ORDER_SALE_CANCELLED: (_A, _A),
    Kind.SALE_MADE: (_U, _A),  # a busy shop looks into its sales; one letter a parcel is too much for it
    Kind.SALE_ITEMS_MISSING: (_A, _A),
    Kind.SALE_REFUNDED: (_A, _A),
    Kind.SALE_CANCELLED: (_A, _A),
    Kind.SALE_CANCELLATION_REQUESTED: (_A, _A),
    Kind.SALE_DELIVERED: (_U, _U),
    Kind.SALE_COMPLETED: (_U, _U),
    Kind.DISPUTE_OPENED: (_A, _A),
    Kind.DISPUTE_DECIDED: (_A, _A),
    Kind.SALE_DISPUTED: (_A, _A),
    Kind.SALE_DISPUTE_ENDED: (_A, _A),
    Kind.PAYOUT_SENT: (_U, _A),
    Kind.PAYOUT_HELD: (_A, _A),
    Kind.PAYOUT_IMPOSSIBLE: (_A, _A),
    Kind.PAYOUT_TAKEN_BACK: (_A, _A),
    Kind.NEWSLETTER: (_I, _N),
}

RULES: Mapping[Kind, Mapping[Channel, Rule]] = MappingProxyType(
    {
        kind: MappingProxyType({Channel.MAIL: by_mail, Channel.IN_APP: in_app})
        for kind, (by_mail, in_app) in _TABLE.items()
    }
)


class NecessaryNotification(Invalid):
    """Whoever has an account is told this."""

    code: ClassVar[str] = "necessary_notification"


@dataclass(frozen=True, kw_only=True, slots=True)
class Preference:
    """One switch: whether a kind comes through a channel, and whether its recipient has a say in that."""

    kind: Kind
    channel: Channel
    wanted: bool
    necessary: bool


@dataclass(kw_only=True, slots=True)
class Preferences:
    """What a member has chosen; of all else the rule of the kind decides.

    The newsletter's switch is the subscription that the account itself keeps: ``choose`` refuses nothing about it, and
    whoever stores a choice of it stores it there.
    """

    chosen: dict[tuple[Kind, Channel], bool] = field(default_factory=dict)

    def wants(self, kind: Kind, channel: Channel) -> bool:
        rule = RULES[kind][channel]
        if not may_be_refused(kind, channel):
            return rule is Rule.ALWAYS
        return self.chosen.get((kind, channel), rule is Rule.UNLESS_REFUSED)

    def choose(self, kind: Kind, channel: Channel, wanted: bool) -> None:
        """Raises NecessaryNotification on switching off what is necessary, Invalid where there is no such switch."""
        rule = RULES[kind][channel]
        if rule is Rule.NEVER:
            message = f"{kind} never comes by {channel}: there is nothing to choose."
            raise Invalid(message, errors={"preferences": [message]})
        if rule is Rule.ALWAYS:
            if not wanted:
                message = f"{kind} is necessary and cannot be switched off for {channel}."
                raise NecessaryNotification(message, errors={"preferences": [message]})
            return
        self.chosen[kind, channel] = wanted

    def all(self) -> list[Preference]:
        """Every switch that there is, in the order of the table."""
        return [
            Preference(kind=kind, channel=channel, wanted=self.wants(kind, channel), necessary=rule is Rule.ALWAYS)
            for kind, rules in RULES.items()
            for channel, rule in rules.items()
            if rule is not Rule.NEVER
        ]


def may_be_refused(kind: Kind, channel: Channel) -> bool:
    """Whether its recipient can end it."""
    return RULES[kind][channel] in (Rule.UNLESS_REFUSED, Rule.IF_ASKED_FOR)


@dataclass(frozen=True, kw_only=True, slots=True)
class Notification:
    """What one member is told in the application, in their language at that time.

    ``occasion`` names what happened: a member is told of it once. ``link`` is what it is about, as a path of the REST
    API without its prefix, or empty. Nothing secret belongs here.
    """

    id: NotificationId
    account_id: AccountId
    kind: Kind
    occasion: str
    title: str
    body: str
    link: str
    created_at: datetime
