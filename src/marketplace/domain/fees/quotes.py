"""What an order costs, and how it is shared out.

    base        = sum(unit price x quantity)
    buyer total = base + the buyer's commission + processing + shipping
    seller net  = seller base - the seller's commission - seller fees

A rule's fee is reckoned once on all lines of the order that fall under it, so that a schedule with one rule a component
rounds once an order, as the fee specification asks ("Quote"); a seller fee once a seller.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from marketplace.domain.fees.rules import FeeComponent, FeeLine, FeePayer, FeeRule, best_rule
from marketplace.domain.fees.schedules import FeeSchedule
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import AccountId, FeeScheduleId
from marketplace.domain.shared.money import MAX_AMOUNT, Money, allocate, exponent, step


class AmountOutOfBounds(Invalid):
    code = "amount_out_of_bounds"


class Bound(StrEnum):
    """Why a fee is not its rounded value: its floor, its cap, or that no more than what it is charged on was left."""

    FLOOR = "floor"
    CAP = "cap"
    LIMIT = "limit"


@dataclass(frozen=True, kw_only=True, slots=True)
class FeePart:
    """What of a fee's base is one seller's, and what of the fee that seller bears; minor units."""

    seller_id: AccountId
    base: int
    share: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AppliedFee:
    """A fee as it came about: all that is needed to explain its amount, years later, without the schedule.

    ``amount`` is what each payer of the rule is charged, in minor units of ``currency``; ``parts`` ascend by seller,
    and share it out where sellers pay. A seller fee is of one seller, every other fee of the order.
    """

    rule: FeeRule
    currency: str
    amount: int
    parts: tuple[FeePart, ...]

    @property
    def base(self) -> int:
        """What it is charged on, in minor units."""
        return sum(part.base for part in self.parts)

    @property
    def exact(self) -> Decimal:
        """Before rounding and bounds, in minor units."""
        return self.rule.exact(self.base)

    @property
    def rounded(self) -> int:
        """Half up, before bounds, in minor units."""
        return self.rule.rounded(self.base, self.currency)

    @property
    def bound(self) -> Bound | None:
        """What made it another amount than the rounded one, if anything did."""
        asked = self.rule.asked(self.base, self.currency)
        if self.amount < asked:
            return Bound.LIMIT
        if asked == self.rounded:
            return None
        return Bound.FLOOR if asked > self.rounded else Bound.CAP

    def __str__(self) -> str:
        """In plain words: ``commission, paid by both: 5% of 100.10 EUR is 5.005 EUR, rounded half up to 5.01 EUR``."""
        places = exponent(self.currency)
        exact = self.exact.scaleb(-places)
        shown = max(places, -int(exact.normalize().as_tuple().exponent))
        told = f"{self.rule.component}{self.rule.whose}, paid by {self.rule.payer}: "
        if self.rule.fixed and not self.rule.percent:
            told += f"always {self._money(self.rule.fixed)}"
        else:
            told += f"{(self.rule.percent * 100).normalize():f}% of {self._money(self.base)}"
            told += f" and {self._money(self.rule.fixed)}" if self.rule.fixed else ""
            told += f" is {exact:.{shown}f} {self.currency}"
        if self.exact != self.rounded:
            told += f", rounded half up to {self._money(self.rounded)}"
        match self.bound:
            case Bound.FLOOR:
                told += f", raised to the least, {self._money(self.amount)}"
            case Bound.CAP:
                told += f", lowered to the most, {self._money(self.amount)}"
            case Bound.LIMIT:
                told += f", lowered to what it can be taken from, {self._money(self.amount)}"
        return told

    @property
    def money(self) -> Money:
        """What each payer is charged."""
        return self._money(self.amount)

    def _money(self, amount: int) -> Money:
        return Money(amount, self.currency)


@dataclass(frozen=True, kw_only=True, slots=True)
class SellerShare:
    """One seller's part of a quote, in minor units."""

    seller_id: AccountId
    base: int
    commission: int
    fees: int

    @property
    def net(self) -> int:
        return self.base - self.commission - self.fees


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """What an order costs and how it is shared out, in minor units of ``currency``.

    ``commission`` is the buyer's; the sellers' stands in their shares. ``applied`` explains every fee.
    """

    currency: str
    base: int
    commission: int
    processing: int
    shipping: int
    sellers: tuple[SellerShare, ...]
    schedule_id: FeeScheduleId | None = None
    applied: tuple[AppliedFee, ...] = ()

    @property
    def total(self) -> int:
        return self.base + self.commission + self.processing + self.shipping

    def money(self, amount: int) -> Money:
        return Money(amount, self.currency)


