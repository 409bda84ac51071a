"""Journals of the marketplace's own money: its bank, its carriers, and what nobody can explain."""

from __future__ import annotations

from datetime import datetime

from marketplace.domain import ledger
from marketplace.domain.journals.building import moved, positive
from marketplace.domain.ledger import Journal, JournalKind


def payout_created(*, provider_payout_id: str, currency: str, amount: int, at: datetime) -> Journal:
    """Money left our balance at the provider for our bank."""
    return moved(
        JournalKind.PAYOUT_CREATED,
        f"payout:{provider_payout_id}",
        ledger.PAYOUTS_IN_TRANSIT,
        ledger.STRIPE_BALANCE,
        amount=positive(amount),
        currency=currency,
        order_id=None,
        at=at,
    )


def payout_paid(*, provider_payout_id: str, currency: str, amount: int, at: datetime) -> Journal:
    """Our bank has it."""
    return moved(
        JournalKind.PAYOUT_PAID,
        f"payout_paid:{provider_payout_id}",
        ledger.BANK,
        ledger.PAYOUTS_IN_TRANSIT,
        amount=positive(amount),
        currency=currency,
        order_id=None,
        at=at,
    )


def payout_failed(
    *, provider_payout_id: str, currency: str, amount: int, at: datetime, after_paid: bool = False
) -> Journal:
    """It came back. ``after_paid``: our bank had been said to have it, as the provider may say for some days."""
    return moved(
        JournalKind.PAYOUT_FAILED,
        f"payout_failed:{provider_payout_id}",
        ledger.STRIPE_BALANCE,
        ledger.BANK if after_paid else ledger.PAYOUTS_IN_TRANSIT,
        amount=positive(amount),
        currency=currency,
        order_id=None,
        at=at,
    )


def topup(*, balance_transaction_id: str, currency: str, amount: int, at: datetime) -> Journal:
    """Money of our bank came to our balance at the provider; negative when it went back."""
    return moved(
        JournalKind.TOPUP,
        f"topup:{balance_transaction_id}",
        ledger.STRIPE_BALANCE,
        ledger.BANK,
        amount=amount,
        currency=currency,
        order_id=None,
        at=at,
    )


def carrier_paid(*, reference: str, currency: str, amount: int, at: datetime) -> Journal:
    """Collected shipping was paid to a carrier. ``reference`` is that of their bill."""
    return moved(
        JournalKind.CARRIER_PAID,
        f"carrier:{reference}",
        ledger.SHIPPING,
        ledger.BANK,
        amount=positive(amount),
        currency=currency,
        order_id=None,
        at=at,
    )


def unexplained(*, balance_transaction_id: str, currency: str, net: int, at: datetime) -> Journal:
    """A movement at the provider that nobody can explain, on an operator's word; negative when money left."""
    return moved(
        JournalKind.UNEXPLAINED,
        f"unexplained:{balance_transaction_id}",
        ledger.STRIPE_BALANCE,
        ledger.SUSPENSE,
        amount=net,
        currency=currency,
        order_id=None,
        at=at,
    )
