"""What may happen to orders and sales."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.fees import FeeSchedule, Returned
from marketplace.domain.orders.events import ItemsMissing, OrderEndedUnpaid, OrderPaid, OrderPlaced, SaleMade
from marketplace.domain.orders.order import Order, OrderItem, PostalAddress
from marketplace.domain.orders.reference import public_reference
from marketplace.domain.orders.status import ORDER_MOVES, SALE_MOVES, UNPAID_ENDS, OrderStatus, SaleStatus
from marketplace.domain.shared.errors import IllegalTransition, Invalid
from marketplace.domain.shared.money import CurrencyMismatch, Money

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
SCHEDULE = FeeSchedule.standard(
    currency="EUR",
    commission_rate=Decimal("0.05"),
    processing_rate=Decimal("0.06"),
    processing_minimum=500,
    shipping=1000,
)
PRICE = Money(5005, "EUR")
ADDRESS = PostalAddress(
    name="Ada Lovelace",
    street_number="12",
    street="Rue des Cartes",
    city="Lyon",
    state="",
    postal_code="69001",
    country="FR",
    phone_number="",
)


def an_item(listing: int, seller: int, *, quantity: int = 1, price: Money = PRICE) -> OrderItem:
    return OrderItem(
        listing_id=listing,
        seller_id=seller,
        product_id=listing,
        variant_id=listing,
        title=f"Card {listing}",
        variant={},
        quantity=quantity,
        unit_price=price,
    )


def an_order(*items: OrderItem) -> Order:
    chosen = items or (an_item(1, 20, quantity=2), an_item(2, 10), an_item(3, 20))
    return Order.place(
        id=7,
        sale_ids=range(100, 200),
        line_ids=range(200, 300),
        buyer_id=5,
        items=chosen,
        schedule=SCHEDULE,
        shipping_address=ADDRESS,
        billing_address=None,
        now=NOW,
        payment_due_at=NOW + timedelta(minutes=30),
    )


def put(order: Order, status: OrderStatus) -> Order:
    order.status = status
    return order


class TestPlacing:
    def test_makes_a_sale_for_each_seller_with_their_lines(self):
        order = an_order()
        assert [(sale.seller_id, sale.reference) for sale in order.sales] == [
            (10, f"{order.reference}-1"),
            (20, f"{order.reference}-2"),
        ]
        assert [[line.title for line in sale.lines] for sale in order.sales] == [["Card 2"], ["Card 1", "Card 3"]]
        assert [line.subtotal.amount for line in order.sales[1].lines] == [10010, 5005]

    def test_freezes_amounts_that_add_up(self):
        order = an_order()
        assert sum(sale.base for sale in order.sales) == order.base == 20020
        assert sum(sale.commission for sale in order.sales) == order.commission == 1001
        assert order.total == Money(20020 + 1001 + 1201 + 1000, "EUR")
        assert [sale.net for sale in order.sales] == [sale.base - sale.commission for sale in order.sales]
        quoted = order.frozen_quote()
        assert (quoted.total, [s.net for s in quoted.sellers]) == (order.total.amount, [s.net for s in order.sales])

    def test_says_that_it_was_placed(self):
        assert an_order().events == [OrderPlaced(occurred_at=NOW, order_id=7, buyer_id=5)]

    def test_refuses_what_is_priced_in_another_currency(self):
        with pytest.raises(CurrencyMismatch, match="USD"):
            an_order(an_item(1, 10), an_item(2, 10, price=Money(5, "USD")))

    @given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 500_000)), min_size=1, max_size=12))
    def test_sales_always_sum_to_the_order(self, drawn):
        order = an_order(
            *(an_item(n, seller, quantity=q, price=Money(p, "EUR")) for n, (seller, q, p) in enumerate(drawn, 1))
        )
        assert sum(sale.base for sale in order.sales) == order.base
        assert sum(sale.commission for sale in order.sales) == order.commission
        assert sum(line.subtotal.amount for sale in order.sales for line in sale.lines) == order.base


class TestReferences:
    @given(st.lists(st.integers(1, 2**35 - 1), min_size=2, max_size=2, unique=True))
    def test_differ_for_different_orders(self, ids):
        first, second = map(public_reference, ids)
        assert first != second

    @given(st.integers(1, 2**53 - 1))
    def test_can_be_read_over_the_telephone(self, id):
        assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", public_reference(id))

    @given(st.integers(1, 2**35 - 1), st.integers(0, 6), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
    def test_the_check_digit_catches_a_wrong_digit(self, id, place, digit):
        digits = public_reference(id).replace("-", "")
        wrong = digits[:place] + digit + digits[place + 1 :]
        alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

        def check(seven: str) -> str:
            return alphabet[sum((i + 1) * alphabet.index(d) for i, d in enumerate(seven)) % 31]

        assert check(digits[:7]) == digits[7]
        # 0 and Z stand 31 apart, which the sum cannot tell from each other.
        if wrong != digits and {digits[place], digit} != {"0", "Z"}:
            assert check(wrong[:7]) != digits[7]


class TestOrderMoves:
    @pytest.mark.parametrize(("status", "outcome"), list(product(OrderStatus, sorted(UNPAID_ENDS))))
    def test_ends_unpaid_only_while_it_waits_for_payment(self, status, outcome):
        order = put(an_order(), status)
        if outcome in ORDER_MOVES[status]:
            order.end_unpaid(outcome, now=NOW, actor_id=5, reason="changed my mind")
            assert order.is_unpaid_end
            [move] = order.transitions
            assert (move.sale_id, move.from_status, move.to_status) == (None, status, outcome)
            assert (move.at, move.actor_id, move.reason) == (NOW, 5, "changed my mind")
            assert order.events[-1] == OrderEndedUnpaid(occurred_at=NOW, order_id=7, buyer_id=5, outcome=outcome.value)
        else:
            with pytest.raises(IllegalTransition):
                order.end_unpaid(outcome, now=NOW, actor_id=5, reason="changed my mind")
            assert order.status is status

    def test_being_paid_is_no_unpaid_end(self):
        with pytest.raises(IllegalTransition):
            an_order().end_unpaid(OrderStatus.PAID, now=NOW, actor_id=None, reason="")

    @pytest.mark.parametrize("status", OrderStatus)
    def test_is_paid_once_on_time_or_late(self, status):
        order = put(an_order(), status)
        if OrderStatus.PAID in ORDER_MOVES[status]:
            order.pay({}, now=NOW)
            assert (order.status, order.paid_at) == (OrderStatus.PAID, NOW)
        else:
            with pytest.raises(IllegalTransition):
                order.pay({}, now=NOW)

    def test_payment_gives_every_seller_something_to_send(self):
        order = an_order()
        order.events.clear()
        order.pay({}, now=NOW)
        assert [sale.status for sale in order.sales] == [SaleStatus.AWAITING_SHIPMENT] * 2
        assert order.events == [
            OrderPaid(occurred_at=NOW, order_id=7, buyer_id=5),
            SaleMade(occurred_at=NOW, sale_id=100, order_id=7, seller_id=10),
            SaleMade(occurred_at=NOW, sale_id=101, order_id=7, seller_id=20),
        ]
        assert [(move.sale_id, move.to_status) for move in order.transitions] == [
            (None, "paid"),
            (100, "awaiting_shipment"),
            (101, "awaiting_shipment"),
        ]

    def test_a_sale_that_lacks_everything_is_cancelled(self):
        order = an_order()
        order.events.clear()
        [only] = order.sales[0].lines
        order.pay({only.id: 1}, now=NOW)
        assert [sale.status for sale in order.sales] == [SaleStatus.CANCELLED, SaleStatus.AWAITING_SHIPMENT]
        assert [event.sale_id for event in order.events if isinstance(event, SaleMade)] == [101]
        assert [event.sale_id for event in order.events if isinstance(event, ItemsMissing)] == [100]

    def test_a_sale_that_lacks_something_is_sent_without_it(self):
        order = an_order()
        order.events.clear()
        order.pay({order.sales[1].lines[0].id: 1}, now=NOW)
        assert [sale.status for sale in order.sales] == [SaleStatus.AWAITING_SHIPMENT] * 2
        assert [event.sale_id for event in order.events if isinstance(event, ItemsMissing)] == [101]

    @pytest.mark.parametrize("status", SaleStatus)
    def test_a_sale_that_lacks_everything_moves_only_along_its_table(self, status):
        order = an_order()
        order.sales[0].status = status
        missing = {order.sales[0].lines[0].id: 1}
        if SaleStatus.CANCELLED in SALE_MOVES[status]:
            order.pay(missing, now=NOW)
        else:
            with pytest.raises(IllegalTransition):
                order.pay(missing, now=NOW)

    @pytest.mark.parametrize("status", SaleStatus)
    def test_a_sale_moves_only_along_its_table(self, status):
        order = an_order()
        order.sales[0].status = status
        if SaleStatus.AWAITING_SHIPMENT in SALE_MOVES[status]:
            order.pay({}, now=NOW)
        else:
            with pytest.raises(IllegalTransition):
                order.pay({}, now=NOW)


class TestTakingBack:
    def paid(self) -> Order:
        order = an_order()
        order.pay({}, now=NOW)
        return order

    def test_part_of_it_makes_it_partially_refunded(self):
        order = self.paid()
        sale = order.sale(101)
        assert order.take_back(sale, {sale.lines[0].id: 1}, now=NOW, reason="damaged") == 5005
        assert order.status is OrderStatus.PARTIALLY_REFUNDED
        assert sale.lines[0].open_quantity == 1
        assert order.returned_of(sale) == Returned(order=5005, seller=5005)

    def test_all_of_it_in_parts_makes_it_refunded(self):
        order = self.paid()
        for sale in order.sales:
            for line in sale.lines:
                order.take_back(sale, {line.id: line.quantity}, now=NOW, reason="damaged")
        assert (order.status, order.returned) == (OrderStatus.REFUNDED, order.base)

    @pytest.mark.parametrize("pieces", [-1, 3])
    def test_no_more_goes_back_than_was_sold(self, pieces):
        order = self.paid()
        sale = order.sale(101)
        with pytest.raises(Invalid, match="2 are left"):
            order.take_back(sale, {sale.lines[0].id: pieces}, now=NOW, reason="damaged")

    def test_nothing_goes_back_of_what_was_not_paid(self):
        order = an_order()
        with pytest.raises(IllegalTransition):
            order.take_back(order.sales[0], {200: 1}, now=NOW, reason="damaged")

    @pytest.mark.parametrize("items", [0, -1, 5006])
    def test_refuses_money_that_is_not_left_of_the_sale(self, items):
        order = put(an_order(), OrderStatus.PAID)
        with pytest.raises(Invalid, match="cannot go back"):
            order.take_back(order.sales[0], {}, items=items, now=NOW, reason="damaged")
        assert order.returned == 0

    def test_a_sale_of_another_order_is_unknown(self):
        with pytest.raises(Invalid, match="not part of order"):
            an_order().sale(999)
