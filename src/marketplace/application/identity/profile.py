"""What owners change about their own account: its profile and its addresses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.application.access import Actor, require_self
from marketplace.application.identity.email_change import note_email_change
from marketplace.application.identity.second_factors import OwnerCheck
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.identity import BusinessNumbers
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity.accounts import TERMS_VERSION, AccountTypeIsFixed
from marketplace.domain.identity.addresses import MAX_ADDRESSES, Address, TooManyAddresses
from marketplace.domain.identity.codes import CodePurpose
from marketplace.domain.identity.companies import Company, CompanyAddress
from marketplace.domain.sellers import SellerProfile, SellerStatus
from marketplace.domain.shared.ids import AddressId

_ANOTHER_COMPANY = "The company was changed after it had been checked."


@dataclass(frozen=True, kw_only=True, slots=True)
class UpdateMe:
    """Change one's own names, telephone number, language, preferences and e-mail address; accept the terms in force."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    ids: IdSequence
    owner: OwnerCheck
    terms_version: str = TERMS_VERSION

    def __call__(
        self,
        *,
        actor: Actor,
        changes: Mapping[str, Any],
        email: str | None = None,
        current_password: str = "",
        accept_terms: bool = False,
    ) -> None:
        """All of it or nothing. An ``email`` needs the password, and holds once it is proven (``email_change``).

        Raises Invalid, naming the field, on a bad value, a wrong password and a field that is not the owner's to
        change; TooManyAttempts; CodeRequestedRecently; AccountTypeIsFixed; ConcurrencyConflict when the password was
        changed at the same time.
        """
        verified = None if email is None else self.owner.password(actor, current_password, field="current_password")
        now = self.clock.now()
        with self.unit_of_work() as uow:
            if email is not None:
                uow.codes.of(
                    actor.account_id, CodePurpose.CHANGE_EMAIL
                )  # locked before the account, as VerifyEmail does
            account = uow.accounts.get_for_update(actor.account_id)
            if verified is not None:
                account.require_password_unchanged(verified)
            before = account.account_type
            account.change(changes)
            if account.account_type is not before:
                _require_free_to_change_type(uow.sellers.find(actor.account_id))
            if accept_terms:
                account.accept_terms(self.terms_version, now=now)
            if email is not None:
                note_email_change(uow, self.ids, account, email, now=now)
            uow.accounts.save(account)
            uow.commit()


def _require_free_to_change_type(profile: SellerProfile | None) -> None:
    """What a seller was approved as, they stay: the law treats private and professional sellers apart."""
    if profile is not None and profile.status in (SellerStatus.APPROVED, SellerStatus.SUSPENDED):
        raise AccountTypeIsFixed(
            "This account was approved to sell as what it is; write to the marketplace to change its account_type."
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class KeepCompany:
    """Tell the company behind one's professional account; what was told before is replaced.

    Another company than the one whose identity was checked has not been checked: the seller's listings pause until an
    admin has looked at it.
    """

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    numbers: BusinessNumbers

    def __call__(
        self,
        *,
        actor: Actor,
        company_name: str,
        siret_number: str = "",
        vat_number: str = "",
        company_address: CompanyAddress = "",
    ) -> None:
        """Raises Invalid, naming the fields, on a number that is wrong or missing, and NotProfessional."""
        company = Company.of(
            company_name=company_name,
            siret_number=self.numbers.siret(siret_number) if siret_number.strip() else "",
            vat_number=self.numbers.vat(vat_number) if vat_number.strip() else "",
            company_address=company_address,
        )
        with self.unit_of_work() as uow:
            account = uow.accounts.get_for_update(actor.account_id)
            is_checked = company.is_the_same_company(account.company)
            account.keep_company(company)
            uow.accounts.save(account)
            if not is_checked:
                self._withdraw_identity(uow, actor)
            uow.commit()

    def _withdraw_identity(self, uow: UnitOfWork, actor: Actor) -> None:
        found = uow.sellers.find(actor.account_id)
        if found is None or not found.kyc_verified:
            return
        now, profile = self.clock.now(), uow.sellers.get_for_update(actor.account_id)
        before = profile.standing()
        profile.withdraw_identity(_ANOTHER_COMPANY, now=now)
        uow.sellers.save(profile)
        uow.audit.add(
            actor.did(
                "seller.identity_withdrawn",
                "seller",
                profile.account_id,
                now=now,
                reason=_ANOTHER_COMPANY,
                before=before,
                after=profile.standing(),
            )
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class AddAddress:
    """Keep another address."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    ids: IdSequence

    def __call__(self, *, actor: Actor, parts: Mapping[str, Any]) -> AddressId:
        """Raises Invalid, naming the field, and TooManyAddresses."""
        now = self.clock.now()
        address = Address.of(actor.account_id, id=AddressId(self.ids.next()), now=now, parts=parts)
        with self.unit_of_work() as uow:
            uow.accounts.get_for_update(actor.account_id)  # so that nobody adds another one between count and add
            if uow.addresses.count(actor.account_id) >= MAX_ADDRESSES:
                raise TooManyAddresses(f"There are {MAX_ADDRESSES} addresses, which is the most; delete one first.")
            uow.addresses.add(address)
            uow.commit()
        return address.id


@dataclass(frozen=True, kw_only=True, slots=True)
class UpdateAddress:
    """Change an address; orders that were placed with it keep their copy."""

    unit_of_work: Callable[[], UnitOfWork]

    def __call__(self, *, actor: Actor, address_id: AddressId, parts: Mapping[str, Any]) -> None:
        """Raises NotFound, also when it is somebody else's, and Invalid."""
        with self.unit_of_work() as uow:
            address = _own_address(uow, actor, address_id)
            address.change(parts)
            uow.addresses.save(address)
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoveAddress:
    """Forget an address; orders that were placed with it keep their copy."""

    unit_of_work: Callable[[], UnitOfWork]

    def __call__(self, *, actor: Actor, address_id: AddressId) -> None:
        """Raises NotFound, also when it is somebody else's."""
        with self.unit_of_work() as uow:
            _own_address(uow, actor, address_id)
            uow.addresses.remove(address_id)
            uow.commit()


def _own_address(uow: UnitOfWork, actor: Actor, address_id: AddressId) -> Address:
    address = uow.addresses.get(address_id)
    require_self(actor, address.account_id, f"address {address_id}")
    return address
