"""What happens to orders that others react to."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.domain.shared.events import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderPlaced(Event):
    order_id: int
    buyer_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderPaid(Event):
    order_id: int
    buyer_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SaleMade(Event):
    """A seller has something to send."""

    sale_id: int
    order_id: int
    seller_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderEndedUnpaid(Event):
    """``outcome`` is cancelled, payment_failed or expired."""

    order_id: int
    buyer_id: int
    outcome: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemsMissing(Event):
    """Money came when part of the order could no longer be supplied; that part is refunded. Tells one seller."""

    order_id: int
    sale_id: int
    seller_id: int
    buyer_id: int
