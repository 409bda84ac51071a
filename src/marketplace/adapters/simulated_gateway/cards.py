"""The provider's test payment methods, by name, and what becomes of a payment with each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    SUCCEEDS = "succeeds"
    DECLINED = "declined"
    ASKS_THE_BUYER = "asks the buyer"


@dataclass(frozen=True, slots=True)
class Card:
    """``code`` and ``decline_code`` of a refusal. ``refund_becomes``: what a refund turns into a while later.

    ``disputed_as``: why the bank takes the money back a while later; with ``is_inquiry`` it only asks.
    """

    outcome: Outcome
    code: str = "card_declined"
    decline_code: str = ""
    refund_starts: str = "succeeded"
    refund_becomes: str = ""
    disputed_as: str = ""
    is_inquiry: bool = False
    is_available_at_once: bool = False
    is_saved_although_declined: bool = False

    @property
    def can_be_saved(self) -> bool:
        return self.outcome is not Outcome.DECLINED or self.is_saved_although_declined


_GOOD = [
    "amex",
    "br",
    "cartesBancaires",
    "debit",
    "diners",
    "discover",
    "fr",
    "jcb",
    "mastercard",
    "mastercard_debit",
    "mastercard_prepaid",
    "unionpay",
    "us",
    "visa",
    "visa_debit",
]
_DECLINED = {
    "chargeCustomerFail": Card(Outcome.DECLINED, decline_code="generic_decline", is_saved_although_declined=True),
    "chargeDeclined": Card(Outcome.DECLINED, decline_code="generic_decline"),
    "chargeDeclinedExpiredCard": Card(Outcome.DECLINED, code="expired_card", decline_code="expired_card"),
    "chargeDeclinedFraudulent": Card(Outcome.DECLINED, decline_code="fraudulent"),
    "chargeDeclinedIncorrectCvc": Card(Outcome.DECLINED, code="incorrect_cvc", decline_code="incorrect_cvc"),
    "chargeDeclinedInsufficientFunds": Card(Outcome.DECLINED, decline_code="insufficient_funds"),
    "chargeDeclinedLostCard": Card(Outcome.DECLINED, decline_code="lost_card"),
    "chargeDeclinedProcessingError": Card(Outcome.DECLINED, code="processing_error", decline_code="processing_error"),
    "chargeDeclinedStolenCard": Card(Outcome.DECLINED, decline_code="stolen_card"),
    "chargeDeclinedVelocityLimitExceeded": Card(Outcome.DECLINED, decline_code="card_velocity_exceeded"),
    "radarBlock": Card(Outcome.DECLINED, decline_code="fraudulent"),
}
_ASKING = ["authenticationRequired", "threeDSecure2Required", "threeDSecureRequired"]

CARDS: dict[str, Card] = {
    **{f"pm_card_{name}": Card(Outcome.SUCCEEDS) for name in _GOOD},
    **{f"pm_card_{brand}{name}": card for name, card in _DECLINED.items() for brand in ("", "visa_")},
    **{f"pm_card_{name}": Card(Outcome.ASKS_THE_BUYER) for name in _ASKING},
    "pm_card_pendingRefund": Card(Outcome.SUCCEEDS, refund_starts="pending", refund_becomes="succeeded"),
    "pm_card_refundFail": Card(Outcome.SUCCEEDS, refund_becomes="failed"),
    "pm_card_bypassPending": Card(Outcome.SUCCEEDS, is_available_at_once=True),
    "pm_card_createDispute": Card(Outcome.SUCCEEDS, disputed_as="fraudulent"),
    "pm_card_createDisputeInquiry": Card(Outcome.SUCCEEDS, disputed_as="fraudulent", is_inquiry=True),
    "pm_card_createDisputeProductNotReceived": Card(Outcome.SUCCEEDS, disputed_as="product_not_received"),
}

_BRANDS = {
    "amex": ("amex", "8431"),
    "cartesBancaires": ("cartes_bancaires", "1001"),
    "diners": ("diners", "0005"),
    "discover": ("discover", "9424"),
    "jcb": ("jcb", "0505"),
    "mastercard": ("mastercard", "4444"),
    "unionpay": ("unionpay", "0005"),
}


def brand_of(name: str) -> tuple[str, str]:
    """The brand and the last four digits of a test card."""
    named = name.removeprefix("pm_card_")
    return next((facts for start, facts in _BRANDS.items() if named.startswith(start)), ("visa", "4242"))
