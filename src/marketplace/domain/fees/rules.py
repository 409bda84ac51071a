"""One fee: what it is charged on, who pays it, and how much it is.

    fee = min(max(half_up(percent x base) + fixed, floor), cap)

Rounded once, half up, to the smallest amount that the processor takes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from marketplace.domain.shared.ids import AccountId, CategoryId, ProductId
from marketplace.domain.shared.money import MAX_AMOUNT, percent_of, step

ACCOUNT_TYPES = ("individual", "professional")
"""What a seller may be, as ``identity.accounts.AccountType`` names them."""
PERCENT_PLACES = 6
"""Decimals of a fraction: 0.000001 is a ten-thousandth of a percent."""


class FeeComponent(StrEnum):
    """What a fee is for. Commission, processing and shipping are reckoned once an order, seller fees once a sale."""

    COMMISSION = "commission"
    PROCESSING = "processing"
    SHIPPING = "shipping"
    SELLER_FEES = "seller_fees"


class FeePayer(StrEnum):
    """Who is charged. ``BOTH`` pay the whole fee, each: the commission's rule, not a slip."""

    BOTH = "both"
    BUYER = "buyer"
    SELLER = "seller"


PAYERS: Mapping[FeeComponent, tuple[FeePayer, ...]] = {
    FeeComponent.COMMISSION: (FeePayer.BOTH, FeePayer.BUYER, FeePayer.SELLER),
    FeeComponent.PROCESSING: (FeePayer.BUYER,),
    FeeComponent.SHIPPING: (FeePayer.BUYER,),
    FeeComponent.SELLER_FEES: (FeePayer.SELLER,),
}
"""Who may be charged for what; the first unless a rule says otherwise."""


class FeeLine(NamedTuple):
    """Items of one seller, worth ``amount`` minor units, with what rules may ask of them.

    ``categories`` are those of the product and everything above them, each with its depth in the tree: a root's is 1.
    """

    seller_id: AccountId
    amount: int
    account_type: str | None = None
    categories: Mapping[CategoryId, int] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class FeeFacts:
    """What rules may ask of sellers and products. Whoever is not named is of no account type and in no category."""

    account_types: Mapping[AccountId, str] = field(default_factory=dict)
    categories: Mapping[ProductId, Mapping[CategoryId, int]] = field(default_factory=dict)

    def line(self, seller_id: AccountId, product_id: ProductId, amount: int) -> FeeLine:
        """``amount`` minor units of a product of a seller, with all that is known of both."""
        return FeeLine(seller_id, amount, self.account_types.get(seller_id), self.categories.get(product_id, {}))


@dataclass(frozen=True, kw_only=True, slots=True)
class FeeRule:
    """A fee for whatever fits all that it names; one that names nothing is general. Amounts are minor units.

    ``percent`` is a fraction from 0 to 1, as in the settings. Use it in a ``FeeSchedule``, which refuses bad ones.
    """

    component: FeeComponent
    payer: FeePayer
    percent: Decimal = Decimal(0)
    fixed: int = 0
    floor: int = 0
    cap: int | None = None
    account_type: str | None = None
    seller_id: AccountId | None = None
    category_id: CategoryId | None = None

    @property
    def scope(self) -> tuple[AccountId | None, CategoryId | None, str | None]:
        """What it names: two rules of a component for the same would be of equal rank."""
        return self.seller_id, self.category_id, self.account_type

    @property
    def is_general(self) -> bool:
        return self.scope == (None, None, None)

    @property
    def whose(self) -> str:
        """In words, what it names: `` for seller 7 in category 12``; empty for a general one."""
        named = "" if self.seller_id is None else f" for seller {self.seller_id}"
        named += "" if self.account_type is None else f" for {self.account_type} sellers"
        return named if self.category_id is None else f"{named} in category {self.category_id}"

    def rank(self, line: FeeLine) -> tuple[int, int, int] | None:
        """How closely it fits, None if it does not: by seller, then by depth of the category, then by account type."""
        if self.seller_id not in (None, line.seller_id) or self.account_type not in (None, line.account_type):
            return None
        depth = 0 if self.category_id is None else line.categories.get(self.category_id)
        if depth is None:
            return None
        return int(self.seller_id is not None), depth, int(self.account_type is not None)

    def exact(self, base: int) -> Decimal:
        """The fee on ``base`` minor units before rounding and bounds, in minor units."""
        return self.percent * base + self.fixed

    def rounded(self, base: int, currency: str) -> int:
        """The fee on ``base`` minor units, rounded half up, before its bounds."""
        return percent_of(base, self.percent, step(currency)) + self.fixed

    def asked(self, base: int, currency: str) -> int:
        """The fee on ``base`` minor units within its floor and cap."""
        raised = max(self.rounded(base, currency), self.floor)
        return raised if self.cap is None else min(raised, self.cap)

    def faults(self, unit: int) -> dict[str, list[str]]:
        """What is wrong with it, by field, where amounts come in multiples of ``unit``."""
        found: dict[str, list[str]] = {}
        if self.payer not in PAYERS[self.component]:
            allowed = " or ".join(PAYERS[self.component])
            found["payer"] = [f"{self.component} is paid by {allowed}, not by {self.payer}."]
        if not self.percent.is_finite() or not 0 <= self.percent <= 1:
            found["percent"] = [f"{self.percent} is no fraction from 0 to 1; five percent is 0.05."]
        elif self.percent != round(self.percent, PERCENT_PLACES):
            found["percent"] = [f"{self.percent} has more than {PERCENT_PLACES} decimals."]
        for name, amount in (("fixed", self.fixed), ("floor", self.floor), ("cap", self.cap)):
            if amount is not None and (amount % unit or not 0 <= amount <= MAX_AMOUNT):
                found[name] = [
                    f"{amount} minor units cannot be charged; use a multiple of {unit} from 0 to {MAX_AMOUNT}."
                ]
        if self.cap is not None and self.cap < self.floor:
            found.setdefault("cap", []).append("It is below the floor.")
        if self.account_type is not None and self.account_type not in ACCOUNT_TYPES:
            found["account_type"] = [f"{self.account_type[:40]!r} is neither {' nor '.join(ACCOUNT_TYPES)}."]
        if self.account_type is not None and self.seller_id is not None:
            found.setdefault("account_type", []).append("A seller has one account type; name one of the two.")
        return found


def best_rule(rules: Collection[FeeRule], line: FeeLine) -> FeeRule | None:
    """The one that fits most closely, None when none does.

    A rule for the seller comes before one for a category, a category before one above it, and a category before an
    account type; what names more comes before what names less. A product may be in two categories that are equally
    deep: the rule that stands first in the schedule counts.
    """
    fitting = [(rank, rule) for rule in rules if (rank := rule.rank(line)) is not None]
    return max(fitting, key=lambda each: each[0])[1] if fitting else None
