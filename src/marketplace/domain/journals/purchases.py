"""Journals of what buyers pay and get back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from marketplace.domain import ledger
from marketplace.domain.fees import Return
from marketplace.domain.journals.building import by_account, moved, positive
from marketplace.domain.ledger import Journal, JournalKind, Line, pending
from marketplace.domain.shared.ids import AccountId, OrderId, RefundId


def payment_captured(
    *,
    charge_id: str,
    order_id: OrderId,
    currency: str,
    total: int,
    sellers: Sequence[tuple[AccountId, int, int, int]],
    commission: int,
    processing: int,
    shipping: int,
    at: datetime,
) -> Journal:
    """A buyer's money arrived. ``sellers`` holds (seller, net, commission, fees), ``commission`` is the buyer's."""
    return Journal(
        kind=JournalKind.PAYMENT_CAPTURED,
        source_key=f"charge:{charge_id}",
        currency=currency,
        order_id=order_id,
        occurred_at=at,
        lines=(
            Line(ledger.STRIPE_BALANCE, total),
            *by_account((pending(seller), -net) for seller, net, _, _ in sellers),
            Line(ledger.COMMISSION_SELLER, -sum(withheld for _, _, withheld, _ in sellers)),
            Line(ledger.SELLER_FEES, -sum(fees for _, _, _, fees in sellers)),
            Line(ledger.COMMISSION_BUYER, -commission),
            Line(ledger.PROCESSING_FEE, -processing),
            Line(ledger.SHIPPING, -shipping),
        ),
    )


def stripe_fee(
    *, balance_transaction_id: str, order_id: OrderId | None, currency: str, fee: int, at: datetime
) -> Journal:
    """What the provider kept, of a charge or for anything else; negative when it gave some back."""
    return moved(
        JournalKind.STRIPE_FEE,
        f"fee:{balance_transaction_id}",
        ledger.STRIPE_FEES,
        ledger.STRIPE_BALANCE,
        amount=fee,
        currency=currency,
        order_id=order_id,
        at=at,
    )


def refund_decided(
    *,
    refund_id: RefundId,
    order_id: OrderId,
    currency: str,
    returns: Sequence[tuple[str, Return]],
    at: datetime,
) -> Journal:
    """A buyer is owed money back. ``returns`` holds (account that the seller's net comes from, what goes back)."""
    parts = [part for _, part in returns]
    return Journal(
        kind=JournalKind.REFUND_DECIDED,
        source_key=f"refund:{refund_id}",
        currency=currency,
        order_id=order_id,
        occurred_at=at,
        lines=(
            *by_account((account, part.seller_net) for account, part in returns),
            Line(ledger.COMMISSION_SELLER, sum(part.seller_commission for part in parts)),
            Line(ledger.SELLER_FEES, sum(part.seller_fees for part in parts)),
            Line(ledger.COMMISSION_BUYER, sum(part.commission for part in parts)),
            Line(ledger.PROCESSING_FEE, sum(part.processing for part in parts)),
            Line(ledger.SHIPPING, sum(part.shipping for part in parts)),
            Line(ledger.REFUNDS_PAYABLE, -sum(part.refund for part in parts)),
        ),
    )


def refund_created(*, provider_refund_id: str, order_id: OrderId, currency: str, amount: int, at: datetime) -> Journal:
    """The provider accepted a refund: the money has left."""
    return moved(
        JournalKind.REFUND_CREATED,
        f"refund_sent:{provider_refund_id}",
        ledger.REFUNDS_PAYABLE,
        ledger.STRIPE_BALANCE,
        amount=positive(amount),
        currency=currency,
        order_id=order_id,
        at=at,
    )


def refund_settled(
    *, refund_id: RefundId, order_id: OrderId, currency: str, amount: int, source: str, at: datetime
) -> Journal:
    """A refund that failed was paid in another way. ``source`` is the account that bore it.

    The bank when it was paid from there, our losses by chargebacks when the buyer's bank had given it back already:
    what was lost by that chargeback was less then.
    """
    return moved(
        JournalKind.REFUND_SETTLED,
        f"refund_settled:{refund_id}",
        ledger.REFUNDS_PAYABLE,
        source,
        amount=positive(amount),
        currency=currency,
        order_id=order_id,
        at=at,
    )


def refund_failed(*, provider_refund_id: str, order_id: OrderId, currency: str, amount: int, at: datetime) -> Journal:
    """A refund that had been accepted came back: it is owed again."""
    return moved(
        JournalKind.REFUND_FAILED,
        f"refund_failed:{provider_refund_id}",
        ledger.STRIPE_BALANCE,
        ledger.REFUNDS_PAYABLE,
        amount=positive(amount),
        currency=currency,
        order_id=order_id,
        at=at,
    )
