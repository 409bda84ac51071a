"""Chargebacks from their first sign to their end: what is held, who bears what is lost, and what the books say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from marketplace.domain import ledger
from marketplace.domain.disputes import DisputeOutcome, DisputeReason, DisputeStatus
from marketplace.domain.orders.status import OrderStatus, SaleStatus
from marketplace.domain.payments.chargebacks import (
    ChargebackDecided,
    ChargebackOpen,
    ChargebackOpened,
    ChargebackStage,
)
from marketplace.domain.payments.payment import PaymentBusy, ProviderAlarm
from marketplace.domain.payout_states import PayoutStatus
from tests.cashier import Cashier


@pytest.fixture
def cashier(till):
    return Cashier(till)


@pytest.fixture
def sellers(cashier):
    return cashier.seller(), cashier.seller()


@pytest.fixture
def paid(cashier, sellers):
    """Two sales of 100.00: 232.00 with 10.00 of commission, 12.00 of processing and 10.00 of postage."""
    return cashier.paid(*sellers)


def disputed(till, order_id, **how):
    opened = till.provider.open_chargeback(till.payment(order_id).intent_id, **how)
    till.work()
    return opened.id


def standings(till):
    with till.audit.snapshot() as facts:
        return {entry.account: entry.balance.amount for entry in facts.balances() if entry.balance.amount}


def claims(till, order_id):
    (chargeback,) = till.chargebacks(order_id)
    with till.market.unit_of_work() as uow:
        return list(uow.disputes.of_chargeback_for_update(chargeback.id))


def news(till, kind):
    return [event for event in till.events() if isinstance(event, kind)]


class TestOpening:
    def test_holds_every_payout_and_disputes_every_sale(self, till, cashier, paid):
        disputed(till, paid)
        assert [payout.status for payout in till.payouts(paid)] == [PayoutStatus.ON_HOLD] * 2
        opened = claims(till, paid)
        assert [(each.reason, each.status) for each in opened] == [(DisputeReason.CHARGEBACK, DisputeStatus.OPEN)] * 2
        with till.market.unit_of_work() as uow:
            assert all(uow.disputes.is_open(sale.id) for sale in till.order(paid).sales)
        assert standings(till)[ledger.DISPUTED_FUNDS] == 23200
        assert standings(till)[ledger.DISPUTE_FEES] == 2000
        assert [event.is_inquiry for event in news(till, ChargebackOpened)] == [False]

    def test_is_done_once_however_often_it_is_told(self, till, paid):
        id = disputed(till, paid)
        before = standings(till)
        assert till.check_chargeback(id)
        assert till.check_chargeback(id)
        till.work_for(hours=13)
        assert standings(till) == before
        assert len(till.chargebacks(paid)) == 1
        assert len(claims(till, paid)) == 2

    def test_refuses_refunds_before_any_call(self, till, paid):
        disputed(till, paid)
        with pytest.raises(ChargebackOpen):
            till.refund(paid)
        assert "refund" not in till.gateway.calls

    def test_withdraws_transfers_that_are_not_sent(self, till, cashier, paid):
        cashier.complete(paid)
        disputed(till, paid)
        till.work_for(hours=1)
        assert cashier.transfers(paid, cashier.payout(paid).id) == 0

    def test_of_what_is_refunded_already_opens_no_dispute_there(self, till, paid):
        first, _ = till.order(paid).sales
        till.refund(paid, first.id)
        till.work()
        disputed(till, paid)
        assert [each.sale_id for each in claims(till, paid)] == [till.order(paid).sales[1].id]


class TestStrangers:
    def test_of_a_payment_of_nobody_is_not_ours(self, till):
        assert not till.check_chargeback("du_unknown")

    def test_of_another_intent_is_not_ours(self, till, paid):
        id = till.provider.open_chargeback(till.payment(paid).intent_id).id
        till.gateway.interrupt("get_chargeback", when="instead", by=lambda found: replace(found, intent_id="pi_other"))
        assert not till.check_chargeback(id)
        till.gateway.interrupt("get_chargeback", when="instead", by=lambda found: replace(found, intent_id=None))
        assert not till.check_chargeback(id)
        till.gateway.interrupt("get_chargeback", when="instead", by=lambda found: replace(found, livemode=True))
        assert not till.check_chargeback(id)
        assert till.chargebacks(paid) == []

    def test_before_its_payment_is_settled_comes_again(self, till, buyer, card):
        order_id = till.ordered(buyer, card)
        till.pay(buyer, order_id)
        id = till.provider.open_chargeback(till.payment(order_id).intent_id).id
        with pytest.raises(PaymentBusy):
            till.check_chargeback(id)
        till.work_for(minutes=5)
        assert till.chargebacks(order_id)[0].stage is ChargebackStage.OPEN


class TestInquiry:
    def test_holds_and_moves_no_money(self, till, paid):
        before = till.provider.balance("EUR")
        disputed(till, paid, is_inquiry=True)
        assert [payout.status for payout in till.payouts(paid)] == [PayoutStatus.ON_HOLD] * 2
        assert claims(till, paid) == []
        assert till.provider.balance("EUR") == before
        assert till.findings() == []

    def test_that_is_closed_lets_go(self, till, paid):
        id = disputed(till, paid, is_inquiry=True)
        till.provider.decide_chargeback(id, is_won=True)
        till.work()
        assert [payout.status for payout in till.payouts(paid)] == [PayoutStatus.PENDING] * 2
        assert till.chargebacks(paid)[0].stage is ChargebackStage.INQUIRY_CLOSED
        assert till.chargebacks(paid)[0].next_check_at is None

    def test_that_is_prevented_lets_go(self, till, paid):
        id = disputed(till, paid, is_inquiry=True)
        till.provider.prevent_chargeback(id)
        till.work()
        assert [payout.status for payout in till.payouts(paid)] == [PayoutStatus.PENDING] * 2

    def test_may_be_answered_by_a_refund(self, till, paid):
        disputed(till, paid, is_inquiry=True)
        till.refund(paid)
        till.work()
        assert [payout.status for payout in till.payouts(paid)] == [PayoutStatus.REVERSED] * 2

    def test_may_become_a_chargeback(self, till, paid):
        id = disputed(till, paid, is_inquiry=True)
        till.provider.escalate_chargeback(id)
        till.work()
        assert len(claims(till, paid)) == 2
        assert [event.is_inquiry for event in news(till, ChargebackOpened)] == [True, False]
        assert till.findings() == []


class TestWon:
    def test_gives_everything_back(self, till, cashier, paid, sellers):
        id = disputed(till, paid)
        till.provider.decide_chargeback(id, is_won=True)
        till.work()
        assert standings(till).get(ledger.DISPUTED_FUNDS) is None
        assert standings(till)[ledger.DISPUTE_FEES] == 2000
        assert [payout.status for payout in till.payouts(paid)] == [PayoutStatus.PENDING] * 2
        assert [(each.status, each.outcome) for each in claims(till, paid)] == [
            (DisputeStatus.RESOLVED, DisputeOutcome.DISMISSED)
        ] * 2
        assert [event.stage for event in news(till, ChargebackDecided)] == ["won"]
        assert till.findings() == []

    def test_pays_the_seller_whose_sale_completed_meanwhile(self, till, cashier, paid):
        id = disputed(till, paid)
        cashier.complete(paid)
        till.provider.decide_chargeback(id, is_won=True, with_fee=True)
        till.work()
        assert [payout.status for payout in till.payouts(paid)] == [PayoutStatus.PAID, PayoutStatus.PENDING]
        assert standings(till).get(ledger.DISPUTE_FEES) is None
        assert till.findings() == []

    def test_lets_go_only_when_it_is_decided_however_early_the_money_is_back(self, till, paid):
        id = disputed(till, paid)
        till.provider.reinstate_chargeback(id)
        till.work()
        assert standings(till).get(ledger.DISPUTED_FUNDS) is None
        assert [payout.status for payout in till.payouts(paid)] == [PayoutStatus.ON_HOLD] * 2
        till.provider.decide_chargeback(id, is_won=True)
        till.work()
        assert [payout.status for payout in till.payouts(paid)] == [PayoutStatus.PENDING] * 2
        assert till.findings() == []


class TestLost:
    def test_takes_each_one_s_part(self, till, cashier, paid, sellers):
        id = disputed(till, paid)
        till.provider.decide_chargeback(id, is_won=False)
        till.work()
        found = standings(till)
        assert found == {
            ledger.STRIPE_BALANCE: found[ledger.STRIPE_BALANCE],
            ledger.STRIPE_FEES: found[ledger.STRIPE_FEES],
            ledger.DISPUTE_FEES: 2000,
            ledger.CHARGEBACK_LOSSES: 1000,
            ledger.SHIPPING: -1000,
        }
        order = till.order(paid)
        assert (order.status, {sale.status for sale in order.sales}) == (OrderStatus.REFUNDED, {SaleStatus.REFUNDED})
        assert [payout.status for payout in till.payouts(paid)] == [PayoutStatus.REVERSED] * 2
        assert [(each.outcome, each.amount.amount) for each in claims(till, paid)] == [
            (DisputeOutcome.REFUND, 10000)
        ] * 2
        (chargeback,) = till.chargebacks(paid)
        assert (chargeback.lost, chargeback.next_check_at) == (23200, None)
        assert till.findings() == []

    def test_after_the_payout_is_owed_by_each_seller(self, till, cashier, sellers):
        order_id = cashier.sent(*sellers)
        id = disputed(till, order_id)
        till.provider.decide_chargeback(id, is_won=False)
        till.work()
        assert [cashier.recovery(order_id, sale).amount.amount for sale in (0, 1)] == [9500, 9500]
        assert till.findings() == []

    def test_after_a_refund_leaves_the_rest_of_it_to_us(self, till, cashier, paid):
        first, _ = till.order(paid).sales
        till.refund(paid, first.id)
        till.work()
        id = disputed(till, paid, amount=23200)
        till.provider.decide_chargeback(id, is_won=False)
        till.work()
        # 116.00 went back before: the first sale with half of every fee.
        assert standings(till)[ledger.CHARGEBACK_LOSSES] == 11600 + 500
        assert till.order(paid).status is OrderStatus.REFUNDED
        assert [payout.status for payout in till.payouts(paid)] == [PayoutStatus.REVERSED] * 2

    def test_of_a_part_is_item_money_of_all_sales(self, till, cashier, paid):
        id = disputed(till, paid, amount=5001)
        till.provider.decide_chargeback(id, is_won=False)
        till.work()
        order = till.order(paid)
        assert [sale.returned for sale in order.sales] == [2501, 2500]
        assert (order.status, order.sales[0].status) == (OrderStatus.PARTIALLY_REFUNDED, SaleStatus.AWAITING_SHIPMENT)
        assert [payout.status for payout in till.payouts(paid)] == [PayoutStatus.PENDING] * 2
        assert standings(till).get(ledger.CHARGEBACK_LOSSES) is None
        assert till.refund(paid).amount.amount == 23200 - 5001 - _kept_of_fees(5001)
        assert till.findings() == []

    def test_waits_for_the_money_to_be_gone(self, till, paid):
        id = till.provider.open_chargeback(till.payment(paid).intent_id).id
        till.provider.decide_chargeback(id, is_won=False)
        for _ in range(2):  # to come to know it, and to read it
            till.gateway.interrupt("get_chargeback", when="instead", by=lambda found: replace(found, movements=()))
        till.check_chargeback(id)
        (chargeback,) = till.chargebacks(paid)
        assert (chargeback.stage, chargeback.lost) == (ChargebackStage.LOST, None)
        till.work_for(hours=7)
        assert till.chargebacks(paid)[0].lost == 23200
        assert till.findings() == []

    def test_and_appealed_moves_nothing_by_itself(self, till, paid):
        id = disputed(till, paid)
        till.provider.decide_chargeback(id, is_won=False)
        till.work()
        before = standings(till)
        till.provider.appeal_chargeback(id)
        till.work()
        assert standings(till) == before
        assert till.chargebacks(paid)[0].stage is ChargebackStage.APPEAL
        assert till.chargebacks(paid)[0].next_check_at is not None
        assert till.findings() == []

    def test_and_reinstated_later_waits_for_an_operator(self, till, paid):
        id = disputed(till, paid)
        till.provider.decide_chargeback(id, is_won=False)
        till.work()
        till.provider.appeal_chargeback(id)
        till.provider.decide_chargeback(id, is_won=True)
        till.work()
        assert standings(till)[ledger.SUSPENSE] == -23200
        assert any("decide whose it is" in alarm.reason for alarm in news(till, ProviderAlarm))
        assert till.order(paid).status is OrderStatus.REFUNDED

    def test_twice_on_one_order_leaves_the_fees_to_us_the_second_time(self, till, paid):
        for amount in (15000, 8200):
            id = disputed(till, paid, amount=amount)
            till.provider.decide_chargeback(id, is_won=False)
            till.work()
        assert [each.lost for each in till.chargebacks(paid)] == [15000, 8200]
        assert standings(till)[ledger.CHARGEBACK_LOSSES] == 3200
        assert till.order(paid).status is OrderStatus.REFUNDED
        assert till.findings() == []


def _kept_of_fees(items):
    """The whole refund after it gives back the fees of what is left: of 200.00 with 32.00 of fees, three components."""
    return sum(_share(fee, items) for fee in (1000, 1200, 1000))


def _share(fee, items):
    return (2 * fee * items + 20000) // 40000
