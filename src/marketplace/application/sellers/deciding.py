"""What administrators decide about sellers. Each decision is audited, and mailed to the seller by its event.

Whoever is approved gets the role of a seller in the same transaction. A suspension leaves it, since what was sold
before still has to be sent; what a suspended seller may not do is asked of the profile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from marketplace.application.access import Actor, require_role
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.application.sellers.applying import require_free
from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import Account
from marketplace.domain.sellers import MAX_REASON, SellerProfile, SellerStatus
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId
from marketplace.domain.shared.text import checked_text


@dataclass(frozen=True, kw_only=True, slots=True)
class _Decision:
    """One decision about one seller: the account and its profile, locked in this order, changed and audited."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def _decide(
        self,
        actor: Actor,
        account: AccountId | str,
        act: str,
        reason: str,
        decide: Callable[[Account, SellerProfile], None],
    ) -> SellerProfile:
        """Raises Forbidden, Invalid on a reason that cannot be kept, NotFound for who never applied, and what
        ``decide`` raises.
        """
        require_role(actor, Role.ADMIN)
        reason = checked_text(reason, field="reason", maximum=MAX_REASON, lines=True)
        with self.unit_of_work() as uow:
            owner = _account(uow, account)
            if uow.sellers.find(owner.id) is None:
                raise NotFound(f"{owner.username!r} has not applied to sell.")
            profile = uow.sellers.get_for_update(owner.id)
            before = profile.standing()
            decide(owner, profile)
            _keep(uow, owner, profile)
            uow.audit.add(
                actor.did(
                    act,
                    "seller",
                    profile.account_id,
                    now=self.clock.now(),
                    reason=reason,
                    before=before,
                    after=profile.standing(),
                )
            )
            uow.commit()
        return profile


@dataclass(frozen=True, kw_only=True, slots=True)
class ApproveSeller(_Decision):
    """Say yes to who has applied. Identity and onboarding remain to be done where they are not."""

    def __call__(self, *, actor: Actor, account: AccountId | str, reason: str = "") -> SellerProfile:
        """``account`` is an id, a username or an e-mail address.

        Raises Forbidden, NotFound, IllegalTransition for who is not waiting, Conflict while the account is suspended,
        and CompanyMissing for a professional who has not told the company.
        """
        now = self.clock.now()

        def approve(owner: Account, profile: SellerProfile) -> None:
            owner.require_not_suspended()
            owner.require_company()
            profile.approve(now=now)

        return self._decide(actor, account, "seller.approved", reason, approve)


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectSeller(_Decision):
    """Say no to who has applied, and tell why."""

    def __call__(self, *, actor: Actor, account: AccountId | str, reason: str) -> SellerProfile:
        """Raises Invalid without a reason, Forbidden, NotFound, and IllegalTransition for who is not waiting."""
        now = self.clock.now()
        return self._decide(
            actor, account, "seller.rejected", reason, lambda _, profile: profile.reject(reason, now=now)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class SuspendSeller(_Decision):
    """Pause everything that a seller offers, and tell why, until the seller is reinstated."""

    def __call__(self, *, actor: Actor, account: AccountId | str, reason: str) -> SellerProfile:
        """Raises Invalid without a reason, Forbidden, NotFound, and IllegalTransition for who is not approved."""
        now = self.clock.now()
        return self._decide(
            actor, account, "seller.suspended", reason, lambda _, profile: profile.suspend(reason, now=now)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ReinstateSeller(_Decision):
    """End a suspension of the shop; that of its owner's account has to be over."""

    def __call__(self, *, actor: Actor, account: AccountId | str, reason: str = "") -> SellerProfile:
        """Raises Forbidden, NotFound, IllegalTransition for who is not suspended, Conflict while the account is."""
        now = self.clock.now()

        def reinstate(owner: Account, profile: SellerProfile) -> None:
            owner.require_not_suspended()
            profile.reinstate(now=now)

        return self._decide(actor, account, "seller.reinstated", reason, reinstate)


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifySellerIdentity(_Decision):
    """Tick off that the identity of a seller was checked (KYC), or take that back. Repeating either tells nobody."""

    def __call__(
        self, *, actor: Actor, account: AccountId | str, reason: str = "", verified: bool = True
    ) -> SellerProfile:
        """Raises Forbidden, NotFound, and Invalid when it is taken back without a reason."""
        now = self.clock.now()
        if verified:
            return self._decide(
                actor, account, "seller.identity_verified", reason, lambda _, profile: profile.confirm_identity(now=now)
            )
        return self._decide(
            actor,
            account,
            "seller.identity_withdrawn",
            reason,
            lambda _, profile: profile.withdraw_identity(reason, now=now),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class VouchForSeller:
    """Let an account sell on the operator's word: approved, identity and payouts counted as done.

    For the demo market, for development and for shops that are moved here. Only the command line can do it: over REST
    each of the four conditions is met by itself. Repeating it changes nothing.
    """

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, account: AccountId | str, shop_name: str | None = None) -> SellerProfile:
        """``account`` is an id, a username or an e-mail address; ``shop_name`` names a profile that is made here.

        By default the username names it. Raises NotFound, ShopNameTaken, IllegalTransition for who was rejected, and
        Conflict while the account is suspended.
        """
        require_role(actor, Role.ADMIN)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            owner = _account(uow, account)
            owner.require_not_suspended()
            profile = uow.sellers.find(owner.id)
            before: dict[str, Any] = {} if profile is None else profile.standing()
            if profile is None:
                name = shop_name or owner.username
                profile = SellerProfile.of(owner.id, shop_name=name, email_verified=owner.is_email_verified, now=now)
                require_free(uow, profile.shop_name)
                uow.sellers.add(profile)
            if profile.status is SellerStatus.NONE:
                profile.apply(now=now)
            if profile.status is SellerStatus.SUSPENDED:
                profile.reinstate(now=now)
            elif profile.status is not SellerStatus.APPROVED:
                profile.approve(now=now)
            profile.vouch()
            _keep(uow, owner, profile)
            if profile.standing() != before:
                uow.audit.add(
                    actor.did(
                        "seller.vouched_for", "seller", owner.id, now=now, before=before, after=profile.standing()
                    )
                )
            uow.commit()
        return profile


def _keep(uow: UnitOfWork, owner: Account, profile: SellerProfile) -> None:
    """Store the profile, and the role that goes with it."""
    before = owner.roles
    if profile.status is SellerStatus.APPROVED:
        owner.grant(Role.SELLER)
    elif profile.status is not SellerStatus.SUSPENDED:
        owner.revoke(Role.SELLER)
    if owner.roles != before:
        uow.accounts.save(owner)
    uow.sellers.save(profile)


def _account(uow: UnitOfWork, named: AccountId | str) -> Account:
    """Locked until the unit ends. Raises NotFound."""
    if not isinstance(named, str):
        return uow.accounts.get_for_update(named)
    found = uow.accounts.by_name(named)
    if found is None:
        raise NotFound(f"There is no account {named!r}; give a username or an e-mail address.")
    return uow.accounts.get_for_update(found.id)
