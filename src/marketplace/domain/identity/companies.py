"""The company behind a professional account: what the law wants a professional seller to be known by.

The numbers come checked: their checksums are for a port, which asks a library that is kept up to date.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from marketplace.domain.identity.addresses import checked_parts
from marketplace.domain.shared.errors import Conflict, Invalid
from marketplace.domain.shared.text import checked_text

MAX_COMPANY_NAME = 120
MAX_COMPANY_ADDRESS = 500

CompanyAddress = str | Mapping[str, str]
"""A text as it stands on letters, empty when unknown, or the parts of an address."""


class NotProfessional(Conflict):
    code = "not_professional"


class CompanyMissing(Conflict):
    """``missing`` names the fields, one of which is needed."""

    code = "professional_info_missing"


@dataclass(frozen=True, kw_only=True, slots=True)
class Company:
    """``siret_number`` and ``vat_number`` are in their compact form; one of them may be empty."""

    company_name: str
    siret_number: str
    vat_number: str
    company_address: CompanyAddress

    @classmethod
    def of(
        cls, *, company_name: str, siret_number: str = "", vat_number: str = "", company_address: CompanyAddress = ""
    ) -> Self:
        """Raises Invalid, naming the fields, on a missing name, without either number, and on a bad address."""
        name = checked_text(company_name, field="company_name", minimum=1, maximum=MAX_COMPANY_NAME)
        if not siret_number and not vat_number:
            message = "A company is known by its SIRET or by its VAT number; give one of them."
            raise Invalid(message, errors={"siret_number": [message], "vat_number": [message]})
        return cls(
            company_name=name,
            siret_number=siret_number,
            vat_number=vat_number,
            company_address=_address(company_address, name),
        )

    def is_the_same_company(self, other: Company | None) -> bool:
        """Whether a check of the one is a check of the other: same name and numbers, wherever it resides."""
        return other is not None and (self.company_name, self.siret_number, self.vat_number) == (
            other.company_name,
            other.siret_number,
            other.vat_number,
        )


def _address(address: CompanyAddress, company_name: str) -> CompanyAddress:
    if isinstance(address, str):
        return checked_text(address, field="company_address", maximum=MAX_COMPANY_ADDRESS, lines=True)
    try:
        return checked_parts({"name": company_name, **address})
    except Invalid as error:
        errors = {f"company_address.{part}": told for part, told in error.facts.get("errors", {}).items()}
        raise Invalid(f"company_address: {error}", errors=errors) from error
