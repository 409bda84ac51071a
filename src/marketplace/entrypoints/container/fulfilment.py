"""The parts by which sales are sent, confirmed, cancelled and completed."""

from __future__ import annotations

from dependency_injector import containers, providers

from marketplace.application.fulfilment import cancelling, completing, shipping
from marketplace.application.ports.clock import Clock
from marketplace.entrypoints.settings import Settings


class Fulfilment(containers.DeclarativeContainer):
    """``complete_sales`` is the worker's, ``complete_sale`` the operator's, the rest are use cases of any door."""

    settings = providers.Dependency(instance_of=Settings)
    backend = providers.DependenciesContainer()
    clock: providers.Dependency[Clock] = providers.Dependency()

    unit_of_work = backend.unit_of_work.provider
    ship_sale = providers.Singleton(
        shipping.ShipSale, unit_of_work=unit_of_work, clock=clock, auto_complete=settings.provided.auto_complete
    )
    confirm_receipt = providers.Singleton(
        shipping.ConfirmReceipt, unit_of_work=unit_of_work, clock=clock, complaint=settings.provided.complaint
    )
    cancel_sale = providers.Singleton(cancelling.CancelSale, unit_of_work=unit_of_work, clock=clock, ids=backend.ids)
    request_cancellation = providers.Singleton(cancelling.RequestCancellation, unit_of_work=unit_of_work, clock=clock)
    complete_sale = providers.Singleton(completing.CompleteSale, unit_of_work=unit_of_work, clock=clock)
    complete_sales = providers.Singleton(completing.CompleteSales, unit_of_work=unit_of_work, clock=clock)
