"""Orders and sales as aggregates: copies of everything agreed, and the verbs that move them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from marketplace.domain.fees import NO_FACTS, AppliedFee, FeeFacts, FeeSchedule, Quote, Returned, SellerShare, quote
from marketplace.domain.orders.events import (
    CancellationRequested,
    ItemsMissing,
    OrderEndedUnpaid,
    OrderPaid,
    OrderPlaced,
    SaleCancelled,
    SaleCompleted,
    SaleDelivered,
    SaleMade,
    SaleShipped,
    TrackingCorrected,
)
from marketplace.domain.orders.reference import public_reference
from marketplace.domain.orders.sale import (
    CancellationRequest,
    NothingToCancel,
    OrderItem,
    PostalAddress,
    Sale,
    SaleLine,
    TooManyCorrections,
)
from marketplace.domain.orders.shipment import MAX_CORRECTIONS, Shipment
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
    FeeScheduleId,
    OrderId,
    SaleId,
    SaleLineId,
)
from marketplace.domain.shared.money import CurrencyMismatch, Money

__all__ = ["Order", "OrderItem", "PostalAddress", "Sale", "SaleLine"]


@dataclass(kw_only=True, slots=True)
class Order(Aggregate):
    """What one buyer pays for at once. Amounts are minor units of ``currency``, frozen when it is placed.

    ``fees`` explain each of them: the rules that applied, of the version ``fee_schedule_id`` or, None, of the settings.
    """

    id: OrderId
    reference: str
    buyer_id: AccountId
    currency: str
    fee_schedule_id: FeeScheduleId | None
    fees: tuple[AppliedFee, ...]
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
        facts: FeeFacts = NO_FACTS,
        shipping_address: PostalAddress,
        billing_address: PostalAddress | None,
        now: datetime,
        payment_due_at: datetime,
    ) -> Self:
        """Split the items into a sale a seller, ascending by seller id, and freeze every amount and its rules.

        ``facts`` are what ``schedule`` asks of the sellers and products.
        Raises AmountOutOfBounds, and CurrencyMismatch on an item that is priced in another currency.
        """
        for item in items:
            if item.unit_price.currency != schedule.currency:
                raise CurrencyMismatch(
                    f"{item.title} is priced in {item.unit_price.currency}, and orders are paid in {schedule.currency}."
                )
        priced = quote(
            schedule,
            [facts.line(item.seller_id, item.product_id, (item.unit_price * item.quantity).amount) for item in items],
        )
        reference = public_reference(id)
        numbered = iter(line_ids)
        sales = [
            Sale(
                id=sale_id,
                seller_id=share.seller_id,
                reference=f"{reference}-{position}",
                lines=[SaleLine.of(next(numbered), item) for item in items if item.seller_id == share.seller_id],
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
            currency=schedule.currency,
            fee_schedule_id=schedule.id,
            fees=priced.applied,
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
            schedule_id=self.fee_schedule_id,
            applied=self.fees,
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

    def take_back(
        self,
        sale: Sale,
        pieces: Mapping[SaleLineId, int],
        *,
        now: datetime,
        reason: str,
        items: int | None = None,
    ) -> int:
        """Count pieces of a sale as returned and move the order's status; gives their worth in minor units.

        ``items`` is what went back for them, by default their price: an amount may go back without any piece, and the
        pieces after it for the rest. Raises Invalid when more would go back than was sold.
        """
        worth = 0
        for line in sale.lines:
            quantity = pieces.get(line.id, 0)
            if quantity < 0 or quantity > line.open_quantity:
                raise Invalid(f"{quantity} of line {line.id} cannot go back: {line.open_quantity} are left.")
            line.returned += quantity
            worth += line.unit_price.amount * quantity
        given = worth if items is None else items
        if not 0 < given <= sale.base - sale.returned:
            raise Invalid(f"{given} minor units of sale {sale.reference} cannot go back: it has no so much left.")
        sale.returned += given
        if self.returned == self.base:
            self._move(OrderStatus.REFUNDED, now=now, actor_id=None, reason=reason)
        else:
            self._move(OrderStatus.PARTIALLY_REFUNDED, now=now, actor_id=None, reason=reason)
        return given

    def ship(
        self, sale: Sale, parcel: Shipment, *, now: datetime, completes_at: datetime, actor_id: AccountId | None
    ) -> bool:
        """The seller has sent the sale, or corrects what they told of it; False when that is known already.

        Until the parcel is there its carrier and number may be corrected, which changes no time. Raises SaleNotPaid,
        SaleEnded, AlreadyShipped when it has arrived, and TooManyCorrections.
        """
        if sale.status is SaleStatus.SHIPPED and sale.shipment is not None:
            return self._correct(sale, sale.shipment, parcel, now)
        is_there = sale.status in (SaleStatus.DELIVERED, SaleStatus.COMPLETED)
        if is_there and sale.shipment is not None and sale.shipment.is_as(parcel):
            return False
        sale.require_owed()
        self._move_sale(sale, SaleStatus.SHIPPED, now=now, actor_id=actor_id, reason=f"sent with {parcel.carrier}")
        sale.shipment, sale.completes_at = parcel, completes_at
        self.events.append(SaleShipped(occurred_at=now, sale_id=sale.id, order_id=self.id, seller_id=sale.seller_id))
        return True

    def _correct(self, sale: Sale, shipment: Shipment, told: Shipment, now: datetime) -> bool:
        if shipment.is_as(told):
            return False
        if shipment.corrections >= MAX_CORRECTIONS:
            raise TooManyCorrections(
                f"The tracking number of sale {sale.reference} was corrected {MAX_CORRECTIONS} times; contact support."
            )
        sale.shipment = shipment.corrected(told)
        self.events.append(
            TrackingCorrected(occurred_at=now, sale_id=sale.id, order_id=self.id, seller_id=sale.seller_id)
        )
        return True

    def deliver(self, sale: Sale, *, now: datetime, completes_at: datetime, actor_id: AccountId | None) -> bool:
        """The buyer has the parcel; False when that is known already.

        Raises SaleNotPaid, SaleNotShipped, and SaleEnded.
        """
        if sale.status in (SaleStatus.DELIVERED, SaleStatus.COMPLETED):
            return False
        parcel = sale.require_shipment()
        self._move_sale(sale, SaleStatus.DELIVERED, now=now, actor_id=actor_id, reason="receipt confirmed")
        sale.shipment, sale.completes_at = parcel.delivered(now), completes_at
        self.events.append(SaleDelivered(occurred_at=now, sale_id=sale.id, order_id=self.id, seller_id=sale.seller_id))
        return True

    def complete(self, sale: Sale, *, now: datetime, actor_id: AccountId | None, reason: str) -> bool:
        """The sale is at its good end, and with the last one the order, if nothing went back; False when it was.

        Raises SaleNotPaid, SaleNotShipped, and SaleEnded.
        """
        if sale.status is SaleStatus.COMPLETED:
            return False
        sale.require_shipment()
        self._move_sale(sale, SaleStatus.COMPLETED, now=now, actor_id=actor_id, reason=reason)
        sale.completes_at = now
        self.events.append(
            SaleCompleted(
                occurred_at=now,
                sale_id=sale.id,
                order_id=self.id,
                seller_id=sale.seller_id,
                buyer_id=self.buyer_id,
            )
        )
        if self.status is OrderStatus.PAID and all(each.status is SaleStatus.COMPLETED for each in self.sales):
            self._move(OrderStatus.COMPLETED, now=now, actor_id=None, reason="all of it was supplied")
        return True

    def cancel_sale(self, sale: Sale, *, now: datetime, actor_id: AccountId | None, reason: str) -> None:
        """The sale is not supplied. What was paid for it goes back to the buyer, which is the caller's to decide.

        Raises SaleNotPaid, AlreadyShipped, and SaleEnded.
        """
        sale.require_owed()
        self._move_sale(sale, SaleStatus.CANCELLED, now=now, actor_id=actor_id, reason=reason)
        self.events.append(
            SaleCancelled(
                occurred_at=now,
                sale_id=sale.id,
                order_id=self.id,
                seller_id=sale.seller_id,
                buyer_id=self.buyer_id,
                by="seller" if actor_id == sale.seller_id else "platform",
                reason=reason,
            )
        )

    def request_cancellation(self, *, now: datetime, reason: str) -> list[Sale]:
        """The buyer asks the sellers of what is not sent to cancel it; gives the sales that are asked for.

        A wish that waits for its answer already is left as it is. Raises NothingToCancel.
        """
        unshipped = [sale for sale in self.sales if sale.status is SaleStatus.AWAITING_SHIPMENT]
        if not unshipped:
            raise NothingToCancel(
                f"Nothing of order {self.reference} waits for its shipment; open a dispute about what was sent."
            )
        for sale in unshipped:
            if not sale.cancellation_is_open:
                sale.cancellation = CancellationRequest(requested_at=now, reason=reason)
                self.events.append(
                    CancellationRequested(
                        occurred_at=now,
                        sale_id=sale.id,
                        order_id=self.id,
                        seller_id=sale.seller_id,
                        buyer_id=self.buyer_id,
                    )
                )
        return unshipped

    def end_refunded(self, sale: Sale, *, now: datetime, actor_id: AccountId | None, reason: str) -> None:
        """Everything of a sale has gone back, by an admin's decision."""
        self._move_sale(sale, SaleStatus.REFUNDED, now=now, actor_id=actor_id, reason=reason)

    def sale(self, sale_id: SaleId) -> Sale:
        """Raises Invalid when the sale is not of this order."""
        for sale in self.sales:
            if sale.id == sale_id:
                return sale
        message = f"Sale {sale_id} is not part of order {self.reference}."
        raise Invalid(message, errors={"sale": [message]})

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
