"""Accounts: who can sign in, what they may do, and whether they are let in at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from marketplace.domain.identity import Role
from marketplace.domain.identity.companies import Company, CompanyMissing, NotProfessional
from marketplace.domain.identity.erasure import erased_email, erased_username
from marketplace.domain.identity.events import (
    AccountErased,
    AccountSuspended,
    EmailChanged,
    EmailChangeRequested,
    EmailVerificationRequested,
    EmailVerified,
    PasswordChanged,
    VendorRegistered,
)
from marketplace.domain.identity.names import (
    checked_email,
    checked_language,
    checked_phone_number,
    checked_username,
    name_key,
)
from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.errors import ConcurrencyConflict, Conflict, Forbidden, Invalid
from marketplace.domain.shared.ids import AccountId
from marketplace.domain.shared.text import checked_text

TERMS_VERSION = "2026-01"
"""The terms in force unless a deployment names others; an account keeps the version that it accepted."""
MAX_NAME = 80


class AccountType(StrEnum):
    INDIVIDUAL = "individual"
    PROFESSIONAL = "professional"


class EmailTaken(Conflict):
    code = "email_taken"


class UsernameTaken(Conflict):
    code = "username_taken"


class AccountTypeIsFixed(Conflict):
    code = "account_type_fixed"


class AccountIsSuspended(Forbidden):
    code = "account_suspended"


@dataclass(kw_only=True, slots=True)
class Account(Aggregate):
    """``roles`` always holds BUYER. ``password_hash`` is what a PasswordHasher made, never the password.

    Whoever was brought along from another shop has accepted no terms: no ``terms_accepted_at``, an empty
    ``terms_version``. ``pending_email`` is the address that its owner wants instead, empty for none; until it is proven
    ``email`` holds. ``company`` is a professional's alone. Once ``erased_at`` is set, nobody has this account any more.
    """

    id: AccountId
    username: str
    email: str
    password_hash: str = field(repr=False)
    first_name: str
    last_name: str
    account_type: AccountType
    language: str
    terms_accepted_at: datetime | None
    created_at: datetime
    terms_version: str = TERMS_VERSION
    phone_number: str = ""
    roles: frozenset[Role] = frozenset({Role.BUYER})
    is_email_verified: bool = False
    is_suspended: bool = False
    subscribed_to_newsletter: bool = False
    pending_email: str = ""
    pending_email_at: datetime | None = None
    company: Company | None = None
    erased_at: datetime | None = None

    @classmethod
    def open(
        cls,
        *,
        id: AccountId,
        username: str,
        email: str,
        password_hash: str,
        now: datetime,
        first_name: str = "",
        last_name: str = "",
        account_type: AccountType = AccountType.INDIVIDUAL,
        language: str = "en",
        subscribed_to_newsletter: bool = False,
        terms_version: str = TERMS_VERSION,
    ) -> Self:
        """An account whose owner has accepted the terms in force. Raises Invalid on a name that cannot be one."""
        return cls(
            id=id,
            username=checked_username(username),
            email=checked_email(email),
            password_hash=password_hash,
            first_name=checked_text(first_name, field="first_name", maximum=MAX_NAME),
            last_name=checked_text(last_name, field="last_name", maximum=MAX_NAME),
            account_type=account_type,
            language=checked_language(language),
            subscribed_to_newsletter=subscribed_to_newsletter,
            terms_accepted_at=now,
            terms_version=terms_version,
            created_at=now,
        )

    @classmethod
    def brought_along(
        cls,
        *,
        id: AccountId,
        username: str,
        email: str,
        password_hash: str,
        created_at: datetime,
        account_type: AccountType = AccountType.INDIVIDUAL,
        first_name: str = "",
        last_name: str = "",
        phone_number: str = "",
        language: str = "en",
        is_email_verified: bool = False,
        is_suspended: bool = False,
    ) -> Self:
        """An account of another shop, whose owner has accepted no terms here. Raises Invalid, naming the field."""
        account = cls.open(
            id=id,
            username=username,
            email=email,
            password_hash=password_hash,
            now=created_at,
            first_name=first_name,
            last_name=last_name,
            account_type=account_type,
            language=language,
            terms_version="",
        )
        account.phone_number = checked_phone_number(phone_number)
        account.terms_accepted_at = None
        account.is_email_verified = is_email_verified
        account.is_suspended = is_suspended
        return account

    @property
    def username_key(self) -> str:
        return name_key(self.username)

    @property
    def email_key(self) -> str:
        return name_key(self.email)

    @property
    def pending_email_key(self) -> str:
        return name_key(self.pending_email)

    def accept_terms(self, version: str, *, now: datetime) -> None:
        """Repeating it changes nothing: the first time counts."""
        if self.terms_version != version:
            self.terms_version, self.terms_accepted_at = version, now

    def request_email_verification(self, *, now: datetime) -> None:
        """Raises Conflict when there is nothing left to verify."""
        if self.is_email_verified:
            raise Conflict("This e-mail address is verified already.")
        self.events.append(EmailVerificationRequested(occurred_at=now, account_id=self.id))

    def verify_email(self, *, now: datetime) -> None:
        """Repeating it changes nothing."""
        if not self.is_email_verified:
            self.is_email_verified = True
            self.events.append(EmailVerified(occurred_at=now, account_id=self.id))

    def request_email_change(self, email: str, *, now: datetime) -> bool:
        """Note the address that is to take the place of the present one, once it is proven; False when it is that one.

        The present one, in whatever spelling, takes the wish back. Raises Invalid on what cannot be an address, and
        Conflict once the account is erased.
        """
        self._require_somebody()
        address = checked_email(email)
        if name_key(address) == self.email_key:
            self.pending_email, self.pending_email_at = "", None
            return False
        self.pending_email, self.pending_email_at = address, now
        self.events.append(EmailChangeRequested(occurred_at=now, account_id=self.id))
        return True

    def confirm_email_change(self, *, now: datetime) -> None:
        """The pending address is proven: it holds from now on. Raises Conflict when none is pending."""
        if not self.pending_email:
            raise Conflict("There is no new e-mail address to confirm.")
        self.email, self.pending_email, self.pending_email_at = self.pending_email, "", None
        self.events.append(EmailChanged(occurred_at=now, account_id=self.id))
        self.verify_email(now=now)

    def keep_company(self, company: Company) -> None:
        """Raises NotProfessional for an individual, whom nobody may take for a company; Conflict once it is erased."""
        self._require_somebody()
        if self.account_type is not AccountType.PROFESSIONAL:
            raise NotProfessional(
                "This is an individual's account; make it a professional's first:"
                ' PATCH /api/v1/users/me/ {"account_type": "professional"}.'
            )
        self.company = company

    def require_company(self) -> None:
        """What a professional has to tell before selling. Raises CompanyMissing; an individual has nothing to tell."""
        if self.account_type is AccountType.PROFESSIONAL and self.company is None:
            raise CompanyMissing(
                f"{self.username} is a professional and has not told the company's name and its SIRET or VAT number:"
                " PUT /api/v1/users/me/professional-info/.",
                missing=["company_name", "siret_number", "vat_number"],
            )

    def apply_to_sell(self, *, now: datetime) -> None:
        """Note the wish; selling itself is for the profile to follow."""
        self.events.append(VendorRegistered(occurred_at=now, account_id=self.id, shop_name=self.username))

    def change(self, changes: Mapping[str, Any]) -> None:
        """Set what its owner may set. Raises Invalid, naming the field, on a bad value and on any other field.

        Raises Conflict once the account is erased.
        """
        self._require_somebody()
        for name, value in changes.items():
            match name:
                case "first_name" | "last_name":
                    setattr(self, name, checked_text(value, field=name, maximum=MAX_NAME))
                case "phone_number":
                    self.phone_number = checked_phone_number(value)
                case "language":
                    self.language = checked_language(value)
                case "account_type":
                    self._become(AccountType(value))
                case "subscribed_to_newsletter":
                    self.subscribed_to_newsletter = bool(value)
                case _:
                    message = "It cannot be changed here."
                    raise Invalid(f"{name}: {message}", errors={name: [message]})

    def _become(self, account_type: AccountType) -> None:
        self.account_type = account_type
        if account_type is AccountType.INDIVIDUAL:
            self.company = None  # nothing is kept that has no purpose any more

    def require_password_unchanged(self, verified: str) -> None:
        """``verified`` is the hash that a password was compared with. Raises ConcurrencyConflict when it is no more."""
        if self.password_hash != verified:
            raise ConcurrencyConflict("The password was changed on another device meanwhile; log in again.")

    def rehash(self, password_hash: str) -> None:
        """The same password, hashed with other parameters."""
        self.password_hash = password_hash

    def set_password(self, password_hash: str, *, now: datetime, by_reset: bool = False) -> None:
        """Another password; its owner is told.

        A wish for another e-mail address is forgotten: who fears an intruder does not know that it is pending.
        ``by_reset``: a code from the mailbox allowed it, which verifies the address.
        """
        self.password_hash = password_hash
        self.pending_email, self.pending_email_at = "", None
        if by_reset:
            self.verify_email(now=now)
        self.events.append(PasswordChanged(occurred_at=now, account_id=self.id, by_reset=by_reset))

    def grant(self, role: Role) -> None:
        """Raises Conflict once the account is erased."""
        self._require_somebody()
        self.roles |= {role}

    def revoke(self, role: Role) -> None:
        """Raises Conflict for BUYER, which nobody loses."""
        if role is Role.BUYER:
            raise Conflict("Everyone is a buyer; suspend the account instead.")
        self.roles -= {role}

    def suspend(self, *, now: datetime) -> None:
        """Raises Conflict when it is suspended already."""
        if self.is_suspended:
            raise Conflict(f"{self.username} is suspended already.")
        self.is_suspended = True
        self.events.append(AccountSuspended(occurred_at=now, account_id=self.id))

    def require_not_suspended(self) -> None:
        """Raises Conflict while it is suspended."""
        if self.is_suspended:
            raise Conflict(f"The account of {self.username} is suspended; reinstate it first.")

    def reinstate(self) -> None:
        """Raises Conflict when it is not suspended, and when there is nobody to be let in again."""
        self._require_somebody()
        if not self.is_suspended:
            raise Conflict(f"{self.username} is not suspended.")
        self.is_suspended = False

    def erase(self, *, now: datetime) -> None:
        """Keep of it what books and orders refer to, and nothing of its owner, whose name is free again.

        Which terms were accepted when, and when it began, stay: they tell of no person. It lets nobody in any more.
        Repeating it changes nothing.
        """
        if self.erased_at is not None:
            return
        self.username, self.email = erased_username(self.id), erased_email(self.id)
        self.password_hash = ""  # which no password fits
        self.first_name = self.last_name = self.phone_number = ""
        self.language = "en"
        self.roles = frozenset({Role.BUYER})
        self.is_email_verified = self.subscribed_to_newsletter = False
        self.pending_email, self.pending_email_at = "", None
        self.company = None
        self.is_suspended, self.erased_at = True, now
        self.events.append(AccountErased(occurred_at=now, account_id=self.id))

    def _require_somebody(self) -> None:
        if self.erased_at is not None:
            raise Conflict(f"Account {self.id} was erased; nobody has it any more.")
