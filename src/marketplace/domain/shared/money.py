"""Money in integer minor units, exact rounding, and splits that always add up.

Source of the rules: the fee specification, "Rounding: half up, exact" and "Allocation: largest remainder".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Self

from marketplace.domain.shared.errors import Invalid

MAX_AMOUNT = 99_999_999
"""Largest total, in minor units, that the payment processor takes."""

# ISO 4217 exponents, where they differ from 2 and where they do not.
_ZERO_DECIMALS = (
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "JPY",
    "KMF",
    "KRW",
    "MGA",
    "PYG",
    "RWF",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
)
_THREE_DECIMALS = ("BHD", "JOD", "KWD", "OMR", "TND")
_TWO_DECIMALS = (
    *("AED", "AUD", "BGN", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "INR"),
    *("MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "RON", "SEK", "SGD", "THB", "TRY", "TWD", "USD", "ZAR"),
)
_EXPONENTS = {
    **dict.fromkeys(_ZERO_DECIMALS, 0),
    **dict.fromkeys(_TWO_DECIMALS, 2),
    **dict.fromkeys(_THREE_DECIMALS, 3),
}


# Decimal() itself would also take exponents, underscores, spaces, NaN and the digits of other scripts.
# One way to write each amount: no zeros in front, no digits that the currency does not have.
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.(?P<decimals>[0-9]{1,9}))?")


class UnknownCurrency(Invalid):
    code = "unknown_currency"


class CurrencyMismatch(Invalid):
    code = "currency_mismatch"


def exponent(currency: str) -> int:
    """Number of decimals of a currency. Raises UnknownCurrency."""
    if currency in _EXPONENTS:
        return _EXPONENTS[currency]
    raise UnknownCurrency(f"{currency!r} is not a currency this marketplace knows; use an ISO 4217 code such as EUR.")


def step(currency: str) -> int:
    """Smallest amount, in minor units, that the payment processor accepts: 10 for three-decimal currencies, else 1."""
    return 10 if exponent(currency) == 3 else 1


def half_up(numerator: int, denominator: int, unit: int = 1) -> int:
    """``numerator / denominator`` rounded half up to a multiple of ``unit``; exact, for non-negative input."""
    if numerator < 0 or denominator <= 0:
        raise Invalid(f"Cannot round {numerator}/{denominator}: a share needs a non-negative part of a positive whole.")
    return ((2 * numerator + denominator * unit) // (2 * denominator * unit)) * unit


def percent_of(base: int, rate: Decimal, unit: int = 1) -> int:
    """``base * rate`` rounded half up to a multiple of ``unit``; ``rate`` is a fraction such as ``Decimal("0.05")``."""
    numerator, denominator = rate.as_integer_ratio()
    return half_up(base * numerator, denominator, unit)


def allocate(total: int, weights: Sequence[int], unit: int = 1) -> list[int]:
    """Split ``total`` in proportion to ``weights`` by largest remainder, in multiples of ``unit``.

    The parts add up to ``total``; equal remainders go to the earlier weight. Raises Invalid when the weights are
    negative or all zero while there is something to split, or when ``total`` is not a multiple of ``unit``.
    """
    whole = sum(weights)
    if total < 0 or any(weight < 0 for weight in weights) or total % unit:
        raise Invalid(f"Cannot split {total} by {list(weights)} in steps of {unit}.")
    if total == 0:
        return [0] * len(weights)
    if whole == 0:
        raise Invalid(f"Cannot split {total}: every weight is zero.")
    steps = total // unit
    shares = [steps * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(steps * weights[i] % whole), i))
    for i in by_remainder[: steps - sum(shares)]:
        shares[i] += 1
    return [share * unit for share in shares]


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in integer minor units of one ISO 4217 currency."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount) is not int:
            raise Invalid(f"An amount is a whole number of minor units, not {self.amount!r}.")
        exponent(self.currency)

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(0, currency)

    @classmethod
    def parse(cls, text: object, currency: str) -> Self:
        """Read a decimal such as ``"25.99"``, ``"25.9"`` or ``"25"``.

        Raises Invalid on anything else, such as ``"025"``, and on more decimals than the currency has, be they zeros.
        """
        places = exponent(currency)
        written = _DECIMAL.fullmatch(text) if isinstance(text, str) else None
        if written is None:
            raise Invalid(f"{text!r} is not an amount; write a decimal such as 25.99.")
        if len(written["decimals"] or "") > places:
            raise Invalid(f"{text!r} has more than the {places} decimals of {currency}.")
        return cls(int(Decimal(written[0]).scaleb(places)), currency)

    @property
    def decimal(self) -> str:
        """The amount as a decimal string with the currency's own number of decimals, as on the wire."""
        places = exponent(self.currency)
        return str(Decimal(self.amount).scaleb(-places).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP))

    def __str__(self) -> str:
        return f"{self.decimal} {self.currency}"

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"Cannot combine {self} with {other}: the currencies differ.")
        return other.amount

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __mul__(self, quantity: int) -> Money:
        return Money(self.amount * quantity, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same(other)

    def __bool__(self) -> bool:
        return self.amount != 0
