"""Sales that are not supplied: cancelled by their seller, or asked to be by their buyer."""

import pytest

from marketplace.application.access import OPERATOR
from marketplace.application.payments.returns import refund_pieces
from marketplace.domain.identity import Role
from marketplace.domain.listings import ListingStatus
from marketplace.domain.orders.events import CancellationRequested, SaleCancelled
from marketplace.domain.orders.sale import AlreadyShipped, NothingToCancel, SaleEnded
from marketplace.domain.orders.status import OrderStatus, SaleStatus
from marketplace.domain.payments.refund import RefundCause, RefundStatus
from marketplace.domain.shared.errors import Invalid, NotFound
from marketplace.domain.shared.ids import RefundId
from tests.desk import AUTO_COMPLETE


def named(desk, kind):
    return [event for event in desk.till.events() if isinstance(event, kind)]


class TestBySeller:
    def test_gives_the_buyer_everything_back(self, desk):
        deal = desk.paid()
        desk.cancel(deal)
        desk.till.work()
        [refund] = desk.till.refunds(deal.order_id)
        assert refund.amount == desk.order(deal).total
        assert (refund.cause, refund.status, refund.reason) == (
            RefundCause.NOT_SHIPPED,
            RefundStatus.SUCCEEDED,
            "cannot find it",
        )
        assert (desk.order(deal).status, desk.sale(deal).status) == (OrderStatus.REFUNDED, SaleStatus.CANCELLED)
        [event] = named(desk, SaleCancelled)
        assert (event.by, event.reason, event.buyer_id) == ("seller", "cannot find it", deal.buyer.account_id)
        assert desk.till.findings() == []

    def test_leaves_the_other_sales_alone(self, desk):
        deal = desk.paid(sellers=2)
        desk.cancel(deal)
        assert desk.order(deal).status is OrderStatus.PARTIALLY_REFUNDED
        assert desk.sale(deal, 1).status is SaleStatus.AWAITING_SHIPMENT
        desk.ship(deal, at=1)
        desk.market.later(days=AUTO_COMPLETE.days)
        desk.complete_sales()
        assert desk.sale(deal, 1).status is SaleStatus.COMPLETED
        assert desk.order(deal).status is OrderStatus.PARTIALLY_REFUNDED
        desk.till.work()
        assert desk.till.findings() == []

    def test_the_pieces_stay_off_the_listing_unless_asked(self, desk):
        gone, back = desk.paid(), desk.paid()
        desk.cancel(gone)
        desk.cancel(back, restock=True)
        assert desk.market.stock(gone.listings[0]) == (3, 0, ListingStatus.ACTIVE)
        assert desk.market.stock(back.listings[0]) == (5, 0, ListingStatus.ACTIVE)

    def test_gives_back_what_is_left_after_a_partial_refund(self, desk):
        deal = desk.paid(quantity=3)
        with desk.market.unit_of_work() as uow:
            order = uow.orders.get_for_update(deal.order_id)
            sale = order.sale(deal.sale_id)
            refund_pieces(
                uow,
                order,
                uow.payments.of_order(order.id),
                {sale.id: {sale.lines[0].id: 1}},
                id=RefundId(desk.market.ids.next()),
                cause=RefundCause.SELLER,
                reason="bent",
                ids=desk.market.ids,
                now=desk.market.clock.now(),
            )
            uow.orders.save(order)
            uow.commit()
        desk.cancel(deal, restock=True)
        assert [line.returned for line in desk.sale(deal).lines] == [3]
        assert desk.market.stock(deal.listings[0])[0] == 4
        desk.till.work()
        assert desk.till.findings() == []

    def test_the_same_again_changes_nothing(self, desk):
        deal = desk.paid()
        desk.cancel(deal)
        desk.cancel(deal, restock=True)
        assert len(desk.till.refunds(deal.order_id)) == 1
        assert desk.market.stock(deal.listings[0])[0] == 3

    def test_is_too_late_once_it_is_sent_or_over(self, desk):
        shipped, refunded = desk.shipped(), desk.paid()
        desk.till.refund(refunded.order_id)
        with pytest.raises(AlreadyShipped):
            desk.cancel(shipped)
        with pytest.raises(SaleEnded):
            desk.cancel(refunded)
        assert desk.till.refunds(shipped.order_id) == []

    def test_is_its_sellers_alone_and_takes_a_reason(self, desk):
        deal = desk.paid(sellers=2)
        for stranger in (deal.buyer, deal.sellers[1]):
            with pytest.raises(NotFound):
                desk.cancel(deal, by=stranger)
        for reason in ("", "  ", "x" * 501, "a\x00b"):
            with pytest.raises(Invalid, match="reason"):
                desk.cancel_sale(actor=deal.seller, sale_id=deal.sale_id, reason=reason)
        with pytest.raises(NotFound):
            desk.cancel(desk.unpaid())

    def test_by_the_operator_is_recorded_and_told_as_the_marketplaces(self, desk):
        deal = desk.paid()
        desk.cancel(deal, by=OPERATOR)
        [event] = named(desk, SaleCancelled)
        assert event.by == "platform"
        entries = desk.market.unit_of_work().store.table("audit_entries").values()
        assert [(entry.action, entry.reason) for entry in entries] == [("sale.cancelled", "cannot find it")]


class TestByBuyer:
    def test_is_a_wish_that_each_seller_answers(self, desk):
        deal = desk.paid(sellers=3)
        desk.ship(deal)
        assert desk.ask(deal) == list(deal.sale_ids[1:])
        assert [desk.sale(deal, at).cancellation_is_open for at in range(3)] == [False, True, True]
        assert [event.sale_id for event in named(desk, CancellationRequested)] == list(deal.sale_ids[1:])
        desk.market.later(minutes=1)
        desk.ship(deal, at=1)
        desk.cancel(deal, at=2)
        assert [desk.sale(deal, at).cancellation_is_open for at in range(3)] == [False, False, False]
        assert desk.sale(deal, 1).cancellation.reason == "bought twice"
        with pytest.raises(NothingToCancel, match="dispute"):
            desk.ask(deal)

    def test_asks_nobody_twice(self, desk):
        deal = desk.paid()
        desk.ask(deal)
        desk.market.later(hours=1)
        assert desk.ask(deal, reason="please") == [deal.sale_id]
        assert desk.sale(deal).cancellation.reason == "bought twice"
        assert len(named(desk, CancellationRequested)) == 1

    def test_needs_no_reason_but_one_that_can_be_shown(self, desk):
        deal = desk.paid()
        with pytest.raises(Invalid, match="reason"):
            desk.ask(deal, reason="a\x07")
        desk.ask(deal, reason="")
        assert desk.sale(deal).cancellation.reason == ""

    def test_before_payment_there_is_nobody_to_ask(self, desk):
        deal = desk.unpaid()
        assert desk.ask(deal) is None
        assert named(desk, CancellationRequested) == []

    def test_is_the_buyers_alone(self, desk):
        for deal in (desk.paid(), desk.unpaid()):
            with pytest.raises(NotFound):
                desk.ask(deal, by=deal.seller)
        admin = desk.market.someone(roles=[Role.ADMIN])
        with pytest.raises(NotFound):
            desk.ask(desk.paid(), by=admin)
        assert desk.ask(desk.unpaid(), by=admin) is None
