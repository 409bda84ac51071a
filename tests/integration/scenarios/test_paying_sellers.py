"""Scenarios 28 to 30 of the catalogue of failures: sellers who are to be paid, and what stands in the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from marketplace.application.access import Actor
from marketplace.domain.payments.refund import RefundStatus
from marketplace.domain.payout_accounts import Transfers
from marketplace.domain.payout_states import PayoutFailed, PayoutStatus
from marketplace.domain.sellers import SellerRestricted
from marketplace.domain.shared.errors import NotFound
from tests.integration.scenarios.world import World, everything_is_in_order
from tests.stripe_stub import StripeStub, When

pytestmark = pytest.mark.volume

TRANSFERS = "/v1/transfers"
TOO_LITTLE = {"type": "invalid_request_error", "code": "balance_insufficient", "message": "Too little is available."}


def test_28_who_cannot_be_paid_for_lack_of_funds_is_paid_later_and_the_others_at_once(world: World) -> None:
    red, blue = world.cashier.seller(), world.cashier.seller()
    order_id = world.cashier.due(red, blue)
    world.stub.fault(path=TRANSFERS, status=400, error=TOO_LITTLE, kept=True)
    world.work()
    waiting, paid = sorted(world.till.payouts(order_id), key=lambda payout: payout.status is PayoutStatus.PAID)
    assert (waiting.status, paid.status) == (PayoutStatus.DUE, PayoutStatus.PAID)
    pauses = []
    for _ in range(2):
        (payout,) = [each for each in world.till.payouts(order_id) if each.id == waiting.id]
        assert payout.next_check_at is not None
        assert world.cashier.books(red if payout.seller_id == red.account_id else blue) == {"payable": 9_500}
        assert world.alarms() == []
        pauses.append(payout.next_check_at - world.now())
        world.stub.fault(path=TRANSFERS, status=400, error=TOO_LITTLE, kept=True)
        world.work_later(seconds=pauses[-1].total_seconds())
    assert pauses[1] > pauses[0]
    (alarm,) = world.alarms()
    assert f"payout {waiting.id}" in alarm
    assert "balance_insufficient" in alarm
    world.work_later(hours=6)
    assert [payout.status for payout in world.till.payouts(order_id)] == [PayoutStatus.PAID] * 2
    assert len(set(world.stub.keys(TRANSFERS))) == len(world.stub.keys(TRANSFERS)) == 5
    assert len(world.at_stripe("transfer")) == len(world.journals("transfer_created")) == 2
    everything_is_in_order(world)


def _rejected(stub: StripeStub, account: str) -> None:
    stub.restrict(account, reason="rejected.fraud")


@pytest.mark.parametrize(
    ("end", "is_told"),
    [(StripeStub.restrict, True), (_rejected, False), (StripeStub.cut_off, True)],
    ids=["restricted", "rejected, found out", "deauthorised"],
)
def test_29_who_can_no_longer_be_paid_keeps_the_claim_sells_nothing_more_and_buyers_get_refunds(
    world: World, end: Callable[[StripeStub, str], None], is_told: bool
) -> None:
    seller = world.cashier.seller()
    offer = world.market.listing(seller)
    orders = world.cashier.due_together(seller, seller)
    end(world.stub, world.cashier.account(seller))
    if not is_told:
        world.stub.deliveries()
    world.work()
    payouts = [world.cashier.payout(order_id) for order_id in orders]
    assert [(payout.status, payout.blocked) for payout in payouts] == [(PayoutStatus.DUE, True)] * 2
    assert len(world.events(PayoutFailed)) == len(world.events(SellerRestricted)) == 1
    assert sum("cannot pay you" in subject or "restricted" in subject for subject in world.mails) >= 1
    assert world.cashier.books(seller) == {"payable": 19_000}
    _cannot_be_bought(world, offer)
    world.cashier.refund(orders[0])
    world.work_later(hours=7)
    assert [refund.status for refund in world.till.refunds(orders[0])] == [RefundStatus.SUCCEEDED]
    assert world.cashier.payout(orders[0]).status is PayoutStatus.REVERSED
    assert world.cashier.books(seller) == {"payable": 9_500}
    assert world.at_stripe("transfer") == []
    everything_is_in_order(world, waiting=["payouts"])


def test_29_who_can_be_paid_again_is_paid_once(world: World) -> None:
    seller = world.cashier.seller()
    order_id = world.cashier.due(seller)
    world.cashier.onboard(seller, succeed=False, told=False)
    world.work()
    assert _transfers_of(world, seller) is Transfers.INACTIVE
    world.cashier.onboard(seller, succeed=True, told=False)
    world.work()
    assert world.cashier.payout(order_id).status is PayoutStatus.PAID
    assert len(world.at_stripe("transfer")) == len(world.journals("transfer_created")) == 1
    everything_is_in_order(world)


@pytest.mark.parametrize(
    ("trouble", "pause"),
    [
        (lambda stub: stub.drop(TRANSFERS, when=When.AFTER, times=4), {"minutes": 2}),
        (lambda stub: (stub.drop(TRANSFERS, when=When.AFTER, times=4), stub.fail(TRANSFERS, times=4)), {"minutes": 2}),
        (lambda stub: stub.garble(TRANSFERS), {"hours": 30}),
    ],
    ids=["no answer", "no answer, then an error", "unreadable, and the key forgotten"],
)
def test_30_a_transfer_whose_answer_was_lost_is_made_once(
    world: World, trouble: Callable[[StripeStub], Any], pause: dict[str, float]
) -> None:
    seller = world.cashier.seller()
    order_id = world.cashier.due(seller)
    trouble(world.stub)
    world.till.send_payouts()
    assert world.cashier.payout(order_id).status is PayoutStatus.SENDING
    world.work_later(**pause)
    world.work_later(minutes=15)
    assert world.cashier.payout(order_id).status is PayoutStatus.PAID
    assert len(set(world.stub.keys(TRANSFERS))) == 1
    assert len(world.at_stripe("transfer")) == len(world.journals("transfer_created")) == 1
    assert world.stub.world.sellers[world.cashier.account(seller)]["eur"] == 9_500
    everything_is_in_order(world)


def _cannot_be_bought(world: World, offer: Any) -> None:
    with pytest.raises(NotFound):
        world.market.add(world.market.buyer(), offer)


def _transfers_of(world: World, seller: Actor) -> Transfers:
    (row,) = world.rows("payout_accounts", account_id=seller.account_id)
    return Transfers(row.transfers)
