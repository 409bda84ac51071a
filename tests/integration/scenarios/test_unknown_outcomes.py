"""Scenarios 5 to 13 of the catalogue of failures: answers that are lost, late, odd or refusals, for every movement."""

from __future__ import annotations

from threading import Thread

import pytest

from marketplace.application.access import OPERATOR
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.payment import PaymentStatus
from marketplace.domain.recoveries import RecoveryStatus
from tests.integration.scenarios.movements import PAYMENT, REFUND, REVERSAL, TRANSFER, Movement, of_each
from tests.integration.scenarios.world import World, die, dying, everything_is_in_order
from tests.stripe_stub import When

pytestmark = pytest.mark.volume

TRIES = 4
"""How often one call of the gateway asks, when nothing usable is answered."""


@of_each
def test_05_what_was_accepted_and_not_answered_is_asked_for_again_and_is_the_same(
    world: World, movement: Movement
) -> None:
    order_id = movement.prepare(world)
    world.stub.drop(movement.path, when=When.AFTER, times=TRIES)
    movement.turn(world)
    assert movement.status(world, order_id) is movement.open
    assert len(world.at_stripe(movement.kind)) == 1
    movement.happens_once(world, order_id)
    assert len(movement.keys(world)) == TRIES + 1
    assert len(set(movement.keys(world))) == len(movement.texts(world)) == 1
    everything_is_in_order(world)


def test_05_a_request_that_times_out_ends_with_one_payment(world: World) -> None:
    order_id = PAYMENT.prepare(world)
    world.times_out_after(0.1)
    slow = world.stub.hang(PAYMENT.path, when=When.AFTER)
    # While the first is being worked on, those that follow it are told that their key is in use.
    PAYMENT.turn(world)
    slow.resume()
    assert PAYMENT.status(world, order_id) is PaymentStatus.CREATING
    world.times_out_after(5.0)
    PAYMENT.happens_once(world, order_id)
    assert len(set(PAYMENT.keys(world))) == 1
    everything_is_in_order(world)


@of_each
def test_06_what_never_arrived_is_asked_for_again_with_the_same_key(world: World, movement: Movement) -> None:
    order_id = movement.prepare(world)
    world.stub.drop(movement.path, when=When.BEFORE, times=TRIES)
    movement.turn(world)
    assert movement.status(world, order_id) is movement.open
    assert world.at_stripe(movement.kind) == []
    movement.happens_once(world, order_id)
    assert len(movement.keys(world)) == TRIES + 1
    assert len(set(movement.keys(world))) == len(movement.texts(world)) == 1
    everything_is_in_order(world)


@pytest.mark.parametrize(
    ("movement", "when"),
    [(TRANSFER, "before"), (PAYMENT, "after"), (REFUND, "after"), (TRANSFER, "after"), (REVERSAL, "after")],
    ids=str,
)
def test_07_who_dies_between_call_and_commit_is_followed_by_one_who_repeats_it(
    world: World, movement: Movement, when: str
) -> None:
    order_id = movement.prepare(world)
    world.gateway.interrupt(movement.method, when=when, by=die)
    dying(lambda: movement.turn(world))
    assert len(world.at_stripe(movement.kind)) == (when == "after")
    assert movement.turn(world) == 0, "the lease of the dead is respected"
    movement.happens_once(world, order_id)
    assert set(movement.keys(world)) == {movement.key(world, order_id)}
    everything_is_in_order(world)


@of_each
def test_08_what_was_done_a_day_ago_is_found_and_not_done_again(world: World, movement: Movement) -> None:
    order_id = movement.prepare(world)
    world.gateway.interrupt(movement.method, when="after", by=die)
    dying(lambda: movement.turn(world))
    world.stub.deliveries()  # and nobody was there to take them
    world.later(hours=25)
    world.stub.server.forget_keys()
    world.work()
    assert len(movement.keys(world)) == len(world.at_stripe(movement.kind)) == 1
    if movement is PAYMENT:
        # Its window is over, so that nobody can pay it any more.
        assert world.till.order(order_id).status is OrderStatus.EXPIRED
        assert world.at_stripe("payment_intent", status="canceled") == world.at_stripe("payment_intent")
    else:
        assert movement.status(world, order_id) is movement.done
        assert len(world.journals(movement.journal)) == 1
    everything_is_in_order(world)


@of_each
def test_08_what_was_not_done_a_day_ago_is_looked_for_and_then_tried_anew(world: World, movement: Movement) -> None:
    order_id = movement.prepare(world)
    world.gateway.interrupt(movement.method, when="before", by=die)
    dying(lambda: movement.turn(world))
    first = movement.key(world, order_id)
    world.later(hours=25)
    world.work()
    if movement is PAYMENT:
        assert world.till.order(order_id).status is OrderStatus.EXPIRED
        assert movement.keys(world) == world.at_stripe("payment_intent") == []
    else:
        assert movement.status(world, order_id) is movement.done
        assert len(movement.keys(world)) == len(world.journals(movement.journal)) == 1
        assert movement.keys(world) != [first]
    everything_is_in_order(world)


