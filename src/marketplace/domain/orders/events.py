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


@dataclass(frozen=True, kw_only=True, slots=True)
class SaleShipped(Event):
    """The parcel is on its way."""

    sale_id: int
    order_id: int
    seller_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackingCorrected(Event):
    """What the buyer was told of a parcel that is on its way was wrong."""

    sale_id: int
    order_id: int
    seller_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SaleDelivered(Event):
    """The buyer has confirmed that the parcel is there."""

    sale_id: int
    order_id: int
    seller_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SaleCompleted(Event):
    """Nothing can be claimed about it any more: the seller's money falls due."""

    sale_id: int
    order_id: int
    seller_id: int
    buyer_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SaleCancelled(Event):
    """It is not supplied, and refunded. ``by`` is seller or platform."""

    sale_id: int
    order_id: int
    seller_id: int
    buyer_id: int
    by: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CancellationRequested(Event):
    """The buyer asks the seller to cancel what is not sent yet."""

    sale_id: int
    order_id: int
    seller_id: int
    buyer_id: int
