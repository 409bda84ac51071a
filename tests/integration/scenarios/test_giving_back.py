"""Scenarios 31 to 37 of the catalogue of failures: money that goes back to buyers, and who bears it."""

from __future__ import annotations

import pytest

from marketplace.application.access import OPERATOR
from marketplace.application.payments.returns import RefundWish
from marketplace.domain.orders.returning import NothingToRefund, RefundAboveRest
from marketplace.domain.payments.chargebacks import ChargebackOpen
from marketplace.domain.payments.refund import LACK_OF_FUNDS, PaidBy, RefundCause, RefundFailed, RefundStatus
from marketplace.domain.payout_states import PayoutStatus
from marketplace.domain.recoveries import RecoveryStatus
from marketplace.domain.shared.ids import OrderId
from tests.integration.scenarios.world import World, at_once, everything_is_in_order

pytestmark = pytest.mark.volume

REFUNDS = "/v1/refunds"


@pytest.mark.parametrize("is_paid_out", [False, True], ids=["before transfer", "after transfer"])
def test_31_a_refund_for_one_seller_of_three_leaves_the_others_alone(world: World, is_paid_out: bool) -> None:
    """The amounts are those of ``partial_refund_one_of_three`` in tests/data/fees/golden.json."""
    sellers = [world.cashier.seller() for _ in range(3)]
    prices = (2_500, 4_999, 12_501)
    buyer = world.market.buyer()
    order_id = world.till.ordered(
        buyer, *[world.market.listing(seller, price=price) for seller, price in zip(sellers, prices, strict=True)]
    )
    world.till.pay(buyer, order_id)
    world.work()
    by_seller = {sale.seller_id: place for place, sale in enumerate(world.till.order(order_id).sales)}
    if is_paid_out:
        for place in range(3):
            world.cashier.complete(order_id, place)
        world.work()
    second = by_seller[sellers[1].account_id]
    world.cashier.refund(order_id, sale=second)
    world.work()
    (refund,) = world.till.refunds(order_id)
    assert (refund.status, refund.amount.amount) == (RefundStatus.SUCCEEDED, 5_249)
    (sent_back,) = world.at_stripe("refund")
    assert sent_back["amount"] == 5_249
    taken = {payout.seller_id: payout.reversed_amount for payout in world.till.payouts(order_id)}
    assert [taken[seller.account_id] for seller in sellers] == [0, 4_749, 0]
    if is_paid_out:
        (reversal,) = world.at_stripe("transfer_reversal")
        assert reversal["amount"] == 4_749
        held = [world.stub.world.sellers[world.cashier.account(seller)]["eur"] for seller in sellers]
        assert held == [2_375, 0, 11_876]
    else:
        assert [world.cashier.books(seller) for seller in sellers] == [{"pending": 2_375}, {}, {"pending": 11_876}]
    everything_is_in_order(world)


def test_32_of_two_refunds_at_once_that_are_more_than_the_order_one_is_refused_before_any_call(world: World) -> None:
    order_id = world.cashier.paid(world.cashier.seller())
    sale = world.till.order(order_id).sales[0].id

    def give_back(amount: str | None) -> object:
        return world.till.refund_order(
            actor=OPERATOR,
            order_id=order_id,
            wish=RefundWish(sale_id=sale, amount=amount),
            reason="a test",
            cause=RefundCause.SELLER,
        )

    results = at_once(lambda: give_back("60.00"), lambda: give_back("60.00"), lambda: give_back("70.00"))
    assert sum(isinstance(result, (RefundAboveRest, NothingToRefund)) for result in results) == 2
    assert world.count("refunds") == 1
    world.work()
    assert len(world.stub.keys(REFUNDS)) == len(world.at_stripe("refund")) == 1
    assert world.till.refunds(order_id)[0].status is RefundStatus.SUCCEEDED
    everything_is_in_order(world)


def test_33_a_refund_that_fails_later_is_owed_again_and_paid_in_another_way(world: World) -> None:
    seller = world.cashier.seller()
    order_id = world.cashier.paid(seller)
    world.cashier.refund(order_id)
    world.work()
    books = world.cashier.books(seller)
    world.stub.ripen_refund(world.at_stripe("refund")[0]["id"], "failed")
    world.work()
    (refund,) = world.till.refunds(order_id)
    assert refund.status is RefundStatus.FAILED
    assert len(world.events(RefundFailed)) == 1
    assert _owed_to_buyers(world) == refund.amount.amount
    assert world.cashier.books(seller) == books == {}
    world.till.settle_refund(actor=OPERATOR, refund_id=refund.id, paid_by=PaidBy.BANK, note="SEPA 4711")
    assert _owed_to_buyers(world) == 0
    assert [len(world.journals(kind)) for kind in ("refund_created", "refund_failed", "refund_settled")] == [1, 1, 1]
    everything_is_in_order(world)


