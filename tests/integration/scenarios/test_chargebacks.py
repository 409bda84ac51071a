"""Scenarios 38 to 44 of the catalogue of failures: banks that take money back, and buyers who dispute a sale."""

from __future__ import annotations

from functools import partial
from threading import Thread

import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres.tables.orders import orders
from marketplace.domain.disputes import DisputeReason, DisputeStatus, NotDisputable
from marketplace.domain.orders.status import SaleStatus
from marketplace.domain.payments.chargebacks import ChargebackStage
from marketplace.domain.payout_states import PayoutStatus
from marketplace.domain.recoveries import RecoveryStatus
from marketplace.domain.shared.ids import OrderId
from tests.desk import AUTO_COMPLETE, Deal
from tests.integration.scenarios.world import World, at_once, everything_is_in_order
from tests.stripe_stub import When

pytestmark = pytest.mark.volume

TRANSFERS = "/v1/transfers"
CLOSED = {"type": "invalid_request_error", "code": "account_closed", "message": "The account is closed."}


def test_38_a_chargeback_before_the_transfer_keeps_every_seller_s_money_and_nothing_is_sent(world: World) -> None:
    red, blue = world.cashier.seller(), world.cashier.seller()
    order_id = world.cashier.due(red, blue)
    world.till.send_payouts.gather()
    dispute = _charge_back(world)
    world.till.deliver()
    world.till.process_webhooks()
    assert _statuses(world, order_id) == [PayoutStatus.ON_HOLD] * 2
    assert [payout.batch_id for payout in world.till.payouts(order_id)] == [None, None]
    world.work_later(hours=1)
    assert [world.cashier.books(seller) for seller in (red, blue)] == [{"on_hold": 9_500}] * 2
    assert world.stub.keys(TRANSFERS) == []
    assert len(world.journals("dispute_hold")) == 2
    world.stub.turn_dispute(dispute, "lost")
    world.work()
    assert _statuses(world, order_id) == [PayoutStatus.REVERSED] * 2
    assert world.count("recoveries") == 0
    assert world.stub.keys(TRANSFERS) == []
    everything_is_in_order(world)


@pytest.mark.parametrize("has_money", [True, False], ids=["reversed", "owed"])
def test_39_a_chargeback_while_a_transfer_is_under_way_that_is_made(world: World, has_money: bool) -> None:
    seller = world.cashier.seller()
    order_id = world.cashier.due(seller)
    dispute = _while_sending(world, When.AFTER)
    assert _statuses(world, order_id) == [PayoutStatus.PAID]
    if not has_money:
        world.stub.drain(world.cashier.account(seller), 9_500)
    world.stub.turn_dispute(dispute, "lost")
    world.work()
    recovery = world.cashier.recovery(order_id)
    assert recovery.status is (RecoveryStatus.REVERSED if has_money else RecoveryStatus.REFUSED)
    assert world.cashier.books(seller) == ({} if has_money else {"receivable": 9_500})
    assert len(world.at_stripe("transfer")) == len(world.journals("transfer_created")) == 1
    assert len(world.at_stripe("transfer_reversal")) == len(world.journals("transfer_reversed")) == int(has_money)
    everything_is_in_order(world)


def test_39_a_chargeback_while_a_transfer_is_under_way_that_is_refused(world: World) -> None:
    seller = world.cashier.seller()
    order_id = world.cashier.due(seller)
    dispute = _while_sending(world, When.BEFORE, then_refused=True)
    assert _statuses(world, order_id) == [PayoutStatus.ON_HOLD]
    assert world.cashier.books(seller) == {"on_hold": 9_500}
    world.stub.turn_dispute(dispute, "lost")
    world.work()
    assert world.at_stripe("transfer") == []
    assert world.count("recoveries") == 0
    everything_is_in_order(world)


