"""The parts of paying sellers: sending, taking back, keeping back."""

from __future__ import annotations

from dependency_injector import containers, providers

from marketplace.application.payouts import checking, keeping, operating, recovering, sending
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.payment_gateway import PaymentGateway
from marketplace.entrypoints.settings import Settings


class Payouts(containers.DeclarativeContainer):
    """``jobs`` are the worker's, by name; the rest are use cases."""

    settings = providers.Dependency(instance_of=Settings)
    backend = providers.DependenciesContainer()
    clock: providers.Dependency[Clock] = providers.Dependency()
    gateway: providers.Dependency[PaymentGateway] = providers.Dependency()

    unit_of_work = backend.unit_of_work.provider
    check_transfer = providers.Singleton(
        checking.TransferCheck, unit_of_work=unit_of_work, gateway=gateway, clock=clock
    )
    send = providers.Singleton(
        sending.SendPayouts,
        check=providers.Singleton(sending.PayoutCheck, unit_of_work=unit_of_work, gateway=gateway, clock=clock),
        ids=backend.ids,
        minimum=settings.provided.payout_minimum.amount,
    )
    recover = providers.Singleton(
        recovering.SendRecoveries,
        check=providers.Singleton(recovering.RecoveryCheck, unit_of_work=unit_of_work, gateway=gateway, clock=clock),
    )
    write_off = providers.Singleton(
        recovering.WriteOff,
        unit_of_work=unit_of_work,
        clock=clock,
        after=settings.provided.receivable_write_off,
    )
    hold = providers.Singleton(operating.HoldPayout, unit_of_work=unit_of_work, clock=clock)
    release = providers.Singleton(operating.ReleasePayout, unit_of_work=unit_of_work, clock=clock)
    retry = providers.Singleton(operating.RetryPayout, unit_of_work=unit_of_work, clock=clock)
    try_blocked = providers.Singleton(keeping.TryBlockedPayouts, unit_of_work=unit_of_work, clock=clock)
    follow_suspensions = providers.Singleton(keeping.FollowSuspensions, unit_of_work=unit_of_work, clock=clock)
    watch_kept_money = providers.Singleton(keeping.WatchKeptMoney, unit_of_work=unit_of_work, clock=clock)
