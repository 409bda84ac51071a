"""Journals of what sellers are paid, and of what is taken back from them."""

from __future__ import annotations

from datetime import datetime

from marketplace.domain import ledger
from marketplace.domain.journals.building import moved, positive
from marketplace.domain.ledger import Journal, JournalKind, payable, receivable
from marketplace.domain.shared.ids import AccountId, OrderId, PayoutId, RecoveryId


def transfer_created(
    *, transfer_id: str, order_id: OrderId, seller_id: AccountId, currency: str, amount: int, at: datetime
) -> Journal:
    """The provider has moved a payout to the seller. ``transfer_id`` is its name for that."""
    return moved(
        JournalKind.TRANSFER_CREATED,
        f"transfer:{transfer_id}",
        payable(seller_id),
        ledger.STRIPE_BALANCE,
        amount=positive(amount),
        currency=currency,
        order_id=order_id,
        at=at,
    )


def transfer_reversed(
    *, reversal_id: str, order_id: OrderId, seller_id: AccountId, currency: str, amount: int, at: datetime
) -> Journal:
    """The provider has taken money back from the seller. ``reversal_id`` is its name for that."""
    return moved(
        JournalKind.TRANSFER_REVERSED,
        f"reversal:{reversal_id}",
        ledger.STRIPE_BALANCE,
        receivable(seller_id),
        amount=positive(amount),
        currency=currency,
        order_id=order_id,
        at=at,
    )


def receivable_netted(
    *,
    payout_id: PayoutId,
    recovery_id: RecoveryId,
    order_id: OrderId,
    seller_id: AccountId,
    currency: str,
    amount: int,
    at: datetime,
) -> Journal:
    """What a seller owes was kept of a payout. ``order_id`` is that of the payout, as the debit is.

    The receivable may have come from another order: over one order netting adds to what was received of others.
    """
    return moved(
        JournalKind.RECEIVABLE_NETTED,
        f"netted:{payout_id}:{recovery_id}",
        payable(seller_id),
        receivable(seller_id),
        amount=positive(amount),
        currency=currency,
        order_id=order_id,
        at=at,
    )


def seller_writeoff(
    *,
    recovery_id: RecoveryId,
    part: int,
    seller_id: AccountId,
    order_id: OrderId,
    currency: str,
    amount: int,
    at: datetime,
) -> Journal:
    """What a seller owes is given up. ``part`` counts the write-offs of one recovery."""
    return moved(
        JournalKind.SELLER_WRITEOFF,
        f"writeoff:{recovery_id}:{part}",
        ledger.BAD_DEBT,
        receivable(seller_id),
        amount=positive(amount),
        currency=currency,
        order_id=order_id,
        at=at,
    )
