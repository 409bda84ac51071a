"""The parts of what changes passwords and ends sessions."""

from __future__ import annotations

from dependency_injector import containers, providers

from marketplace.adapters.fernet_vault import FernetVault
from marketplace.application.identity import passwords, sessions
from marketplace.application.identity.attempts import AttemptGuard
from marketplace.application.identity.second_factors import OwnerCheck
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.identity import Secrets
from marketplace.entrypoints.keys import Purpose
from marketplace.entrypoints.settings import Settings


class Passwords(containers.DeclarativeContainer):
    """``issue_reset_code`` and ``purge_codes`` are the worker's, the rest are use cases."""

    settings = providers.Dependency(instance_of=Settings)
    backend = providers.DependenciesContainer()
    clock: providers.Dependency[Clock] = providers.Dependency()
    secrets: providers.Dependency[Secrets] = providers.Dependency()
    guard: providers.Dependency[AttemptGuard] = providers.Dependency()
    owner: providers.Dependency[OwnerCheck] = providers.Dependency()

    unit_of_work = backend.unit_of_work.provider
    vault = providers.Singleton(FernetVault, providers.List(settings.provided.key.call(Purpose.RESET_ADDRESSES)))
    request_reset = providers.Singleton(
        passwords.RequestPasswordReset,
        unit_of_work=unit_of_work,
        clock=clock,
        ids=backend.ids,
        secrets=secrets,
        vault=vault,
    )
    issue_reset_code = providers.Singleton(
        passwords.IssueResetCode, unit_of_work=unit_of_work, clock=clock, secrets=secrets, vault=vault
    )
    verify_reset_code = providers.Singleton(
        passwords.VerifyResetCode, unit_of_work=unit_of_work, clock=clock, secrets=secrets, guard=guard
    )
    confirm_reset = providers.Singleton(
        passwords.ConfirmPasswordReset,
        unit_of_work=unit_of_work,
        clock=clock,
        secrets=secrets,
        hasher=backend.password_hasher,
        guard=guard,
    )
    change = providers.Singleton(
        passwords.ChangePassword, unit_of_work=unit_of_work, clock=clock, hasher=backend.password_hasher, owner=owner
    )
    end_session = providers.Singleton(sessions.EndSession, unit_of_work=unit_of_work, clock=clock)
    end_sessions = providers.Singleton(sessions.EndSessions, unit_of_work=unit_of_work, clock=clock)
    purge_codes = providers.Singleton(sessions.PurgeCodes, unit_of_work=unit_of_work, clock=clock)
