"""What the provider's events are about, by their type: whoever follows that reads it again."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from marketplace.application.ports.payment_gateway import ProviderEvent


class Topic(Enum):
    """``ACCOUNT`` is a seller's; the others happen at our own."""

    PAYMENT = "payment"
    CHARGE_REFUND = "refunds of a charge"
    REFUND = "refund"
    CHARGEBACK = "chargeback"
    FRAUD_WARNING = "fraud warning"
    TRANSFER = "transfer"
    PLATFORM_PAYOUT = "payout"
    ACCOUNT = "account"
    CARD = "saved card"


PAYMENT_EVENTS = frozenset(
    [
        "charge.failed",
        "charge.succeeded",
        "charge.updated",
        "payment_intent.canceled",
        "payment_intent.created",
        "payment_intent.payment_failed",
        "payment_intent.processing",
        "payment_intent.requires_action",
        "payment_intent.succeeded",
    ]
)
REFUND_EVENTS = frozenset(["refund.created", "refund.failed", "refund.updated"])
CHARGEBACK_EVENTS = frozenset(
    [
        "charge.dispute.closed",
        "charge.dispute.created",
        "charge.dispute.funds_reinstated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
    ]
)
TRANSFER_EVENTS = frozenset(["transfer.created", "transfer.reversed", "transfer.updated"])
PAYOUT_EVENTS = frozenset(
    [
        "payout.canceled",
        "payout.created",
        "payout.failed",
        "payout.paid",
        "payout.reconciliation_completed",
        "payout.updated",
    ]
)
ACCOUNT_EVENTS = frozenset(
    [
        "account.application.deauthorized",
        "account.external_account.deleted",
        "account.updated",
        "capability.updated",
        "v2.core.account.closed",
        "v2.core.account[configuration.recipient].capability_status_updated",
        "v2.core.account[requirements].updated",
    ]
)
CARD_EVENTS = frozenset(
    [
        "customer.deleted",
        "payment_method.attached",
        "payment_method.automatically_updated",
        "payment_method.detached",
        "payment_method.updated",
        "setup_intent.canceled",
        "setup_intent.setup_failed",
        "setup_intent.succeeded",
    ]
)

_TOPICS: Mapping[str, Topic] = {
    **dict.fromkeys(PAYMENT_EVENTS, Topic.PAYMENT),
    "charge.refunded": Topic.CHARGE_REFUND,
    **dict.fromkeys(REFUND_EVENTS, Topic.REFUND),
    **dict.fromkeys(CHARGEBACK_EVENTS, Topic.CHARGEBACK),
    "radar.early_fraud_warning.created": Topic.FRAUD_WARNING,
    **dict.fromkeys(TRANSFER_EVENTS, Topic.TRANSFER),
    **dict.fromkeys(PAYOUT_EVENTS, Topic.PLATFORM_PAYOUT),
    **dict.fromkeys(ACCOUNT_EVENTS, Topic.ACCOUNT),
    **dict.fromkeys(CARD_EVENTS, Topic.CARD),
}


def topic_of(event: ProviderEvent) -> Topic | None:
    """None for what nobody follows: other types, and what a seller does at an account of their own."""
    topic = _TOPICS.get(event.type)
    if topic is Topic.ACCOUNT or event.account is None:
        return topic
    # Sellers' payouts to their bank move nothing of ours, but tell whether their account still works. Payments that a
    # seller takes elsewhere with the same account are none of our business.
    return Topic.ACCOUNT if topic is Topic.PLATFORM_PAYOUT else None
