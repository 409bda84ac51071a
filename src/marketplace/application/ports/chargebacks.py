"""Chargebacks as the payment provider has them: a buyer's bank takes the money back, or asks why it should not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from marketplace.domain.payments.chargebacks import ChargebackMovement, ChargebackStage

__all__ = ["ChargebackGateway", "ChargebackMovement", "ChargebackStage", "ProviderChargeback"]


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
