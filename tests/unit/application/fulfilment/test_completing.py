"""The good end of a sale, by itself or by an operator."""

from datetime import timedelta

import pytest

from marketplace.application.access import OPERATOR
from marketplace.application.fulfilment import completing
from marketplace.application.fulfilment.completing import LOOK_AGAIN, TURN
from marketplace.domain.identity import Role
from marketplace.domain.orders.events import SaleCompleted
from marketplace.domain.orders.sale import SaleDisputed, SaleNotShipped
from marketplace.domain.orders.status import OrderStatus, SaleStatus
from marketplace.domain.payout_states import PayoutStatus
from marketplace.domain.shared.errors import Forbidden, Unavailable
from tests.desk import AUTO_COMPLETE, COMPLAINT

MOMENT = timedelta(microseconds=1)


def payout(desk, deal, at=0):
    with desk.market.unit_of_work() as uow:
        return uow.payouts.of_sale_for_update(deal.sale_ids[at])


def statuses(desk, *deals):
    return [desk.sale(deal).status.value for deal in deals]


class TestByItself:
    def test_so_long_after_shipment_and_not_a_moment_before(self, desk):
        deal = desk.shipped()
        desk.market.clock.advance(AUTO_COMPLETE - MOMENT)
        assert desk.complete_sales() == 0
        assert payout(desk, deal).status is PayoutStatus.PENDING
        desk.market.clock.advance(MOMENT)
        assert desk.complete_sales() == 1
        assert statuses(desk, deal) == ["completed"]
        assert payout(desk, deal).status is PayoutStatus.DUE
        assert desk.sale(deal).completes_at == desk.market.clock.now()
        [event] = [event for event in desk.till.events() if isinstance(event, SaleCompleted)]
        assert (event.sale_id, event.buyer_id) == (deal.sale_id, deal.buyer.account_id)
        move = desk.market.order_queries.history(deal.order_id)[-2]
        assert (move.to_status, move.actor_id, move.reason) == ("completed", None, "no complaint after shipment")
        assert desk.complete_sales() == 0
        assert desk.till.findings() == []

    def test_so_long_after_receipt(self, desk):
        deal = desk.shipped()
        desk.confirm(deal)
        desk.market.clock.advance(COMPLAINT)
        desk.complete_sales()
        assert desk.market.order_queries.history(deal.order_id)[-2].reason == "no complaint after receipt"
        desk.confirm(deal)
        assert statuses(desk, deal) == ["completed"]

    def test_the_order_with_its_last_sale(self, desk):
        deal = desk.shipped(sellers=2)
        desk.market.later(days=1)
        desk.ship(deal, at=1)
        desk.market.later(days=13)
        desk.complete_sales()
        assert desk.order(deal).status is OrderStatus.PAID
        desk.market.later(days=1)
        desk.complete_sales()
        assert desk.order(deal).status is OrderStatus.COMPLETED

    def test_never_while_a_dispute_is_open(self, desk):
        deal, other = desk.shipped(), desk.shipped()
        id = desk.dispute(deal)
        desk.market.later(days=15)
        assert desk.complete_sales() == 2
        assert statuses(desk, deal, other) == ["shipped", "completed"]
        assert desk.sale(deal).completes_at == desk.market.clock.now() + LOOK_AGAIN
        assert desk.complete_sales() == 0
        with desk.market.unit_of_work() as uow:
            dispute = uow.disputes.get_for_update(id)
            dispute.withdraw(now=desk.market.clock.now())
            uow.disputes.save(dispute)
            uow.commit()
        desk.market.clock.advance(LOOK_AGAIN)
        desk.complete_sales()
        assert statuses(desk, deal) == ["completed"]

    def test_after_an_outage_everything_a_bounded_number_at_a_time(self, desk):
        deals = [desk.shipped() for _ in range(3)]
        desk.market.later(days=100)
        few = completing.CompleteSales(unit_of_work=desk.market.unit_of_work, clock=desk.market.clock, limit=2)
        assert [few(), few(), few()] == [2, 1, 0]
        assert statuses(desk, *deals) == ["completed"] * 3

    def test_gives_its_worker_back_after_a_while(self, desk, monkeypatch):
        deals = [desk.shipped() for _ in range(2)]
        desk.market.later(days=14)
        monkeypatch.setattr(completing, "fall_due", lambda *_, **__: desk.market.clock.advance(TURN))
        assert desk.complete_sales() == 1
        assert statuses(desk, *deals) == ["completed", "shipped"]

    def test_one_that_fails_is_put_off_and_holds_up_nobody(self, desk, monkeypatch, caplog):
        first, second = desk.shipped(), desk.shipped()
        fall_due = completing.fall_due

        def failing(uow, sale, order, *, now):
            if sale.id == first.sale_id:
                raise ZeroDivisionError
            fall_due(uow, sale, order, now=now)

        monkeypatch.setattr(completing, "fall_due", failing)
        desk.market.later(days=14)
        assert desk.complete_sales() == 2
        assert statuses(desk, first, second) == ["shipped", "completed"]
        assert desk.sale(first).completes_at == desk.market.clock.now() + LOOK_AGAIN
        assert f"sale {first.sale_id} could not be completed" in caplog.text
        monkeypatch.setattr(completing, "fall_due", fall_due)
        desk.market.clock.advance(LOOK_AGAIN)
        desk.complete_sales()
        assert statuses(desk, first) == ["completed"]

    def test_a_silent_store_is_no_fault_of_a_sale(self, desk, monkeypatch):
        deal = desk.shipped()
        desk.market.later(days=14)

        def silent(*_, **__):
            raise Unavailable("The database does not answer.")

        monkeypatch.setattr(completing, "fall_due", silent)
        with pytest.raises(Unavailable):
            desk.complete_sales()
        assert desk.sale(deal).completes_at == desk.market.clock.now()

    def test_one_that_somebody_moved_meanwhile_is_left_alone(self, desk, monkeypatch):
        deal = desk.shipped()
        desk.market.later(days=14)
        orders = type(desk.market.unit_of_work().orders)

        def stale(self, *, now, skip):
            return None if skip else (self.get_for_update(deal.order_id), deal.sale_id)

        desk.till.refund(deal.order_id)
        monkeypatch.setattr(orders, "next_to_complete_for_update", stale)
        assert desk.complete_sales() == 1
        assert desk.sale(deal).status is SaleStatus.REFUNDED


