"""Leaving for good: the person goes, and what they were a part of stays as nobody's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from marketplace.application.access import Actor, acts_on_anothers, require_another_admin, require_role
from marketplace.application.identity.attempts import AttemptGuard
from marketplace.application.identity.passwords import address_hash
from marketplace.application.identity.second_factors import OwnerCheck
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.identity import AddressView, IdentityQueries, Secrets
from marketplace.application.ports.pages import MAX_PAGE_SIZE, PageRequest
from marketplace.application.ports.personal_data import Traces
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import Account
from marketplace.domain.identity.erasure import ErasureRefused
from marketplace.domain.sellers import SellerProfile
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId


@dataclass(frozen=True, kw_only=True, slots=True)
class Eraser:
    """How somebody is forgotten, whoever asks for it: in one transaction, all of it or nothing."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    queries: IdentityQueries
    guard: AttemptGuard
    secrets: Secrets

    def erase(self, account_id: AccountId, *, actor: Actor, verified: str | None = None) -> None:
        """``verified`` is the hash of the password that was shown; None when none was.

        Raises LastAdmin, ErasureRefused with what is open, and ConcurrencyConflict when the password was changed at
        the same time.
        """
        now = self.clock.now()
        addresses = self.queries.addresses(account_id, page=PageRequest(size=MAX_PAGE_SIZE)).items
        with self.unit_of_work() as uow:
            # Before the account itself, so that two admins who leave at once follow one another.
            admins = uow.accounts.admins_for_update()
            uow.personal_data.shut(account_id)
            account = uow.accounts.get_for_update(account_id)
            if verified is not None:
                account.require_password_unchanged(verified)
            require_another_admin(account_id, admins)
            matters = uow.personal_data.open_matters(account_id)
            if matters:
                raise ErasureRefused.of(matters)
            profile = None if uow.sellers.find(account_id) is None else uow.sellers.get_for_update(account_id)
            traces = self._traces(account, addresses, profile)
            self.guard.forget(uow, account)
            account.erase(now=now)
            uow.accounts.save(account)
            if profile is not None:
                profile.close(_free_name(uow, account.username))
                uow.sellers.save(profile)
            uow.personal_data.forget(account_id, traces=traces, now=now)
            if acts_on_anothers(actor, account_id):
                uow.audit.add(actor.did("account.erased", "account", account_id, now=now))
            uow.commit()

    def _traces(self, account: Account, addresses: Iterable[AddressView], profile: SellerProfile | None) -> Traces:
        company = account.company
        names = {account.username, account.email, account.pending_email, account.phone_number}
        if profile is not None:
            names.add(profile.shop_name)
        if company is not None:
            names |= {company.company_name, company.siret_number, company.vat_number}
        words = names | {account.first_name, account.last_name}
        for address in addresses:
            words |= {address.name, address.street, address.phone_number}
        emails = {account.email, account.pending_email} - {""}
        return Traces(
            names=frozenset(names - {""}),
            words=frozenset(words - {""}),
            address_hashes=frozenset(address_hash(self.secrets, email) for email in emails),
        )


def _free_name(uow: UnitOfWork, name: str) -> str:
    """Shops are called what their owners like, even that."""
    while uow.sellers.has_shop(name):
        name += "*"
    return name


@dataclass(frozen=True, kw_only=True, slots=True)
class EraseMe:
    """Leave for good."""

    owner: OwnerCheck
    eraser: Eraser

    def __call__(self, *, actor: Actor, password: str) -> None:
        """Raises Invalid on a wrong password, TooManyAttempts, LastAdmin, ErasureRefused, ConcurrencyConflict."""
        verified = self.owner.password(actor, password)
        self.eraser.erase(actor.account_id, actor=actor, verified=verified)


@dataclass(frozen=True, kw_only=True, slots=True)
class EraseMember:
    """Erase whoever asks for it in writing; first make sure who is asking. It is recorded, without a name."""

    unit_of_work: Callable[[], UnitOfWork]
    eraser: Eraser

    def __call__(self, *, actor: Actor, name: str) -> AccountId:
        """``name`` is a user name or an e-mail address. Raises Forbidden, NotFound, LastAdmin, ErasureRefused."""
        require_role(actor, Role.ADMIN)
        with self.unit_of_work() as uow:
            account = uow.accounts.by_name(name)
        if account is None or account.erased_at is not None:
            raise NotFound(f"There is no account called {name!r}.")
        self.eraser.erase(account.id, actor=actor)
        return account.id


@dataclass(frozen=True, kw_only=True, slots=True)
class FinishErasure:
    """Forget what requests and workers wrote that had begun before the erasure and ended after it."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, account_id: AccountId) -> None:
        """Repeating it changes nothing, nor does calling it for somebody who is there."""
        with self.unit_of_work() as uow:
            if uow.accounts.get(account_id).erased_at is None:
                return
            uow.personal_data.forget(account_id, traces=Traces(), now=self.clock.now())
            uow.commit()
