"""What an admin can give back: a sale, some pieces of it, or an amount; and what goes on offer again."""

from __future__ import annotations

import pytest

from marketplace.application.access import OPERATOR
from marketplace.application.payments.returns import RefundWish
from marketplace.domain.listings import ListingStatus
from marketplace.domain.orders.returning import NothingToRefund, RefundAboveRest
from marketplace.domain.orders.status import OrderStatus, SaleStatus
from marketplace.domain.payments.refund import RefundCause, RefundStatus
from marketplace.domain.payout_states import PayoutStatus
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import SaleId
from marketplace.domain.shared.money import Money
from tests.cashier import Cashier


def euros(amount):
    return Money(amount, "EUR")


@pytest.fixture
def cards(market):
    """Of one seller: three of 10.00, two of 25.00; of another one of 50.00."""
    seller, other = market.seller(), market.seller()
    return (
        market.listing(seller, price=1000, stock=3),
        market.listing(seller, price=2500, stock=2),
        market.listing(other, price=5000, stock=1),
    )


@pytest.fixture
def paid(till, buyer, cards):
    """All of them: 130.00 with 6.50 of commission, 7.80 of processing and 10.00 of postage."""
    for listing, quantity in zip(cards, (3, 2, 1), strict=True):
        till.market.add(buyer, listing, quantity)
    order_id = till.market.order(buyer)
    till.start(order_id)
    till.pay(buyer, order_id)
    till.work()
    return order_id


@pytest.fixture
def sale(till, paid):
    return till.order(paid).sales[0]


def lines(sale):
    return [line.id for line in sale.lines]


class TestPieces:
    def test_go_back_by_item_and_quantity(self, till, paid, sale):
        cheap, dear = lines(sale)
        refund = till.refund(paid, cause=RefundCause.SELLER, items={cheap: 2, dear: 1})
        assert refund.amount == euros(4500 + 225)
        order = till.order(paid)
        assert [line.returned for line in order.sales[0].lines] == [2, 1]
        assert (order.status, order.sales[0].status) == (OrderStatus.PARTIALLY_REFUNDED, SaleStatus.AWAITING_SHIPMENT)
        till.work()
        assert till.findings() == []

    def test_may_be_of_several_sales_at_once(self, till, paid):
        first, second = till.order(paid).sales
        refund = till.refund(paid, items={lines(first)[0]: 1, lines(second)[0]: 1}, cause=RefundCause.BUYER)
        assert [part.sale_id for part in refund.parts] == [first.id, second.id]
        assert refund.amount == euros(6000 + 300)
        order = till.order(paid)
        assert [each.status for each in order.sales] == [SaleStatus.AWAITING_SHIPMENT, SaleStatus.REFUNDED]
        till.work()
        assert till.findings() == []

    def test_of_a_sale_end_it_when_they_are_all(self, till, paid, sale):
        till.refund(paid, sale.id, items={lines(sale)[0]: 3, lines(sale)[1]: 2})
        assert till.order(paid).sales[0].status is SaleStatus.REFUNDED

    def test_are_no_more_than_were_sold(self, till, paid, sale):
        till.refund(paid, items={lines(sale)[0]: 2})
        with pytest.raises(RefundAboveRest) as refused:
            till.refund(paid, items={lines(sale)[0]: 2})
        assert refused.value.facts["left"] == 1

    def test_of_another_order_are_refused(self, till, paid, sale):
        with pytest.raises(Invalid):
            till.refund(paid, items={987654: 1})
        first, second = till.order(paid).sales
        with pytest.raises(Invalid):
            till.refund(paid, first.id, items={lines(second)[0]: 1})

    def test_of_a_sale_of_another_order_are_refused_by_name(self, till, paid):
        with pytest.raises(Invalid) as refused:
            till.refund(paid, SaleId(987654))
        reference = till.order(paid).reference
        assert refused.value.facts["errors"] == {"sale": [f"Sale 987654 is not part of order {reference}."]}

    def test_decided_twice_at_once_are_refused_the_second_time(self, till, paid):
        till.refund(paid)
        with pytest.raises(NothingToRefund):
            till.refund(paid)


