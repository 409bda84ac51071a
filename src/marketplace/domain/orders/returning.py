"""What of a sale can go back, and what the buyer gets for it."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.domain.orders.sale import Sale
from marketplace.domain.shared.errors import Conflict, Invalid
from marketplace.domain.shared.ids import SaleLineId
from marketplace.domain.shared.money import Money


class NothingToRefund(Conflict):
    code = "nothing_to_refund"


class RefundAboveRest(Conflict):
    """More than is left of a sale, or of a line; ``left`` says how much that is."""

    code = "refund_above_rest"


def worth_of(sale: Sale, pieces: Mapping[SaleLineId, int], currency: str) -> int:
    """What the buyer gets for these pieces, in minor units: their price, within what is left of the sale.

    Amounts may have gone back before: all the pieces that are left are then worth the rest, and some of them cannot go
    back for more. Raises RefundAboveRest, Invalid for a line that the sale does not have, and NothingToRefund.
    """
    lines = {line.id: line for line in sale.lines}
    for line_id, quantity in pieces.items():
        if line_id not in lines:
            raise Invalid(
                f"Sale {sale.reference} has no item {line_id}.", errors={"items": [f"There is no item {line_id}."]}
            )
        left = lines[line_id].open_quantity
        if not 0 < quantity <= left:
            message = f"{quantity} of item {line_id} cannot go back: {left} of it are left."
            raise RefundAboveRest(message, left=left)
    rest = sale.base - sale.returned
    price = sum(lines[line_id].unit_price.amount * quantity for line_id, quantity in pieces.items())
    if price > rest and dict(pieces) != dict(sale.open_pieces):
        raise RefundAboveRest(
            f"These items cost {Money(price, currency)}, and {Money(rest, currency)} is left of sale {sale.reference}: "
            "amounts went back already. Give back an amount, or all that is left of the sale.",
            left=Money(rest, currency).decimal,
        )
    if not rest:
        raise NothingToRefund(f"Everything of sale {sale.reference} has gone back already.")
    return min(price, rest)
