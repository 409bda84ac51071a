"""The simulated provider on PostgreSQL with many workers at once: nobody waits for ever, and all money adds up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from random import Random
from threading import Thread
from typing import Any

import pytest

from marketplace.adapters.postgres.engine import create_engine
from marketplace.domain.shared.errors import Conflict, Invalid
from marketplace.domain.shared.money import Money
from tests.contracts.payment_gateway_cards import a_buyer
from tests.contracts.provider_control import GatewayScenes
from tests.integration.till_on_postgres import till_on
from tests.simulated_control import SimulatedControl

WORKERS, STEPS = 6, 40
KINDS = {"charge", "refund", "refund_failure", "transfer", "transfer_refund", "adjustment", "payout", "topup"}


@pytest.fixture
def till(clean_database):
    engine = create_engine(clean_database, pool_size=WORKERS, connect_timeout=30, statement_timeout=60)
    yield till_on(engine)
    engine.dispose()


class Town(GatewayScenes):
    """Two sellers and two payments that every worker meddles with."""

    def __init__(self, gateway: Any, control: SimulatedControl) -> None:
        self.gateway = gateway
        self.accounts = [self.seller(gateway, control, number) for number in (41, 42)]
        # One that goes back in part, and one that banks take back: then nothing else of it goes back.
        self.payments = [self.paid(gateway, 7, "pm_card_refundFail"), self.paid(gateway, 8)]
        self.control = control
        self.customer = gateway.create_customer(a_buyer(), key="cus:1:1").id
        control.make_available()

    def steps(self, random: Random, number: int) -> list[Callable[[], object]]:
        gateway, account = self.gateway, random.choice(self.accounts)
        payment, transfers = random.choice(self.payments), self._transfers()
        found = [each.id for each in gateway.desk_payment(self.payments[1].id).chargebacks]
        steps: list[Callable[[], object]] = [
            lambda: self.transfer(gateway, account, payment.charge_id, random.randint(1, 900), payout_id=number),
            lambda: self.transfer(gateway, account, None, random.randint(1, 900), payout_id=number),
            lambda: self.refund(gateway, self.payments[0].id, random.randint(1, 300), number),
            lambda: gateway.open_chargeback(self.payments[1].id, amount=random.randint(1, 500)),
            lambda: gateway.pay_seller_out(account),
            lambda: gateway.pay_out(Money(random.randint(1, 500), "EUR")),
            lambda: gateway.top_up(Money(random.randint(1, 500), "EUR")),
            self.control.ripen,
            lambda: gateway.finish_setup(
                gateway.set_up_card(self.customer, key=f"si:{number}:1").id, payment_method="pm_card_visa"
            ),
        ]
        if transfers:
            of = random.choice(transfers)
            steps.append(lambda: self.reverse(gateway, of, random.randint(1, 400), recovery_id=number))
        if found:
            of_bank = random.choice(found)
            steps.append(lambda: gateway.decide_chargeback(of_bank, is_won=random.random() < 0.5))
            steps.append(lambda: gateway.accept_chargeback(of_bank, key=f"du:{number}:1"))
        return steps

    def _transfers(self) -> list[str]:
        with self.gateway._provider() as provider:
            return [each["id"] for each in provider.state.latest("transfer", limit=20)]


def test_workers_meddle_with_the_same_money_and_it_adds_up(till):
    gateway = till.provider
    town = Town(gateway, SimulatedControl(gateway, till.market.clock))
    faults: list[BaseException] = []

    def run(worker: int) -> None:
        random = Random(worker)
        for step in range(STEPS):
            try:
                with suppress(Conflict, Invalid):
                    random.choice(town.steps(random, 1000 * worker + step + 1))()
            except BaseException as error:
                faults.append(error)
                raise

    threads = [Thread(target=run, args=(worker,)) for worker in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []
    with gateway._provider() as provider:
        transfers = provider.state.latest("transfer", limit=1000)
        moved = provider.state.latest("balance_transaction", limit=10_000)
        charges = [provider.state.read(payment.charge_id) for payment in town.payments]
    assert {movement["type"] for movement in moved} >= KINDS
    assert sum(movement["net"] for movement in moved) == town.balance(gateway)
    for charge in charges:
        of_charge = [each["amount"] for each in transfers if each["source_transaction"] == charge["id"]]
        assert charge["transferred"] == sum(of_charge) <= charge["amount"]
        assert 0 <= charge["amount_refunded"] <= charge["amount"]
    for account in town.accounts:
        seller = gateway.desk_seller(account)
        held = sum(funds.available + funds.pending for funds in seller.funds)
        assert held >= 0
        received = sum(e["amount"] - e["amount_reversed"] for e in transfers if e["destination"] == account)
        with gateway._provider() as provider:
            sent = sum(payout["amount"] for payout in provider.state.children("payout", account))
        assert held == received - sent
