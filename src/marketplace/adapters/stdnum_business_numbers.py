"""SIRET and VAT numbers checked by python-stdnum, which knows each country's format. Nothing is fetched."""

from __future__ import annotations

import re

import stdnum.eu.vat
import stdnum.fr.siret
from stdnum.exceptions import InvalidChecksum, ValidationError
from stdnum.util import get_cc_module

from marketplace.application.ports.identity import BusinessNumbers
from marketplace.domain.shared.errors import Invalid

# Their prefixes are not those of ISO 3166: https://ec.europa.eu/taxation_customs/vies/ (Greece, Northern Ireland).
_EU_PREFIXES = {state.upper() for state in stdnum.eu.vat.MEMBER_STATES} - {"GR"} | {"EL"}
# The union's one-stop-shop numbers are of those who are established outside.
_NOT_COUNTRIES = {"EU", "IM"}
_NO_COMPANY = "0" * 9
"""Its checksum fits, and it is nobody's."""
_MAX_LENGTH = 40
_PREFIX = re.compile(r"[A-Z]{2}")


class StdnumBusinessNumbers(BusinessNumbers):
    def siret(self, number: str) -> str:
        if len(number) <= _MAX_LENGTH and number.isascii():
            try:
                siret = stdnum.fr.siret.validate(number)
                if not siret.startswith(_NO_COMPANY):
                    return siret
            except InvalidChecksum:
                raise _refused("siret_number", f"{number!r} is mistyped: its check digit does not fit.") from None
            except ValidationError:
                pass
        raise _refused("siret_number", "It takes the fourteen digits of a SIRET, such as 732 829 320 00074.")

    def vat(self, number: str) -> str:
        compact = re.sub(r"[\s./-]", "", number).upper() if len(number) <= _MAX_LENGTH and number.isascii() else ""
        prefix = compact[:2]
        try:
            return _checked_vat(compact, prefix)
        except InvalidChecksum:
            raise _refused("vat_number", f"{number!r} is mistyped: its check digits do not fit.") from None
        except (ValueError, LookupError):
            raise _refused(
                "vat_number",
                "It takes the letters of a country and a VAT number as that country writes it, such as FR83404833048.",
            ) from None


def _checked_vat(compact: str, prefix: str) -> str:
    """Raises ValueError, and LookupError for what names no country whose numbers are known."""
    if prefix == "GR":
        compact, prefix = f"EL{compact[2:]}", "EL"
    if not _PREFIX.fullmatch(prefix):
        raise LookupError(prefix)
    if prefix in _EU_PREFIXES:
        return stdnum.eu.vat.validate(compact)
    module = None if prefix in _NOT_COUNTRIES else get_cc_module(prefix, "vat")
    if module is None:
        raise LookupError(prefix)
    # Some countries' own numbers have the letters in front (Switzerland's CHE), most have not.
    checked = module.validate(compact if module.is_valid(compact) else compact[2:])
    return checked if checked.startswith(prefix) else prefix + checked


def _refused(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", errors={field: [message]})
