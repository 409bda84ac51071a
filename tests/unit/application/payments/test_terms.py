"""Purchases under terms of their own: the money adds up wherever buyer and sellers pay unequally."""

from __future__ import annotations

import pytest

from marketplace.application.access import OPERATOR
from marketplace.application.fees.adding import AddFeeSchedule
from marketplace.application.fees.in_force import RememberedFees
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.refund import RefundCause
from marketplace.domain.shared.money import Money
from tests.contracts.fees import GENERAL
from tests.market import SCHEDULE

TERMS = {
    "only the seller pays": [
        {"component": "commission", "percent": "0.08", "payer": "seller"},
        *GENERAL[1:],
        {"component": "seller_fees", "percent": "0.011", "fixed": "0.35"},
    ],
    "only the buyer pays": [{"component": "commission", "percent": "0.08", "payer": "buyer"}, *GENERAL[1:]],
    "everything is taken": [
        {"component": "commission", "percent": "0.5"},
        *GENERAL[1:],
        {"component": "seller_fees", "percent": "1"},
    ],
    "nothing is charged": [{"component": "commission"}, {"component": "processing"}, {"component": "shipping"}],
}


@pytest.fixture(params=TERMS.values(), ids=TERMS)
def paid(request, till, buyer, card, other_card):
    """Two sellers' cards under these terms."""
    market = till.market
    remembered = RememberedFees(queries=None, standard=SCHEDULE)
    add = AddFeeSchedule(
        unit_of_work=market.unit_of_work, ids=market.ids, clock=market.clock, currency="EUR", remembered=remembered
    )
    add(actor=OPERATOR, rules=request.param)
    order_id = till.ordered(buyer, card, other_card)
    till.pay(buyer, order_id)
    till.work()
    return order_id


def test_the_books_hold_when_it_is_paid(till, paid):
    assert till.order(paid).status is OrderStatus.PAID
    assert till.findings() == []


def test_the_books_hold_when_a_sale_goes_back_and_then_the_rest(till, paid):
    order = till.order(paid)
    first, second = order.sales
    parts = [till.refund(paid, first.id, RefundCause.NOT_SHIPPED)]
    till.work()
    assert till.findings() == []
    parts.append(till.refund(paid, second.id, RefundCause.NOT_SHIPPED))
    till.work()
    assert sum((part.amount for part in parts), Money.zero("EUR")) == order.total
    assert till.order(paid).status is OrderStatus.REFUNDED
    assert till.findings() == []
