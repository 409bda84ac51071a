"""Chargebacks as the payment provider has them: a buyer's bank takes the money back, or asks why it should not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class ChargebackStage(StrEnum):
    """The provider's many states, by what they mean to us.

    ``inquiry``: the bank asks, no money has moved; ``inquiry_closed``: it has its answer. ``open``: the money is gone
    until the bank decides. ``won`` and ``lost`` are its decisions; ``appeal``: one that was lost is looked at again,
    which by itself moves nothing. ``prevented``: settled before it became one.
    """

    INQUIRY = "inquiry"
    INQUIRY_CLOSED = "inquiry_closed"
    OPEN = "open"
    WON = "won"
    LOST = "lost"
    APPEAL = "appeal"
    PREVENTED = "prevented"


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargebackMovement:
    """One movement on our balance, in minor units; ``net`` = ``amount`` - ``fee``.

    ``amount`` is the disputed money: negative when withdrawn, positive when given back; ``fee`` is what the provider
    takes for it, negative when given back.
    """

    balance_transaction_id: str
    amount: int
    fee: int
    created_at: datetime

    @property
    def net(self) -> int:
        return self.amount - self.fee


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderChargeback:
    """A chargeback as the provider has it now. ``reason`` and ``status`` are its own words. Minor units."""

    id: str
    intent_id: str | None
    charge_id: str
    amount: int
    currency: str
    reason: str
    status: str
    stage: ChargebackStage
    movements: Sequence[ChargebackMovement]
    evidence_due_at: datetime | None
    livemode: bool
    created_at: datetime


class ChargebackGateway(Protocol):
    """Part of ``PaymentGateway``, and raises what every method of that one may."""

    def get_chargeback(self, chargeback_id: str) -> ProviderChargeback:
        """Raises ProviderObjectUnknown."""
        ...

    def submit_evidence(
        self, chargeback_id: str, *, evidence: Mapping[str, str], submit: bool, key: str
    ) -> ProviderChargeback:
        """Keep what speaks against it, and send it to the bank when ``submit``: then it cannot be changed any more.

        Raises AlreadyInState when it has been decided, and ProviderObjectUnknown.
        """
        ...

    def accept_chargeback(self, chargeback_id: str, *, key: str) -> ProviderChargeback:
        """Give in: it is lost. Raises AlreadyInState and ProviderObjectUnknown."""
        ...
