"""What admins do to accounts: make other admins, grant and revoke roles, suspend and reinstate."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from datetime import datetime

from marketplace.application.access import Actor, require_admin_stays, require_role
from marketplace.application.identity.registration import NewMember, add_account
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.identity import PasswordHasher
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import Account
from marketplace.domain.sellers import SellerStatus
from marketplace.domain.shared.errors import Invalid, NotFound
from marketplace.domain.shared.ids import AccountId
from marketplace.domain.shared.text import checked_text

MAX_REASON = 500
"""Characters."""

WITH_ACCOUNT = "The account is suspended."
"""What the seller is told, and the audit trail, of a shop that was suspended along with its owner's account."""


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
            uow.audit.add(actor.did("account.created", "account", account.id, now=now, after={"roles": account.roles}))
            uow.commit()
        return account.id


@dataclass(frozen=True, kw_only=True, slots=True)
class GrantRole:
    """Give an account a capability; it counts at once."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, name: str, role: Role) -> AccountId:
        """``name`` is a user name or an e-mail address. Raises Forbidden and NotFound. Repeating it changes nothing."""
        require_role(actor, Role.ADMIN)
        with self.unit_of_work() as uow:
            act = _Act.on(uow, actor, name, now=self.clock.now())
            act.set_roles(act.account.roles | {role})
            act.finish()
        return act.account.id


@dataclass(frozen=True, kw_only=True, slots=True)
class RevokeRole:
    """Take a capability back; it counts at once."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, name: str, role: Role) -> AccountId:
        """Raises Forbidden, NotFound, OwnAccess, LastAdmin, and Conflict for the role that everyone has.

        Repeating it changes nothing.
        """
        require_role(actor, Role.ADMIN)
        with self.unit_of_work() as uow:
            act = _Act.on(uow, actor, name, now=self.clock.now())
            act.set_roles(act.account.roles - {role})
            act.finish()
        return act.account.id


@dataclass(frozen=True, kw_only=True, slots=True)
class SuspendAccount:
    """Shut somebody out at once: their sessions end, their shop is suspended, nobody logs in until a reinstatement."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, name: str, reason: str = "") -> AccountId:
        """Raises Forbidden, NotFound, OwnAccess, LastAdmin, and Conflict when it is suspended already."""
        require_role(actor, Role.ADMIN)
        with self.unit_of_work() as uow:
            act = _Act.on(uow, actor, name, now=self.clock.now(), reason=reason)
            act.suspend()
            act.finish()
        return act.account.id


@dataclass(frozen=True, kw_only=True, slots=True)
class ReinstateAccount:
    """Let somebody in again, with the password they had; as a seller they have to be approved again."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, name: str, reason: str = "") -> AccountId:
        """Raises Forbidden, NotFound, and Conflict when it is not suspended."""
        require_role(actor, Role.ADMIN)
        with self.unit_of_work() as uow:
            act = _Act.on(uow, actor, name, now=self.clock.now(), reason=reason)
            act.reinstate()
            act.finish()
        return act.account.id


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeAccess:
    """Decide on an account in one go: what roles it has, and whether it is let in."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(
        self,
        *,
        actor: Actor,
        account_id: AccountId,
        roles: Set[Role] | None = None,
        is_suspended: bool | None = None,
        reason: str = "",
    ) -> None:
        """``roles`` are all that it is to have, BUYER in any case; None leaves a thing as it is.

        Raises Forbidden, NotFound, OwnAccess, LastAdmin, and Invalid for a suspension without a reason and for a
        change of SELLER, which goes with the seller's profile. What is so already changes nothing.
        """
        require_role(actor, Role.ADMIN)
        with self.unit_of_work() as uow:
            act = _Act.on(uow, actor, account_id, now=self.clock.now(), reason=reason)
            if roles is not None:
                _require_seller_unchanged(act.account, roles)
                act.set_roles(frozenset(roles) | {Role.BUYER})
            if is_suspended is not None and is_suspended != act.account.is_suspended:
                if is_suspended and not act.reason:
                    message = "Say why: whoever reads the audit trail has to know."
                    raise Invalid(f"reason: {message}", errors={"reason": [message]})
                (act.suspend if is_suspended else act.reinstate)()
            act.finish()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Act:
    """What an admin does to one account in one transaction; ``admins`` are all who could do so, locked with it."""

    uow: UnitOfWork
    actor: Actor
    account: Account
    admins: Set[AccountId]
    now: datetime
    reason: str

    @classmethod
    def on(cls, uow: UnitOfWork, actor: Actor, account: AccountId | str, *, now: datetime, reason: str = "") -> _Act:
        """Raises NotFound, and Invalid on a reason that is too long."""
        text = checked_text(reason, field="reason", maximum=MAX_REASON)
        found = _named(uow, account) if isinstance(account, str) else account
        # Before the account itself, so that two admins who demote each other follow one another.
        admins = uow.accounts.admins_for_update()
        locked = uow.accounts.get_for_update(found)
        return cls(uow=uow, actor=actor, account=locked, admins=frozenset(admins), now=now, reason=text)

    def set_roles(self, roles: frozenset[Role]) -> None:
        before = self.account.roles
        if Role.ADMIN in before - roles:
            require_admin_stays(self.actor, self.account.id, self.admins)
        for role in before - roles:
            self.account.revoke(role)
        for role in roles - before:
            self.account.grant(role)
        if roles != before:
            self._note("account.roles_changed", before={"roles": before}, after={"roles": self.account.roles})

    def suspend(self) -> None:
        require_admin_stays(self.actor, self.account.id, self.admins)
        self.account.suspend(now=self.now)
        self.uow.sessions.revoke_all(self.account.id, now=self.now)
        self._note("account.suspended", before={"is_suspended": False}, after={"is_suspended": True})
        self._pause_shop()

    def _pause_shop(self) -> None:
        """In the same transaction, so that nothing of theirs is sold while the news is on its way."""
        profile = self.uow.sellers.find(self.account.id) and self.uow.sellers.get_for_update(self.account.id)
        if profile is None or profile.status is not SellerStatus.APPROVED:
            return
        before = profile.standing()
        profile.suspend(WITH_ACCOUNT, now=self.now)
        self.uow.sellers.save(profile)
        entry = self.actor.did(
            "seller.suspended",
            "seller",
            self.account.id,
            now=self.now,
            reason=WITH_ACCOUNT,
            before=before,
            after=profile.standing(),
        )
        self.uow.audit.add(entry)

    def reinstate(self) -> None:
        self.account.reinstate()
        self._note("account.reinstated", before={"is_suspended": True}, after={"is_suspended": False})

    def finish(self) -> None:
        self.uow.accounts.save(self.account)
        self.uow.commit()

    def _note(self, action: str, *, before: dict[str, object], after: dict[str, object]) -> None:
        entry = self.actor.did(
            action, "account", self.account.id, now=self.now, reason=self.reason, before=before, after=after
        )
        self.uow.audit.add(entry)


def _require_seller_unchanged(account: Account, roles: Set[Role]) -> None:
    if (Role.SELLER in roles) != (Role.SELLER in account.roles):
        path = f"/api/v1/admin/sellers/{account.id}"
        message = f"The role seller comes with POST {path}/approve/ and goes with POST {path}/suspend/."
        raise Invalid(f"roles: {message}", errors={"roles": [message]})


def _named(uow: UnitOfWork, name: str) -> AccountId:
    """Raises NotFound."""
    found = uow.accounts.by_name(name)
    if found is None:
        raise NotFound(f"There is no account called {name!r}.")
    return found.id
