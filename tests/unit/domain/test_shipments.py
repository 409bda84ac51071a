"""Parcels, and what may happen to the sales that they carry."""

from datetime import UTC, datetime, timedelta
from itertools import product
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.orders.sale import (
    AlreadyShipped,
    CancellationRequest,
    NothingToCancel,
    SaleEnded,
    SaleNotPaid,
    SaleNotShipped,
    TooManyCorrections,
)
from marketplace.domain.orders.shipment import _SHOWN_AT, MAX_CORRECTIONS, Shipment
from marketplace.domain.orders.status import OrderStatus, SaleStatus
from marketplace.domain.shared.errors import Invalid
from tests.unit.domain.test_orders import an_item, an_order

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=14)
PARCEL = Shipment.of(carrier="Colissimo", tracking_number="6A1", now=NOW)
SENT = (SaleStatus.SHIPPED, SaleStatus.DELIVERED, SaleStatus.COMPLETED)


def a_sale(status):
    order = an_order(an_item(1, 10, quantity=2))
    order.status = OrderStatus.PENDING_PAYMENT if status is SaleStatus.AWAITING_PAYMENT else OrderStatus.PAID
    [sale] = order.sales
    sale.status = status
    if status in SENT:
        sale.shipment, sale.completes_at = PARCEL, LATER
    if status in (SaleStatus.DELIVERED, SaleStatus.COMPLETED):
        sale.shipment = PARCEL.delivered(NOW)
    return order, sale


def known(carrier, number):
    """The parcel, if it may be called so."""
    try:
        return Shipment.of(carrier=carrier, tracking_number=number, now=NOW)
    except Invalid:
        return None


class TestParcels:
    @pytest.mark.parametrize("carrier", ["La Poste", "LA POSTE", "la-poste", " Colissimo", "Mondial Relay", "DHL"])
    def test_of_well_known_carriers_can_be_looked_up(self, carrier):
        url = Shipment.of(carrier=carrier, tracking_number="6A 12/3", now=NOW).tracking_url
        assert url is not None
        assert url.endswith("6A12%2F3")

    def test_of_others_cannot(self):
        assert Shipment.of(carrier="Cousin Bob", tracking_number="1", now=NOW).tracking_url is None

    @pytest.mark.parametrize("carrier", sorted(_SHOWN_AT))
    def test_are_looked_up_at_the_carriers_own_pages_over_https(self, carrier):
        assert carrier == "".join(c for c in carrier.casefold() if c.isalnum())
        url = Shipment.of(carrier=carrier, tracking_number="6A123", now=NOW).tracking_url
        assert urlsplit(url).scheme == "https"
        assert "6A123" in url

    @given(st.text(max_size=80), st.text(max_size=80))
    def test_are_never_of_what_cannot_be_shown(self, carrier, number):
        parcel = known(carrier, number)
        if parcel is not None:
            assert 1 <= len(parcel.carrier) <= 60
            assert 1 <= len(parcel.tracking_number) <= 64
            assert parcel.tracking_number.isascii()
            assert known(parcel.carrier, parcel.tracking_number) == parcel

    def test_may_be_told_wrong_so_often(self):
        order, sale = a_sale(SaleStatus.SHIPPED)
        for number in range(MAX_CORRECTIONS):
            told = Shipment.of(carrier="DHL", tracking_number=f"N{number}", now=LATER)
            assert order.ship(sale, told, now=LATER, completes_at=LATER, actor_id=10)
        with pytest.raises(TooManyCorrections, match="contact support"):
            order.ship(sale, PARCEL, now=LATER, completes_at=LATER, actor_id=10)
        assert order.ship(sale, told, now=LATER, completes_at=LATER, actor_id=10) is False
        assert (sale.shipment.shipped_at, sale.completes_at) == (NOW, LATER)


REFUSALS = {
    SaleStatus.AWAITING_PAYMENT: SaleNotPaid,
    SaleStatus.COMPLETED: SaleEnded,
    SaleStatus.CANCELLED: SaleEnded,
    SaleStatus.REFUNDED: SaleEnded,
}