class TestByAnOperator:
    def test_ends_it_before_its_time_and_is_recorded(self, desk):
        deal = desk.shipped()
        for _ in range(2):
            desk.complete_sale(actor=OPERATOR, sale_id=deal.sale_id, reason="the buyer wrote to us")
        assert statuses(desk, deal) == ["completed"]
        assert payout(desk, deal).status is PayoutStatus.DUE
        entries = desk.market.unit_of_work().store.table("audit_entries").values()
        assert [(entry.action, entry.reason) for entry in entries] == [("sale.completed", "the buyer wrote to us")]

    def test_needs_a_parcel_and_no_dispute(self, desk):
        deal = desk.paid()
        with pytest.raises(SaleNotShipped):
            desk.complete_sale(actor=OPERATOR, sale_id=deal.sale_id, reason="why not")
        desk.ship(deal)
        desk.dispute(deal)
        with pytest.raises(SaleDisputed, match="decide it first"):
            desk.complete_sale(actor=OPERATOR, sale_id=deal.sale_id, reason="why not")

    def test_is_for_admins_alone(self, desk):
        deal = desk.shipped()
        for who in (deal.seller, deal.buyer):
            with pytest.raises(Forbidden):
                desk.complete_sale(actor=who, sale_id=deal.sale_id, reason="mine")
        desk.complete_sale(actor=desk.market.someone(roles=[Role.ADMIN]), sale_id=deal.sale_id, reason="a call")
        assert statuses(desk, deal) == ["completed"]
