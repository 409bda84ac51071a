"""The fulfilling side of a ``Till``: sellers who send or cancel, buyers who confirm or ask, and the worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from marketplace.application.access import Actor
from marketplace.application.fulfilment.cancelling import CancelSale, RequestCancellation
from marketplace.application.fulfilment.completing import CompleteSale, CompleteSales
from marketplace.application.fulfilment.shipping import ConfirmReceipt, ShipSale
from marketplace.domain.disputes import Dispute, DisputeReason
from marketplace.domain.orders.order import Order, Sale
from marketplace.domain.shared.ids import AccountId, DisputeId, ListingId, OrderId, SaleId
from tests.till import Till

AUTO_COMPLETE, COMPLAINT = timedelta(days=14), timedelta(days=3)


@dataclass(frozen=True, kw_only=True)
class Deal:
    """An order that is paid: who bought it, of whom, and the sales, by ascending id."""

    order_id: OrderId
    buyer: Actor
    sellers: Sequence[Actor]
    listings: Sequence[ListingId]
    sale_ids: Sequence[SaleId]

    @property
    def seller(self) -> Actor:
        return self.sellers[0]

    @property
    def sale_id(self) -> SaleId:
        return self.sale_ids[0]


class Desk:
    def __init__(self, till: Till) -> None:
        self.till, self.market = till, till.market
        store = {"unit_of_work": till.market.unit_of_work, "clock": till.market.clock}
        self.ship_sale = ShipSale(**store, auto_complete=AUTO_COMPLETE)
        self.confirm_receipt = ConfirmReceipt(**store, complaint=COMPLAINT)
        self.cancel_sale = CancelSale(**store, ids=till.market.ids)
        self.request_cancellation = RequestCancellation(**store)
        self.complete_sale = CompleteSale(**store)
        self.complete_sales = CompleteSales(**store)

    def unpaid(self, *, sellers: int = 1, quantity: int = 2, price: int = 10_000) -> Deal:
        """An order of so many pieces of one listing of each seller, its payment started."""
        buyer = self.market.buyer()
        people = [self.market.seller() for _ in range(sellers)]
        listings = [self.market.listing(seller, price=price, stock=5) for seller in people]
        order_id = self.till.ordered(buyer, *listings, quantity=quantity)
        by_seller = {sale.seller_id: sale.id for sale in self.market.order_now(order_id).sales}
        return Deal(
            order_id=order_id,
            buyer=buyer,
            sellers=people,
            listings=listings,
            sale_ids=[by_seller[seller.account_id] for seller in people],
        )

    def paid(self, *, sellers: int = 1, quantity: int = 2, price: int = 10_000) -> Deal:
        deal = self.unpaid(sellers=sellers, quantity=quantity, price=price)
        self.till.pay(deal.buyer, deal.order_id)
        self.till.work()
        return deal

    def shipped(self, *, sellers: int = 1, quantity: int = 2, price: int = 10_000) -> Deal:
        """Paid, and the sale of the first seller is on its way."""
        deal = self.paid(sellers=sellers, quantity=quantity, price=price)
        self.ship(deal)
        return deal

    def ship(
        self, deal: Deal, number: str = "6A123", *, at: int = 0, carrier: str = "Colissimo", by: Actor | None = None
    ) -> None:
        self.ship_sale(actor=by or deal.sellers[at], sale_id=deal.sale_ids[at], carrier=carrier, tracking_number=number)

    def confirm(self, deal: Deal, *, at: int = 0, by: Actor | None = None) -> None:
        self.confirm_receipt(actor=by or deal.buyer, order_id=deal.order_id, sale_id=deal.sale_ids[at])

    def cancel(self, deal: Deal, *, at: int = 0, by: Actor | None = None, restock: bool = False) -> None:
        self.cancel_sale(
            actor=by or deal.sellers[at], sale_id=deal.sale_ids[at], reason="cannot find it", restock=restock
        )

    def ask(self, deal: Deal, *, by: Actor | None = None, reason: str = "bought twice") -> Sequence[SaleId] | None:
        return self.request_cancellation(actor=by or deal.buyer, order_id=deal.order_id, reason=reason)

    def dispute(self, deal: Deal, *, at: int = 0) -> DisputeId:
        """Open one, with nothing else that comes of it."""
        id = DisputeId(self.market.ids.next())
        with self.market.unit_of_work() as uow:
            uow.disputes.add(
                Dispute.open(
                    id=id,
                    order_id=deal.order_id,
                    sale_id=deal.sale_ids[at],
                    buyer_id=AccountId(deal.buyer.account_id),
                    seller_id=AccountId(deal.sellers[at].account_id),
                    reason=DisputeReason.DAMAGED,
                    description="bent",
                    desired_outcome=None,
                    currency="EUR",
                    now=self.market.clock.now(),
                )
            )
            uow.commit()
        return id

    # --- what is there now

    def order(self, deal: Deal) -> Order:
        return self.market.order_now(deal.order_id)

    def sale(self, deal: Deal, at: int = 0) -> Sale:
        return self.order(deal).sale(deal.sale_ids[at])
