"""Fees: what the buyer pays on top, what the seller gets, and what goes back on a return.

    base        = sum(unit price x quantity)
    commission  = half_up(base x commission rate)                     charged on both sides
    processing  = max(half_up(base x processing rate), minimum)
    shipping    = fixed, once an order
    buyer total = base + commission + processing + shipping
    seller net  = seller base - commission share - seller fees

Source: the fee specification ("Quote", "Refunds"); rounding and allocation are those of ``shared.money``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import AccountId
from marketplace.domain.shared.money import MAX_AMOUNT, Money, allocate, half_up, percent_of, step


class AmountOutOfBounds(Invalid):
    code = "amount_out_of_bounds"


@dataclass(frozen=True, kw_only=True, slots=True)
class FeeSchedule:
    """The rates an order is made under; an order keeps its own copy. Rates are fractions from 0 to 1."""

    currency: str
    commission_rate: Decimal
    processing_rate: Decimal
    processing_minimum: int
    shipping: int

    def __post_init__(self) -> None:
        for name in ("commission_rate", "processing_rate"):
            rate: Decimal = getattr(self, name)
            if not rate.is_finite() or not 0 <= rate <= 1:
                raise Invalid(f"{name} is {rate}; a rate is a fraction from 0 to 1.")
        unit = step(self.currency)
        for name in ("processing_minimum", "shipping"):
            amount: int = getattr(self, name)
            if amount < 0 or amount % unit:
                raise Invalid(f"{name} is {amount}; it must be a non-negative multiple of {unit} minor units.")


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
    """What an order costs and how it is shared out, in minor units of ``currency``."""

    currency: str
    base: int
    commission: int
    processing: int
    shipping: int
    sellers: tuple[SellerShare, ...]

    @property
    def total(self) -> int:
        return self.base + self.commission + self.processing + self.shipping

    def money(self, amount: int) -> Money:
        return Money(amount, self.currency)


def price(
    schedule: FeeSchedule,
    bases: Sequence[tuple[AccountId, int]],
    seller_fees: Mapping[AccountId, int] | None = None,
) -> Quote:
    """Price a purchase. ``bases`` holds (seller, line amount in minor units), in any order.

    Sellers are sorted by id before the commission is split, so that the same cart always gives the same split. Nothing
    costs nothing: without items there are no fees. Whether the amount can be paid is for ``quote`` to say.
    """
    unit = step(schedule.currency)
    by_seller: dict[AccountId, int] = {}
    for seller_id, amount in bases:
        by_seller[seller_id] = by_seller.get(seller_id, 0) + amount
    sellers = sorted(by_seller)
    base = sum(by_seller.values())
    if base == 0:
        return Quote(currency=schedule.currency, base=0, commission=0, processing=0, shipping=0, sellers=())
    commission = percent_of(base, schedule.commission_rate, unit)
    processing = max(percent_of(base, schedule.processing_rate, unit), schedule.processing_minimum)
    shares = allocate(commission, [by_seller[s] for s in sellers], unit)
    asked = seller_fees or {}
    return Quote(
        currency=schedule.currency,
        base=base,
        commission=commission,
        processing=processing,
        shipping=schedule.shipping,
        sellers=tuple(
            SellerShare(
                seller_id=s,
                base=by_seller[s],
                commission=share,
                fees=min(asked.get(s, 0), by_seller[s] - share),
            )
            for s, share in zip(sellers, shares, strict=True)
        ),
    )


def quote(
    schedule: FeeSchedule,
    bases: Sequence[tuple[AccountId, int]],
    seller_fees: Mapping[AccountId, int] | None = None,
) -> Quote:
    """As ``price``. Raises AmountOutOfBounds when the base is 0 or the total is above what the processor takes."""
    priced = price(schedule, bases, seller_fees)
    if priced.base <= 0:
        raise AmountOutOfBounds("An order needs items worth more than nothing.")
    if priced.total > MAX_AMOUNT:
        raise AmountOutOfBounds(
            f"The order would cost {priced.money(priced.total)}; the most that can be paid at once is "
            f"{priced.money(MAX_AMOUNT)}. Order in several parts."
        )
    return priced


@dataclass(frozen=True, kw_only=True, slots=True)
class Returned:
    """What has already gone back of an order: its whole items' worth, and that of one seller, in minor units."""

    order: int
    seller: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Return:
    """What one return moves, in minor units."""

    items: int
    commission: int
    processing: int
    shipping: int
    seller_commission: int
    seller_fees: int
    seller_net: int

    @property
    def refund(self) -> int:
        """What the buyer gets back."""
        return self.items + self.commission + self.processing + self.shipping


def price_return(
    priced: Quote,
    seller_id: AccountId,
    items: int,
    already: Returned,
    *,
    with_processing: bool = False,
    with_shipping: bool = False,
    with_commission: bool = True,
) -> Return:
    """Price the return of items worth ``items`` of one seller, after ``already`` went back.

    Each component gives back ``F(t, a+m, B) - F(t, a, B)`` with ``F(t, x, w) = half_up(t*x/w)``, so that a full return
    lands exactly on the total, in however many parts (fee specification, "Refunds"). Raises Invalid when more would
    go back than was sold.
    """
    share = next((s for s in priced.sellers if s.seller_id == seller_id), None)
    if share is None:
        raise Invalid(f"Seller {seller_id} has no part in this order.")
    if items <= 0 or already.seller + items > share.base or already.order + items > priced.base:
        raise Invalid(
            f"Cannot return items worth {priced.money(items)}: "
            f"{priced.money(share.base - already.seller)} is left to return."
        )
    unit = step(priced.currency)

    def of_order(total: int) -> int:
        return half_up(total * (already.order + items), priced.base, unit) - half_up(
            total * already.order, priced.base, unit
        )

    def of_seller(total: int) -> int:
        return half_up(total * (already.seller + items), share.base, unit) - half_up(
            total * already.seller, share.base, unit
        )

    net = of_seller(share.net)
    withheld = items - net
    fees = min(of_seller(share.fees), withheld)
    return Return(
        items=items,
        commission=of_order(priced.commission) if with_commission else 0,
        processing=of_order(priced.processing) if with_processing else 0,
        shipping=of_order(priced.shipping) if with_shipping else 0,
        seller_commission=withheld - fees,
        seller_fees=fees,
        seller_net=net,
    )
