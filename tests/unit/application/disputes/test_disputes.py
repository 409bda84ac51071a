"""Disputes of buyers: when one can be opened, what it holds, and how it ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.application.access import OPERATOR
from marketplace.application.disputes.resolving import ReplacementUnavailable
from marketplace.application.fulfilment.cancelling import CancelSale
from marketplace.application.fulfilment.shipping import ShipSale
from marketplace.domain.disputes import (
    AlreadyDisputed,
    DecidedByTheBank,
    DisputeOpened,
    DisputeOutcome,
    DisputeReason,
    DisputeResolved,
    DisputeStatus,
    NotDisputable,
)
from marketplace.domain.identity import Role
from marketplace.domain.orders.returning import RefundAboveRest
from marketplace.domain.orders.status import OrderStatus, SaleStatus
from marketplace.domain.payments.chargebacks import ChargebackOpen
from marketplace.domain.payout_states import PayoutStatus
from marketplace.domain.shared.errors import Forbidden, IllegalTransition, Invalid, NotFound
from marketplace.domain.shared.ids import DisputeId, SaleId
from marketplace.domain.shared.money import Money
from tests.cashier import Cashier
from tests.till import Till

DAY = timedelta(days=1)


@pytest.fixture
def till():
    return Till.in_memory()


@pytest.fixture
def market(till):
    return till.market


@pytest.fixture
def cashier(till):
    return Cashier(till)


@pytest.fixture
def seller(cashier):
    return cashier.seller()


@pytest.fixture
def paid(cashier, seller):
    """One sale of 100.00, for which 126.00 were paid."""
    order_id = cashier.paid(seller)
    cashier.till.market.clock.advance(timedelta(hours=1))
    return order_id


@pytest.fixture
def sale(till, paid):
    return till.order(paid).sales[0]


@pytest.fixture
def buyer(till, market, paid):
    return market.people[till.order(paid).buyer_id]


@pytest.fixture
def verifier(market):
    return market.someone(roles=[Role.VERIFIER])


@pytest.fixture
def sent(market, seller, sale):
    """The sale, on its way."""
    ship = ShipSale(unit_of_work=market.unit_of_work, clock=market.clock, auto_complete=14 * DAY)
    ship(actor=seller, sale_id=sale.id, carrier="La Poste", tracking_number="6A123")
    return sale


def claim(till, buyer, sale, reason=DisputeReason.DAMAGED, description="A corner is bent", **more):
    return till.open_dispute(actor=buyer, sale_id=sale.id, reason=reason, description=description, **more)


def decide(till, actor, dispute_id, outcome, amount=None, note="Looked at the photos"):
    till.resolve_dispute(actor=actor, dispute_id=dispute_id, outcome=outcome, note=note, amount=amount)


def payout(till, order_id):
    return till.payouts(order_id)[0]


class TestOpening:
    def test_holds_the_payout_and_tells_both(self, till, paid, sent, buyer, seller):
        id = claim(till, buyer, sent, desired_outcome=DisputeOutcome.REFUND)
        dispute = till.dispute(id)
        now = till.market.clock.now()
        assert (dispute.status, dispute.opened_at, dispute.respond_by) == (DisputeStatus.OPEN, now, now + 5 * DAY)
        assert (dispute.buyer_id, dispute.seller_id) == (buyer.account_id, seller.account_id)
        assert payout(till, paid).status is PayoutStatus.ON_HOLD
        with till.market.unit_of_work() as uow:
            assert uow.disputes.is_open(sent.id)
        (told,) = [event for event in till.events() if isinstance(event, DisputeOpened)]
        assert (told.dispute_id, told.sale_id, told.reason) == (id, sent.id, "damaged")
        assert till.findings() == []

    def test_of_what_is_not_shipped_takes_a_week(self, till, market, paid, sale, buyer):
        with pytest.raises(NotDisputable) as refused:
            claim(till, buyer, sale, DisputeReason.NOT_RECEIVED)
        paid_at = till.order(paid).paid_at
        assert refused.value.facts["disputable_from"] == (paid_at + 7 * DAY).isoformat()
        market.clock.set(paid_at + 7 * DAY)
        assert till.dispute(claim(till, buyer, sale, DisputeReason.NOT_RECEIVED)).is_open

    def test_twice_is_refused(self, till, sent, buyer):
        claim(till, buyer, sent)
        with pytest.raises(AlreadyDisputed):
            claim(till, buyer, sent)

    def test_is_for_its_buyer(self, till, market, sent, seller):
        for somebody in (seller, market.buyer(), market.someone(roles=[Role.ADMIN])):
            with pytest.raises(NotFound):
                claim(till, somebody, sent)
        with pytest.raises(NotFound):
            till.open_dispute(
                actor=seller, sale_id=SaleId(1), reason=DisputeReason.OTHER, description="There is no such sale"
            )

    def test_is_over_when_the_sale_has_completed_or_was_never_paid(self, till, market, cashier, sent, buyer, paid):
        with market.unit_of_work() as uow:
            order = uow.orders.get_for_update(paid)
            order.complete(order.sales[0], now=market.clock.now(), actor_id=None, reason="a test")
            uow.orders.save(order)
            uow.commit()
        with pytest.raises(NotDisputable):
            claim(till, buyer, sent)
        waiting = till.ordered(buyer, market.listing(market.seller()))
        with pytest.raises(NotDisputable):
            claim(till, buyer, till.order(waiting).sales[0])

    @pytest.mark.parametrize(
        "said",
        [
            {"reason": DisputeReason.CHARGEBACK},
            {"desired_outcome": DisputeOutcome.DISMISSED},
            {"description": " "},
            {"description": "x" * 4001},
        ],
    )
    def test_refuses_what_a_buyer_does_not_say(self, till, sent, buyer, said):
        with pytest.raises(Invalid):
            claim(till, buyer, sent, **said)

    def test_beside_a_chargeback_is_refused(self, till, paid, sent, buyer):
        till.provider.open_chargeback(till.payment(paid).intent_id)
        till.work()
        with pytest.raises(AlreadyDisputed):
            claim(till, buyer, sent)


class TestWithdrawing:
    def test_lets_the_payout_go(self, till, paid, sent, buyer):
        id = claim(till, buyer, sent)
        till.withdraw_dispute(actor=buyer, dispute_id=id)
        dispute = till.dispute(id)
        assert (dispute.status, dispute.outcome, dispute.respond_by) == (DisputeStatus.WITHDRAWN, None, None)
        assert payout(till, paid).status is PayoutStatus.PENDING
        assert [event.outcome for event in till.events() if isinstance(event, DisputeResolved)] == [""]
        assert claim(till, buyer, sent) != id
        assert till.findings() == []

    def test_is_for_the_buyer(self, till, market, sent, buyer, seller, verifier):
        id = claim(till, buyer, sent)
        with pytest.raises(NotFound):
            till.withdraw_dispute(actor=market.buyer(), dispute_id=id)
        for somebody in (seller, verifier):
            with pytest.raises(Forbidden):
                till.withdraw_dispute(actor=somebody, dispute_id=id)

    def test_of_a_chargeback_is_for_the_bank(self, till, paid, buyer, verifier):
        till.provider.open_chargeback(till.payment(paid).intent_id)
        till.work()
        with till.market.unit_of_work() as uow:
            (claimed,) = uow.disputes.of_chargeback_for_update(till.chargebacks(paid)[0].id)
        with pytest.raises(DecidedByTheBank):
            till.withdraw_dispute(actor=buyer, dispute_id=claimed.id)
        with pytest.raises(DecidedByTheBank):
            decide(till, verifier, claimed.id, DisputeOutcome.DISMISSED)

    def test_of_what_is_over_is_refused(self, till, sent, buyer, verifier):
        id = claim(till, buyer, sent)
        decide(till, verifier, id, DisputeOutcome.DISMISSED)
        with pytest.raises(IllegalTransition):
            till.withdraw_dispute(actor=buyer, dispute_id=id)


class TestDeciding:
    def test_a_refund_gives_the_sale_back_with_its_commission(self, till, paid, sent, buyer, verifier):
        id = claim(till, buyer, sent)
        decide(till, verifier, id, DisputeOutcome.REFUND)
        dispute = till.dispute(id)
        assert (dispute.status, dispute.outcome, dispute.amount) == (
            DisputeStatus.RESOLVED,
            DisputeOutcome.REFUND,
            Money(10500, "EUR"),
        )
        assert (dispute.resolved_by, dispute.note) == (verifier.account_id, "Looked at the photos")
        order = till.order(paid)
        assert (order.status, order.sales[0].status) == (OrderStatus.REFUNDED, SaleStatus.REFUNDED)
        assert payout(till, paid).status is PayoutStatus.REVERSED
        till.work()
        assert till.refunds(paid)[0].id == dispute.refund_id
        assert till.findings() == []

    def test_a_refund_of_what_was_never_shipped_gives_all_fees_back(self, till, market, sale, buyer, verifier, paid):
        market.clock.advance(7 * DAY)
        id = claim(till, buyer, sale, DisputeReason.NOT_RECEIVED)
        decide(till, OPERATOR, id, DisputeOutcome.REFUND)
        assert till.dispute(id).amount == till.order(paid).total
        assert till.dispute(id).resolved_by is None

    def test_a_partial_refund_is_item_money_and_the_rest_is_paid(self, till, cashier, paid, sent, buyer, verifier):
        id = claim(till, buyer, sent)
        decide(till, verifier, id, DisputeOutcome.PARTIAL_REFUND, "40.00")
        assert till.dispute(id).amount == Money(4000, "EUR")
        assert till.order(paid).sales[0].status is SaleStatus.SHIPPED
        cashier.complete(paid)
        till.work()
        assert payout(till, paid).status is PayoutStatus.PAID
        assert till.findings() == []

    def test_a_dismissal_lets_the_payout_go(self, till, paid, sent, buyer, verifier):
        id = claim(till, buyer, sent)
        decide(till, verifier, id, DisputeOutcome.DISMISSED)
        assert (till.dispute(id).outcome, till.dispute(id).amount) == (DisputeOutcome.DISMISSED, None)
        assert payout(till, paid).status is PayoutStatus.PENDING
        assert till.refunds(paid) == []

    @pytest.mark.parametrize(
        ("outcome", "amount", "error"),
        [
            (DisputeOutcome.PARTIAL_REFUND, None, Invalid),
            (DisputeOutcome.PARTIAL_REFUND, "100.01", RefundAboveRest),
            (DisputeOutcome.REFUND, "1.00", Invalid),
            (DisputeOutcome.DISMISSED, "1.00", Invalid),
            (DisputeOutcome.REPLACEMENT, None, ReplacementUnavailable),
        ],
    )
    def test_refuses_what_does_not_go_together(self, till, sent, buyer, verifier, outcome, amount, error):
        id = claim(till, buyer, sent)
        with pytest.raises(error):
            decide(till, verifier, id, outcome, amount)
        assert till.dispute(id).is_open

    def test_is_for_verifiers_and_admins_who_are_no_party(self, till, market, sent, buyer, seller, verifier):
        id = claim(till, buyer, sent)
        for party in (buyer, seller):
            with pytest.raises(Forbidden):
                decide(till, party, id, DisputeOutcome.DISMISSED)
        partial = type(verifier)(account_id=seller.account_id, roles=verifier.roles)
        with pytest.raises(Forbidden):
            decide(till, partial, id, DisputeOutcome.DISMISSED)
        with pytest.raises(NotFound):
            decide(till, verifier, DisputeId(1), DisputeOutcome.DISMISSED)

    def test_twice_is_refused(self, till, sent, buyer, verifier, paid):
        id = claim(till, buyer, sent)
        decide(till, verifier, id, DisputeOutcome.REFUND)
        with pytest.raises(IllegalTransition):
            decide(till, verifier, id, DisputeOutcome.REFUND)
        assert len(till.refunds(paid)) == 1

    def test_with_money_waits_for_the_bank(self, till, paid, sent, buyer, verifier):
        id = claim(till, buyer, sent)
        till.provider.open_chargeback(till.payment(paid).intent_id)
        till.work()
        with pytest.raises(ChargebackOpen):
            decide(till, verifier, id, DisputeOutcome.REFUND)
        decide(till, verifier, id, DisputeOutcome.DISMISSED)
        assert payout(till, paid).status is PayoutStatus.ON_HOLD


class TestEndingByItself:
    """A sale of which everything has gone back has nothing left to dispute, whichever way it went."""

    def test_a_refund_by_an_admin_settles_it(self, till, paid, sent, buyer):
        id = claim(till, buyer, sent)
        refund = till.refund(paid)
        dispute = till.dispute(id)
        assert (dispute.status, dispute.outcome) == (DisputeStatus.RESOLVED, DisputeOutcome.REFUND)
        assert (dispute.amount, dispute.refund_id, dispute.note) == (refund.amount, refund.id, "a test")
        assert payout(till, paid).status is PayoutStatus.REVERSED
        assert len([event for event in till.events() if isinstance(event, DisputeResolved)]) == 1
        till.work()
        assert till.findings() == []

    def test_a_refund_of_a_part_leaves_it_open(self, till, paid, sent, buyer):
        id = claim(till, buyer, sent)
        till.refund(paid, amount="99.99")
        assert till.dispute(id).is_open
        assert payout(till, paid).status is PayoutStatus.ON_HOLD
        till.refund(paid, amount="0.01")
        assert till.dispute(id).amount == Money(1, "EUR")

    def test_each_sale_of_an_order_has_its_own(self, till, market, cashier):
        order_id = cashier.paid(cashier.seller(), cashier.seller())
        market.clock.advance(7 * DAY)
        order = till.order(order_id)
        buyer = market.people[order.buyer_id]
        first, second = (claim(till, buyer, sale, DisputeReason.NOT_RECEIVED) for sale in order.sales)
        till.refund(order_id, order.sales[0].id)
        assert (till.dispute(first).is_open, till.dispute(second).is_open) == (False, True)
        whole = till.refund(order_id)
        assert till.dispute(second).amount == whole.amount

    def test_a_cancellation_by_the_seller_settles_it(self, till, market, paid, sale, buyer, seller):
        market.clock.advance(7 * DAY)
        id = claim(till, buyer, sale, DisputeReason.NOT_RECEIVED)
        cancel = CancelSale(unit_of_work=market.unit_of_work, clock=market.clock, ids=market.ids)
        cancel(actor=seller, sale_id=sale.id, reason="It was stolen")
        dispute = till.dispute(id)
        assert (dispute.status, dispute.note, dispute.resolved_by) == (
            DisputeStatus.RESOLVED,
            "It was stolen",
            seller.account_id,
        )
        assert dispute.amount == till.order(paid).total
        till.work()
        assert till.findings() == []

    def test_a_lost_chargeback_settles_it_beside_its_own(self, till, paid, sent, buyer):
        id = claim(till, buyer, sent)
        chargeback = till.provider.open_chargeback(till.payment(paid).intent_id)
        till.work()
        assert till.dispute(id).is_open
        till.provider.decide_chargeback(chargeback.id, is_won=False)
        till.work()
        dispute = till.dispute(id)
        assert (dispute.outcome, dispute.amount, dispute.refund_id) == (
            DisputeOutcome.REFUND,
            Money(10000, "EUR"),
            None,
        )
        assert dispute.note == "The buyer's bank has given the money back."
        assert len([event for event in till.events() if isinstance(event, DisputeResolved)]) == 2
        assert till.findings() == []

    def test_a_chargeback_that_is_won_leaves_it_open(self, till, paid, sent, buyer):
        id = claim(till, buyer, sent)
        chargeback = till.provider.open_chargeback(till.payment(paid).intent_id)
        till.work()
        till.provider.decide_chargeback(chargeback.id, is_won=True)
        till.work()
        assert till.dispute(id).is_open
        assert payout(till, paid).status is PayoutStatus.ON_HOLD
        assert till.findings() == []