def test_34_a_refund_that_waits_for_funds_is_shown_with_an_alarm_and_not_sent_twice(world: World) -> None:
    order_id = world.cashier.paid(world.cashier.seller())
    world.cashier.refund(order_id)
    world.stub.world.refunds_wait_for = LACK_OF_FUNDS
    world.work()
    (refund,) = world.till.refunds(order_id)
    assert (refund.status, refund.failure_reason) == (RefundStatus.PENDING, LACK_OF_FUNDS)
    (alarm,) = world.alarms()
    assert "top it up" in alarm
    world.work_later(hours=7)
    assert world.till.refunds(order_id)[0].status is RefundStatus.PENDING
    assert len(world.alarms()) == 1
    world.stub.top_up(100_000)
    world.stub.ripen_refund(world.at_stripe("refund")[0]["id"], "succeeded")
    # With the next daily look at the provider's books the top-up is in ours.
    world.work_later(days=1)
    assert world.till.refunds(order_id)[0].status is RefundStatus.SUCCEEDED
    assert len(world.stub.keys(REFUNDS)) == len(world.at_stripe("refund")) == len(world.journals("refund_created")) == 1
    everything_is_in_order(world)


def test_35_what_cannot_be_reversed_goes_to_the_buyer_all_the_same_and_is_netted_then_written_off(
    world: World,
) -> None:
    seller = world.cashier.seller()
    order_id = world.cashier.sent(seller)
    world.stub.drain(world.cashier.account(seller), 9_500)
    world.cashier.refund(order_id)
    world.work()
    assert [refund.status for refund in world.till.refunds(order_id)] == [RefundStatus.SUCCEEDED]
    assert world.cashier.recovery(order_id).status is RecoveryStatus.REFUSED
    assert world.cashier.books(seller) == {"receivable": 9_500}
    small = world.cashier.sent(seller, price=1_000)
    assert world.cashier.payout(small).status is PayoutStatus.PAID
    assert world.stub.world.sellers[world.cashier.account(seller)]["eur"] == 0
    assert world.cashier.books(seller) == {"receivable": 8_550}
    world.work_later(days=181)
    world.till.write_off(actor=OPERATOR, recovery_id=world.cashier.recovery(order_id).id, reason="gone for good")
    assert world.cashier.recovery(order_id).status is RecoveryStatus.SETTLED
    assert world.cashier.books(seller) == {}
    assert [len(world.journals(kind)) for kind in ("receivable_netted", "seller_writeoff", "transfer_reversed")] == [
        1,
        1,
        0,
    ]
    everything_is_in_order(world)


def test_36_a_refund_that_is_refused_after_the_reversal_leaves_the_money_with_us_and_an_operator_decides(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    seller = world.cashier.seller()
    order_id = world.cashier.sent(seller)
    world.cashier.refund(order_id)
    world.till.send_recoveries()
    assert world.cashier.recovery(order_id).status is RecoveryStatus.REVERSED
    world.stub.fault(path=REFUNDS, status=400, error={"type": "invalid_request_error", "code": "charge_not_refundable"})
    world.work()
    (refund,) = world.till.refunds(order_id)
    assert (refund.status, refund.failure_reason) == (RefundStatus.FAILED, "refund_not_possible")
    assert len(world.events(RefundFailed)) == 1
    assert f"refund {refund.id} of order {order_id} failed (refund_not_possible)" in caplog.text
    world.work_later(days=2)
    assert _owed_to_buyers(world) == refund.amount.amount
    assert world.cashier.payout(order_id).status is PayoutStatus.REVERSED
    assert len(world.at_stripe("transfer")) == len(world.at_stripe("transfer_reversal")) == 1
    world.till.retry_refund(actor=OPERATOR, refund_id=refund.id)
    world.work()
    assert world.till.refunds(order_id)[0].status is RefundStatus.SUCCEEDED
    assert len(world.at_stripe("refund")) == len(world.journals("refund_created")) == 1
    everything_is_in_order(world)


def test_37_no_refund_while_the_bank_has_the_money_by_us_first(world: World) -> None:
    order_id = world.cashier.paid(world.cashier.seller())
    dispute = _charge_back(world)
    world.work()
    with pytest.raises(ChargebackOpen):
        world.cashier.refund(order_id)
    assert world.count("refunds") == len(world.stub.keys(REFUNDS)) == 0
    world.stub.turn_dispute(dispute, "lost")
    world.work()
    with pytest.raises(NothingToRefund):
        world.cashier.refund(order_id)
    everything_is_in_order(world)


def test_37_no_refund_while_the_bank_has_the_money_by_stripe_second(world: World) -> None:
    """Decided before we knew of the chargeback: the bank's way is the one by which the buyer gets the money."""
    order_id = world.cashier.paid(world.cashier.seller())
    dispute = _charge_back(world)
    world.cashier.refund(order_id)
    world.till.send_refunds()
    (refund,) = world.till.refunds(order_id)
    assert (refund.status, refund.failure_reason) == (RefundStatus.FAILED, "refund_not_possible")
    world.work()
    with pytest.raises(ChargebackOpen):
        world.till.retry_refund(actor=OPERATOR, refund_id=refund.id)
    world.stub.turn_dispute(dispute, "lost")
    world.work()
    world.till.settle_refund(
        actor=OPERATOR, refund_id=refund.id, paid_by=PaidBy.CHARGEBACK, note="by the buyer's own bank"
    )
    assert _owed_to_buyers(world) == 0
    assert world.at_stripe("refund") == []
    everything_is_in_order(world)


def _charge_back(world: World) -> str:
    (charge,) = world.at_stripe("charge", status="succeeded")
    return world.stub.open_dispute(charge["id"])


def _owed_to_buyers(world: World, order_id: OrderId | None = None) -> int:
    with world.till.audit.snapshot() as facts:
        return -sum(entry.balance.amount for entry in facts.balances() if entry.account.endswith("refunds_payable"))