def price(schedule: FeeSchedule, lines: Iterable[FeeLine | tuple[AccountId, int]]) -> Quote:
    """Price a purchase: lines in any order, a plain (seller, minor units) where no rule asks for more.

    Sellers are sorted by id before a fee is split, so that the same cart always gives the same split. Nothing costs
    nothing: without items there are no fees. Whether the amount can be paid is for ``quote`` to say.
    """
    whole = [FeeLine(*line) for line in lines]
    bases = _by_seller(whole)
    base = sum(bases.values())
    if base == 0:
        return Quote(
            currency=schedule.currency,
            base=0,
            commission=0,
            processing=0,
            shipping=0,
            sellers=(),
            schedule_id=schedule.id,
        )
    commissions = _commissions(schedule, whole)
    borne = {who: sum(p.share for fee in commissions for p in fee.parts if p.seller_id == who) for who in bases}
    processing = _of_the_buyer(schedule, FeeComponent.PROCESSING, whole)
    shipping = _of_the_buyer(schedule, FeeComponent.SHIPPING, whole)
    fees = _seller_fees(schedule, whole, {who: bases[who] - borne[who] for who in bases})
    return Quote(
        currency=schedule.currency,
        base=base,
        commission=sum(fee.amount for fee in commissions if fee.rule.payer is not FeePayer.SELLER),
        processing=sum(fee.amount for fee in processing),
        shipping=sum(fee.amount for fee in shipping),
        sellers=tuple(
            SellerShare(
                seller_id=who,
                base=bases[who],
                commission=borne[who],
                fees=sum(fee.amount for fee in fees if fee.parts[0].seller_id == who),
            )
            for who in bases
        ),
        schedule_id=schedule.id,
        applied=(*commissions, *processing, *shipping, *fees),
    )


def quote(schedule: FeeSchedule, lines: Iterable[FeeLine | tuple[AccountId, int]]) -> Quote:
    """As ``price``. Raises AmountOutOfBounds when the base is 0 or the total is above what the processor takes."""
    priced = price(schedule, lines)
    if priced.base <= 0:
        raise AmountOutOfBounds("An order needs items worth more than nothing.")
    if priced.total > MAX_AMOUNT:
        raise AmountOutOfBounds(
            f"The order would cost {priced.money(priced.total)}; the most that can be paid at once is "
            f"{priced.money(MAX_AMOUNT)}. Order in several parts."
        )
    return priced


def _by_seller(lines: Iterable[FeeLine]) -> dict[AccountId, int]:
    """What each sells, ascending by id."""
    bases: dict[AccountId, int] = defaultdict(int)
    for line in lines:
        bases[line.seller_id] += line.amount
    return dict(sorted(bases.items()))


def _grouped(
    schedule: FeeSchedule, component: FeeComponent, lines: Sequence[FeeLine]
) -> list[tuple[FeeRule, dict[AccountId, int]]]:
    """Each rule of a component that lines fall under, in the schedule's order, with what each seller has under it."""
    sellers = {None, *(line.seller_id for line in lines)}
    rules = [rule for rule in schedule.rules_of(component) if rule.seller_id in sellers]
    chosen = [(best_rule(rules, line), line) for line in lines]
    under = {rule: _by_seller(line for best, line in chosen if best is rule) for rule in rules}
    return [(rule, bases) for rule, bases in under.items() if bases]


def _commissions(schedule: FeeSchedule, lines: Sequence[FeeLine]) -> list[AppliedFee]:
    """Never more than what it is charged on, so that a seller can bear it."""
    applied = []
    for rule, bases in _grouped(schedule, FeeComponent.COMMISSION, lines):
        base = sum(bases.values())
        amount = min(rule.asked(base, schedule.currency), base)
        borne = 0 if rule.payer is FeePayer.BUYER else amount
        shares = allocate(borne, list(bases.values()), step(schedule.currency))
        applied.append(_applied(rule, schedule.currency, amount, bases, shares))
    return applied


def _of_the_buyer(schedule: FeeSchedule, component: FeeComponent, lines: Sequence[FeeLine]) -> list[AppliedFee]:
    return [
        _applied(
            rule,
            schedule.currency,
            rule.asked(sum(bases.values()), schedule.currency),
            bases,
            [0] * len(bases),
        )
        for rule, bases in _grouped(schedule, component, lines)
    ]


def _seller_fees(schedule: FeeSchedule, lines: Sequence[FeeLine], left: dict[AccountId, int]) -> list[AppliedFee]:
    """``left`` is what each seller gets before them: no seller fee takes more."""
    applied = []
    for rule, bases in _grouped(schedule, FeeComponent.SELLER_FEES, lines):
        for who, base in bases.items():
            amount = min(rule.asked(base, schedule.currency), left[who])
            left[who] -= amount
            applied.append(_applied(rule, schedule.currency, amount, {who: base}, [amount]))
    return applied


def _applied(
    rule: FeeRule, currency: str, amount: int, bases: dict[AccountId, int], shares: Sequence[int]
) -> AppliedFee:
    parts = [
        FeePart(seller_id=who, base=base, share=share) for (who, base), share in zip(bases.items(), shares, strict=True)
    ]
    return AppliedFee(rule=rule, currency=currency, amount=amount, parts=tuple(parts))
