"""The parts of what members say of themselves, and of the accounts that come from another shop."""

from __future__ import annotations

from dependency_injector import containers, providers

from marketplace.adapters.stdnum_business_numbers import StdnumBusinessNumbers
from marketplace.application.identity import email_change, profile
from marketplace.application.identity.import_accounts import ImportAccounts
from marketplace.application.identity.second_factors import OwnerCheck
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.identity import Secrets
from marketplace.entrypoints.email_addresses import well_formed_email
from marketplace.entrypoints.settings import Settings


class Members(containers.DeclarativeContainer):
    """``issue_email_change_code`` is the worker's, the rest are use cases."""

    settings = providers.Dependency(instance_of=Settings)
    backend = providers.DependenciesContainer()
    clock: providers.Dependency[Clock] = providers.Dependency()
    secrets: providers.Dependency[Secrets] = providers.Dependency()
    owner: providers.Dependency[OwnerCheck] = providers.Dependency()

    unit_of_work = backend.unit_of_work.provider
    update_me = providers.Singleton(
        profile.UpdateMe,
        unit_of_work=unit_of_work,
        clock=clock,
        ids=backend.ids,
        owner=owner,
        terms_version=settings.provided.terms_version,
    )
    issue_email_change_code = providers.Singleton(
        email_change.IssueEmailChangeCode, unit_of_work=unit_of_work, clock=clock, secrets=secrets
    )
    keep_company = providers.Singleton(
        profile.KeepCompany, unit_of_work=unit_of_work, clock=clock, numbers=providers.Singleton(StdnumBusinessNumbers)
    )
    add_address = providers.Singleton(profile.AddAddress, unit_of_work=unit_of_work, clock=clock, ids=backend.ids)
    update_address = providers.Singleton(profile.UpdateAddress, unit_of_work=unit_of_work)
    remove_address = providers.Singleton(profile.RemoveAddress, unit_of_work=unit_of_work)
    import_accounts = providers.Singleton(
        ImportAccounts,
        unit_of_work=unit_of_work,
        clock=clock,
        ids=backend.ids,
        well_formed_email=providers.Object(well_formed_email),
    )
