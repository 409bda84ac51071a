"""What members are told of, through which channel, and what of it nobody can switch off.

Necessary is what keeps an account safe (codes, changes of how to sign in), what the law or a contract makes us tell
(an order that binds, money that goes back, a decision on a shop), and whatever somebody has to act on at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


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
    EMAIL_CHANGE_CODE = "email_change_code"
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    EMAIL_ALREADY_USED = "email_already_used"
    SELLER_APPROVED = "seller_approved"
    SELLER_REJECTED = "seller_rejected"
    SELLER_SUSPENDED = "seller_suspended"
    ORDER_CONFIRMED = "order_confirmed"
    ORDER_CANCELLED = "order_cancelled"
    ORDER_PAYMENT_FAILED = "order_payment_failed"
    ORDER_EXPIRED = "order_expired"
    ORDER_ITEMS_MISSING = "order_items_missing"
    REFUND_DECIDED = "refund_decided"
    REFUND_FAILED = "refund_failed"
    SALE_MADE = "sale_made"
    SALE_ITEMS_MISSING = "sale_items_missing"
    SALE_REFUNDED = "sale_refunded"
    NEWSLETTER = "newsletter"


_A, _U, _I, _N = Rule.ALWAYS, Rule.UNLESS_REFUSED, Rule.IF_ASKED_FOR, Rule.NEVER

# Of each kind: by mail, in the application.
_TABLE: Mapping[Kind, tuple[Rule, Rule]] = {
    Kind.EMAIL_VERIFICATION: (_A, _N),
    Kind.EMAIL_CHANGE_CODE: (_A, _N),
    Kind.EMAIL_CHANGE_REQUESTED: (_A, _A),
    Kind.EMAIL_ALREADY_USED: (_A, _N),
    Kind.SELLER_APPROVED: (_A, _A),
    Kind.SELLER_REJECTED: (_A, _A),
    Kind.SELLER_SUSPENDED: (_A, _A),
    Kind.ORDER_CONFIRMED: (_A, _A),
    Kind.ORDER_CANCELLED: (_U, _U),
    Kind.ORDER_PAYMENT_FAILED: (_U, _A),
    Kind.ORDER_EXPIRED: (_U, _U),
    Kind.ORDER_ITEMS_MISSING: (_A, _A),
    Kind.REFUND_DECIDED: (_A, _A),
    Kind.REFUND_FAILED: (_A, _A),
    Kind.SALE_MADE: (_U, _A),  # a busy shop looks into its sales; one letter a parcel is too much for it
    Kind.SALE_ITEMS_MISSING: (_A, _A),
    Kind.SALE_REFUNDED: (_A, _A),
    Kind.NEWSLETTER: (_I, _N),
}

RULES: Mapping[Kind, Mapping[Channel, Rule]] = MappingProxyType(
    {
        kind: MappingProxyType({Channel.MAIL: by_mail, Channel.IN_APP: in_app})
        for kind, (by_mail, in_app) in _TABLE.items()
    }
)