def test_40_a_chargeback_after_the_payout_of_a_seller_who_has_spent_it_is_owed_and_netted(world: World) -> None:
    seller = world.cashier.seller()
    order_id = world.cashier.sent(seller)
    world.stub.drain(world.cashier.account(seller), 9_500)
    dispute = _charge_back(world)
    world.work()
    assert world.cashier.books(seller) == {}
    world.stub.turn_dispute(dispute, "lost")
    world.work()
    assert world.cashier.recovery(order_id).status is RecoveryStatus.REFUSED
    assert world.cashier.books(seller) == {"receivable": 9_500}
    world.cashier.sent(seller, price=20_000)
    assert world.stub.world.sellers[world.cashier.account(seller)]["eur"] == 9_500
    assert world.cashier.recovery(order_id).status is RecoveryStatus.SETTLED
    assert len(world.journals("chargeback_lost")) == len(world.journals("receivable_netted")) == 1
    everything_is_in_order(world)


def test_41_an_inquiry_holds_and_lets_go_and_books_nothing(world: World) -> None:
    seller = world.cashier.seller()
    order_id = world.cashier.due(seller)
    dispute = _charge_back(world, inquiry=True)
    world.work()
    assert world.cashier.books(seller) == {"on_hold": 9_500}
    assert world.at_stripe("transfer") == []
    world.stub.turn_dispute(dispute, "warning_closed")
    world.work()
    assert _statuses(world, order_id) == [PayoutStatus.PAID]
    assert [kind for kind in _kinds(world) if kind.startswith("chargeback")] == []
    assert world.count("disputes") == 0
    assert len(world.at_stripe("transfer")) == 1
    everything_is_in_order(world)


@pytest.mark.parametrize("is_complete", [True, False])
def test_42_the_money_of_a_dispute_that_is_won_comes_back_once_before_it_is_closed(
    world: World, is_complete: bool
) -> None:
    seller = world.cashier.seller()
    order_id = world.cashier.due(seller) if is_complete else world.cashier.paid(seller)
    dispute = _charge_back(world)
    world.work()
    world.stub.move_dispute(dispute, back=True)
    world.work()
    assert len(world.journals("chargeback_won")) == 1
    assert _statuses(world, order_id) == [PayoutStatus.ON_HOLD]
    world.stub.world.objects[dispute]["status"] = "won"
    world.stub.world.tell("charge.dispute.closed", world.stub.world.objects[dispute])
    world.work()
    assert _statuses(world, order_id) == [PayoutStatus.PAID if is_complete else PayoutStatus.PENDING]
    assert world.till.chargebacks(order_id)[0].stage is ChargebackStage.WON
    assert len(world.journals("chargeback_withdrawn")) == len(world.journals("chargeback_won")) == 1
    assert world.count("chargeback_movements") == 2
    everything_is_in_order(world)


@pytest.mark.parametrize("end", ["appeal_lost", "appeal_won"])
def test_43_an_appeal_after_a_loss_moves_nothing_but_what_stripe_moves(world: World, end: str) -> None:
    seller = world.cashier.seller()
    order_id = world.cashier.paid(seller)
    dispute = _charge_back(world)
    world.work()
    world.stub.turn_dispute(dispute, "lost")
    world.work()
    journals = world.journals()
    assert len(world.journals("chargeback_lost")) == 1
    for status in ("appeal_needs_response", "appeal_under_review"):
        world.stub.turn_dispute(dispute, status)
        world.work()
    assert world.till.chargebacks(order_id)[0].stage is ChargebackStage.APPEAL
    assert world.journals() == journals
    assert _statuses(world, order_id) == [PayoutStatus.REVERSED]
    if end == "appeal_won":
        world.stub.turn_dispute(dispute, "won")
    else:
        world.stub.turn_dispute(dispute, "lost")
    world.work()
    news = [key for key in world.journals() if key not in journals]
    assert len(news) == len(world.journals("chargeback_won")) == (1 if end == "appeal_won" else 0)
    assert [row.status for row in world.rows("disputes", order_id=order_id)] == [DisputeStatus.RESOLVED]
    everything_is_in_order(world)