class TestAmount:
    def test_is_item_money_and_brings_no_fees_back(self, till, paid, sale):
        refund = till.refund(paid, sale.id, amount="12.34")
        assert refund.amount == euros(1234)
        (part,) = refund.parts
        assert (part.components.commission, part.components.processing, part.components.shipping) == (0, 0, 0)
        assert part.components.seller_net + part.components.seller_commission == 1234
        assert dict(part.pieces) == {}
        assert till.order(paid).sales[0].returned == 1234
        till.work()
        assert till.findings() == []

    def test_of_all_that_is_left_ends_the_sale(self, till, paid, sale):
        till.refund(paid, sale.id, amount="80.00")
        assert till.order(paid).sales[0].status is SaleStatus.REFUNDED

    @pytest.mark.parametrize("amount", ["80.01", "1000000.00"])
    def test_is_never_above_what_is_left_of_the_sale(self, till, paid, sale, amount):
        with pytest.raises(RefundAboveRest) as refused:
            till.refund(paid, sale.id, amount=amount)
        assert refused.value.facts["left"] == "80.00"

    @pytest.mark.parametrize("amount", ["0.00", "-1.00", "1.001", "ten"])
    def test_that_is_none_is_refused(self, till, paid, sale, amount):
        with pytest.raises(Invalid):
            till.refund(paid, sale.id, amount=amount)

    def test_needs_its_sale_when_there_are_several(self, till, paid):
        with pytest.raises(Invalid) as refused:
            till.refund(paid, amount="1.00")
        assert "sale" in refused.value.facts["errors"]

    def test_of_an_order_of_one_sale_does_not(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.pay(buyer, order_id)
        till.work()
        assert till.refund(order_id, amount="1.00").amount == euros(100)

    def test_goes_neither_with_items_nor_with_stock(self):
        for wish in ({"items": {1: 1}}, {"restock": True}):
            with pytest.raises(Invalid):
                RefundWish(amount="1.00", **wish)

    def test_bounds_the_pieces_that_can_go_back_after_it(self, till, paid, sale):
        _, dear = lines(sale)
        till.refund(paid, sale.id, amount="40.00")
        with pytest.raises(RefundAboveRest) as refused:
            till.refund(paid, items={dear: 2})
        assert refused.value.facts["left"] == "40.00"
        assert till.refund(paid, items={dear: 1}, cause=RefundCause.SELLER).amount == euros(2500 + 125)

    def test_leaves_the_rest_for_all_the_pieces_that_are_left(self, till, paid, sale):
        first = till.refund(paid, sale.id, amount="40.00")
        second = till.refund(paid, sale.id, cause=RefundCause.SELLER)
        assert second.parts[0].components.items == 4000
        assert first.parts[0].components.seller_net + second.parts[0].components.seller_net == sale.net
        assert till.order(paid).sales[0].status is SaleStatus.REFUNDED
        till.work()
        assert till.findings() == []

    def test_that_was_all_of_it_leaves_nothing_for_a_piece(self, till, paid, sale):
        till.refund(paid, sale.id, amount="80.00")
        for wish in ({"items": {lines(sale)[0]: 3, lines(sale)[1]: 2}}, {}):
            with pytest.raises(NothingToRefund):
                till.refund(paid, sale.id, **wish)


class TestStock:
    def test_stays_as_it_is_unless_asked(self, till, paid, cards):
        till.refund(paid)
        assert [till.stock(card)[0] for card in cards] == [0, 0, 0]

    def test_comes_back_with_the_pieces(self, till, paid, sale, cards):
        done = till.refund_order(
            actor=OPERATOR, order_id=paid, reason="x", wish=RefundWish(items={lines(sale)[0]: 2}, restock=True)
        )
        assert [(each.listing_id, each.quantity, each.refusal) for each in done.restocked] == [(cards[0], 2, "")]
        assert till.stock(cards[0]) == (2, 0, ListingStatus.ACTIVE)

    def test_does_not_come_back_where_nothing_offers_it_any_more(self, till, market, paid, cards):
        seller = market.people[till.order(paid).sales[0].seller_id]
        market.archive(cards[0])
        market.move(seller, cards[1], version="normal")
        done = till.refund_order(actor=OPERATOR, order_id=paid, reason="x", wish=RefundWish(restock=True))
        told = {each.listing_id: each.refusal for each in done.restocked}
        assert "archived" in told[cards[0]]
        assert "variant" in told[cards[1]]
        assert told[cards[2]] == ""
        assert [till.stock(card)[0] for card in cards] == [0, 0, 1]


class TestTheSellersShare:
    def test_comes_out_of_the_payout_before_it_is_sent(self, till, paid, sale):
        refund = till.refund(paid, sale.id, amount="10.00")
        payout = till.payouts(paid)[0]
        assert payout.remaining == sale.net - refund.parts[0].components.seller_net
        assert till.recoveries(payout) == []

    def test_is_owed_after_it_was_sent(self, till):
        cashier = Cashier(till)
        order_id = cashier.sent(cashier.seller())
        assert cashier.payout(order_id).status is PayoutStatus.PAID
        refund = till.refund(order_id, till.order(order_id).sales[0].id, cause=RefundCause.SELLER)
        till.work()
        assert cashier.recovery(order_id).amount == euros(refund.parts[0].components.seller_net)
        assert till.refunds(order_id)[0].status is RefundStatus.SUCCEEDED
        assert till.findings() == []
