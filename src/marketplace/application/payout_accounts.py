"""Sellers' accounts at the payment provider: asked for once each, and read again whenever something may have changed.

Nothing that an event or a returning seller says is believed: each is only a reason to ask the provider how it is now.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from marketplace.application.access import Actor, require_verified_email
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.payment_gateway import (
    AccountLink,
    InvalidRequest,
    KeyReused,
    PaymentGateway,
    ProviderObjectUnknown,
)
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity.accounts import Account, AccountType
from marketplace.domain.payout_accounts import (
    CLOSED,
    AccountRequest,
    AccountState,
    EntityType,
    PayoutAccount,
    PayoutAccountBusy,
)
from marketplace.domain.sellers import SellerProfile, SellerStatus
from marketplace.domain.shared.errors import Conflict, Unavailable
from marketplace.domain.shared.ids import AccountId

LEASE_FOR = timedelta(minutes=1)
"""Longer than the provider's client waits for one answer."""
TURN = timedelta(seconds=20)
"""How long a worker begins new readings before its other jobs have their turn."""

_log = logging.getLogger(__name__)


class CannotOnboard(Conflict):
    """There is nothing to onboard: no application, one that was refused, or an account that the provider closed."""

    code = "cannot_onboard"


@dataclass(frozen=True, kw_only=True, slots=True)
class StartOnboarding:
    """Give a seller the address of the provider's page that asks for what it needs to pay them.

    The seller's account there is made once: its key and all that it is asked for with are stored before the first
    sending, and sent again word for word until the answer has arrived. The link is new each time: it can be used once,
    for some minutes.
    """

    unit_of_work: Callable[[], UnitOfWork]
    gateway: PaymentGateway
    clock: Clock
    return_url: str
    refresh_url: str

    def __call__(self, *, actor: Actor, country: str | None = None) -> AccountLink:
        """``country``: where the seller is (ISO 3166-1 alpha-2); by default the company's, else the platform's own.

        It counts until the account is made. Raises Forbidden until the e-mail address is verified, CannotOnboard,
        CompanyMissing, Invalid for a country where nobody can be paid, and what the gateway raises.
        """
        require_verified_email(actor)
        account = self._asked_for(actor, country)
        name = account.provider_account_id or self._made(account)
        try:
            return self.gateway.account_link(name, return_url=self.return_url, refresh_url=self.refresh_url)
        except ProviderObjectUnknown as error:
            raise CannotOnboard(
                "The payment provider has closed your account there; write to the marketplace to have it looked at."
            ) from error

    def _asked_for(self, actor: Actor, country: str | None) -> PayoutAccount:
        with self.unit_of_work() as uow:
            # Locked, so that of two requests at once one stores what the other then finds.
            owner = uow.accounts.get_for_update(actor.account_id)
            profile = _onboarding_profile(uow, owner)
            account = uow.payout_accounts.find(owner.id)
            if account is None:
                request = _request(owner, profile, country)
                account = PayoutAccount.ask(request, provider=self.gateway.name, now=self.clock.now())
                uow.payout_accounts.add(account)
                uow.commit()
        return account

    def _made(self, account: PayoutAccount) -> str:
        """The provider's name for the account, made by this call or by an earlier one whose answer was lost."""
        assert account.request is not None  # it is kept until the account is made
        try:
            made = self.gateway.create_account(account.request, key=account.create_key)
        except (InvalidRequest, KeyReused):
            self._forget_refused(account)
            raise
        now = self.clock.now()
        with self.unit_of_work() as uow:
            current = uow.payout_accounts.get_for_update(account.account_id)
            current.made(made.id, now=now)
            uow.payout_accounts.save(current)
            uow.commit()
        return made.id

    def _forget_refused(self, account: PayoutAccount) -> None:
        """A definite no: the next request is made of what the seller says then, under another key."""
        with self.unit_of_work() as uow:
            owner = uow.accounts.get_for_update(account.account_id)
            profile = _onboarding_profile(uow, owner)
            current = uow.payout_accounts.get_for_update(account.account_id)
            if current.attempt == account.attempt and current.provider_account_id is None:
                current.ask_anew(_request(owner, profile, None))
                uow.payout_accounts.save(current)
                uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountCheck:
    """Read one account at the provider, and let its seller be paid, or not any more."""

    unit_of_work: Callable[[], UnitOfWork]
    gateway: PaymentGateway
    clock: Clock

    def __call__(self, provider_account_id: str) -> bool:
        """Whether it is a seller's of ours, who is up to date then.

        Raises PayoutAccountBusy while somebody else does it, and Unavailable when there is no answer.
        """
        with self.unit_of_work() as uow:
            known = uow.payout_accounts.find_by_provider(provider_account_id)
            if known is None:
                return False
            account = uow.payout_accounts.get_for_update(known.account_id)
            self._take(uow, account)
        self.go_on(account)
        return True

    def take_next(self) -> PayoutAccount | None:
        """Lease the account that has waited longest to be read; None when none is due."""
        with self.unit_of_work() as uow:
            account = uow.payout_accounts.next_due_for_update(now=self.clock.now())
            if account is not None:
                self._take(uow, account)
        return account

    def go_on(self, leased: PayoutAccount) -> None:
        """Ask the provider about a leased account and apply the answer. Raises as a call does."""
        assert leased.provider_account_id is not None  # only those that were made are looked for and due
        try:
            state = self.gateway.get_account(leased.provider_account_id).state
        except ProviderObjectUnknown:
            state = CLOSED
        except Unavailable:
            self._note_silence(leased)
            raise
        self._apply(leased, state)

    def _take(self, uow: UnitOfWork, account: PayoutAccount) -> None:
        now = self.clock.now()
        account.lease(now=now, until=now + LEASE_FOR)
        uow.payout_accounts.save(account)
        uow.commit()

    def _apply(self, leased: PayoutAccount, state: AccountState) -> None:
        now = self.clock.now()
        with self.unit_of_work() as uow:
            profile = uow.sellers.get_for_update(leased.account_id)
            account = uow.payout_accounts.get_for_update(leased.account_id)
            if account.locked_until != leased.locked_until:
                # Somebody else has read it later than this, and what they were told is newer.
                raise PayoutAccountBusy("Reading this seller's account took too long; it is read again.")
            account.read(state, now=now)
            uow.payout_accounts.save(account)
            # Whoever left for good has a profile that asks for nothing; nothing is told of it.
            if profile.status is not SellerStatus.NONE and profile.payouts_ready != account.is_ready:
                profile.set_payouts_ready(account.is_ready, now=now)
                uow.sellers.save(profile)
            uow.commit()

    def _note_silence(self, leased: PayoutAccount) -> None:
        with self.unit_of_work() as uow:
            account = uow.payout_accounts.get_for_update(leased.account_id)
            if account.locked_until == leased.locked_until:
                account.failed_to_reach(now=self.clock.now())
                uow.payout_accounts.save(account)
                uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckPayoutAccounts:
    """Read the accounts that have not been read for long, for what no event told: for a worker."""

    check: AccountCheck
    limit: int = 50

    def __call__(self) -> int:
        """Read what is due, up to a bound; gives the number."""
        done, until = 0, self.check.clock.now() + TURN
        while done < self.limit and (account := self.check.take_next()) is not None:
            try:
                self.check.go_on(account)
            except (PayoutAccountBusy, Unavailable):
                pass  # noted with it, and it comes again
            except Exception:
                # The others need not wait for one that cannot be applied; it comes again when its lease is over.
                _log.exception("reading the payout account of seller %s failed", account.account_id)
            done += 1
            if self.check.clock.now() >= until:
                break
        return done


def _onboarding_profile(uow: UnitOfWork, owner: Account) -> SellerProfile:
    """Raises CannotOnboard, and CompanyMissing for a professional who has not told the company."""
    profile = uow.sellers.find(owner.id)
    if profile is None or profile.status is SellerStatus.NONE:
        raise CannotOnboard("You have not applied to sell: POST /api/v1/sellers/ first.")
    if profile.status is SellerStatus.REJECTED:
        raise CannotOnboard("Your application was turned down, so there is nothing to pay you for.")
    owner.require_company()
    return profile


def _request(owner: Account, profile: SellerProfile, country: str | None) -> AccountRequest:
    is_company = owner.account_type is AccountType.PROFESSIONAL
    return AccountRequest(
        seller_id=AccountId(owner.id),
        email=owner.email,
        display_name=profile.shop_name,
        entity_type=EntityType.COMPANY if is_company else EntityType.INDIVIDUAL,
        country=country or _company_country(owner),
    )


def _company_country(owner: Account) -> str | None:
    address = owner.company.company_address if owner.company is not None else None
    return address.get("country") if isinstance(address, Mapping) else None
