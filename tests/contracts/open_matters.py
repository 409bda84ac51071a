"""What keeps a person from leaving: whatever is under way, with money or with goods."""

from __future__ import annotations

from marketplace.application.access import Actor
from marketplace.domain.identity.erasure import MatterKind
from marketplace.domain.orders.shipment import Shipment
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.refund import RefundStatus
from marketplace.domain.shared.ids import OrderId
from tests.till import Till


def matters(till: Till, who: Actor) -> dict[MatterKind, tuple[str, ...]]:
    with till.market.unit_of_work() as uow:
        found = uow.personal_data.open_matters(who.account_id)
    assert all(matter.count == len(matter.subjects) for matter in found)
    return {matter.kind: matter.subjects for matter in found}


def complete(till: Till, order_id: OrderId) -> None:
    """All of it has arrived; the payout is not due yet."""
    with till.market.unit_of_work() as uow:
        order = uow.orders.get_for_update(order_id)
        now = till.market.clock.now()
        parcel = Shipment(carrier="La Poste", tracking_number="6A123", shipped_at=now)
        for sale in order.sales:
            order.ship(sale, parcel, now=now, completes_at=now, actor_id=None)
            order.complete(sale, now=now, actor_id=None, reason="a test")
        uow.orders.save(order)
        uow.commit()


class Purchase:
    """One buyer's order of one seller's card."""

    def __init__(self, till: Till, *, card: str = "pm_card_visa", pays: bool = True) -> None:
        self.till = till
        self.buyer, self.seller = till.market.buyer(), till.market.seller()
        self.listing = till.market.listing(self.seller, price=1000, stock=5)
        self.order_id: OrderId = till.ordered(self.buyer, self.listing)
        if pays:
            till.pay(self.buyer, self.order_id, card)
            till.work()

    @property
    def reference(self) -> str:
        return self.till.order(self.order_id).reference

    @property
    def sale(self) -> str:
        return self.till.order(self.order_id).sales[0].reference


class OpenMattersContract:
    """Subclasses provide ``till`` on an empty store."""

    def test_nothing_is_open_for_whoever_did_nothing(self, till):
        assert matters(till, till.market.buyer()) == matters(till, till.market.seller()) == {}

    def test_an_unpaid_order_is_open_for_both_sides(self, till):
        bought = Purchase(till, pays=False)
        assert matters(till, bought.buyer) == {MatterKind.ORDER_UNPAID: (bought.reference,)}
        assert matters(till, bought.seller) == {MatterKind.SALE_UNPAID: (bought.sale,)}

    def test_a_paid_order_is_open_until_it_is_over(self, till):
        bought = Purchase(till)
        assert matters(till, bought.buyer) == {MatterKind.ORDER_UNDERWAY: (bought.reference,)}
        assert matters(till, bought.seller) == {
            MatterKind.SALE_UNDERWAY: (bought.sale,),
            MatterKind.PAYOUT_OWED: ("9.50 EUR",),
        }
        till.refund(bought.order_id)
        assert (
            matters(till, bought.buyer)
            == matters(till, bought.seller)
            == {MatterKind.REFUND_UNDERWAY: (bought.reference,)}
        )
        till.work()
        assert matters(till, bought.buyer) == matters(till, bought.seller) == {}

    def test_an_order_that_ended_is_open_while_its_money_may_still_come(self, till):
        bought = Purchase(till, pays=False)
        till.market.end_unpaid(bought.order_id, OrderStatus.EXPIRED)
        assert matters(till, bought.buyer) == {MatterKind.PAYMENT_UNDERWAY: (bought.reference,)}
        assert matters(till, bought.seller) == {}  # late money finds nothing to buy, and goes back

    def test_an_order_that_was_cancelled_for_good_is_over(self, till):
        bought = Purchase(till, pays=False)
        till.cancel(bought.buyer, bought.order_id)
        till.work()
        assert matters(till, bought.buyer) == matters(till, bought.seller) == {}

    def test_a_refund_that_failed_is_owed_to_the_buyer(self, till):
        bought = Purchase(till, card="pm_card_refundFail")
        till.refund(bought.order_id)
        till.work_for(hours=2)
        assert [refund.status for refund in till.refunds(bought.order_id)] == [RefundStatus.FAILED]
        assert matters(till, bought.buyer) == {MatterKind.REFUND_FAILED: (bought.reference,)}
        assert matters(till, bought.seller) == {}

    def test_a_chargeback_is_open_for_both_sides_until_it_is_decided(self, till):
        bought = Purchase(till)
        complete(till, bought.order_id)
        chargeback = till.provider.open_chargeback(till.payment(bought.order_id).intent_id)
        till.work()
        asked = {MatterKind.CHARGEBACK_UNDERWAY: (bought.reference,)}
        owed = {MatterKind.PAYOUT_OWED: ("9.50 EUR",)}
        assert (matters(till, bought.buyer), matters(till, bought.seller)) == (asked, asked | owed)
        assert matters(till, till.market.buyer()) == {}
        till.provider.decide_chargeback(chargeback.id, is_won=True)
        till.work()
        assert (matters(till, bought.buyer), matters(till, bought.seller)) == ({}, owed)

    def test_a_chargeback_that_is_lost_is_over_for_both(self, till):
        bought = Purchase(till)
        complete(till, bought.order_id)
        chargeback = till.provider.open_chargeback(till.payment(bought.order_id).intent_id)
        till.work()
        till.provider.decide_chargeback(chargeback.id, is_won=False)
        till.work()
        assert matters(till, bought.buyer) == matters(till, bought.seller) == {}

    def test_names_ten_of_a_kind_and_counts_them_all(self, till):
        buyer, seller = till.market.buyer(), till.market.seller()
        for _ in range(12):
            till.ordered(buyer, till.market.listing(seller))
        with till.market.unit_of_work() as uow:
            (found,) = uow.personal_data.open_matters(buyer.account_id)
        assert (found.count, len(found.subjects), found.subjects) == (12, 10, tuple(sorted(found.subjects)))
