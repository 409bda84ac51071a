"""Who bears a chargeback that is lost: to the cent, whatever went back before and however much is gone."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.fees import FeeSchedule
from marketplace.domain.orders.losses import share_out
from marketplace.domain.orders.order import Order, OrderItem
from marketplace.domain.orders.returning import worth_of
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.money import Money
from tests.purchases import an_order

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
KUWAITI = FeeSchedule.standard(
    currency="KWD",
    commission_rate=Decimal("0.05"),
    processing_rate=Decimal("0.06"),
    processing_minimum=1_500,
    shipping=3_000,
)


def paid_order():
    order = an_order(1)
    order.pay({}, now=NOW)
    return order


def test_of_the_whole_payment_takes_what_each_has_of_it():
    order = paid_order()
    loss = share_out(order, order.total.amount)
    assert [part.components.seller_net for part in loss.sales] == [sale.net for sale in order.sales]
    assert (loss.commission, loss.processing, loss.losses) == (order.commission, order.processing, order.shipping)
    assert loss.seller_commission == sum(sale.commission for sale in order.sales)
    assert loss.seller_fees == sum(sale.seller_fees for sale in order.sales)


def a_kuwaiti_order(prices):
    """A card of each of several sellers, in fils."""
    template = an_order()
    items = [
        OrderItem(
            listing_id=number,
            seller_id=number,
            product_id=1,
            variant_id=1,
            title="A card",
            variant={},
            quantity=1,
            unit_price=Money(price, "KWD"),
        )
        for number, price in enumerate(prices, start=1)
    ]
    ids = range(1, len(prices) + 1)
    order = Order.place(
        id=7,
        sale_ids=ids,
        line_ids=ids,
        buyer_id=100,
        items=items,
        schedule=KUWAITI,
        shipping_address=template.shipping_address,
        billing_address=None,
        now=NOW,
        payment_due_at=NOW,
    )
    order.pay({}, now=NOW)
    return order


@given(data=st.data())
def test_adds_up_to_what_is_gone(data):
    order = paid_order()
    for sale in order.sales:
        if before := data.draw(st.integers(0, sale.base), label="went back before"):
            order.take_back(sale, {}, items=before, now=NOW, reason="a test")
    left = {sale.id: sale.base - sale.returned for sale in order.sales}
    gone = data.draw(st.integers(1, order.total.amount + 5_000), label="gone")
    is_first = data.draw(st.booleans())
    loss = share_out(order, gone, is_first=is_first)
    parts = sum(part.items for part in loss.sales)
    assert parts + loss.commission + loss.processing + loss.losses == gone
    assert all(0 < part.items <= left[part.sale_id] for part in loss.sales)
    for part in loss.sales:
        borne = part.components
        assert borne.seller_net + borne.seller_commission + borne.seller_fees == part.items
        assert min(borne.seller_net, borne.seller_commission, borne.seller_fees) >= 0
        assert (borne.commission, borne.processing, borne.shipping) == (0, 0, 0)
    assert min(loss.commission, loss.processing, loss.losses) >= 0
    if not is_first:
        assert (loss.commission, loss.processing) == (0, 0)


@given(prices=st.lists(st.integers(1, 9_999), min_size=2, max_size=4), gone=st.integers(1, 50_000))
def test_takes_from_sellers_only_what_the_provider_can_move(prices, gone):
    """Three-decimal currencies move in steps of ten."""
    order = a_kuwaiti_order([10 * price for price in prices])
    loss = share_out(order, gone)
    assert {part.items % 10 for part in loss.sales} | {part.components.seller_net % 10 for part in loss.sales} <= {0}
    borne = sum(part.items for part in loss.sales)
    assert borne == min(gone - gone % 10, order.base)
    assert borne + loss.commission + loss.processing + loss.losses == gone


def test_all_pieces_that_are_left_are_worth_what_is_left():
    order = paid_order()
    sale = order.sales[0]
    order.take_back(sale, {}, items=100, now=NOW, reason="a test")
    assert worth_of(sale, sale.open_pieces, "EUR") == sale.base - 100


def test_pieces_of_another_sale_are_worth_nothing_here():
    order = paid_order()
    with pytest.raises(Invalid):
        worth_of(order.sales[0], order.sales[1].open_pieces, "EUR")
