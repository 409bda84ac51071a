"""What stores of disputes and chargebacks promise. Subclasses provide the fixtures ``till``, and the two queries."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from marketplace.application.access import OPERATOR
from marketplace.application.ports.disputes import DisputeFilter
from marketplace.application.ports.pages import PageRequest
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.disputes import (
    AlreadyDisputed,
    Dispute,
    DisputeOutcome,
    DisputeReason,
    DisputeStatus,
)
from marketplace.domain.payments.chargebacks import Chargeback, ChargebackMovement, ChargebackStage
from marketplace.domain.payments.refund import PaidBy, RefundStatus
from marketplace.domain.shared.errors import ConcurrencyConflict, Conflict, NotFound
from marketplace.domain.shared.ids import ChargebackId, DisputeId, OrderId, RefundId, SaleId
from marketplace.domain.shared.money import Money
from tests.till import Till

AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
UNKNOWN = 987654321


def all_of(thing: Any) -> dict[str, Any]:
    return {field.name: getattr(thing, field.name) for field in fields(thing) if field.name != "events"}


def paid(till: Till) -> OrderId:
    """Of two sellers."""
    buyer, cards = till.market.buyer(), [till.market.listing(till.market.seller(), stock=5) for _ in range(2)]
    order_id = till.ordered(buyer, *cards)
    till.pay(buyer, order_id)
    till.work()
    return order_id


def a_dispute(till: Till, order_id: OrderId, position: int = 0, **changes: Any) -> Dispute:
    order = till.order(order_id)
    sale = order.sales[position]
    said = {"reason": DisputeReason.DAMAGED, "description": "A corner is bent", "now": AT, **changes}
    return Dispute.open(
        id=DisputeId(till.market.ids.next()),
        order_id=order.id,
        sale_id=sale.id,
        buyer_id=order.buyer_id,
        seller_id=sale.seller_id,
        currency=order.currency,
        **said,
    )


def a_chargeback(till: Till, order_id: OrderId, **changes: Any) -> Chargeback:
    id = ChargebackId(till.market.ids.next())
    chargeback = Chargeback.found(
        id=id,
        provider_chargeback_id=f"du_{id}",
        order_id=order_id,
        payment_id=till.payment(order_id).id,
        amount=Money(12112, "EUR"),
        reason="fraudulent",
        opened_at=AT,
    )
    for name, value in changes.items():
        setattr(chargeback, name, value)
    return chargeback


def keep(till: Till, *things: Dispute | Chargeback) -> None:
    with till.market.unit_of_work() as uow:
        for thing in things:
            _kept_by(uow, thing).add(thing)
        uow.commit()


def change(till: Till, thing: Dispute | Chargeback) -> None:
    with till.market.unit_of_work() as uow:
        _kept_by(uow, thing).save(thing)
        uow.commit()


def _kept_by(uow: UnitOfWork, thing: Dispute | Chargeback) -> Any:
    return uow.disputes if isinstance(thing, Dispute) else uow.chargebacks


class DisputeStoreContract:
    def test_gives_back_a_dispute_with_all_that_it_has(self, till):
        order_id = paid(till)
        dispute = a_dispute(till, order_id, desired_outcome=DisputeOutcome.REFUND, respond_by=AT + MINUTE)
        keep(till, dispute)
        assert all_of(till.dispute(dispute.id)) == all_of(dispute)
        refund = till.refund(order_id, dispute.sale_id, amount="0.01")
        dispute = till.dispute(dispute.id)
        dispute.resolve(
            DisputeOutcome.REFUND,
            note="seen",
            now=AT,
            by=dispute.seller_id,
            amount=refund.amount,
            refund_id=refund.id,
        )
        change(till, dispute)
        assert all_of(till.dispute(dispute.id)) == all_of(dispute)

    def test_knows_whether_one_is_open_on_a_sale(self, till):
        order_id = paid(till)
        dispute = a_dispute(till, order_id)
        first, second = till.order(order_id).sales
        keep(till, dispute)
        with till.market.unit_of_work() as uow:
            found = uow.disputes.open_by_buyer_for_update(first.id)
            assert found is not None
            assert found.id == dispute.id
            assert uow.disputes.open_by_buyer_for_update(second.id) is None
            assert uow.disputes.is_open(first.id)
            assert not uow.disputes.is_open(second.id)
            assert not uow.disputes.is_open(SaleId(UNKNOWN))
        dispute.withdraw(now=AT)
        change(till, dispute)
        with till.market.unit_of_work() as uow:
            assert not uow.disputes.is_open(first.id)
            assert uow.disputes.open_by_buyer_for_update(first.id) is None

    def test_the_bank_s_are_not_the_buyer_s(self, till):
        order_id = paid(till)
        chargeback = a_chargeback(till, order_id)
        keep(till, chargeback)
        dispute = a_dispute(till, order_id, reason=DisputeReason.CHARGEBACK, chargeback_id=chargeback.id)
        keep(till, dispute)
        with till.market.unit_of_work() as uow:
            assert uow.disputes.is_open(dispute.sale_id)
            assert uow.disputes.open_by_buyer_for_update(dispute.sale_id) is None

    def test_keeps_one_open_dispute_a_sale_and_one_for_each_chargeback(self, till):
        order_id = paid(till)
        chargeback = a_chargeback(till, order_id)
        keep(till, chargeback)
        by_bank = {"reason": DisputeReason.CHARGEBACK, "chargeback_id": chargeback.id}
        ended = a_dispute(till, order_id)
        ended.withdraw(now=AT)
        keep(till, ended, a_dispute(till, order_id), a_dispute(till, order_id, **by_bank))
        with pytest.raises(AlreadyDisputed):
            keep(till, a_dispute(till, order_id))
        with pytest.raises(Conflict):
            keep(till, a_dispute(till, order_id, **by_bank))
        with till.market.unit_of_work() as uow:
            (opened,) = uow.disputes.of_chargeback_for_update(chargeback.id)
            assert opened.chargeback_id == chargeback.id
            assert uow.disputes.of_chargeback_for_update(ChargebackId(UNKNOWN)) == []

    def test_refuses_what_changed_meanwhile_and_what_is_not_there(self, till):
        dispute = a_dispute(till, paid(till))
        keep(till, dispute)
        mine, theirs = till.dispute(dispute.id), till.dispute(dispute.id)
        theirs.withdraw(now=AT)
        change(till, theirs)
        mine.withdraw(now=AT)
        with pytest.raises(ConcurrencyConflict):
            change(till, mine)
        with till.market.unit_of_work() as uow, pytest.raises(NotFound):
            uow.disputes.get_for_update(DisputeId(UNKNOWN))


class ChargebackStoreContract:
    def test_gives_back_a_chargeback_with_all_that_it_has(self, till):
        order_id = paid(till)
        moved = [
            ChargebackMovement(
                balance_transaction_id=f"txn_{n}_{order_id}", amount=n, fee=f, created_at=AT + n * MINUTE
            )
            for n, f in ((-12112, 2000), (12112, -2000))
        ]
        chargeback = a_chargeback(
            till,
            order_id,
            stage=ChargebackStage.APPEAL,
            status="appeal_under_review",
            lost=7,
            evidence={"customer_name": "Ada"},
            evidence_attempt=2,
            evidence_due_at=AT,
            evidence_submitted_at=AT + MINUTE,
            decided_at=AT + 2 * MINUTE,
            failures=3,
            next_check_at=AT + 3 * MINUTE,
            locked_until=AT + 4 * MINUTE,
        )
        chargeback.take_in(moved[:1])
        keep(till, chargeback)
        (kept,) = till.chargebacks(order_id)
        assert all_of(kept) == all_of(chargeback)
        assert kept.take_in(moved) == moved[1:]
        change(till, kept)
        assert till.chargebacks(order_id)[0].movements == moved

    def test_is_found_by_the_providers_name_which_is_its_own(self, till):
        order_id = paid(till)
        chargeback = a_chargeback(till, order_id)
        keep(till, chargeback)
        with till.market.unit_of_work() as uow:
            found = uow.chargebacks.find(chargeback.provider_chargeback_id)
            assert found is not None
            assert found.id == chargeback.id
            assert uow.chargebacks.find("du_nobody") is None
            assert uow.chargebacks.of_order(OrderId(UNKNOWN)) == []
        twin = a_chargeback(till, order_id, provider_chargeback_id=chargeback.provider_chargeback_id)
        with pytest.raises(Conflict):
            keep(till, twin)

    def test_gives_the_longest_overdue_that_is_free(self, till):
        order_id = paid(till)
        kept = [
            a_chargeback(till, order_id, next_check_at=AT + 2 * MINUTE),
            a_chargeback(till, order_id, next_check_at=AT + MINUTE),
            a_chargeback(till, order_id, next_check_at=AT, locked_until=AT + 5 * MINUTE),
            a_chargeback(till, order_id, next_check_at=AT + 9 * MINUTE),
            a_chargeback(till, order_id),
        ]
        keep(till, *kept)
        for now, expected in ((AT, None), (AT + 2 * MINUTE, kept[1]), (AT + 5 * MINUTE, kept[2])):
            with till.market.unit_of_work() as uow:
                due = uow.chargebacks.next_due_for_update(now=now)
            assert (due and due.id) == (expected and expected.id)


class DisputeQueriesContract:
    def test_shows_a_dispute_and_refuses_an_unknown_one(self, till, dispute_queries):
        dispute = a_dispute(till, paid(till), desired_outcome=DisputeOutcome.REPLACEMENT)
        keep(till, dispute)
        shown = dispute_queries.dispute(dispute.id)
        sale = till.order(dispute.order_id).sales[0]
        assert (shown.id, shown.sale, shown.sale_reference) == (dispute.id, sale.id, sale.reference)
        assert (shown.order, shown.buyer_id, shown.seller_id) == (
            dispute.order_id,
            dispute.buyer_id,
            dispute.seller_id,
        )
        assert (shown.desired_outcome, shown.outcome, shown.opened_at) == (DisputeOutcome.REPLACEMENT, None, AT)
        with pytest.raises(NotFound):
            dispute_queries.dispute(DisputeId(UNKNOWN))

    def test_lists_the_last_opened_first_and_narrows(self, till, dispute_queries):
        order_id = paid(till)
        first = a_dispute(till, order_id, now=AT)
        second = a_dispute(till, order_id, 1, now=AT + MINUTE, reason=DisputeReason.OTHER)
        second.withdraw(now=AT + MINUTE)
        keep(till, first, second)

        def listed(**wanted):
            page = dispute_queries.disputes(PageRequest(), DisputeFilter(**wanted))
            return [dispute.id for dispute in page.items]

        assert listed(order=order_id) == [second.id, first.id]
        assert listed(party=first.buyer_id) == [second.id, first.id]
        assert listed(party=first.seller_id) == [first.id]
        assert listed(order=order_id, statuses=[DisputeStatus.WITHDRAWN]) == [second.id]
        assert listed(order=order_id, reasons=[DisputeReason.DAMAGED]) == [first.id]
        assert listed(sale=second.sale_id) == [second.id]
        page = dispute_queries.disputes(PageRequest(size=1), DisputeFilter(order=order_id))
        after = dispute_queries.disputes(PageRequest(size=1, after=page.next), DisputeFilter(order=order_id))
        assert [found.id for found in (*page.items, *after.items)] == [second.id, first.id]

    def test_shows_chargebacks_with_their_movements(self, till, chargeback_queries):
        order_id = paid(till)
        moved = ChargebackMovement(balance_transaction_id=f"txn_{order_id}", amount=-5, fee=1, created_at=AT)
        open_one = a_chargeback(till, order_id, stage=ChargebackStage.OPEN, opened_at=AT + MINUTE, movements=[moved])
        unread = a_chargeback(till, order_id)
        keep(till, open_one, unread)
        shown = chargeback_queries.chargeback(open_one.id)
        assert (shown.movements, shown.order_reference) == ((moved,), till.order(order_id).reference)
        assert chargeback_queries.chargeback(unread.id).movements == ()
        with pytest.raises(NotFound):
            chargeback_queries.chargeback(ChargebackId(UNKNOWN))
        page = chargeback_queries.chargebacks(PageRequest(), order=order_id)
        assert [(each.id, len(each.movements)) for each in page.items] == [(open_one.id, 1), (unread.id, 0)]
        narrowed = chargeback_queries.chargebacks(PageRequest(), stages=[ChargebackStage.OPEN], order=order_id)
        assert [each.id for each in narrowed.items] == [open_one.id]
        assert chargeback_queries.chargebacks(PageRequest(), order=OrderId(UNKNOWN)).items == []

    def test_lists_refunds_the_last_decided_first(self, till):
        order_id = paid(till)
        first, second = (till.refund(order_id, sale.id) for sale in till.order(order_id).sales)
        page = till.queries.refunds_page(PageRequest(), order_id=order_id)
        assert [refund.id for refund in page.items] == [second.id, first.id]
        narrowed = till.queries.refunds_page(PageRequest(), statuses=[RefundStatus.FAILED], order_id=order_id)
        assert narrowed.items == []
        assert till.queries.refund(first.id).amount == first.amount
        with pytest.raises(NotFound):
            till.queries.refund(RefundId(UNKNOWN))

    def test_keeps_what_became_of_a_failed_refund(self, till):
        order_id = paid(till)
        till.refund(order_id)
        with till.market.unit_of_work() as uow:
            refund = uow.refunds.of_order(order_id)[0]
            refund.lease(now=AT, until=AT)
            refund.accepted(f"re_{refund.id}")
            refund.settle(RefundStatus.FAILED, reason="lost_or_stolen_card", now=AT)
            refund.retry(now=AT)
            refund.lease(now=AT, until=AT)
            refund.settle(RefundStatus.FAILED, reason="declined", now=AT)
            uow.refunds.save(refund)
            uow.commit()
        till.settle_refund(actor=OPERATOR, refund_id=refund.id, paid_by=PaidBy.BANK, note="Transfer 7")
        (kept,) = till.refunds(order_id)
        assert (kept.status, kept.attempt, kept.earlier_provider_refund_ids) == (
            RefundStatus.SETTLED_ELSEWHERE,
            2,
            (f"re_{refund.id}",),
        )
        shown = till.queries.refund(refund.id)
        assert (shown.settled_note, shown.failure_reason) == ("Transfer 7", "declined")
        assert shown.settled_at == till.market.clock.now()
