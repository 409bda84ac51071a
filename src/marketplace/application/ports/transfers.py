"""Paying sellers: money moved from our balance at the payment provider to theirs, and taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from marketplace.domain.shared.errors import Conflict
from marketplace.domain.shared.ids import AccountId, OrderId, PayoutId, RecoveryId
from marketplace.domain.shared.money import Money


class InsufficientBalance(Conflict):
    """There is not enough to move: on our balance for a transfer, on the seller's for a reversal.

    It may do later; the refusal is remembered under its key, so that the next attempt takes another one.
    """

    code = "insufficient_balance"


class SellerNotPayable(Conflict):
    """The seller's account cannot receive money now: restricted, rejected, closed, or cut off from us."""

    code = "seller_not_payable"


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferRequest:
    """What pays one payout. Two requests for one attempt are equal, whenever they are made.

    ``destination`` is the seller's account at the provider. ``source_charge`` is the charge that the money came by, so
    that it can be sent before it is available; None sends what is available, as is needed to pay again what was
    reversed.
    """

    payout_id: PayoutId
    order_id: OrderId
    seller_id: AccountId
    amount: Money
    destination: str
    source_charge: str | None
    description: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderTransfer:
    """A transfer as the provider has it now. ``payout_id`` is what we gave it to remember. Minor units."""

    id: str
    amount: int
    amount_reversed: int
    currency: str
    destination: str
    payout_id: PayoutId | None
    balance_transaction_id: str | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderReversal:
    """Money taken back from a seller. ``recovery_id`` is what we gave it to remember. Minor units."""

    id: str
    transfer_id: str
    amount: int
    currency: str
    recovery_id: RecoveryId | None
    balance_transaction_id: str | None


class TransferGateway(Protocol):
    """Part of ``PaymentGateway``, and raises what every method of that one may."""

    def create_transfer(self, request: TransferRequest, *, key: str) -> ProviderTransfer:
        """Raises SellerNotPayable and InsufficientBalance: nothing has moved then."""
        ...

    def get_transfer(self, transfer_id: str) -> ProviderTransfer:
        """Raises ProviderObjectUnknown."""
        ...

    def find_transfer(self, order_id: OrderId, payout_id: PayoutId) -> ProviderTransfer | None:
        """The transfer that was made for a payout. For when the answer to making it was lost."""
        ...

    def reverse_transfer(
        self, transfer_id: str, *, amount: Money, recovery_id: RecoveryId, description: str, key: str
    ) -> ProviderReversal:
        """Take back part of a transfer or all of it.

        Raises InsufficientBalance when the seller has not enough left, SellerNotPayable when their account is out of
        our reach, AlreadyInState when more would go back than was transferred, and ProviderObjectUnknown.
        """
        ...

    def find_reversal(self, transfer_id: str, recovery_id: RecoveryId) -> ProviderReversal | None:
        """The reversal whose metadata carries our name for it. Raises ProviderObjectUnknown for the transfer."""
        ...
