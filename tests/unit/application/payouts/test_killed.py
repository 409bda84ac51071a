"""A process that dies before or after any call to the provider, or any commit: others finish or undo what is left."""

from itertools import count

import pytest

from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from tests.cashier import Cashier
from tests.killing import FLOWS, DeadlyGateway, KillSwitch, ProcessDied, faults, recover
from tests.till import Till


@pytest.mark.parametrize("flow", FLOWS)
def test_every_cent_arrives_once_whatever_step_a_process_dies_at(monkeypatch, flow):
    prepare, act = FLOWS[flow]
    switch = KillSwitch()
    commit = InMemoryUnitOfWork.commit

    def deadly_commit(uow):
        switch.step()
        commit(uow)
        switch.step()

    monkeypatch.setattr(InMemoryUnitOfWork, "commit", deadly_commit)
    for last in count():
        cashier = Cashier(Till.in_memory())
        cashier.till.gateway.inner = DeadlyGateway(cashier.till.provider, switch)
        orders = prepare(cashier)
        switch.last = last
        try:
            act(cashier, orders)
        except ProcessDied:
            recover(cashier)
            assert faults(cashier, orders) == [], f"after {last} steps"
        else:
            break
    assert last > 5
