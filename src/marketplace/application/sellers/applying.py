"""Becoming a seller, and what sellers say of their own shop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marketplace.application.access import Actor, require_accepted_terms
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.sellers import Holiday, SellerExists, SellerProfile, SellerStatus, ShopNameTaken, shop_name_key
from marketplace.domain.shared.errors import Invalid, NotFound
from marketplace.domain.shared.ids import AccountId


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplyToSell:
    """Ask to sell under the name of a shop; an administrator looks at it."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, shop_name: str, description: str = "") -> SellerProfile:
        """Raises Forbidden before any terms are accepted, Invalid, ShopNameTaken, SellerExists for who has applied
        already, whatever became of it, and CompanyMissing for a professional who has not told the company."""
        require_accepted_terms(actor)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            # Locked, so that an address that is verified meanwhile is either seen here or told of afterwards.
            account = uow.accounts.get_for_update(actor.account_id)
            known = uow.sellers.find(account.id)
            if known is not None:
                raise SellerExists(
                    f"You have applied to sell already, as {known.shop_name!r}; GET /api/v1/sellers/me/ tells how it"
                    " stands.",
                    current_status=str(known.status),
                )
            account.require_company()
            profile = SellerProfile.of(
                account.id,
                shop_name=shop_name,
                description=description,
                email_verified=account.is_email_verified,
                now=now,
            )
            require_free(uow, profile.shop_name)
            profile.apply(now=now)
            uow.sellers.add(profile)
            uow.commit()
        return profile


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenSellerProfile:
    """Give a vendor who has just registered the profile that an admin will look at. Repeating it changes nothing."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, account_id: AccountId, shop_name: str) -> None:
        now = self.clock.now()
        with self.unit_of_work() as uow:
            account = uow.accounts.get_for_update(account_id)
            if uow.sellers.find(account_id) is not None:
                return
            # The name was not asked for, so that it is no reason to turn a vendor away.
            free_name = f"{shop_name} {account_id}" if uow.sellers.has_shop(shop_name) else shop_name
            profile = SellerProfile.of(
                account_id, shop_name=free_name, email_verified=account.is_email_verified, now=now
            )
            profile.apply(now=now)
            uow.sellers.add(profile)
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowSellerEmail:
    """Keep a seller's checklist to what is so of the account's address now: verified, or changed and not yet verified.

    It reads the account instead of believing the event, so that the order in which events come does not matter.
    Repeating it changes nothing.
    """

    unit_of_work: Callable[[], UnitOfWork]

    def __call__(self, *, account_id: AccountId) -> None:
        with self.unit_of_work() as uow:
            account = uow.accounts.get_for_update(account_id)
            profile = uow.sellers.find(account_id)
            if profile is None or profile.email_verified == account.is_email_verified:
                return
            profile.follow_email(account.is_email_verified)
            uow.sellers.save(profile)
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class UpdateShop:
    """Change the name, the description or the holiday of one's own shop."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, changes: Mapping[str, Any]) -> SellerProfile:
        """``changes``: ``shop_name``, ``description``, ``holiday_from``, ``holiday_until``; what is not there stays.

        A holiday without a beginning begins now; ``holiday_until`` None ends it. Raises NotFound for who has not
        applied, Invalid, and ShopNameTaken.
        """
        now = self.clock.now()
        with self.unit_of_work() as uow:
            if uow.sellers.find(actor.account_id) is None:
                raise NotFound("You have no shop yet: POST /api/v1/sellers/ asks for one.")
            profile = uow.sellers.get_for_update(actor.account_id)
            if profile.status is SellerStatus.NONE:
                raise NotFound("This shop was closed for good, with the account behind it.")
            named = changes.get("shop_name")
            if named is not None and shop_name_key(named) != profile.shop_name_key:
                require_free(uow, named)
            wanted = {name: value for name, value in changes.items() if name in ("shop_name", "description")}
            if changes.keys() & {"holiday_from", "holiday_until"}:
                wanted["holiday"] = _holiday(changes, profile.holiday, now)
            unknown = changes.keys() - {"shop_name", "description", "holiday_from", "holiday_until"}
            profile.change({**wanted, **{name: changes[name] for name in unknown}})
            uow.sellers.save(profile)
            uow.commit()
        return profile


def require_free(uow: UnitOfWork, shop_name: str) -> None:
    """Raises ShopNameTaken; whoever slips past here at the same time meets the database's own check."""
    if uow.sellers.has_shop(shop_name):
        raise ShopNameTaken(f"There is a shop called {shop_name!r} already; choose another name.")


def _holiday(changes: Mapping[str, Any], known: Holiday | None, now: datetime) -> Holiday | None:
    """The holiday as it is to be; one that is over lends it nothing. Raises Invalid on one that is over, or endless."""
    if known is not None and known.ends_at <= now:
        known = None
    begins_at = changes.get("holiday_from", known.begins_at if known is not None else None)
    ends_at = changes.get("holiday_until", known.ends_at if known is not None else None)
    if ends_at is None:
        if changes.get("holiday_from") is not None:
            raise _refused("holiday_until", "Missing: say when you are back.")
        return None
    if ends_at <= now:
        raise _refused("holiday_until", "It is over already: give an instant in the future, or null for no holiday.")
    return Holiday(begins_at=now if begins_at is None else begins_at, ends_at=ends_at)


def _refused(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", errors={field: [message]})
