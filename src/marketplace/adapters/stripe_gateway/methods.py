"""Payment methods that are not offered, whatever is switched on in Stripe's dashboard.

Cards wait for their payment, and nobody else can have them meanwhile: a method whose money is under way for days would
keep them for as long, and may still fail. Stripe calls these methods of delayed notification.
"""

from __future__ import annotations

from typing import Final, Literal

Method = Literal[
    "acss_debit",
    "au_becs_debit",
    "bacs_debit",
    "bancontact",
    "boleto",
    "customer_balance",
    "ideal",
    "konbini",
    "multibanco",
    "nz_bank_account",
    "oxxo",
    "sepa_debit",
    "sofort",
    "us_bank_account",
]

SLOW: Final[tuple[Method, ...]] = (
    "acss_debit",
    "au_becs_debit",
    "bacs_debit",
    "boleto",
    "customer_balance",
    "konbini",
    "multibanco",
    "nz_bank_account",
    "oxxo",
    "sepa_debit",
    "sofort",
    "us_bank_account",
)
SLOW_ONCE_SAVED: Final[tuple[Method, ...]] = (*SLOW, "bancontact", "ideal")
"""Quick when they pay, but what is kept of them is a SEPA debit."""
