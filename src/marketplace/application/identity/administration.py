"""What admins do to accounts: make other admins, grant and revoke roles, suspend and reinstate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.application.access import Actor, require_role
from marketplace.application.identity.registration import NewMember, add_account
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.identity import PasswordHasher
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import Account
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId


@dataclass(frozen=True, kw_only=True, slots=True)
class CreateAccount:
    """Make an account with roles and a verified address, for admins and the demo market; no mail is sent."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    ids: IdSequence
    hasher: PasswordHasher

    def __call__(self, *, actor: Actor, member: NewMember, roles: frozenset[Role]) -> AccountId:
        """Raises Forbidden, Invalid, UsernameTaken, EmailTaken."""
        require_role(actor, Role.ADMIN)
        now = self.clock.now()
        account = member.account(AccountId(self.ids.next()), self.hasher, now=now)
        account.verify_email(now=now)
        for role in roles:
            account.grant(role)
        with self.unit_of_work() as uow:
            add_account(uow, account)
            uow.commit()
        return account.id


@dataclass(frozen=True, kw_only=True, slots=True)
class GrantRole:
    """Give an account a capability; it counts at once."""

    unit_of_work: Callable[[], UnitOfWork]

    def __call__(self, *, actor: Actor, name: str, role: Role) -> AccountId:
        """``name`` is a user name or an e-mail address. Raises Forbidden and NotFound. Repeating it changes nothing."""
        require_role(actor, Role.ADMIN)
        with self.unit_of_work() as uow:
            account = _named(uow, name)
            account.grant(role)
            uow.accounts.save(account)
            uow.commit()
        return account.id


@dataclass(frozen=True, kw_only=True, slots=True)
class RevokeRole:
    """Take a capability back; it counts at once."""

    unit_of_work: Callable[[], UnitOfWork]

    def __call__(self, *, actor: Actor, name: str, role: Role) -> AccountId:
        """Raises Forbidden, NotFound, and Conflict for the role that everyone has. Repeating it changes nothing."""
        require_role(actor, Role.ADMIN)
        with self.unit_of_work() as uow:
            account = _named(uow, name)
            account.revoke(role)
            uow.accounts.save(account)
            uow.commit()
        return account.id


@dataclass(frozen=True, kw_only=True, slots=True)
class SuspendAccount:
    """Shut somebody out: every session ends, and nobody logs in until the account is reinstated."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, name: str) -> AccountId:
        """Raises Forbidden, NotFound, and Conflict when it is suspended already."""
        require_role(actor, Role.ADMIN)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            account = _named(uow, name)
            account.suspend(now=now)
            uow.accounts.save(account)
            uow.sessions.revoke_all(account.id, now=now)
            uow.commit()
        return account.id


@dataclass(frozen=True, kw_only=True, slots=True)
class ReinstateAccount:
    """Let somebody in again, with the password they had; as a seller they have to be approved again."""

    unit_of_work: Callable[[], UnitOfWork]

    def __call__(self, *, actor: Actor, name: str) -> AccountId:
        """Raises Forbidden, NotFound, and Conflict when it is not suspended."""
        require_role(actor, Role.ADMIN)
        with self.unit_of_work() as uow:
            account = _named(uow, name)
            account.reinstate()
            uow.accounts.save(account)
            uow.commit()
        return account.id


def _named(uow: UnitOfWork, name: str) -> Account:
    """Locked until the unit ends. Raises NotFound."""
    found = uow.accounts.by_name(name)
    if found is None:
        raise NotFound(f"There is no account called {name!r}.")
    return uow.accounts.get_for_update(found.id)
