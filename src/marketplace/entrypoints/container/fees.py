"""The parts of the fees: what is charged on a sale, and the versions of it."""

from __future__ import annotations

from dependency_injector import containers, providers

from marketplace.application.fees.adding import AddFeeSchedule
from marketplace.application.fees.in_force import RememberedFees
from marketplace.application.fees.previewing import PreviewFees
from marketplace.application.ports.clock import Clock
from marketplace.domain.fees import FeeSchedule
from marketplace.entrypoints.settings import Settings


class Fees(containers.DeclarativeContainer):
    """``standard`` is what the settings say, ``in_force`` what carts and quotes are priced by."""

    settings = providers.Dependency(instance_of=Settings)
    backend = providers.DependenciesContainer()
    clock: providers.Dependency[Clock] = providers.Dependency()

    standard = providers.Singleton(
        FeeSchedule.standard,
        currency=settings.provided.currency,
        commission_rate=settings.provided.platform_commission_percent,
        processing_rate=settings.provided.buyer_processing_percent,
        processing_minimum=settings.provided.buyer_processing_min.amount,
        shipping=settings.provided.buyer_shipping_fee.amount,
    )
    in_force = providers.Singleton(RememberedFees, queries=backend.fee_queries, standard=standard)
    add = providers.Singleton(
        AddFeeSchedule,
        unit_of_work=backend.unit_of_work.provider,
        ids=backend.ids,
        clock=clock,
        currency=settings.provided.currency,
        remembered=in_force,
    )
    preview = providers.Singleton(PreviewFees, fees=in_force, queries=backend.fee_queries, clock=clock)