class TestMoves:
    @pytest.mark.parametrize("status", SaleStatus)
    def test_a_parcel_is_sent_for_what_waits_for_it(self, status):
        order, sale = a_sale(status)
        other = Shipment.of(carrier="UPS", tracking_number="Z1", now=NOW)

        def ship():
            return order.ship(sale, other, now=NOW, completes_at=LATER, actor_id=10)

        if status in (SaleStatus.AWAITING_SHIPMENT, SaleStatus.SHIPPED):
            assert ship()
            assert (sale.status, sale.shipment.tracking_number) == (SaleStatus.SHIPPED, "Z1")
        else:
            with pytest.raises(REFUSALS.get(status, AlreadyShipped), match=sale.reference):
                ship()

    @pytest.mark.parametrize("status", SaleStatus)
    def test_a_cancellation_is_of_what_is_not_sent(self, status):
        order, sale = a_sale(status)

        def cancel():
            order.cancel_sale(sale, now=NOW, actor_id=10, reason="lost")

        if status is SaleStatus.AWAITING_SHIPMENT:
            cancel()
            assert sale.status is SaleStatus.CANCELLED
        else:
            with pytest.raises(REFUSALS.get(status, AlreadyShipped), match=sale.reference):
                cancel()

    @pytest.mark.parametrize(("status", "verb"), list(product(SaleStatus, ["deliver", "complete"])))
    def test_receipt_and_completion_are_of_what_is_sent(self, status, verb):
        order, sale = a_sale(status)

        def act():
            if verb == "deliver":
                return order.deliver(sale, now=NOW, completes_at=LATER, actor_id=5)
            return order.complete(sale, now=NOW, actor_id=None, reason="all is well")

        if status is SaleStatus.COMPLETED or (status, verb) == (SaleStatus.DELIVERED, "deliver"):
            assert act() is False
            assert order.transitions == []
        elif status in SENT:
            assert act()
            assert sale.status.value.startswith(verb)
        else:
            with pytest.raises(REFUSALS.get(status, SaleNotShipped), match=sale.reference):
                act()

    def test_an_order_is_complete_with_its_last_sale_if_nothing_went_back(self):
        order = an_order(an_item(1, 10), an_item(2, 20))
        order.status = OrderStatus.PAID
        for sale in order.sales:
            sale.status, sale.shipment, sale.completes_at = SaleStatus.SHIPPED, PARCEL, LATER
        first, second = order.sales
        order.complete(first, now=NOW, actor_id=None, reason="")
        assert order.status is OrderStatus.PAID
        order.complete(second, now=NOW, actor_id=None, reason="")
        assert order.status is OrderStatus.COMPLETED

    @pytest.mark.parametrize("status", SaleStatus)
    def test_is_due_once_its_time_is_over_while_it_is_on_its_way(self, status):
        _, sale = a_sale(status)
        on_its_way = status in (SaleStatus.SHIPPED, SaleStatus.DELIVERED)
        assert sale.is_due(LATER) is on_its_way
        assert not sale.is_due(LATER - timedelta(microseconds=1))


class TestWishes:
    def test_are_of_what_is_not_sent(self):
        for status in SaleStatus:
            order, sale = a_sale(status)
            if status is SaleStatus.AWAITING_SHIPMENT:
                assert order.request_cancellation(now=NOW, reason="twice") == [sale]
                assert sale.cancellation_is_open
            else:
                with pytest.raises(NothingToCancel):
                    order.request_cancellation(now=NOW, reason="twice")

    def test_that_came_before_a_parcel_are_answered_by_it_for_good(self):
        order, sale = a_sale(SaleStatus.AWAITING_SHIPMENT)
        order.request_cancellation(now=NOW - timedelta(hours=1), reason="twice")
        order.ship(sale, PARCEL, now=NOW, completes_at=LATER, actor_id=10)
        sale.status = SaleStatus.AWAITING_SHIPMENT  # a replacement is owed
        assert not sale.cancellation_is_open
        with pytest.raises(SaleNotShipped):
            sale.require_shipment()
        order.request_cancellation(now=NOW + timedelta(hours=1), reason="enough")
        assert sale.cancellation == CancellationRequest(requested_at=NOW + timedelta(hours=1), reason="enough")
        assert sale.cancellation_is_open

    def test_a_replacement_has_a_parcel_of_its_own(self):
        order, sale = a_sale(SaleStatus.DELIVERED)
        sale.status = SaleStatus.AWAITING_SHIPMENT
        second = Shipment.of(carrier="DHL", tracking_number="R1", now=LATER)
        assert order.ship(sale, second, now=LATER, completes_at=LATER, actor_id=10)
        assert sale.shipment == second
