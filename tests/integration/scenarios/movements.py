"""The four ways in which we make money move at the provider, each ready to happen with the next turn of its job."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.payment import PaymentStatus
from marketplace.domain.payments.refund import RefundStatus
from marketplace.domain.payout_states import PayoutStatus
from marketplace.domain.recoveries import RecoveryStatus
from marketplace.domain.shared.ids import OrderId
from tests.integration.scenarios.world import World


@dataclass(frozen=True, kw_only=True)
class Movement:
    """``method`` of the gateway asks for it at ``path``, for ``job``; Stripe makes a ``kind`` of it, we ``journal``.

    ``open`` is what we show of it as long as we cannot know; ``again`` is what an operator does when it was refused.
    """

    name: str
    method: str
    path: str
    kind: str
    job: str
    journal: str
    prepare: Callable[[World], OrderId]
    key: Callable[[World, OrderId], str]
    status: Callable[[World, OrderId], Any]
    open: Any
    done: Any

    def __str__(self) -> str:
        return self.name

    def turn(self, world: World) -> int:
        """The job's turn, and no other's."""
        return world.premises.jobs[self.job]()

    def keys(self, world: World) -> list[str | None]:
        """Those that it was asked for with, in their order."""
        return [asked.key for asked in world.stub.asked if asked.verb == "POST" and _fits(self.path, asked.path)]

    def texts(self, world: World) -> set[str]:
        """What it was asked for with."""
        return {asked.text for asked in world.stub.asked if asked.verb == "POST" and _fits(self.path, asked.path)}

    def happens_once(self, world: World, order_id: OrderId) -> None:
        """Whatever is still to be done for it is done; it has had one effect, at Stripe and in the books."""
        world.work_later(minutes=2)
        if self.kind == "payment_intent":
            (buyer,) = [each for id, each in world.market.people.items() if id == world.till.payment(order_id).buyer_id]
            world.till.pay(buyer, order_id)
            world.work()
            assert world.till.order(order_id).status is OrderStatus.PAID
        assert self.status(world, order_id) is self.done
        assert len(world.at_stripe(self.kind)) == 1
        assert len(world.journals(self.journal)) == 1


def _fits(pattern: str, path: str) -> bool:
    return re.fullmatch(pattern, path) is not None


def _a_placed_order(world: World) -> OrderId:
    order_id = world.till.placed(world.market.buyer(), world.market.listing(world.cashier.seller(), price=10_000))
    world.later(seconds=20)  # whoever placed it has not started its payment in time
    return order_id


def _a_decided_refund(world: World) -> OrderId:
    order_id = world.cashier.paid(world.cashier.seller())
    world.cashier.refund(order_id)
    return order_id


def _a_decided_recovery(world: World) -> OrderId:
    order_id = world.cashier.sent(world.cashier.seller())
    world.cashier.refund(order_id)
    world.premises.jobs["send refunds"]()
    return order_id


PAYMENT = Movement(
    name="payment",
    method="create_payment",
    path="/v1/payment_intents",
    kind="payment_intent",
    job="check payments",
    journal="payment_captured",
    prepare=_a_placed_order,
    key=lambda world, order_id: world.till.payment(order_id).create_key,
    status=lambda world, order_id: world.till.payment(order_id).status,
    open=PaymentStatus.CREATING,
    done=PaymentStatus.SUCCEEDED,
)
REFUND = Movement(
    name="refund",
    method="refund",
    path="/v1/refunds",
    kind="refund",
    job="send refunds",
    journal="refund_created",
    prepare=_a_decided_refund,
    key=lambda world, order_id: world.till.refunds(order_id)[0].key,
    status=lambda world, order_id: world.till.refunds(order_id)[0].status,
    open=RefundStatus.SENDING,
    done=RefundStatus.SUCCEEDED,
)
TRANSFER = Movement(
    name="transfer",
    method="create_transfer",
    path="/v1/transfers",
    kind="transfer",
    job="send payouts",
    journal="transfer_created",
    prepare=lambda world: world.cashier.due(world.cashier.seller()),
    key=lambda world, order_id: world.cashier.payout(order_id).key,
    status=lambda world, order_id: world.cashier.payout(order_id).status,
    open=PayoutStatus.SENDING,
    done=PayoutStatus.PAID,
)
REVERSAL = Movement(
    name="reversal",
    method="reverse_transfer",
    path="/v1/transfers/[^/]+/reversals",
    kind="transfer_reversal",
    job="send recoveries",
    journal="transfer_reversed",
    prepare=_a_decided_recovery,
    key=lambda world, order_id: world.cashier.recovery(order_id).key,
    status=lambda world, order_id: world.cashier.recovery(order_id).status,
    open=RecoveryStatus.SENDING,
    done=RecoveryStatus.REVERSED,
)
MOVEMENTS = (PAYMENT, REFUND, TRANSFER, REVERSAL)

of_each = pytest.mark.parametrize("movement", MOVEMENTS, ids=str)
