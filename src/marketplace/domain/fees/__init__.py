"""Fees: what the buyer pays on top, what the seller gets, what goes back on a return, and by which rules.

``rules`` says what one fee is and whose, ``schedules`` which rules hold at a time, ``quotes`` what an order costs by
them, ``returns`` what goes back. Source: the fee specification ("Quote", "Refunds"); rounding and allocation are those
of ``shared.money``.
"""

from marketplace.domain.fees.quotes import (
    AmountOutOfBounds,
    AppliedFee,
    Bound,
    FeePart,
    Quote,
    SellerShare,
    price,
    quote,
)
from marketplace.domain.fees.returns import Return, Returned, price_return
from marketplace.domain.fees.rules import FeeComponent, FeeFacts, FeeLine, FeePayer, FeeRule
from marketplace.domain.fees.schedules import (
    MAX_RULES,
    NO_FACTS,
    FeeSchedule,
    FeeScheduleTaken,
    read_rules,
    refuse,
    written,
)

__all__ = [
    "MAX_RULES",
    "NO_FACTS",
    "AmountOutOfBounds",
    "AppliedFee",
    "Bound",
    "FeeComponent",
    "FeeFacts",
    "FeeLine",
    "FeePart",
    "FeePayer",
    "FeeRule",
    "FeeSchedule",
    "FeeScheduleTaken",
    "Quote",
    "Return",
    "Returned",
    "SellerShare",
    "price",
    "price_return",
    "quote",
    "read_rules",
    "refuse",
    "written",
]
