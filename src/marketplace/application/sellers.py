"""Becoming a seller: the profile that comes with a vendor's registration, the grant of an admin, the end of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.application.access import Actor, require_role
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import Account
from marketplace.domain.sellers import SellerProfile, SellerStatus, ShopNameTaken
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenSellerProfile:
    """Give a vendor who has just registered the profile that an admin will look at. Repeating it changes nothing."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, account_id: AccountId, shop_name: str) -> None:
        """A name that is taken gets the id appended. Raises NotFound when there is no such account."""
        now = self.clock.now()
        with self.unit_of_work() as uow:
            if uow.sellers.find(account_id) is not None:
                return
            account = uow.accounts.get(account_id)
            # The name was not asked for, so that it is no reason to turn a vendor away.
            free_name = f"{shop_name} {account_id}" if uow.sellers.has_shop(shop_name) else shop_name
            profile = SellerProfile.of(
                account_id, shop_name=free_name, email_verified=account.is_email_verified, now=now
            )
            profile.apply(now=now)
            uow.sellers.add(profile)
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfirmSellerEmail:
    """Tick the verified e-mail address off a seller's checklist. Repeating it changes nothing."""

    unit_of_work: Callable[[], UnitOfWork]

    def __call__(self, *, account_id: AccountId) -> None:
        """Harmless for who does not sell. Raises ConcurrencyConflict when the profile changed meanwhile: repeat."""
        with self.unit_of_work() as uow:
            profile = uow.sellers.find(account_id)
            if profile is None or profile.email_verified:
                return
            profile.confirm_email()
            uow.sellers.save(profile)
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class ApproveSeller:
    """Let an account sell: approve its profile, or make it one, or take back its suspension.

    As the payments are simulated, identity and onboarding count as done. Repeating it changes nothing.
    """

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, account: AccountId | str, shop_name: str | None = None) -> SellerProfile:
        """``account`` is an id, a username or an e-mail address; ``shop_name`` names a profile that is made here.

        By default the username names it. Raises NotFound, ShopNameTaken, and IllegalTransition for who was rejected.
        """
        require_role(actor, Role.ADMIN)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            owner = _account(uow, account)
            owner.grant(Role.SELLER)
            uow.accounts.save(owner)
            profile = uow.sellers.find(owner.id)
            if profile is None:
                name = shop_name or owner.username
                if uow.sellers.has_shop(name):
                    raise ShopNameTaken(f"There is a shop called {name!r} already; choose another name.")
                profile = SellerProfile.of(owner.id, shop_name=name, email_verified=owner.is_email_verified, now=now)
                save = uow.sellers.add
            else:
                save = uow.sellers.save
            if profile.status is SellerStatus.NONE:
                profile.apply(now=now)
            if profile.status is not SellerStatus.APPROVED:
                profile.approve(now=now)
            profile.confirm_identity()
            profile.set_payouts_ready(True)
            save(profile)
            uow.commit()
        return profile


@dataclass(frozen=True, kw_only=True, slots=True)
class SuspendSeller:
    """Pause everything that a seller offers, and tell why; approving ends it."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, account: AccountId | str, reason: str) -> SellerProfile:
        """``account`` is an id, a username or an e-mail address.

        Raises NotFound for who is no seller, IllegalTransition for who is not approved.
        """
        require_role(actor, Role.ADMIN)
        with self.unit_of_work() as uow:
            profile = uow.sellers.get(_account(uow, account).id)
            profile.suspend(reason, now=self.clock.now())
            uow.sellers.save(profile)
            uow.commit()
        return profile


def _account(uow: UnitOfWork, named: AccountId | str) -> Account:
    """Raises NotFound."""
    if not isinstance(named, str):
        return uow.accounts.get(named)
    found = uow.accounts.by_name(named)
    if found is None:
        raise NotFound(f"There is no account {named!r}; give a username or an e-mail address.")
    return found
