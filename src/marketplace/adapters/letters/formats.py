"""How amounts and dates are written in the languages that letters exist in. Nothing is computed here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

from marketplace.domain.shared.money import Money

_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥"}
_NARROW, _NO_BREAK = "\u202f", "\u00a0"
_MONTHS = {
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    "fr": (
        *("janvier", "février", "mars", "avril", "mai", "juin"),
        *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    ),
}
_THOUSANDS = re.compile(r"(?<=\d)(?=(?:\d{3})+$)")


def formats(language: str) -> Mapping[str, Callable[..., str]]:
    """The filters ``money``, ``day`` and ``moment`` of a language, English or French."""
    if language == "fr":
        return {"money": _french_money, "day": _french_day, "moment": _french_moment}
    return {"money": _english_money, "day": _english_day, "moment": _english_moment}


def _english_money(amount: Money) -> str:
    """``€1,234.50``; ``1,234.50 CHF`` where the sign of a currency is not known to everybody."""
    sign, number = _parts(amount, thousands=",", point=".")
    symbol = _SYMBOLS.get(amount.currency)
    return f"{sign}{symbol}{number}" if symbol else f"{sign}{number}{_NO_BREAK}{amount.currency}"


def _french_money(amount: Money) -> str:
    """``1 234,50 €``, with spaces at which no line breaks."""
    sign, number = _parts(amount, thousands=_NARROW, point=",")
    return f"{sign}{number}{_NO_BREAK}{_SYMBOLS.get(amount.currency, amount.currency)}"


def _parts(amount: Money, *, thousands: str, point: str) -> tuple[str, str]:
    whole, _, decimals = amount.decimal.removeprefix("-").partition(".")
    number = _THOUSANDS.sub(thousands, whole) + (f"{point}{decimals}" if decimals else "")
    return ("-" if amount.amount < 0 else ""), number


def _english_day(day: date) -> str:
    return f"{day.day} {_MONTHS['en'][day.month - 1]} {day.year}"


def _french_day(day: date) -> str:
    return f"{'1er' if day.day == 1 else day.day} {_MONTHS['fr'][day.month - 1]} {day.year}"


def _english_moment(moment: datetime) -> str:
    at = moment.astimezone(UTC)
    return f"{_english_day(at)}, {at:%H:%M} UTC"


def _french_moment(moment: datetime) -> str:
    at = moment.astimezone(UTC)
    return f"{_french_day(at)} à {at:%H}{_NO_BREAK}h{_NO_BREAK}{at:%M} UTC"
