"""The parts by which refunds are settled, and disputes and chargebacks opened, followed and decided."""

from __future__ import annotations

from dependency_injector import containers, providers

from marketplace.application.disputes import opening, resolving
from marketplace.application.payments import answering, chargebacks, refunding
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.payment_gateway import PaymentGateway
from marketplace.entrypoints.settings import Settings


class AfterSales(containers.DeclarativeContainer):
    """``check_chargeback`` and ``check_chargebacks`` are the worker's, the rest are use cases of any door."""

    settings = providers.Dependency(instance_of=Settings)
    backend = providers.DependenciesContainer()
    clock: providers.Dependency[Clock] = providers.Dependency()
    gateway: providers.Dependency[PaymentGateway] = providers.Dependency()

    unit_of_work = backend.unit_of_work.provider
    retry_refund = providers.Singleton(refunding.RetryRefund, unit_of_work=unit_of_work, clock=clock)
    settle_refund = providers.Singleton(refunding.SettleRefund, unit_of_work=unit_of_work, clock=clock)
    open_dispute = providers.Singleton(
        opening.OpenDispute,
        unit_of_work=unit_of_work,
        clock=clock,
        ids=backend.ids,
        unshipped_after=settings.provided.dispute_unshipped,
        seller_has=settings.provided.dispute_seller,
    )
    withdraw_dispute = providers.Singleton(opening.WithdrawDispute, unit_of_work=unit_of_work, clock=clock)
    resolve_dispute = providers.Singleton(
        resolving.ResolveDispute, unit_of_work=unit_of_work, clock=clock, ids=backend.ids
    )
    check_chargeback = providers.Singleton(
        chargebacks.ChargebackCheck, unit_of_work=unit_of_work, gateway=gateway, clock=clock, ids=backend.ids
    )
    check_chargebacks = providers.Singleton(chargebacks.CheckChargebacks, check=check_chargeback)
    submit_evidence = providers.Singleton(
        answering.SubmitEvidence, unit_of_work=unit_of_work, gateway=gateway, clock=clock, check=check_chargeback
    )
    accept_chargeback = providers.Singleton(
        answering.AcceptChargeback, unit_of_work=unit_of_work, gateway=gateway, clock=clock, check=check_chargeback
    )
