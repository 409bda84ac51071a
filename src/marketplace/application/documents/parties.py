"""Who stands on a document: names and addresses as they are on letters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.application.ports.identity import AddressView, IdentityQueries
from marketplace.application.ports.pages import MAX_PAGE_SIZE, PageRequest
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.documents import Party
from marketplace.domain.identity.accounts import Account
from marketplace.domain.identity.addresses import AddressType
from marketplace.domain.identity.companies import CompanyAddress
from marketplace.domain.orders.sale import PostalAddress
from marketplace.domain.shared.ids import AccountId

_PREFERRED = (AddressType.COMPANY, AddressType.BILLING, AddressType.BOTH, AddressType.DELIVERY)


@dataclass(frozen=True, kw_only=True, slots=True)
class SellerParty:
    """A seller as documents name them, and the language that theirs are in. ``shop_name`` is what buyers know."""

    party: Party
    shop_name: str
    language: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Sellers:
    """Looks sellers up for their documents."""

    identity: IdentityQueries

    def address(self, seller_id: AccountId) -> tuple[str, ...]:
        """Where a seller who is no company resides, empty when they told nowhere. Ask before a unit is opened."""
        found = self.identity.addresses(seller_id, page=PageRequest(size=MAX_PAGE_SIZE)).items
        ranked = sorted(found, key=lambda address: _PREFERRED.index(address.address_type))
        return _lines(ranked[0]) if ranked else ()

    def party(self, uow: UnitOfWork, seller_id: AccountId, address: tuple[str, ...]) -> SellerParty:
        """A company by its name and numbers, anybody else by theirs."""
        account, profile = uow.accounts.get(seller_id), uow.sellers.find(seller_id)
        shop_name = profile.shop_name if profile is not None else account.username
        company = account.company
        if company is None:
            name = f"{account.first_name} {account.last_name}".strip() or shop_name
            party = Party(name=name, address=address)
        else:
            party = Party(
                name=company.company_name,
                address=_company_lines(company.company_address) or address,
                vat_number=company.vat_number,
                registration=company.siret_number,
            )
        return SellerParty(party=party, shop_name=shop_name, language=account.language)


def buyer_party(account: Account, address: PostalAddress) -> Party:
    """The name and the address that the order was billed to, and the company when the buyer acts for one."""
    lines = _lines(address)
    company = account.company
    if company is None:
        return Party(name=address.name, address=lines)
    named = lines if address.name == company.company_name else (address.name, *lines)
    return Party(
        name=company.company_name, address=named, vat_number=company.vat_number, registration=company.siret_number
    )


def _lines(address: PostalAddress | AddressView) -> tuple[str, ...]:
    """Without the name."""
    lines = (
        f"{address.street_number} {address.street}".strip(),
        f"{address.postal_code} {address.city}".strip(),
        address.state,
        address.country,
    )
    return tuple(line for line in lines if line)


def _company_lines(address: CompanyAddress) -> tuple[str, ...]:
    if isinstance(address, str):
        return tuple(line.strip() for line in address.splitlines() if line.strip())
    return _part_lines(address)


def _part_lines(parts: Mapping[str, Any]) -> tuple[str, ...]:
    lines = (
        f"{parts.get('street_number', '')} {parts.get('street', '')}".strip(),
        f"{parts.get('postal_code', '')} {parts.get('city', '')}".strip(),
        parts.get("state", ""),
        parts.get("country", ""),
    )
    return tuple(line for line in lines if line)
