"""The simulated provider's objects and events, in the shapes of the real one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from marketplace.application.ports.payment_gateway import (
    BalanceTransaction,
    NextAction,
    PaymentRequest,
    ProviderPayment,
    ProviderRefund,
)
from marketplace.domain.payments.payment import PaymentStatus, neutral_decline
from marketplace.domain.payments.refund import RefundStatus
from marketplace.domain.shared.ids import OrderId, RefundId
from marketplace.domain.shared.money import Money, percent_of

API_VERSION = "2026-10-28.endive"
FEE_RATE = Decimal("0.015")
FEE_FIXED = 25
"""Minor units, whatever the currency."""
AVAILABLE_AFTER = timedelta(days=2)

Object = dict[str, Any]


def fee_of(amount: int) -> int:
    """What the provider keeps of a charge: 1.5 %, rounded half up, and 0.25."""
    return percent_of(amount, FEE_RATE) + FEE_FIXED


def new_intent(request: PaymentRequest, *, id: str, client_secret: str, now: datetime) -> Object:
    return {
        "id": id,
        "object": "payment_intent",
        "amount": request.amount.amount,
        "amount_received": 0,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": client_secret,
        "confirmation_method": "automatic",
        "created": _seconds(now),
        "currency": request.amount.currency.lower(),
        "customer": request.customer_id,
        "description": request.description,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {"order_id": str(request.order_id), "payment_id": str(request.payment_id)},
        "next_action": None,
        "payment_method": None,
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
        "transfer_group": f"order_{request.order_id}",
    }


def new_charge(intent: Object, *, id: str, payment_method: str, card: str, now: datetime) -> Object:
    """``card`` is the test card that the payment method is."""
    return {
        "id": id,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"],
        "amount_refunded": 0,
        "balance_transaction": None,
        "captured": True,
        "created": _seconds(now),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": intent["metadata"],
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method": payment_method,
        "refunded": False,
        "simulated_card": card,
        "status": "succeeded",
        "transfer_group": intent["transfer_group"],
    }


def new_refund(
    charge: Object, *, id: str, amount: int, reason: str, metadata: Mapping[str, str], status: str, now: datetime
) -> Object:
    return {
        "id": id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": _seconds(now),
        "currency": charge["currency"],
        "failure_reason": None,
        "metadata": dict(metadata),
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": status,
    }


def new_balance_transaction(
    *,
    id: str,
    type: str,
    category: str,
    source: str,
    amount: int,
    fee: int,
    currency: str,
    available_on: int,
    now: datetime,
) -> Object:
    return {
        "id": id,
        "object": "balance_transaction",
        "amount": amount,
        "available_on": available_on,
        "created": _seconds(now),
        "currency": currency,
        "fee": fee,
        "net": amount - fee,
        "reporting_category": category,
        "source": source,
        "type": type,
    }


def new_event(*, id: str, type: str, about: Object, account: str | None, key: str | None, now: datetime) -> Object:
    event = {
        "id": id,
        "object": "event",
        "api_version": API_VERSION,
        "created": _seconds(now),
        "data": {"object": about},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": key},
        "type": type,
    }
    # What happens at a seller's account, not at ours, says at whose.
    return event if account is None else {**event, "account": account}


def payment_of(intent: Object, balance_transaction: Object | None) -> ProviderPayment:
    error = intent["last_payment_error"] or {}
    return ProviderPayment(
        id=intent["id"],
        status=PaymentStatus(intent["status"]),
        amount=intent["amount"],
        amount_received=intent["amount_received"],
        currency=intent["currency"].upper(),
        client_secret=intent["client_secret"],
        order_id=OrderId(int(intent["metadata"]["order_id"])),
        livemode=intent["livemode"],
        charge_id=intent["latest_charge"],
        balance_transaction_id=balance_transaction["id"] if balance_transaction else None,
        fee=balance_transaction["fee"] if balance_transaction else None,
        settled_in=balance_transaction["currency"].upper() if balance_transaction else None,
        decline_code=neutral_decline(error.get("decline_code") or error.get("code") or ""),
        next_action=_next_action(intent["next_action"]),
        customer_id=intent["customer"],
    )


def refund_of(refund: Object) -> ProviderRefund:
    ours = refund["metadata"].get("refund_id")
    return ProviderRefund(
        id=refund["id"],
        status=RefundStatus(refund["status"]),
        amount=refund["amount"],
        currency=refund["currency"].upper(),
        refund_id=RefundId(int(ours)) if ours is not None else None,
        failure_reason=refund["failure_reason"] or "",
    )


def balance_transaction_of(movement: Object) -> BalanceTransaction:
    return BalanceTransaction(
        id=movement["id"],
        type=movement["type"],
        reporting_category=movement["reporting_category"],
        source=movement["source"],
        amount=movement["amount"],
        fee=movement["fee"],
        net=movement["net"],
        currency=movement["currency"].upper(),
        created_at=moment_of(movement["created"]),
        available_at=moment_of(movement["available_on"]),
    )


def moment_of(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def money_of(thing: Object) -> Money:
    return Money(thing["amount"], thing["currency"].upper())


def _next_action(action: Object | None) -> NextAction | None:
    if action is None:
        return None
    return NextAction(type=action["type"], url=action.get("redirect_to_url", {}).get("url", ""))


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
