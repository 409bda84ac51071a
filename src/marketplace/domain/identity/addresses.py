"""Postal addresses that an account keeps for its orders; an order copies what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

from marketplace.domain.identity.countries import COUNTRIES
from marketplace.domain.identity.names import checked_phone_number
from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.errors import Conflict, Invalid
from marketplace.domain.shared.ids import AccountId, AddressId
from marketplace.domain.shared.text import checked_text

MAX_ADDRESSES = 50
"""An account keeps no more than this."""


class AddressType(StrEnum):
    BILLING = "billing"
    DELIVERY = "delivery"
    BOTH = "both"
    COMPANY = "company"


class TooManyAddresses(Conflict):
    code = "too_many_addresses"


# Field: fewest and most characters.
_TEXTS: Mapping[str, tuple[int, int]] = {
    "name": (1, 120),
    "street_number": (0, 20),
    "street": (1, 200),
    "city": (1, 120),
    "state": (0, 120),
    "postal_code": (0, 20),
}


@dataclass(kw_only=True, slots=True)
class Address(Aggregate):
    """``country`` is a code of ISO 3166. Street numbers, states and postal codes do not exist everywhere."""

    id: AddressId
    account_id: AccountId
    name: str
    street: str
    city: str
    country: str
    created_at: datetime
    street_number: str = ""
    state: str = ""
    postal_code: str = ""
    phone_number: str = ""
    address_type: AddressType = AddressType.BOTH

    @classmethod
    def of(cls, account_id: AccountId, *, id: AddressId, now: datetime, parts: Mapping[str, Any]) -> Self:
        """``parts`` are the fields that ``change`` takes. Raises Invalid, naming the field."""
        address = cls(id=id, account_id=account_id, name="", street="", city="", country="", created_at=now)
        address.change({"name": "", "street": "", "city": "", "country": "", **parts})
        return address

    def change(self, parts: Mapping[str, Any]) -> None:
        """Raises Invalid, naming the field, on a bad value and on a field that an address does not have."""
        for field, value in parts.items():
            if field in _TEXTS:
                minimum, maximum = _TEXTS[field]
                setattr(self, field, checked_text(value, field=field, minimum=minimum, maximum=maximum))
            elif field == "country":
                self.country = _country(value)
            elif field == "phone_number":
                self.phone_number = checked_phone_number(value)
            elif field == "address_type":
                self.address_type = AddressType(value)
            else:
                message = "An address has no such field."
                raise Invalid(f"{field}: {message}", errors={field: [message]})


def checked_parts(parts: Mapping[str, Any]) -> dict[str, str]:
    """The parts of an address that is kept with something else, all of them. Raises Invalid as ``Address.of``."""
    address = Address.of(AccountId(0), id=AddressId(0), now=datetime.fromtimestamp(0, UTC), parts=parts)
    return {part: getattr(address, part) for part in (*_TEXTS, "country", "phone_number")}


def _country(code: str) -> str:
    country = code.strip().upper()
    if country not in COUNTRIES:
        message = "It takes the two letters of a country in ISO 3166, such as FR."
        raise Invalid(f"country: {message}", errors={"country": [message]})
    return country
