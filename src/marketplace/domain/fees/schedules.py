"""Fee schedules: the rules of a time, read and judged whole."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self, TypeVar

from marketplace.domain.fees.rules import PAYERS, FeeComponent, FeeFacts, FeePayer, FeeRule
from marketplace.domain.shared.errors import Conflict, Invalid
from marketplace.domain.shared.ids import MAX_ID, AccountId, CategoryId, FeeScheduleId
from marketplace.domain.shared.money import Money, UnknownCurrency, step

MAX_RULES = 500
"""Rules in a schedule."""
NO_FACTS = FeeFacts()

_NEEDS_A_GENERAL_RULE = (FeeComponent.COMMISSION, FeeComponent.PROCESSING, FeeComponent.SHIPPING)
_KEYS = ("component", "payer", "percent", "fixed", "floor", "cap", "account_type", "seller", "category")
_FRACTION = re.compile(r"(0|[1-9][0-9]{0,3})(\.[0-9]{1,12})?")

Faults = dict[str, list[str]]
"""What is wrong, by the place of it: ``rules.0.percent``."""
E_ = TypeVar("E_", bound=StrEnum)


class FeeScheduleTaken(Conflict):
    """Another version takes effect at the same instant: the two would overlap."""

    code = "fee_schedule_overlap"


@dataclass(frozen=True, kw_only=True, slots=True)
class FeeSchedule:
    """A version of the fees: in force from ``effective_from`` until the next version's, and never changed.

    ``id`` and ``effective_from`` are None for the standard one, which the settings make and which holds before the
    first version. Raises Invalid with every fault of its rules named.
    """

    currency: str
    rules: tuple[FeeRule, ...]
    id: FeeScheduleId | None = None
    effective_from: datetime | None = None
    note: str = ""

    def __post_init__(self) -> None:
        refuse(faults_of(self.rules, self.currency))

    @classmethod
    def standard(
        cls,
        *,
        currency: str,
        commission_rate: Decimal,
        processing_rate: Decimal,
        processing_minimum: int,
        shipping: int,
    ) -> Self:
        """The default rule: a commission charged on both sides, processing with a minimum, shipping once an order.

        Rates are fractions from 0 to 1, amounts minor units. Raises Invalid.
        """
        return cls(
            currency=currency,
            rules=(
                FeeRule(component=FeeComponent.COMMISSION, payer=FeePayer.BOTH, percent=commission_rate),
                FeeRule(
                    component=FeeComponent.PROCESSING,
                    payer=FeePayer.BUYER,
                    percent=processing_rate,
                    floor=processing_minimum,
                ),
                FeeRule(component=FeeComponent.SHIPPING, payer=FeePayer.BUYER, fixed=shipping),
            ),
        )

    @property
    def needs_facts(self) -> bool:
        """Whether a rule asks what kind of seller it is or what the product belongs to."""
        return any(rule.account_type is not None or rule.category_id is not None for rule in self.rules)

    def rules_of(self, component: FeeComponent) -> list[FeeRule]:
        """In the order in which they were written down."""
        return [rule for rule in self.rules if rule.component is component]


def refuse(faults: Faults) -> None:
    """Raises Invalid that names every fault, if there is one."""
    if faults:
        listed = "; ".join(f"{place}: {' '.join(told)}" for place, told in faults.items())
        raise Invalid(f"This fee schedule cannot take effect. {listed}", errors=faults)


def faults_of(rules: Sequence[FeeRule], currency: str, unread: Collection[int] = ()) -> Faults:
    """Everything that is wrong with these rules as a schedule, by place; empty when nothing is.

    ``unread`` are the places of rules of which not all could be read, so that nobody knows for whom they are.
    """
    try:
        unit = step(currency)
    except UnknownCurrency as error:
        return {"currency": [str(error)]}
    found: Faults = {}
    seen = set()
    for place, rule in enumerate(rules):
        found.update({f"rules.{place}.{name}": told for name, told in rule.faults(unit).items()})
        if place in unread:
            continue
        if (rule.component, rule.scope) in seen:
            found.setdefault(f"rules.{place}", []).append(
                f"Another rule of {rule.component} is for exactly the same; nothing says which of the two counts."
            )
        seen.add((rule.component, rule.scope))
    for component in _NEEDS_A_GENERAL_RULE:
        if not any(rule.component is component and rule.is_general for rule in rules):
            found.setdefault("rules", []).append(
                f"There is no general rule for {component}: one without account_type, seller and category."
            )
    if len(rules) > MAX_RULES:
        found.setdefault("rules", []).append(f"A schedule has {MAX_RULES} rules at most, not {len(rules)}.")
    return found


def read_rules(written: object, currency: str) -> tuple[tuple[FeeRule, ...], Faults]:
    """Rules as they are written down, and everything that is wrong with them, of which ``faults_of`` is a part.

    ``written`` is a list of mappings: ``component``, and optionally ``payer``, ``percent`` (a decimal fraction as
    text), ``fixed``, ``floor``, ``cap`` (decimal amounts as text), ``account_type``, ``seller``, ``category`` (ids).
    Raises UnknownCurrency.
    """
    step(currency)
    if not isinstance(written, Sequence) or isinstance(written, str) or not written:
        return (), {"rules": ["A schedule is a list of rules."]}
    if len(written) > MAX_RULES:
        return (), {"rules": [f"A schedule has {MAX_RULES} rules at most, not {len(written)}."]}
    readings = [_Reading(each, currency) for each in written]
    rules = tuple(reading.rule() for reading in readings)
    unread = [place for place, reading in enumerate(readings) if reading.faults]
    found = faults_of(rules, currency, unread)
    for place in unread:
        found.update({f"rules.{place}{name}": told for name, told in readings[place].faults.items()})
    return rules, dict(sorted(found.items()))


def written(rule: FeeRule, currency: str) -> dict[str, Any]:
    """A rule as ``read_rules`` reads it, every part of it."""

    def amount(of: int | None) -> str | None:
        return None if of is None else Money(of, currency).decimal

    return {
        "component": rule.component.value,
        "payer": rule.payer.value,
        "percent": f"{rule.percent:f}",
        "fixed": amount(rule.fixed),
        "floor": amount(rule.floor),
        "cap": amount(rule.cap),
        "account_type": rule.account_type,
        "seller": rule.seller_id,
        "category": rule.category_id,
    }


def _shown(key: object) -> str:
    name = str(key)[:40]
    return name if name.isprintable() else ascii(name)


class _Reading:
    """One rule being read; what cannot be read counts as left out, and is a fault."""

    def __init__(self, written: object, currency: str) -> None:
        self._written: Mapping[str, Any] = written if isinstance(written, Mapping) else {}
        self._currency = currency
        self.faults: Faults = {} if isinstance(written, Mapping) else {"": ["A rule is an object."]}
        for key in self._written:
            if key not in _KEYS:
                self.faults[f".{_shown(key)}"] = [f"Unknown; a rule has {', '.join(_KEYS)}."]

    def rule(self) -> FeeRule:
        component = self._choice("component", FeeComponent)
        if component is None and ".component" not in self.faults and self._written:
            self.faults[".component"] = [f"Say which fee it is: {', '.join(FeeComponent)}."]
        component = component or FeeComponent.SELLER_FEES
        seller, category = self._id("seller"), self._id("category")
        return FeeRule(
            component=component,
            payer=self._choice("payer", FeePayer) or PAYERS[component][0],
            percent=self._fraction(),
            fixed=self._amount("fixed") or 0,
            floor=self._amount("floor") or 0,
            cap=self._amount("cap"),
            account_type=self._text("account_type"),
            seller_id=None if seller is None else AccountId(seller),
            category_id=None if category is None else CategoryId(category),
        )

    def _text(self, name: str) -> str | None:
        value = self._written.get(name)
        if value is None or isinstance(value, str):
            return value
        self.faults[f".{name}"] = [f"{value!r} is no text."]
        return None

    def _choice(self, name: str, choices: type[E_]) -> E_ | None:
        value = self._text(name)
        if value is None or value in list(choices):
            return None if value is None else choices(value)
        self.faults[f".{name}"] = [f"{value[:40]!r} is none of {', '.join(choices)}."]
        return None

    def _fraction(self) -> Decimal:
        value = self._written.get("percent")
        if value is None:
            return Decimal(0)
        if isinstance(value, str) and _FRACTION.fullmatch(value):
            return Decimal(value)
        self.faults[".percent"] = [f'{str(value)[:40]!r} is no fraction from 0 to 1; write "0.05" for five percent.']
        return Decimal(0)

    def _amount(self, name: str) -> int | None:
        value = self._written.get(name)
        if value is None:
            return None
        try:
            return Money.parse(value, self._currency).amount
        except Invalid as error:
            self.faults[f".{name}"] = [str(error)]
            return None

    def _id(self, name: str) -> int | None:
        value = self._written.get(name)
        if value is None or (type(value) is int and 1 <= value <= MAX_ID):
            return value
        self.faults[f".{name}"] = [f"{str(value)[:40]!r} is no id."]
        return None
