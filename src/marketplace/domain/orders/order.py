"""Orders and sales as aggregates: copies of everything agreed, and the verbs that move them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from marketplace.domain.fees import FeeSchedule, Quote, Returned, SellerShare, quote
from marketplace.domain.orders.events import ItemsMissing, OrderEndedUnpaid, OrderPaid, OrderPlaced, SaleMade
from marketplace.domain.orders.reference import public_reference
from marketplace.domain.orders.status import (
    ORDER_MOVES,
    SALE_MOVES,
    UNPAID_ENDS,
    OrderStatus,
    SaleStatus,
    Transition,
)
from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.errors import IllegalTransition, Invalid
from marketplace.domain.shared.ids import (
    AccountId,
    ListingId,
    OrderId,
    ProductId,
    SaleId,
    SaleLineId,
    VariantId,
)
from marketplace.domain.shared.money import CurrencyMismatch, Money


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

    @property
    def subtotal(self) -> Money:
        return self.unit_price * self.quantity

    @property
    def open_quantity(self) -> int:
        """Pieces that have not gone back."""
        return self.quantity - self.returned


@dataclass(kw_only=True, slots=True)
class Sale:
    """Amounts are minor units of the order's currency. ``returned`` is the worth of the items that went back."""

    id: SaleId
    seller_id: AccountId
    reference: str
    lines: list[SaleLine]
    base: int
    commission: int
    seller_fees: int
    status: SaleStatus = SaleStatus.AWAITING_PAYMENT
    returned: int = 0

    @property
    def net(self) -> int:
        """What the seller is owed if nothing goes back."""
        return self.base - self.commission - self.seller_fees


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
class Order(Aggregate):
    """What one buyer pays for at once. Amounts are minor units of ``schedule.currency``, frozen when it is placed."""

    id: OrderId
    reference: str
    buyer_id: AccountId
    schedule: FeeSchedule
    base: int
    commission: int
    processing: int
    shipping: int
    sales: list[Sale]
    shipping_address: PostalAddress
    billing_address: PostalAddress | None
    created_at: datetime
    payment_due_at: datetime
    status: OrderStatus = OrderStatus.PENDING_PAYMENT
    paid_at: datetime | None = None
    transitions: list[Transition] = field(default_factory=list, compare=False, repr=False)
    """Made since loading; the repository appends them to the history."""

    @classmethod
    def place(
        cls,
        *,
        id: OrderId,
        sale_ids: Sequence[SaleId],
        line_ids: Sequence[SaleLineId],
        buyer_id: AccountId,
        items: Sequence[OrderItem],
        schedule: FeeSchedule,
        shipping_address: PostalAddress,
        billing_address: PostalAddress | None,
        now: datetime,
        payment_due_at: datetime,
    ) -> Self:
        """Split the items into a sale a seller, ascending by seller id, and freeze every amount.

        Raises AmountOutOfBounds, and CurrencyMismatch on an item that is priced in another currency.
        """
        for item in items:
            if item.unit_price.currency != schedule.currency:
                raise CurrencyMismatch(
                    f"{item.title} is priced in {item.unit_price.currency}, and orders are paid in {schedule.currency}."
                )
        priced = quote(schedule, [(item.seller_id, (item.unit_price * item.quantity).amount) for item in items])
        reference = public_reference(id)
        numbered = iter(line_ids)
        sales = [
            Sale(
                id=sale_id,
                seller_id=share.seller_id,
                reference=f"{reference}-{position}",
                lines=[_line(next(numbered), item) for item in items if item.seller_id == share.seller_id],
                base=share.base,
                commission=share.commission,
                seller_fees=share.fees,
            )
            for position, (sale_id, share) in enumerate(zip(sale_ids, priced.sellers, strict=False), start=1)
        ]
        order = cls(
            id=id,
            reference=reference,
            buyer_id=buyer_id,
            schedule=schedule,
            base=priced.base,
            commission=priced.commission,
            processing=priced.processing,
            shipping=priced.shipping,
            sales=sales,
            shipping_address=shipping_address,
            billing_address=billing_address,
            created_at=now,
            payment_due_at=payment_due_at,
        )
        order.events.append(OrderPlaced(occurred_at=now, order_id=id, buyer_id=buyer_id))
        return order

    @property
    def currency(self) -> str:
        return self.schedule.currency

    @property
    def total(self) -> Money:
        """What the buyer pays."""
        return Money(self.base + self.commission + self.processing + self.shipping, self.currency)

    @property
    def returned(self) -> int:
        """Worth of the items that went back, in minor units."""
        return sum(sale.returned for sale in self.sales)

    @property
    def is_unpaid_end(self) -> bool:
        return self.status in UNPAID_ENDS

    def frozen_quote(self) -> Quote:
        """The amounts as they were agreed, for pricing returns."""
        return Quote(
            currency=self.currency,
            base=self.base,
            commission=self.commission,
            processing=self.processing,
            shipping=self.shipping,
            sellers=tuple(
                SellerShare(seller_id=s.seller_id, base=s.base, commission=s.commission, fees=s.seller_fees)
                for s in self.sales
            ),
        )

    def returned_of(self, sale: Sale) -> Returned:
        return Returned(order=self.returned, seller=sale.returned)

    def end_unpaid(self, outcome: OrderStatus, *, now: datetime, actor_id: AccountId | None, reason: str) -> None:
        """Cancelled by the buyer, or its payment window is over."""
        if outcome not in UNPAID_ENDS:
            raise IllegalTransition(f"{outcome} is not an unpaid end of an order.")
        self._move(outcome, now=now, actor_id=actor_id, reason=reason)
        self.events.append(
            OrderEndedUnpaid(occurred_at=now, order_id=self.id, buyer_id=self.buyer_id, outcome=outcome.value)
        )

    def pay(self, missing: Mapping[SaleLineId, int], *, now: datetime) -> None:
        """The money is there. ``missing`` pieces of lines cannot be supplied any more (late money only).

        A sale that lacks everything is cancelled; the others wait for shipment. The missing pieces count as returned
        once ``take_back`` is called for the refund that they are owed.
        """
        self._move(OrderStatus.PAID, now=now, actor_id=None, reason="payment received")
        self.paid_at = now
        self.events.append(OrderPaid(occurred_at=now, order_id=self.id, buyer_id=self.buyer_id))
        for sale in self.sales:
            lacking = {line.id: missing.get(line.id, 0) for line in sale.lines}
            if all(lacking[line.id] >= line.quantity for line in sale.lines):
                self._move_sale(sale, SaleStatus.CANCELLED, now=now, actor_id=None, reason="nothing left to supply")
            else:
                self._move_sale(sale, SaleStatus.AWAITING_SHIPMENT, now=now, actor_id=None, reason="payment received")
                self.events.append(
                    SaleMade(occurred_at=now, sale_id=sale.id, order_id=self.id, seller_id=sale.seller_id)
                )
            if any(lacking.values()):
                self.events.append(
                    ItemsMissing(
                        occurred_at=now,
                        order_id=self.id,
                        sale_id=sale.id,
                        seller_id=sale.seller_id,
                        buyer_id=self.buyer_id,
                    )
                )

    def take_back(self, sale: Sale, pieces: Mapping[SaleLineId, int], *, now: datetime, reason: str) -> int:
        """Count pieces of a sale as returned and move the order's status; gives their worth in minor units.

        Raises Invalid when more would go back than was sold.
        """
        worth = 0
        for line in sale.lines:
            quantity = pieces.get(line.id, 0)
            if quantity < 0 or quantity > line.open_quantity:
                raise Invalid(f"{quantity} of line {line.id} cannot go back: {line.open_quantity} are left.")
            line.returned += quantity
            worth += line.unit_price.amount * quantity
        sale.returned += worth
        if self.returned == self.base:
            self._move(OrderStatus.REFUNDED, now=now, actor_id=None, reason=reason)
        else:
            self._move(OrderStatus.PARTIALLY_REFUNDED, now=now, actor_id=None, reason=reason)
        return worth

    def end_refunded(self, sale: Sale, *, now: datetime, actor_id: AccountId | None, reason: str) -> None:
        """Everything of a sale has gone back, by an admin's decision."""
        self._move_sale(sale, SaleStatus.REFUNDED, now=now, actor_id=actor_id, reason=reason)

    def sale(self, sale_id: SaleId) -> Sale:
        """Raises Invalid when the sale is not of this order."""
        for sale in self.sales:
            if sale.id == sale_id:
                return sale
        raise Invalid(f"Sale {sale_id} is not part of order {self.reference}.")

    def _move(self, to: OrderStatus, *, now: datetime, actor_id: AccountId | None, reason: str) -> None:
        if to not in ORDER_MOVES[self.status]:
            raise IllegalTransition(f"Order {self.reference} is {self.status}; it cannot become {to}.")
        self.transitions.append(
            Transition(sale_id=None, from_status=self.status, to_status=to, at=now, actor_id=actor_id, reason=reason)
        )
        self.status = to

    def _move_sale(self, sale: Sale, to: SaleStatus, *, now: datetime, actor_id: AccountId | None, reason: str) -> None:
        if to not in SALE_MOVES[sale.status]:
            raise IllegalTransition(f"Sale {sale.reference} is {sale.status}; it cannot become {to}.")
        self.transitions.append(
            Transition(
                sale_id=sale.id,
                from_status=sale.status,
                to_status=to,
                at=now,
                actor_id=actor_id,
                reason=reason,
            )
        )
        sale.status = to


def _line(id: SaleLineId, item: OrderItem) -> SaleLine:
    return SaleLine(
        id=id,
        listing_id=item.listing_id,
        product_id=item.product_id,
        variant_id=item.variant_id,
        title=item.title,
        variant=item.variant,
        quantity=item.quantity,
        unit_price=item.unit_price,
    )
