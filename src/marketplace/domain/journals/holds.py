"""Journals that move a seller's money between what is pending, kept back and payable."""

from __future__ import annotations

from datetime import datetime

from marketplace.domain import ledger
from marketplace.domain.journals.building import moved, positive
from marketplace.domain.ledger import Journal, JournalKind, payable, pending
from marketplace.domain.shared.ids import AccountId, OrderId, SaleId


def order_completed(
    *, sale_id: SaleId, order_id: OrderId, seller_id: AccountId, currency: str, amount: int, at: datetime
) -> Journal:
    """A sale is complete: what its seller has pending of it becomes payable."""
    return moved(
        JournalKind.ORDER_COMPLETED,
        f"complete:{sale_id}",
        pending(seller_id),
        payable(seller_id),
        amount=positive(amount),
        currency=currency,
        order_id=order_id,
        at=at,
    )


def dispute_hold(
    *,
    hold_key: str,
    sale_id: SaleId,
    order_id: OrderId,
    seller_id: AccountId,
    currency: str,
    amount: int,
    source: str,
    at: datetime,
) -> Journal:
    """A dispute or a chargeback keeps a sale's money back, from the account that it stands on."""
    kind, key, held = JournalKind.DISPUTE_HOLD, f"hold:{hold_key}:{sale_id}", ledger.on_hold(seller_id)
    return moved(kind, key, source, held, amount=positive(amount), currency=currency, order_id=order_id, at=at)


def dispute_release(
    *,
    hold_key: str,
    sale_id: SaleId,
    order_id: OrderId,
    seller_id: AccountId,
    currency: str,
    amount: int,
    target: str,
    at: datetime,
) -> Journal:
    """The last dispute or chargeback ended: what is left of a sale's money goes where it would be without them."""
    kind, key, held = JournalKind.DISPUTE_RELEASE, f"release:{hold_key}:{sale_id}", ledger.on_hold(seller_id)
    return moved(kind, key, held, target, amount=positive(amount), currency=currency, order_id=order_id, at=at)


def payout_hold(
    *,
    hold_key: str,
    sale_id: SaleId,
    order_id: OrderId,
    seller_id: AccountId,
    currency: str,
    amount: int,
    source: str,
    at: datetime,
) -> Journal:
    """A restriction of the seller, or an operator, keeps a sale's money back."""
    kind, key, held = JournalKind.PAYOUT_HOLD, f"hold:{hold_key}:{sale_id}", ledger.on_hold(seller_id)
    return moved(kind, key, source, held, amount=positive(amount), currency=currency, order_id=order_id, at=at)


def payout_release(
    *,
    hold_key: str,
    sale_id: SaleId,
    order_id: OrderId,
    seller_id: AccountId,
    currency: str,
    amount: int,
    target: str,
    at: datetime,
) -> Journal:
    """The restriction ended: what is left of a sale's money goes where it would be without it."""
    kind, key, held = JournalKind.PAYOUT_RELEASE, f"release:{hold_key}:{sale_id}", ledger.on_hold(seller_id)
    return moved(kind, key, held, target, amount=positive(amount), currency=currency, order_id=order_id, at=at)
