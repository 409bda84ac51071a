"""Scenarios 45 to 48 of the catalogue of failures: banks of sellers and our own, and what buyers keep at Stripe."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from marketplace.application.access import Actor
from marketplace.application.ports.saved_cards import SavedCard
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payout_accounts import SellerBankFailed
from marketplace.domain.payout_states import PayoutStatus
from marketplace.domain.shared.errors import MarketplaceError, NotFound
from tests.integration.scenarios.world import World, everything_is_in_order
from tests.stripe_stub import StripeStub

pytestmark = pytest.mark.volume


def test_45_a_seller_whose_bank_sends_money_back_is_told_and_nothing_of_ours_moves(world: World) -> None:
    seller = world.cashier.seller()
    offer = world.market.listing(seller)
    world.cashier.sent(seller)
    account = world.cashier.account(seller)
    world.stub.drain(account, 9_500)
    journals = world.journals()
    world.stub.fail_bank(account, 9_500)
    world.work()
    (row,) = world.rows("payout_accounts", account_id=seller.account_id)
    assert (row.transfers, row.payouts_enabled, row.requirements_due) == ("active", False, ["external_account"])
    assert len(world.events(SellerBankFailed)) == 1
    assert world.count("notifications", account_id=seller.account_id, kind="seller_bank_failed") == 1
    assert world.journals() == journals
    # Their account can still receive what we owe them.
    world.market.add(world.market.buyer(), offer)
    order_id = world.cashier.sent(seller)
    assert world.cashier.payout(order_id).status is PayoutStatus.PAID
    world.stub.activate(account)
    world.work()
    assert world.rows("payout_accounts", account_id=seller.account_id)[0].payouts_enabled
    everything_is_in_order(world)


@pytest.mark.parametrize("was_paid", [False, True], ids=["failed", "failed after it was paid"])
def test_46_money_that_does_not_reach_our_bank_is_ours_at_stripe_again(world: World, was_paid: bool) -> None:
    world.cashier.paid(world.cashier.seller())
    payout = world.stub.pay_out(1_000)
    world.work()
    assert _standing(world, "payouts_in_transit") == 1_000
    if was_paid:
        world.stub.end_payout(payout, "paid")
        world.work()
        assert _standing(world, "assets:bank") == 1_000
    world.stub.end_payout(payout, "failed")
    world.work()
    assert (_standing(world, "payouts_in_transit"), _standing(world, "assets:bank")) == (0, 0)
    (alarm,) = world.alarms()
    assert payout in alarm
    assert "came back" in alarm
    assert len(world.journals("payout_created")) == len(world.journals("payout_failed")) == 1
    assert len(world.journals("payout_paid")) == int(was_paid)
    everything_is_in_order(world)


def _detached(stub: StripeStub, card: SavedCard) -> None:
    stub.forget_card(card.id)


def _deleted(stub: StripeStub, card: SavedCard) -> None:
    stub.forget_customer(card.customer_id or "")


@pytest.mark.parametrize(
    ("forget", "is_told"),
    [(_detached, True), (_deleted, True), (_deleted, False)],
    ids=["detached", "deleted", "deleted, found out"],
)
def test_47_what_was_removed_at_stripe_is_gone_here_and_the_buyer_pays_with_something_else(
    world: World, forget: Callable[[StripeStub, SavedCard], None], is_told: bool
) -> None:
    buyer = world.market.buyer()
    card = _saved(world, buyer)
    order_id = world.till.ordered(buyer, world.market.listing(world.cashier.seller()))
    forget(world.stub, card)
    if is_told:
        world.work()
    with pytest.raises(MarketplaceError):
        world.till.pay(buyer, order_id, card.id)
    assert world.till.wallet.list_cards(actor=buyer) == []
    if forget is _deleted:
        assert world.count("payment_customers", provider_customer_id=card.customer_id) == 0
    anew = _saved(world, buyer)
    assert [found.id for found in world.till.wallet.list_cards(actor=buyer)] == [anew.id]
    assert world.till.order(order_id).status is OrderStatus.PENDING_PAYMENT
    world.till.pay(buyer, order_id)
    world.work()
    assert world.till.order(order_id).status is OrderStatus.PAID
    assert len(world.at_stripe("charge", status="succeeded")) == 1
    everything_is_in_order(world)


def test_48_nobody_pays_with_or_removes_what_somebody_else_has_saved(world: World) -> None:
    owner, thief = world.market.buyer(), world.market.buyer()
    card = _saved(world, owner)
    _saved(world, thief)
    order_id = world.till.ordered(thief, world.market.listing(world.cashier.seller()))
    calls = len(world.stub.keys())
    with pytest.raises(NotFound):
        world.till.pay(thief, order_id, card.id)
    with pytest.raises(NotFound):
        world.till.wallet.remove_card(actor=thief, card_id=card.id)
    setup = world.till.wallet.begin_setup(actor=owner)
    assert world.till.wallet.read_secret(actor=thief, setup_id=setup.id) is None
    assert world.till.wallet.read_secret(actor=owner, setup_id=setup.id) == setup.client_secret
    assert len(world.stub.keys()) == calls + 1
    assert [found.id for found in world.till.wallet.list_cards(actor=owner)] == [card.id]
    assert world.at_stripe("charge") == []
    world.till.pay(owner, world.till.ordered(owner, world.market.listing(world.cashier.seller())), card.id)
    world.work()
    assert len(world.at_stripe("charge", customer=card.customer_id, status="succeeded")) == 1
    everything_is_in_order(world)


def _saved(world: World, buyer: Actor) -> SavedCard:
    setup = world.till.wallet.begin_setup(actor=buyer)
    id = world.stub.save_card(setup.id)
    (card,) = [found for found in world.till.wallet.list_cards(actor=buyer) if found.id == id]
    return card


def _standing(world: World, account: str) -> int:
    with world.till.audit.snapshot() as facts:
        return sum(entry.balance.amount for entry in facts.balances() if entry.account.endswith(account))
