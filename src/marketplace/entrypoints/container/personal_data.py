"""The parts of giving members what is held on them, and of forgetting them."""

from __future__ import annotations

from dependency_injector import containers, providers

from marketplace.application.identity import erasure, personal_data
from marketplace.application.identity.attempts import AttemptGuard
from marketplace.application.identity.second_factors import OwnerCheck
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.identity import Secrets


class PersonalData(containers.DeclarativeContainer):
    """``finish_erasure`` is the worker's, the rest are use cases."""

    backend = providers.DependenciesContainer()
    clock: providers.Dependency[Clock] = providers.Dependency()
    secrets: providers.Dependency[Secrets] = providers.Dependency()
    guard: providers.Dependency[AttemptGuard] = providers.Dependency()
    owner: providers.Dependency[OwnerCheck] = providers.Dependency()

    unit_of_work = backend.unit_of_work.provider
    dossier = providers.Singleton(
        personal_data.Dossier,
        identity=backend.identity_queries,
        personal=backend.personal_data_queries,
        second_factors=backend.second_factor_queries,
        sellers=backend.seller_queries,
        listings=backend.listing_queries,
        orders=backend.order_queries,
        payouts=backend.payout_queries,
        disputes=backend.dispute_queries,
        documents=backend.document_queries,
        reservations=backend.reservation_queries,
        notifications=backend.notification_queries,
        audit=backend.audit_queries,
        unit_of_work=unit_of_work,
        clock=clock,
    )
    export_me = providers.Singleton(personal_data.ExportMe, dossier=dossier)
    export_member = providers.Singleton(
        personal_data.ExportMember, unit_of_work=unit_of_work, clock=clock, dossier=dossier
    )
    eraser = providers.Singleton(
        erasure.Eraser,
        unit_of_work=unit_of_work,
        clock=clock,
        queries=backend.identity_queries,
        guard=guard,
        secrets=secrets,
    )
    erase_me = providers.Singleton(erasure.EraseMe, owner=owner, eraser=eraser)
    erase_member = providers.Singleton(erasure.EraseMember, unit_of_work=unit_of_work, eraser=eraser)
    finish_erasure = providers.Singleton(erasure.FinishErasure, unit_of_work=unit_of_work, clock=clock)
