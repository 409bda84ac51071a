"""The parts of the books: proving, comparing, explaining, and what operators do to them."""

from __future__ import annotations

from dependency_injector import containers, providers

from marketplace.application.ledger import operating
from marketplace.application.ledger.explaining import ExplainOrder
from marketplace.application.ledger.platform_payouts import PlatformPayoutCheck
from marketplace.application.ledger.reconciling import ReconcileLedger, ReconcileWhenDue
from marketplace.application.ledger.verifying import VerifyLedger
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.payment_gateway import PaymentGateway


class LedgerParts(containers.DeclarativeContainer):
    """``reconcile_when_due`` is the worker's, the rest are use cases."""

    backend = providers.DependenciesContainer()
    clock: providers.Dependency[Clock] = providers.Dependency()
    gateway: providers.Dependency[PaymentGateway] = providers.Dependency()

    unit_of_work = backend.unit_of_work.provider
    verify = providers.Singleton(VerifyLedger, audit=backend.ledger_audit, gateway=gateway)
    explain = providers.Singleton(
        ExplainOrder, unit_of_work=unit_of_work, orders=backend.order_queries, ledger=backend.ledger_queries
    )
    check_platform_payout = providers.Singleton(
        PlatformPayoutCheck, unit_of_work=unit_of_work, gateway=gateway, clock=clock
    )
    reconcile = providers.Singleton(
        ReconcileLedger,
        unit_of_work=unit_of_work,
        gateway=gateway,
        queries=backend.ledger_queries,
        clock=clock,
        ids=backend.ids,
        check_payout=check_platform_payout,
    )
    reconcile_when_due = providers.Singleton(ReconcileWhenDue, reconcile)
    explain_difference = providers.Singleton(operating.ExplainDifference, unit_of_work=unit_of_work, clock=clock)
    book_to_suspense = providers.Singleton(operating.BookToSuspense, unit_of_work=unit_of_work, clock=clock)
    book_carrier_paid = providers.Singleton(operating.BookCarrierPaid, unit_of_work=unit_of_work, clock=clock)
    book_topup = providers.Singleton(operating.BookTopup, unit_of_work=unit_of_work, clock=clock)