@of_each
def test_09_a_key_that_was_used_for_something_else_is_told_and_not_tried_on(world: World, movement: Movement) -> None:
    order_id = movement.prepare(world)
    world.use_key_elsewhere(movement.key(world, order_id))
    movement.turn(world)
    world.work()
    assert len(movement.keys(world)) == 1
    assert world.at_stripe(movement.kind) == []
    assert any("key_reused" in alarm for alarm in world.told_operators()), world.told_operators()
    if movement is REFUND:
        world.till.retry_refund(actor=OPERATOR, refund_id=world.till.refunds(order_id)[0].id)
    elif movement is TRANSFER:
        world.till.retry_payout(actor=OPERATOR, payout_id=world.cashier.payout(order_id).id)
    if movement is REVERSAL:
        # The seller owes it, and it is taken from what they sell next.
        assert world.cashier.recovery(order_id).status is RecoveryStatus.REFUSED
    elif movement is PAYMENT:
        world.work_later(minutes=31)
        assert world.till.order(order_id).status is OrderStatus.EXPIRED
    else:
        movement.happens_once(world, order_id)
        assert len(set(movement.keys(world))) == 2
    everything_is_in_order(world)


def test_09_what_is_asked_for_again_is_the_same_whatever_has_changed_since(world: World) -> None:
    order_id = TRANSFER.prepare(world)
    world.stub.drop(TRANSFER.path, when=When.BEFORE, times=TRIES)
    TRANSFER.turn(world)
    world.cashier.refund(order_id, amount="20.00")
    TRANSFER.happens_once(world, order_id)
    assert len(TRANSFER.texts(world)) == len(set(TRANSFER.keys(world))) == 1
    assert world.cashier.payout(order_id).transferred_amount == 9_500
    assert world.cashier.recovery(order_id).status is RecoveryStatus.REVERSED
    everything_is_in_order(world)


@of_each
def test_10_a_worker_whose_key_is_in_use_waits_for_the_other_one(world: World, movement: Movement) -> None:
    order_id = movement.prepare(world)
    slow = world.stub.hang(movement.path, when=When.AFTER)
    first = Thread(target=movement.turn, args=(world,))
    first.start()
    assert slow.reached.wait(10)
    world.later(minutes=2)  # its lease is over, and it is not
    assert movement.turn(world) == 1
    assert movement.status(world, order_id) is movement.open
    assert len(movement.keys(world)) == 1 + TRIES
    slow.resume()
    first.join(10)
    assert not first.is_alive()
    movement.happens_once(world, order_id)
    assert len(set(movement.keys(world))) == len(movement.texts(world)) == 1
    everything_is_in_order(world)


@pytest.mark.parametrize(
    ("movement", "locked"), [(PAYMENT, False), (REFUND, True), (TRANSFER, True), (REVERSAL, False)], ids=str
)
def test_11_who_asks_too_often_pauses_and_keeps_the_key(world: World, movement: Movement, locked: bool) -> None:
    order_id = movement.prepare(world)
    world.stub.limit(movement.path, locked=locked, times=TRIES + 1)
    movement.turn(world)
    # As often as the gateway repeats it, and not once more by the SDK.
    assert len(movement.keys(world)) == TRIES
    assert movement.turn(world) == 0, "it pauses"
    assert movement.status(world, order_id) is movement.open
    movement.happens_once(world, order_id)
    assert len(movement.keys(world)) == TRIES + 2
    assert len(set(movement.keys(world))) == 1
    everything_is_in_order(world)


@of_each
def test_12_an_error_that_is_kept_under_the_key_is_looked_behind_and_then_another_key_is_used(
    world: World, movement: Movement
) -> None:
    order_id = movement.prepare(world)
    first = movement.key(world, order_id)
    world.stub.fail(movement.path, kept=True)
    movement.turn(world)
    assert movement.status(world, order_id) is movement.open
    world.work_later(minutes=11)
    world.work_later(minutes=2)
    movement.happens_once(world, order_id)
    assert movement.key(world, order_id) != first
    assert list(dict.fromkeys(movement.keys(world))) == [first, movement.key(world, order_id)]
    everything_is_in_order(world)


@pytest.mark.parametrize(
    ("movement", "body"),
    [
        (PAYMENT, b'{"id": '),
        (PAYMENT, b"[]"),
        (REFUND, b""),
        (TRANSFER, b"null"),
        (REVERSAL, b'{"object": "unheard_of"}'),
    ],
    ids=str,
)
def test_13_an_answer_that_cannot_be_read_is_no_failure(world: World, movement: Movement, body: bytes) -> None:
    order_id = movement.prepare(world)
    world.stub.garble(movement.path, body)
    movement.turn(world)
    assert movement.status(world, order_id) is movement.open
    assert world.told_operators() == []
    movement.happens_once(world, order_id)
    assert len(set(movement.keys(world))) == 1
    everything_is_in_order(world)


@pytest.mark.parametrize("movement", [PAYMENT, TRANSFER], ids=str)
def test_13_nor_is_anything_else_that_comes_out_of_the_sdk(world: World, movement: Movement) -> None:
    order_id = movement.prepare(world)
    with world.sdk_raising(AttributeError("'list' object has no attribute 'get'")):
        movement.turn(world)
    assert movement.status(world, order_id) is movement.open
    movement.happens_once(world, order_id)
    everything_is_in_order(world)
