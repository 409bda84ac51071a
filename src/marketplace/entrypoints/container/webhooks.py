"""The parts that take the provider's events, find those that never came, and work on them."""

from __future__ import annotations

from collections.abc import Callable

from dependency_injector import containers, providers

from marketplace.application.payments.checking import PaymentCheck
from marketplace.application.payments.missed_events import SweepEvents
from marketplace.application.payments.refunding import RefundCheck
from marketplace.application.payments.webhooks import (
    DeliverSimulatedEvents,
    KeepEvent,
    ProcessWebhooks,
    PurgeWebhooks,
    ReceiveWebhook,
    ReplayWebhooks,
)
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.payment_gateway import PaymentGateway, ProviderEvent
from marketplace.application.ports.provider_state import SimulatedCourier

Check = Callable[[str], bool]
EventCheck = Callable[[ProviderEvent], bool]


class Webhooks(containers.DeclarativeContainer):
    """``receive`` is a door's, ``replay`` an operator's, the rest are the worker's."""

    backend = providers.DependenciesContainer()
    clock: providers.Dependency[Clock] = providers.Dependency()
    gateway: providers.Dependency[PaymentGateway] = providers.Dependency()
    courier: providers.Dependency[SimulatedCourier] = providers.Dependency()
    check_payment: providers.Dependency[PaymentCheck] = providers.Dependency()
    check_refund: providers.Dependency[RefundCheck] = providers.Dependency()
    check_account: providers.Dependency[Check] = providers.Dependency()
    check_chargeback: providers.Dependency[Check] = providers.Dependency()
    check_transfer: providers.Dependency[Check] = providers.Dependency()
    check_platform_payout: providers.Dependency[Check] = providers.Dependency()
    check_card: providers.Dependency[EventCheck] = providers.Dependency()

    unit_of_work = backend.unit_of_work.provider
    inbox = backend.webhook_inbox
    keep = providers.Singleton(KeepEvent, unit_of_work=unit_of_work, inbox=inbox, livemode=gateway.provided.livemode)
    receive = providers.Singleton(
        ReceiveWebhook, gateway=gateway, keep=keep, refusals=backend.webhook_refusals, clock=clock
    )
    process = providers.Singleton(
        ProcessWebhooks,
        unit_of_work=unit_of_work,
        inbox=inbox,
        clock=clock,
        check_payment=check_payment,
        check_refund=check_refund,
        check_account=check_account,
        check_chargeback=check_chargeback,
        check_transfer=check_transfer,
        check_platform_payout=check_platform_payout,
        check_card=check_card,
    )
    sweep = providers.Singleton(
        SweepEvents, unit_of_work=unit_of_work, gateway=gateway, sweeps=backend.event_sweeps, keep=keep, clock=clock
    )
    purge = providers.Singleton(PurgeWebhooks, inbox=inbox, clock=clock)
    replay = providers.Singleton(ReplayWebhooks, unit_of_work=unit_of_work, inbox=inbox, clock=clock)
    deliver_simulated = providers.Singleton(DeliverSimulatedEvents, courier=courier, receive=receive)
