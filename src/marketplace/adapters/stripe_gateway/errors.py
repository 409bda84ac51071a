"""What Stripe's errors mean to the marketplace.

Retryable or not is decided by this table, not by the class of an exception. The codes are an open set: one that the
table does not know is a refusal for good, which an operator looks at. Whatever is no clear answer is OutcomeUnknown.
Messages are cleaned of keys and e-mail addresses. The exception itself holds the whole answer and is not handed on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

from marketplace.application.ports.payment_gateway import (
    ActionRequired,
    AlreadyInState,
    InProgress,
    InvalidRequest,
    KeyReused,
    Misconfigured,
    OutcomeUnknown,
    PaymentDeclined,
    ProviderFailed,
    ProviderObjectUnknown,
    RateLimited,
    RefundNotPossible,
    UnknownPaymentMethod,
)
from marketplace.application.ports.transfers import InsufficientBalance, SellerNotPayable
from marketplace.domain.payments.payment import neutral_decline
from marketplace.domain.shared.errors import MarketplaceError

_SECRETS = re.compile(r"\b(?:sk|rk|pk|whsec|ek)_[\w*]+|_secret_\w+")
_ADDRESSES = re.compile(r"[^\s'\"<>]+@[^\s'\"<>]+")
_LONGEST = 300
_DECLINE = re.compile(r"[a-z0-9_]{1,64}")

_KEY_CODES = frozenset(
    [
        "api_key_expired",
        "livemode_mismatch",
        "more_permissions_required",
        "platform_api_key_expired",
        "secret_key_required",
        "testmode_charges_only",
    ]
)
_BALANCE_CODES = frozenset(["balance_insufficient", "insufficient_funds"])
_SELLER_CODES = frozenset(
    [
        "account_closed",
        "account_invalid",
        "capability_not_active",
        "insufficient_capabilities_for_transfer",
        "transfers_not_allowed",
    ]
)
_STATE_CODES = frozenset(
    ["charge_already_refunded", "payment_intent_unexpected_state", "setup_intent_unexpected_state"]
)
_REFUND_CODES = frozenset(["charge_disputed", "charge_not_refundable", "refund_disputed_payment"])


class Subject(Enum):
    """What a call is about, where the same answer means different things."""

    OURS = "ours"
    SELLER = "seller"
    """A seller is to receive or to give back: what they cannot do is theirs."""
    ACCOUNT = "account"
    """A seller's account is read: one that is out of our reach is gone."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an error of the SDK says. ``status`` is None without an answer; ``says`` is fit for a log."""

    kind: str
    status: int | None
    type: str
    code: str
    decline_code: str
    param: str
    says: str
    is_readable: bool
    """Whether the answer was Stripe's: a proxy in between has pages of its own, which decide nothing."""


def refusal_of(error: Exception) -> Refusal:
    """For 403, 409, 429 and 5xx the SDK leaves ``code`` empty: it is read from the body."""
    body = getattr(error, "json_body", None)
    told = body.get("error") if isinstance(body, dict) else None
    facts: dict[str, Any] = told if isinstance(told, dict) else {}
    status = getattr(error, "http_status", None)
    request_id = getattr(error, "request_id", None)
    kind = type(error).__name__
    # Without an error in it, the message may quote the whole answer.
    message = _text(facts.get("message")) or kind
    code = _text(facts.get("code"))
    details = ", ".join(str(part) for part in (status, code, request_id) if part)
    return Refusal(
        kind=kind,
        status=status,
        type=_text(facts.get("type")),
        code=code,
        decline_code=_text(facts.get("decline_code")),
        param=_text(facts.get("param")),
        says=_ADDRESSES.sub("[address]", _SECRETS.sub("[secret]", message))[:_LONGEST]
        + (f" ({details})" if details else ""),
        is_readable=bool(facts),
    )


def port_error(error: Exception, *, what: str, subject: Subject = Subject.OURS) -> MarketplaceError:
    """The error to raise for one that the SDK raised. ``what`` was tried: "create a payment"."""
    if not is_from_stripe(error):
        return OutcomeUnknown(f"The answer of the payment provider could not be read ({type(error).__name__}): {what}.")
    refusal = refusal_of(error)
    message = f"The payment provider refused to {what}: {refusal.says}"
    if refusal.status == 402 and refusal.is_readable:
        return _card_error(refusal)
    if refusal.status == 401 or refusal.code in _KEY_CODES:
        return Misconfigured(
            f"The payment provider does not accept our key ({refusal.code or refusal.status}): {what}."
        )
    if refusal.status == 409:
        return InProgress(message)
    if refusal.status == 429 or refusal.kind == "RateLimitError":
        return RateLimited(message)
    if refusal.type == "idempotency_error":
        return KeyReused(message)
    if refusal.status == 403 and refusal.is_readable:
        return _forbidden(refusal, message, subject)
    if refusal.status in (400, 404) and refusal.is_readable:
        return _refused(refusal, message, subject)
    answer = f"The payment provider gave no usable answer: {what}: {refusal.says}."
    # A failure of Stripe's own, which is kept under the key. A proxy in between may give up while Stripe goes on.
    is_kept = refusal.status is not None and refusal.status >= 500 and refusal.is_readable
    return ProviderFailed(answer) if is_kept else OutcomeUnknown(answer)


def neutral_code(error: Any) -> str:
    """The decline code of a payment's last error that a buyer may see, empty for none."""
    if not isinstance(error, dict):
        return ""
    code = neutral_decline(_text(error.get("decline_code")) or _text(error.get("code")))
    return code if _DECLINE.fullmatch(code) and code != "card_declined" else "generic_decline"


def _card_error(refusal: Refusal) -> MarketplaceError:
    if "authentication_required" in (refusal.code, refusal.decline_code):
        return ActionRequired("The bank wants to see the buyer, and there is no address to return to.")
    code = neutral_code({"code": refusal.code, "decline_code": refusal.decline_code})
    return PaymentDeclined("The payment was declined; try another card.", decline_code=code)


def _forbidden(refusal: Refusal, message: str, subject: Subject) -> MarketplaceError:
    if subject is Subject.SELLER:
        return SellerNotPayable(message)
    # A key that may not read accounts must not look as if every seller had left us.
    if subject is Subject.ACCOUNT and refusal.code in _SELLER_CODES:
        return ProviderObjectUnknown(message)
    return Misconfigured(message)


def _refused(refusal: Refusal, message: str, subject: Subject) -> MarketplaceError:
    code = refusal.code
    if code == "resource_missing":
        return _missing(refusal, message, subject)
    if code in _SELLER_CODES:
        return ProviderObjectUnknown(message) if subject is Subject.ACCOUNT else SellerNotPayable(message)
    if code in _BALANCE_CODES or refusal.type == "insufficient_funds":
        return InsufficientBalance(message)
    if code in _STATE_CODES:
        return AlreadyInState(message)
    if code in _REFUND_CODES:
        return RefundNotPossible(message)
    if refusal.status == 404:
        return ProviderObjectUnknown(message)
    return InvalidRequest(message)


def _missing(refusal: Refusal, message: str, subject: Subject) -> MarketplaceError:
    if refusal.param == "payment_method":
        return UnknownPaymentMethod(message, errors={"payment_method": ["The provider does not know it."]})
    if refusal.param == "destination" and subject is Subject.SELLER:
        return SellerNotPayable(message)
    return ProviderObjectUnknown(message)


def is_from_stripe(error: Exception) -> bool:
    """Whether the SDK raised it on purpose. Anything else that it raises says nothing about what Stripe did."""
    from stripe import StripeError

    return isinstance(error, StripeError)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
