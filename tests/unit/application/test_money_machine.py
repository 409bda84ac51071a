"""Ten thousand random histories of purchases: after each the books are right, and nobody waits for ever."""

import copy
from random import Random

import pytest

from marketplace.adapters.memory import repository
from marketplace.application.payouts import positions
from marketplace.domain import ledger
from marketplace.domain.payouts import Payout
from marketplace.domain.recoveries import Recovery
from marketplace.domain.shared.errors import MarketplaceError
from tests.money_machine import Sequence, World

PARTS, SEQUENCES = 10, 1000
LENGTH = 7


@pytest.mark.no_cover
@pytest.mark.parametrize("part", range(PARTS))
def test_keeps_the_books_right_whatever_happens(monkeypatch, part):
    monkeypatch.setattr(repository, "deepcopy", copy.copy)
    random = Random(part)
    for number in range(SEQUENCES):
        if number % 100 == 0:
            world = World.of(random)
        seed = random.random()
        sequence = Sequence(world, Random(seed))
        sequence.run(length=1 + number % LENGTH)
        assert sequence.faults() == [], (part, number, seed, sequence.steps)


def finds_a_fault(most: int = 200) -> bool:
    random = Random(0)
    world = World.of(random)
    for number in range(most):
        sequence = Sequence(world, Random(random.random()))
        try:
            sequence.run(length=1 + number % LENGTH)
        except MarketplaceError:
            return True
        if sequence.faults():
            return True
    return False


def takes_from_where_nothing_is(uow, order, sale_id, amount, **how):
    REAL_TAKING(uow, order, sale_id, amount, **how)
    return ledger.pending(order.sale(sale_id).seller_id)


def takes_nothing(uow, order, sale_id, amount, **how):
    return uow.payouts.of_sale_for_update(sale_id).ledger_account


def holds_nothing(payout, **how):
    return False


def nets_one_too_much(recovery, amount, **how):
    return REAL_NETTING(recovery, amount, **how) + 1


REAL_TAKING, REAL_NETTING = positions.take_from_seller, Recovery.net


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("of", "name", "fault"),
    [
        (positions, "take_from_seller", takes_from_where_nothing_is),
        (positions, "take_from_seller", takes_nothing),
        (Payout, "hold", holds_nothing),
        (Recovery, "net", nets_one_too_much),
        (Recovery, "reversed", lambda recovery, id, *, now: None),
    ],
)
def test_would_not_overlook_a_fault(monkeypatch, of, name, fault):
    monkeypatch.setattr(repository, "deepcopy", copy.copy)
    assert not finds_a_fault(20)
    monkeypatch.setattr(of, name, fault)
    assert finds_a_fault()


@pytest.mark.no_cover
def test_the_provider_has_a_movement_for_every_journal_and_the_other_way_round(monkeypatch):
    monkeypatch.setattr(repository, "deepcopy", copy.copy)
    random = Random(7)
    for number in range(100):
        if number % 25 == 0:
            world = World.of(random)
        sequence = Sequence(world, Random(random.random()))
        sequence.run(length=1 + number % LENGTH)
        assert sequence.differences() == [], sequence.steps
