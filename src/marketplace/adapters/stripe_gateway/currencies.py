"""Amounts as Stripe counts them, where that is not how ISO 4217 does.

Source: Stripe's page on currencies ("Zero-decimal currencies", "Three-decimal currencies", "Special cases").
"""

from __future__ import annotations

from typing import Any

from marketplace.application.ports.payment_gateway import InvalidRequest, OutcomeUnknown
from marketplace.domain.shared.money import MAX_AMOUNT, Money

HUNDREDTHS_OF_NOTHING = frozenset(["ISK", "UGX"])
"""Have no minor unit, but Stripe counts them in hundredths, which have to be whole: 5 ISK are sent as 500."""
ONLY_TENS = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
"""Have thousandths, of which Stripe takes only multiples of ten."""
_FACTOR = 100


def to_stripe(money: Money) -> int:
    """What is sent for an amount that moves. Raises InvalidRequest for one that cannot move."""
    amount, currency = money.amount, money.currency
    # bool is an int, and a float would be sent as it is.
    if type(amount) is not int or not 0 < amount <= MAX_AMOUNT:
        raise InvalidRequest(f"{amount!r} {currency} cannot move: from the smallest unit to {MAX_AMOUNT} of them.")
    if currency in ONLY_TENS and amount % 10:
        raise InvalidRequest(
            f"{money} cannot move: the provider takes only multiples of ten thousandths of {currency}."
        )
    return amount * _FACTOR if currency in HUNDREDTHS_OF_NOTHING else amount


def from_stripe(amount: Any, currency: Any) -> int:
    """Minor units of an amount that Stripe tells. Raises OutcomeUnknown for what is no amount."""
    if type(amount) is not int or not isinstance(currency, str):
        raise OutcomeUnknown(f"The payment provider answered with the amount {amount!r} in {currency!r}.")
    if currency.upper() not in HUNDREDTHS_OF_NOTHING:
        return amount
    if amount % _FACTOR:
        raise OutcomeUnknown(f"The payment provider answered with {amount} hundredths of {currency.upper()}.")
    return amount // _FACTOR
