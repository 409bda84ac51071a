"""What goes back on a return.

Each component gives back ``F(t, a+m, B) - F(t, a, B)`` with ``F(t, x, w) = half_up(t*x/w)``, so that a full return
lands exactly on the total, in however many parts. Source: the fee specification ("Refunds").
"""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.domain.fees.quotes import Quote
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import AccountId
from marketplace.domain.shared.money import half_up, step


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

    def kept(returned: int) -> int:
        """What of the items that went back the seller had not been given."""
        return returned - half_up(share.net * returned, share.base, unit)

    def fees_of(withheld: int) -> int:
        """The part of it that was seller fees; of it, not of the items, so that the commission's is not negative."""
        return half_up(share.fees * withheld, share.base - share.net, unit) if share.fees else 0

    before, after = kept(already.seller), kept(already.seller + items)
    withheld = after - before
    fees = fees_of(after) - fees_of(before)
    return Return(
        items=items,
        commission=of_order(priced.commission) if with_commission else 0,
        processing=of_order(priced.processing) if with_processing else 0,
        shipping=of_order(priced.shipping) if with_shipping else 0,
        seller_commission=withheld - fees,
        seller_fees=fees,
        seller_net=items - withheld,
    )
