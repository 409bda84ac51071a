"""What stores of orders promise, whatever keeps them. Subclasses provide the fixture ``market``."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.application.access import Actor
from marketplace.application.ports.pages import PageRequest
from marketplace.domain.orders.order import Order
from marketplace.domain.orders.status import OrderStatus, SaleStatus
from marketplace.domain.shared.errors import ConcurrencyConflict, NotFound
from marketplace.domain.shared.ids import OrderId, SaleId
from tests.market import Market

UNKNOWN = 987654321


def bought(market: Market, buyer: Actor | None = None, *, sellers: int = 2, lines: int = 2) -> OrderId:
    """An order of ``lines`` listings of each of so many sellers."""
    buyer = buyer or market.buyer()
    for seller in [market.seller() for _ in range(sellers)]:
        for n in range(lines):
            market.add(buyer, market.listing(seller, price=1000 + n), n + 1)
    return market.order(buyer)


class OrderStoreContract:
    def test_gives_back_what_was_added(self, market: Market) -> None:
        buyer = market.buyer()
        order = market.order_now(bought(market, buyer))
        assert (order.buyer_id, order.status, order.fee_schedule_id) == (
            buyer.account_id,
            OrderStatus.PENDING_PAYMENT,
            None,
        )
        assert [[(line.quantity, line.unit_price.amount) for line in sale.lines] for sale in order.sales] == [
            [(1, 1000), (2, 1001)]
        ] * 2
        assert order.shipping_address.city == "Lyon"
        assert order.billing_address is None
        assert order.payment_due_at == order.created_at + timedelta(minutes=30)
        line = order.sales[0].lines[0]
        assert line.title == f"Card {line.listing_id}"
        assert {part: line.variant[part]["code"] for part in ("language", "version", "condition")} == {
            "language": "en",
            "version": "holo",
            "condition": "NM",
        }
        assert (line.variant["id"], line.variant["product"]) == (line.variant_id, line.product_id)
        assert line.variant["grade"] is None

    def test_keeps_every_move_and_its_reason(self, market: Market) -> None:
        order_id = bought(market, sellers=1, lines=1)
        market.end_unpaid(order_id)
        market.later(minutes=1)
        market.pay(order_id)
        moves = [
            (move.sale_id is None, move.from_status, move.to_status, move.reason)
            for move in market.order_queries.history(order_id)
        ]
        assert moves == [
            (True, "pending_payment", "expired", "payment window over"),
            (True, "expired", "paid", "payment received"),
            (False, "awaiting_payment", "awaiting_shipment", "payment received"),
        ]
        assert market.order_queries.history(OrderId(UNKNOWN)) == []

    def test_keeps_statuses_and_what_went_back(self, market: Market) -> None:
        order_id = bought(market, sellers=1, lines=2)
        market.pay(order_id)
        with market.unit_of_work() as uow:
            order = uow.orders.get_for_update(order_id)
            [sale] = order.sales
            order.take_back(sale, {sale.lines[1].id: 1}, now=market.clock.now(), reason="damaged")
            uow.orders.save(order)
            uow.commit()
        order = market.order_now(order_id)
        assert (order.status, order.paid_at) == (OrderStatus.PARTIALLY_REFUNDED, market.clock.now())
        assert (order.sales[0].status, order.sales[0].returned) == (SaleStatus.AWAITING_SHIPMENT, 1001)
        assert [line.returned for line in order.sales[0].lines] == [0, 1]

    def test_forgets_changes_that_were_not_saved(self, market: Market) -> None:
        order_id = bought(market)
        with market.unit_of_work() as uow:
            uow.orders.get_for_update(order_id).pay({}, now=market.clock.now())
            uow.commit()
        assert market.order_now(order_id).status is OrderStatus.PENDING_PAYMENT

    def test_refuses_a_stale_save(self, market: Market) -> None:
        order_id = bought(market)
        stale: Order = market.order_now(order_id)
        market.end_unpaid(order_id)
        stale.pay({}, now=market.clock.now())

        def save() -> None:
            with market.unit_of_work() as uow:
                uow.orders.save(stale)
                uow.commit()

        with pytest.raises(ConcurrencyConflict):
            save()
        assert market.order_now(order_id).status is OrderStatus.EXPIRED

    def test_may_be_saved_twice_in_one_unit(self, market: Market) -> None:
        order_id = bought(market, sellers=1)
        with market.unit_of_work() as uow:
            order = uow.orders.get_for_update(order_id)
            order.end_unpaid(OrderStatus.EXPIRED, now=market.clock.now(), actor_id=None, reason="over")
            uow.orders.save(order)
            order.pay({}, now=market.clock.now())
            uow.orders.save(order)
            uow.commit()
        assert [move.to_status for move in market.order_queries.history(order_id)] == [
            "expired",
            "paid",
            "awaiting_shipment",
        ]

    def test_does_not_know_what_is_not_there(self, market: Market) -> None:
        with market.unit_of_work() as uow:
            for get in (uow.orders.get, uow.orders.get_for_update):
                with pytest.raises(NotFound):
                    get(OrderId(UNKNOWN))

    def test_later_edits_change_no_copy(self, market: Market) -> None:
        seller, buyer = market.seller(), market.buyer()
        listing = market.listing(seller, price=1000)
        market.add(buyer, listing)
        order_id = market.order(buyer)
        market.reprice(listing, 2000)
        with market.unit_of_work() as uow:
            address = uow.addresses.get(market.address_of(buyer))
            address.change({"city": "Paris"})
            uow.addresses.save(address)
            uow.commit()
        order = market.order_now(order_id)
        assert order.base == 1000
        assert order.shipping_address.city == "Lyon"


class OrderViewContract:
    def test_shows_an_order_with_its_sales_and_payment(self, market: Market) -> None:
        buyer = market.buyer()
        order_id = bought(market, buyer)
        order, view = market.order_now(order_id), market.order_queries.order(order_id)
        assert (view.reference, view.buyer_id, view.status) == (order.reference, buyer.account_id, order.status)
        assert (view.base, view.commission, view.processing, view.shipping, view.total) == (
            order.base,
            order.commission,
            order.processing,
            order.shipping,
            order.total.amount,
        )
        assert (view.payment.provider, view.payment.intent_id, view.payment.status) == ("simulated", None, "creating")
        assert (view.created_at, view.payment_due_at, view.paid_at) == (order.created_at, order.payment_due_at, None)
        assert view.shipping_address == order.shipping_address
        assert [(s.id, s.reference, s.seller_id, s.shop_name, s.base) for s in view.sales] == [
            (s.id, s.reference, s.seller_id, f"Shop {s.seller_id}", s.base) for s in order.sales
        ]
        assert [
            [(i.id, i.listing, i.product, i.title, dict(i.variant), i.quantity, i.unit_price) for i in sale.items]
            for sale in view.sales
        ] == [
            [
                (n.id, n.listing_id, n.product_id, n.title, dict(n.variant), n.quantity, n.unit_price.amount)
                for n in sale.lines
            ]
            for sale in order.sales
        ]

    def test_shows_the_billing_address_when_there_is_one(self, market: Market) -> None:
        buyer = market.buyer()
        market.add(buyer, market.listing(market.seller()))
        written = {"name": "Cave SARL", "street": "Quai", "city": "Lille", "country": "fr"}
        view = market.order_queries.order(market.order(buyer, billing_address=written))
        assert view.billing_address is not None
        assert (view.billing_address.city, view.billing_address.country) == ("Lille", "FR")

    def test_is_found_by_its_reference_however_that_is_written(self, market: Market) -> None:
        order_id = bought(market)
        reference = market.order_now(order_id).reference
        assert market.order_queries.order_called(f" {reference.lower()} ").id == order_id

    def test_does_not_show_what_is_not_there(self, market: Market) -> None:
        with pytest.raises(NotFound):
            market.order_queries.order(OrderId(UNKNOWN))
        with pytest.raises(NotFound):
            market.order_queries.order_called("0000-0000")

    def test_lists_the_orders_of_a_buyer_the_newest_first(self, market: Market) -> None:
        buyer = market.buyer()
        ids = []
        for _ in range(3):
            ids.append(bought(market, buyer, sellers=1, lines=1))
            market.later(minutes=1)
        bought(market)
        newest = market.order_queries.orders(buyer.account_id, PageRequest())
        assert [order.id for order in newest.items] == ids[::-1]
        assert newest.count == 3
        oldest = market.order_queries.orders(buyer.account_id, PageRequest(ordering="oldest", size=2))
        assert [order.id for order in oldest.items] == ids[:2]
        rest = market.order_queries.orders(buyer.account_id, PageRequest(ordering="oldest", size=2, after=oldest.next))
        assert [order.id for order in rest.items] == ids[2:]

    def test_narrows_by_status(self, market: Market) -> None:
        buyer = market.buyer()
        paid, unpaid = (bought(market, buyer, sellers=1, lines=1) for _ in range(2))
        market.pay(paid)

        def listed(*statuses: OrderStatus) -> list[int]:
            page = market.order_queries.orders(buyer.account_id, PageRequest(), statuses=statuses)
            return [order.id for order in page.items]

        assert listed(OrderStatus.PAID) == [paid]
        assert listed(OrderStatus.PENDING_PAYMENT) == [unpaid]
        assert listed(OrderStatus.EXPIRED) == []


class SaleViewContract:
    def sold(self, market: Market) -> tuple[Actor, OrderId]:
        seller, buyer = market.seller(), market.buyer()
        market.add(buyer, market.listing(seller, price=2000))
        market.add(buyer, market.listing(market.seller()))
        return seller, market.order(buyer)

    def test_a_seller_sees_a_sale_once_it_is_paid(self, market: Market) -> None:
        seller, order_id = self.sold(market)
        [sale] = [s for s in market.order_now(order_id).sales if s.seller_id == seller.account_id]
        with pytest.raises(NotFound):
            market.order_queries.sale(seller.account_id, sale.id)
        assert market.order_queries.sales(seller.account_id, PageRequest()).items == []
        market.pay(order_id)
        view = market.order_queries.sale(seller.account_id, sale.id)
        assert market.order_queries.sales(seller.account_id, PageRequest()).items == [view]
        assert (view.order, view.status, view.base, view.platform_commission, view.seller_fees) == (
            order_id,
            SaleStatus.AWAITING_SHIPMENT,
            2000,
            sale.commission,
            0,
        )
        assert view.seller_net_amount == sale.net
        assert (view.shipping_address.city, view.paid_at) == ("Lyon", market.clock.now())

    def test_nobody_sees_the_sale_of_another(self, market: Market) -> None:
        seller, order_id = self.sold(market)
        market.pay(order_id)
        [foreign] = [s for s in market.order_now(order_id).sales if s.seller_id != seller.account_id]
        with pytest.raises(NotFound):
            market.order_queries.sale(seller.account_id, foreign.id)
        with pytest.raises(NotFound):
            market.order_queries.sale(seller.account_id, SaleId(UNKNOWN))

    def test_lists_sales_by_when_they_were_paid_and_narrows_by_status(self, market: Market) -> None:
        seller, ids = market.seller(), []
        for _ in range(3):
            buyer = market.buyer()
            market.add(buyer, market.listing(seller))
            order_id = market.order(buyer)
            market.later(minutes=1)
            market.pay(order_id)
            ids.append(market.order_now(order_id).sales[0].id)

        def listed(ordering: str = "", **narrow: object) -> list[int]:
            page = market.order_queries.sales(seller.account_id, PageRequest(ordering=ordering), **narrow)
            return [sale.id for sale in page.items]

        assert listed() == ids[::-1]
        assert listed("oldest") == ids
        assert listed(statuses=[SaleStatus.AWAITING_SHIPMENT]) == ids[::-1]
        assert listed(statuses=[SaleStatus.SHIPPED]) == []


class OrderContract(OrderStoreContract, OrderViewContract, SaleViewContract):
    """All of it."""
