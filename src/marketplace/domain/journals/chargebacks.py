"""Journals of chargebacks: taken by a bank, given back, or given up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from marketplace.domain import ledger
from marketplace.domain.journals.building import by_account, positive
from marketplace.domain.ledger import Journal, JournalKind, Line
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import ChargebackId, OrderId


def chargeback_withdrawn(
    *,
    balance_transaction_id: str,
    chargeback_id: ChargebackId,
    order_id: OrderId,
    currency: str,
    amount: int,
    fee: int,
    at: datetime,
) -> Journal:
    """The provider took disputed money from us. ``amount`` is positive; ``fee`` is what it takes for that, 0 or more.

    Keyed by the provider's movement, so that each is booked once however often the chargeback is read.
    """
    _of_chargeback(chargeback_id, amount)
    return Journal(
        kind=JournalKind.CHARGEBACK_WITHDRAWN,
        source_key=f"dispute:{balance_transaction_id}:withdrawn",
        currency=currency,
        order_id=order_id,
        occurred_at=at,
        lines=(
            Line(ledger.DISPUTED_FUNDS, amount),
            Line(ledger.DISPUTE_FEES, fee),
            Line(ledger.STRIPE_BALANCE, -amount - fee),
        ),
    )


def chargeback_won(
    *,
    balance_transaction_id: str,
    chargeback_id: ChargebackId,
    order_id: OrderId,
    currency: str,
    amount: int,
    fee: int,
    at: datetime,
    after_loss: bool = False,
) -> Journal:
    """The provider gave disputed money back. ``amount`` is positive; ``fee`` is negative when given back with it.

    ``after_loss``: the loss had been booked, so that nothing is disputed any more. The money then waits in suspense
    until somebody has decided whose it is.
    """
    _of_chargeback(chargeback_id, amount)
    return Journal(
        kind=JournalKind.CHARGEBACK_WON,
        source_key=f"dispute:{balance_transaction_id}:reinstated",
        currency=currency,
        order_id=order_id,
        occurred_at=at,
        lines=(
            Line(ledger.STRIPE_BALANCE, amount - fee),
            Line(ledger.SUSPENSE if after_loss else ledger.DISPUTED_FUNDS, -amount),
            Line(ledger.DISPUTE_FEES, fee),
        ),
    )


def chargeback_lost(
    *,
    chargeback_id: ChargebackId,
    order_id: OrderId,
    currency: str,
    sellers: Sequence[tuple[str, int]],
    commission_seller: int,
    seller_fees: int,
    commission_buyer: int,
    processing: int,
    losses: int,
    at: datetime,
) -> Journal:
    """A bank decided against us: ``sellers`` holds (account that it comes from, amount), ``losses`` are ours to bear.

    The disputed money that is given up is the sum of all these.
    """
    lines = (
        *by_account(sellers),
        Line(ledger.COMMISSION_SELLER, commission_seller),
        Line(ledger.SELLER_FEES, seller_fees),
        Line(ledger.COMMISSION_BUYER, commission_buyer),
        Line(ledger.PROCESSING_FEE, processing),
        Line(ledger.CHARGEBACK_LOSSES, losses),
    )
    return Journal(
        kind=JournalKind.CHARGEBACK_LOST,
        source_key=f"dispute:{chargeback_id}:lost",
        currency=currency,
        order_id=order_id,
        occurred_at=at,
        lines=(*lines, Line(ledger.DISPUTED_FUNDS, -positive(sum(line.amount for line in lines)))),
    )


def _of_chargeback(chargeback_id: ChargebackId, amount: int) -> None:
    if amount < 0:
        raise Invalid(f"Chargeback {chargeback_id}: {amount} is disputed; the amount is what moves, without a sign.")
