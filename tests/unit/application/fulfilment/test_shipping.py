"""Sending what was sold, and confirming that it is there."""

import pytest

from marketplace.application.access import OPERATOR
from marketplace.domain.identity import Role
from marketplace.domain.orders.events import SaleDelivered, SaleShipped, TrackingCorrected
from marketplace.domain.orders.sale import AlreadyShipped, SaleEnded, SaleNotPaid, SaleNotShipped
from marketplace.domain.orders.status import OrderStatus, SaleStatus
from marketplace.domain.shared.errors import Invalid, NotFound
from marketplace.domain.shared.ids import SaleId
from tests.desk import AUTO_COMPLETE, COMPLAINT


def named(desk, kind):
    return [event for event in desk.till.events() if isinstance(event, kind)]


def audited(desk):
    trail = desk.market.unit_of_work().store.table("audit_entries").values()
    return [(entry.action, entry.subject_id, entry.origin) for entry in trail]


class TestSending:
    def test_puts_the_sale_on_its_way_and_sets_its_clock(self, desk):
        deal = desk.paid()
        desk.ship(deal)
        sale, now = desk.sale(deal), desk.market.clock.now()
        assert (sale.status, sale.shipment.shipped_at) == (SaleStatus.SHIPPED, now)
        assert sale.completes_at == now + AUTO_COMPLETE
        assert desk.order(deal).status is OrderStatus.PAID
        [event] = named(desk, SaleShipped)
        assert (event.sale_id, event.order_id, event.seller_id) == (
            deal.sale_id,
            deal.order_id,
            deal.seller.account_id,
        )
        move = desk.market.order_queries.history(deal.order_id)[-1]
        assert (move.to_status, move.actor_id, move.reason) == (
            "shipped",
            deal.seller.account_id,
            "sent with Colissimo",
        )
        assert audited(desk) == []

    def test_the_same_again_changes_nothing(self, desk):
        deal = desk.shipped()
        before = desk.order(deal)
        desk.market.later(days=1)
        desk.ship(deal, carrier=" Colissimo ")
        assert desk.order(deal) == before
        assert desk.order(deal).version == before.version
        assert named(desk, TrackingCorrected) == []

    def test_a_wrong_number_is_corrected_until_it_arrives(self, desk):
        deal = desk.shipped()
        desk.ship(deal, "6A124")
        assert desk.sale(deal).shipment.tracking_number == "6A124"
        assert len(named(desk, TrackingCorrected)) == 1
        desk.confirm(deal)
        with pytest.raises(AlreadyShipped, match="refund"):
            desk.ship(deal, "6A125")
        desk.ship(deal, "6A124")
        assert desk.sale(deal).status is SaleStatus.DELIVERED

    @pytest.mark.parametrize(
        ("carrier", "number", "field"),
        [
            ("", "6A1", "carrier"),
            ("x" * 61, "6A1", "carrier"),
            ("Colis\x00simo", "6A1", "carrier"),
            ("Colissimo", "", "tracking_number"),
            ("Colissimo", "-6A1", "tracking_number"),
            ("Colissimo", "6A1<b>", "tracking_number"),
            ("Colissimo", "6" * 65, "tracking_number"),
            ("Colissimo", "6A\n1\u202e", "tracking_number"),
        ],
    )
    def test_refuses_what_names_no_parcel(self, desk, carrier, number, field):
        deal = desk.paid()
        with pytest.raises(Invalid) as refused:
            desk.ship(deal, number, carrier=carrier)
        assert list(refused.value.facts["errors"]) == [field]
        assert desk.sale(deal).status is SaleStatus.AWAITING_SHIPMENT

    def test_is_its_sellers_alone(self, desk):
        deal = desk.paid(sellers=2)
        admin = desk.market.someone(roles=[Role.ADMIN])
        for stranger in (deal.sellers[1], deal.buyer, admin):
            with pytest.raises(NotFound):
                desk.ship(deal, by=stranger)
        with pytest.raises(NotFound):
            desk.ship_sale(actor=deal.seller, sale_id=SaleId(987654321), carrier="DHL", tracking_number="1")

    def test_a_sale_that_is_not_paid_is_not_there(self, desk):
        deal = desk.unpaid()
        with pytest.raises(NotFound):
            desk.ship(deal)

    def test_what_has_ended_is_not_sent(self, desk):
        deal = desk.paid(sellers=2)
        desk.cancel(deal)
        desk.till.refund(deal.order_id, deal.sale_ids[1])
        for at in (0, 1):
            with pytest.raises(SaleEnded, match="changed any more"):
                desk.ship(deal, at=at)

    def test_by_the_operator_is_recorded(self, desk):
        deal = desk.paid()
        desk.ship(deal, by=OPERATOR)
        assert audited(desk) == [("sale.shipped", str(deal.order_id), "command line")]
        assert desk.market.order_queries.history(deal.order_id)[-1].actor_id is None


class TestReceiving:
    def test_leaves_time_to_complain(self, desk):
        deal = desk.shipped()
        desk.market.later(days=2)
        desk.confirm(deal)
        sale, now = desk.sale(deal), desk.market.clock.now()
        assert (sale.status, sale.shipment.delivered_at) == (SaleStatus.DELIVERED, now)
        assert sale.completes_at == now + COMPLAINT
        assert len(named(desk, SaleDelivered)) == 1
        desk.market.later(days=1)
        desk.confirm(deal)
        assert desk.sale(deal) == sale
        assert audited(desk) == []

    def test_late_leaves_time_to_complain_as_well(self, desk):
        deal = desk.shipped()
        desk.market.later(days=13)
        desk.confirm(deal)
        desk.market.later(days=2)
        assert desk.complete_sales() == 0

    def test_is_its_buyers_alone(self, desk):
        deal, other = desk.shipped(), desk.shipped()
        for stranger in (deal.seller, other.buyer):
            with pytest.raises(NotFound):
                desk.confirm(deal, by=stranger)
        with pytest.raises(NotFound, match="in order"):
            desk.confirm_receipt(actor=deal.buyer, order_id=deal.order_id, sale_id=other.sale_id)

    def test_needs_a_parcel(self, desk):
        deal = desk.paid()
        with pytest.raises(SaleNotShipped, match="has sent it"):
            desk.confirm(deal)
        desk.cancel(deal)
        with pytest.raises(SaleEnded):
            desk.confirm(deal)
        with pytest.raises(SaleNotPaid):
            desk.confirm(desk.unpaid())

    def test_by_the_operator_is_recorded(self, desk):
        deal = desk.shipped()
        desk.confirm(deal, by=OPERATOR)
        assert audited(desk) == [("sale.delivered", str(deal.order_id), "command line")]
