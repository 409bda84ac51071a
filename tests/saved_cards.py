"""What buyers save at the simulated provider of a ``Till``, and what is there then, here and there."""

from __future__ import annotations

from marketplace.application.access import Actor
from marketplace.domain.payment_customers import PaymentCustomer
from marketplace.domain.payments.payment import ProviderAlarm
from tests.till import Till


def save(till: Till, buyer: Actor, method: str = "pm_card_visa") -> str:
    setup = till.wallet.begin_setup(actor=buyer)
    return till.provider.finish_setup(setup.id, payment_method=method).id


def customer(till: Till, buyer: Actor) -> PaymentCustomer | None:
    with till.market.unit_of_work() as uow:
        return uow.payment_customers.find(buyer.account_id)


def name(till: Till, buyer: Actor) -> str:
    known = customer(till, buyer)
    assert known is not None
    assert known.provider_customer_id is not None
    return known.provider_customer_id


def customers_there(till: Till, buyer: Actor) -> int:
    with till.state.begin() as state:
        return len(state.children("customer", str(buyer.account_id)))


def erase(till: Till, buyer: Actor) -> None:
    with till.market.unit_of_work() as uow:
        account = uow.accounts.get_for_update(buyer.account_id)
        account.erase(now=till.market.clock.now())
        uow.accounts.save(account)
        uow.commit()


def alarms(till: Till) -> list[str]:
    return [event.reason for event in till.events() if isinstance(event, ProviderAlarm)]