def test_44_a_dispute_that_is_opened_while_sales_complete_and_are_paid_keeps_them_or_comes_too_late(
    world: World,
) -> None:
    deals = [_shipped(world) for _ in range(3)]
    world.later(seconds=AUTO_COMPLETE.total_seconds())

    def release() -> None:
        for _ in range(2):
            world.desk.complete_sales()
            world.till.send_payouts()

    # Whoever has an order locked is not waited for by workers; afterwards everybody wants the others at once.
    with world.engine.begin() as connection:
        of_deals = orders.c.id.in_([deal.order_id for deal in deals])
        connection.execute(sa.select(orders.c.id).where(of_deals).with_for_update())
        disputing = Thread(target=_result_of_disputing, args=(world, deals[0]))
        disputing.start()
        release()
    disputing.join(10)
    results = at_once(*[partial(_result_of_disputing, world, deal) for deal in deals[1:]], release, release)
    results = [None, *results[:-2]]
    world.work()
    for deal, result in zip(deals, results, strict=True):
        (payout,) = world.till.payouts(deal.order_id)
        (sale,) = world.till.order(deal.order_id).sales
        if isinstance(result, NotDisputable):
            assert (sale.status, payout.status) == (SaleStatus.COMPLETED, PayoutStatus.PAID)
            assert len(world.rows("disputes", sale_id=sale.id)) == 0
        else:
            assert (sale.status, payout.status) == (SaleStatus.SHIPPED, PayoutStatus.ON_HOLD)
            assert len(world.rows("disputes", sale_id=sale.id, status="open")) == 1
    paid = sum(isinstance(result, NotDisputable) for result in results)
    assert len(world.at_stripe("transfer")) == len(world.journals("transfer_created")) == paid
    everything_is_in_order(world)


def _shipped(world: World) -> Deal:
    seller = world.cashier.seller()
    buyer = world.market.buyer()
    order_id = world.till.ordered(buyer, world.market.listing(seller))
    world.till.pay(buyer, order_id)
    world.work()
    (sale,) = world.till.order(order_id).sales
    deal = Deal(order_id=order_id, buyer=buyer, sellers=[seller], listings=[], sale_ids=[sale.id])
    world.desk.ship(deal)
    return deal


def _result_of_disputing(world: World, deal: Deal) -> object:
    try:
        return world.till.open_dispute(
            actor=deal.buyer, sale_id=deal.sale_id, reason=DisputeReason.DAMAGED, description="bent"
        )
    except NotDisputable as error:
        return error


def _charge_back(world: World, *, inquiry: bool = False) -> str:
    (charge,) = world.at_stripe("charge", status="succeeded")
    return world.stub.open_dispute(charge["id"], inquiry=inquiry)


def _while_sending(world: World, when: When, *, then_refused: bool = False) -> str:
    """A worker asks for the transfer; before it has an answer the chargeback comes; then it gets one."""
    fault = world.stub.hang(TRANSFERS, when=when)
    if then_refused:
        world.stub.fault(path=TRANSFERS, status=400, error=CLOSED)
    worker = Thread(target=world.till.send_payouts)
    worker.start()
    assert fault.reached.wait(10)
    dispute = _charge_back(world)
    world.till.deliver()
    world.till.process_webhooks()
    (payout,) = world.rows("payouts")
    assert (payout.status, world.count("payout_holds", released_at=None)) == ("sending", 1)
    fault.resume()
    worker.join(10)
    world.work()
    return dispute


def _statuses(world: World, order_id: OrderId) -> list[PayoutStatus]:
    return [payout.status for payout in world.till.payouts(order_id)]


def _kinds(world: World) -> list[str]:
    return [row.kind for row in world.rows("journals")]
