"""The parts of the second factor."""

from __future__ import annotations

from urllib.parse import urlsplit

from dependency_injector import containers, providers

from marketplace.adapters.authenticators import TotpAuthenticators
from marketplace.adapters.fernet_vault import FernetVault
from marketplace.application.identity import second_factors
from marketplace.application.identity.attempts import AttemptGuard
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.identity import Secrets
from marketplace.entrypoints.keys import Purpose, derived
from marketplace.entrypoints.settings import Settings


def vault_keys(settings: Settings) -> list[bytes]:
    """The one that seals first."""
    return [
        settings.key(Purpose.SECOND_FACTORS),
        *(derived(earlier, Purpose.SECOND_FACTORS) for earlier in settings.secret_key_fallbacks),
    ]


def issuer(settings: Settings) -> str:
    """What authenticators show above the codes: where they are asked for."""
    return urlsplit(settings.public_url).hostname or "localhost"


class SecondFactors(containers.DeclarativeContainer):
    """``codes`` is what logging in needs; the rest are use cases."""

    settings = providers.Dependency(instance_of=Settings)
    backend = providers.DependenciesContainer()
    clock: providers.Dependency[Clock] = providers.Dependency()
    secrets: providers.Dependency[Secrets] = providers.Dependency()
    guard: providers.Dependency[AttemptGuard] = providers.Dependency()

    unit_of_work = backend.unit_of_work.provider
    vault = providers.Singleton(FernetVault, providers.Callable(vault_keys, settings))
    codes = providers.Singleton(
        second_factors.FactorCodes,
        clock=clock,
        secrets=secrets,
        authenticators=providers.Singleton(TotpAuthenticators, providers.Callable(issuer, settings)),
        vault=vault,
    )
    owner = providers.Singleton(
        second_factors.OwnerCheck, unit_of_work=unit_of_work, hasher=backend.password_hasher, guard=guard
    )
    factor_owner = providers.Singleton(
        second_factors.FactorOwner, unit_of_work=unit_of_work, codes=codes, owner=owner, guard=guard
    )
    enrol = providers.Singleton(second_factors.EnrolSecondFactor, unit_of_work=unit_of_work, codes=codes, owner=owner)
    confirm = providers.Singleton(
        second_factors.ConfirmSecondFactor, unit_of_work=unit_of_work, codes=codes, guard=guard
    )
    disable = providers.Singleton(second_factors.DisableSecondFactor, factor_owner=factor_owner)
    renew_recovery = providers.Singleton(second_factors.RenewRecoveryCodes, factor_owner=factor_owner)
    reset = providers.Singleton(second_factors.ResetSecondFactor, unit_of_work=unit_of_work, clock=clock)
    reseal = providers.Singleton(
        second_factors.ResealSecondFactors, unit_of_work=unit_of_work, clock=clock, vault=vault
    )
