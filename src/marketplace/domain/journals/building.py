"""What every journal is put together from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from marketplace.domain.ledger import Journal, JournalKind, Line
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import OrderId


def moved(
    kind: JournalKind,
    key: str,
    debit: str,
    credit: str,
    *,
    amount: int,
    currency: str,
    order_id: OrderId | None,
    at: datetime,
) -> Journal:
    """One amount from one account to another."""
    return Journal(
        kind=kind,
        source_key=key,
        currency=currency,
        order_id=order_id,
        occurred_at=at,
        lines=(Line(debit, amount), Line(credit, -amount)),
    )


def positive(amount: int) -> int:
    """Nothing at all is refused by the journal itself."""
    if amount < 0:
        raise Invalid(f"{amount} minor units cannot be booked here: the amount is what moves, without a sign.")
    return amount


def by_account(amounts: Iterable[tuple[str, int]]) -> list[Line]:
    """One line an account, in the order of their first mention."""
    totals: dict[str, int] = {}
    for account, amount in amounts:
        totals[account] = totals.get(account, 0) + amount
    return [Line(account, amount) for account, amount in totals.items()]
