"""Sales: the part of an order that one seller fulfils, with copies of everything agreed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from marketplace.domain.orders.shipment import Shipment
from marketplace.domain.orders.status import SaleStatus
from marketplace.domain.shared.errors import Conflict
from marketplace.domain.shared.ids import AccountId, ListingId, ProductId, SaleId, SaleLineId, VariantId
from marketplace.domain.shared.money import Money
from marketplace.domain.shared.text import checked_text

MAX_REASON = 500
"""Characters of why a sale is cancelled."""


class SaleNotPaid(Conflict):
    """The order is not paid yet: nothing is owed to anybody."""

    code = "sale_not_paid"


class SaleNotShipped(Conflict):
    """Nothing is on its way that could arrive."""

    code = "sale_not_shipped"


class AlreadyShipped(Conflict):
    """The parcel is on its way, or there: the sale is not undone by a cancellation any more."""

    code = "already_shipped"


class SaleEnded(Conflict):
    """The sale is cancelled, refunded or completed: it is not fulfilled any more."""

    code = "sale_ended"


class TooManyCorrections(Conflict):
    """What was told of a parcel has been changed too often."""

    code = "too_many_corrections"


class SaleDisputed(Conflict):
    """A claim about the sale is open: it does not complete before that is decided."""

    code = "sale_disputed"


class NothingToCancel(Conflict):
    """No sale of the order waits for its shipment."""

    code = "nothing_to_cancel"


@dataclass(frozen=True, kw_only=True, slots=True)
class PostalAddress:
    """A copy of an address as it was when the order was placed."""

    name: str
    street_number: str
    street: str
    city: str
    state: str
    postal_code: str
    country: str
    phone_number: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderItem:
    """What goes into an order: one listing with its copies."""

    listing_id: ListingId
    seller_id: AccountId
    product_id: ProductId
    variant_id: VariantId
    title: str
    variant: Mapping[str, Any]
    quantity: int
    unit_price: Money


@dataclass(kw_only=True, slots=True)
class SaleLine:
    """One listing's part of a sale. Title, variant and price are copies. ``returned`` pieces went or go back."""

    id: SaleLineId
    listing_id: ListingId
    product_id: ProductId
    variant_id: VariantId
    title: str
    variant: Mapping[str, Any]
    quantity: int
    unit_price: Money
    returned: int = 0

    @classmethod
    def of(cls, id: SaleLineId, item: OrderItem) -> Self:
        """A copy of what was ordered."""
        return cls(
            id=id,
            listing_id=item.listing_id,
            product_id=item.product_id,
            variant_id=item.variant_id,
            title=item.title,
            variant=item.variant,
            quantity=item.quantity,
            unit_price=item.unit_price,
        )

    @property
    def subtotal(self) -> Money:
        return self.unit_price * self.quantity

    @property
    def open_quantity(self) -> int:
        """Pieces that have not gone back."""
        return self.quantity - self.returned


@dataclass(frozen=True, kw_only=True, slots=True)
class CancellationRequest:
    """The buyer would rather not have it any more; the seller decides."""

    requested_at: datetime
    reason: str

    def is_open(self, status: SaleStatus, shipment: Shipment | None) -> bool:
        """Whether it waits for an answer: shipping the sale is one, and so is cancelling it."""
        return status is SaleStatus.AWAITING_SHIPMENT and (shipment is None or shipment.shipped_at < self.requested_at)


@dataclass(kw_only=True, slots=True)
class Sale:
    """Amounts are minor units of the order's currency. ``returned`` is the worth of the items that went back.

    ``completes_at`` is when it completes by itself once it is shipped, or when it did complete.
    """

    id: SaleId
    seller_id: AccountId
    reference: str
    lines: list[SaleLine]
    base: int
    commission: int
    seller_fees: int
    status: SaleStatus = SaleStatus.AWAITING_PAYMENT
    returned: int = 0
    shipment: Shipment | None = None
    completes_at: datetime | None = None
    cancellation: CancellationRequest | None = None

    @property
    def net(self) -> int:
        """What the seller is owed if nothing goes back."""
        return self.base - self.commission - self.seller_fees

    @property
    def open_pieces(self) -> Mapping[SaleLineId, int]:
        """The pieces of each line that have not gone back."""
        return {line.id: line.open_quantity for line in self.lines if line.open_quantity}

    def is_due(self, now: datetime) -> bool:
        """Whether it completes by itself by now."""
        on_its_way = self.status in (SaleStatus.SHIPPED, SaleStatus.DELIVERED)
        return on_its_way and self.completes_at is not None and self.completes_at <= now

    @property
    def cancellation_is_open(self) -> bool:
        """Whether the buyer's wish to cancel waits for an answer."""
        return self.cancellation is not None and self.cancellation.is_open(self.status, self.shipment)

    def require_owed(self) -> None:
        """Let through while the parcel is not sent. Raises SaleNotPaid, AlreadyShipped and SaleEnded."""
        if self.status in (SaleStatus.SHIPPED, SaleStatus.DELIVERED):
            raise AlreadyShipped(
                f"Sale {self.reference} is {self.status} already; what is wrong with it is settled by a refund."
            )
        self._require_live()

    def require_shipment(self) -> Shipment:
        """The parcel that is on its way or there. Raises SaleNotPaid, SaleNotShipped and SaleEnded."""
        self._require_live()
        if self.shipment is None or self.status is SaleStatus.AWAITING_SHIPMENT:
            raise SaleNotShipped(f"Sale {self.reference} has not been shipped yet; wait until its seller has sent it.")
        return self.shipment

    def _require_live(self) -> None:
        if self.status is SaleStatus.AWAITING_PAYMENT:
            raise SaleNotPaid(f"Sale {self.reference} is not paid; do nothing about it before it is.")
        if self.status in _ENDED:
            raise SaleEnded(f"Sale {self.reference} is {self.status}: nothing about it can be changed any more.")


_ENDED = frozenset({SaleStatus.COMPLETED, SaleStatus.CANCELLED, SaleStatus.REFUNDED})


def checked_reason(reason: str, *, needed: bool = True) -> str:
    """Why, without needless blanks. Raises Invalid on none where one is needed, and on what cannot be shown."""
    return checked_text(" ".join(reason.split()), field="reason", minimum=1 if needed else 0, maximum=MAX_REASON)
