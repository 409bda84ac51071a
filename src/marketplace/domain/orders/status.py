"""Orders and sales: what a buyer pays for at once, and the part of it that one seller fulfils.

    order: pending_payment ──> paid | cancelled | payment_failed | expired
           cancelled, payment_failed, expired ──> paid                 (late money)
           paid ──> completed | partially_refunded | refunded
           partially_refunded, completed ──> partially_refunded | refunded

    sale:  awaiting_payment ──> awaiting_shipment | cancelled
           awaiting_shipment ──> shipped | cancelled | refunded
           shipped ──> delivered | completed | refunded | awaiting_shipment (replacement)
           delivered ──> completed | refunded | awaiting_shipment (replacement)
           completed ──> refunded

An order that ends unpaid leaves its sales ``awaiting_payment``: a sale has no way back from ``cancelled``, and late
money may still revive it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from marketplace.domain.shared.ids import AccountId, SaleId


class OrderStatus(StrEnum):
    PENDING_PAYMENT = "pending_payment"
    PAID = "paid"
    CANCELLED = "cancelled"
    PAYMENT_FAILED = "payment_failed"
    EXPIRED = "expired"
    COMPLETED = "completed"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"


class SaleStatus(StrEnum):
    AWAITING_PAYMENT = "awaiting_payment"
    AWAITING_SHIPMENT = "awaiting_shipment"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


_O, _S = OrderStatus, SaleStatus
ORDER_MOVES: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    _O.PENDING_PAYMENT: frozenset({_O.PAID, _O.CANCELLED, _O.PAYMENT_FAILED, _O.EXPIRED}),
    _O.CANCELLED: frozenset({_O.PAID}),
    _O.PAYMENT_FAILED: frozenset({_O.PAID}),
    _O.EXPIRED: frozenset({_O.PAID}),
    _O.PAID: frozenset({_O.COMPLETED, _O.PARTIALLY_REFUNDED, _O.REFUNDED}),
    _O.PARTIALLY_REFUNDED: frozenset({_O.PARTIALLY_REFUNDED, _O.REFUNDED}),
    _O.COMPLETED: frozenset({_O.PARTIALLY_REFUNDED, _O.REFUNDED}),
    _O.REFUNDED: frozenset(),
}
SALE_MOVES: Mapping[SaleStatus, frozenset[SaleStatus]] = {
    _S.AWAITING_PAYMENT: frozenset({_S.AWAITING_SHIPMENT, _S.CANCELLED}),
    _S.AWAITING_SHIPMENT: frozenset({_S.SHIPPED, _S.CANCELLED, _S.REFUNDED}),
    _S.SHIPPED: frozenset({_S.DELIVERED, _S.COMPLETED, _S.REFUNDED, _S.AWAITING_SHIPMENT}),
    _S.DELIVERED: frozenset({_S.COMPLETED, _S.REFUNDED, _S.AWAITING_SHIPMENT}),
    _S.COMPLETED: frozenset({_S.REFUNDED}),
    _S.CANCELLED: frozenset(),
    _S.REFUNDED: frozenset(),
}
UNPAID_ENDS = frozenset({_O.CANCELLED, _O.PAYMENT_FAILED, _O.EXPIRED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Transition:
    """Who moved what, when and why. ``sale_id`` None: the order itself; ``actor_id`` None: the system."""

    sale_id: SaleId | None
    from_status: str
    to_status: str
    at: datetime
    actor_id: AccountId | None
    reason: str
