"""Chargebacks: a buyer's bank takes the money of a payment back, or asks why it should not.

A chargeback follows what the provider says of it. From its first sign until it is over every payout of the order is
held. Its movements on our balance are booked each once, whenever they come; the sellers lose their part when it is
lost and the money is gone, and only then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from marketplace.domain.payments.payment import PaymentBusy, backoff
from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.errors import Conflict, Invalid
from marketplace.domain.shared.events import Event
from marketplace.domain.shared.ids import ChargebackId, OrderId, PaymentId
from marketplace.domain.shared.money import Money
from marketplace.domain.shared.text import checked_text

POLL_CHARGEBACK = timedelta(hours=6)
"""How often one that is not over is read without an event."""
MAX_EVIDENCE = 20_000
"""Characters of one field; the provider takes 150,000 over all of them."""
EVIDENCE_FIELDS = frozenset(
    [
        "access_activity_log",
        "billing_address",
        "cancellation_policy_disclosure",
        "cancellation_rebuttal",
        "customer_email_address",
        "customer_name",
        "customer_purchase_ip",
        "duplicate_charge_explanation",
        "duplicate_charge_id",
        "product_description",
        "refund_policy_disclosure",
        "refund_refusal_explanation",
        "service_date",
        "shipping_address",
        "shipping_carrier",
        "shipping_date",
        "shipping_tracking_number",
        "uncategorized_text",
    ]
)
"""What the provider takes as text (its API, "evidence" of a dispute)."""


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


HELD = frozenset({ChargebackStage.INQUIRY, ChargebackStage.OPEN})
"""Undecided: nobody is paid out of this order meanwhile."""
HARMLESS = frozenset({ChargebackStage.WON, ChargebackStage.INQUIRY_CLOSED, ChargebackStage.PREVENTED})
"""Over, and the money is ours."""
DECIDED_AGAINST = frozenset({ChargebackStage.LOST, ChargebackStage.APPEAL})


class ChargebackOpen(Conflict):
    """The buyer's bank may give this money back already: what else is refunded would be paid twice."""

    code = "chargeback_open"


class ChargebackDecidedAlready(Conflict):
    code = "chargeback_decided"


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargebackOpened(Event):
    """``amount`` in minor units of ``currency``."""

    chargeback_id: int
    order_id: int
    amount: int
    currency: str
    is_inquiry: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargebackDecided(Event):
    chargeback_id: int
    order_id: int
    stage: str


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


@dataclass(kw_only=True, slots=True)
class Chargeback(Aggregate):
    """``stage`` is None until the provider was read under a lease. ``status`` and ``reason`` are its own words.

    ``lost`` is what was shared out among the sellers and us as lost, in minor units, None until then.
    """

    id: ChargebackId
    provider_chargeback_id: str
    order_id: OrderId
    payment_id: PaymentId
    amount: Money
    reason: str
    opened_at: datetime
    stage: ChargebackStage | None = None
    status: str = ""
    movements: list[ChargebackMovement] = field(default_factory=list)
    lost: int | None = None
    evidence_due_at: datetime | None = None
    evidence: Mapping[str, str] = field(default_factory=dict)
    evidence_submitted_at: datetime | None = None
    evidence_attempt: int = 0
    decided_at: datetime | None = None
    failures: int = 0
    next_check_at: datetime | None = None
    locked_until: datetime | None = None

    @classmethod
    def found(
        cls,
        *,
        id: ChargebackId,
        provider_chargeback_id: str,
        order_id: OrderId,
        payment_id: PaymentId,
        amount: Money,
        reason: str,
        opened_at: datetime,
    ) -> Self:
        """The provider has one on a payment of ours."""
        return cls(
            id=id,
            provider_chargeback_id=provider_chargeback_id,
            order_id=order_id,
            payment_id=payment_id,
            amount=amount,
            reason=reason,
            opened_at=opened_at,
        )

    @property
    def hold_key(self) -> str:
        """Names its hold on the payouts of the order."""
        return f"chargeback:{self.id}"

    @property
    def withdrawn(self) -> int:
        """What of the disputed money is gone from our balance at this moment, in minor units."""
        return -sum(movement.amount for movement in self.movements)

    @property
    def is_held(self) -> bool:
        return self.stage is None or self.stage in HELD

    @property
    def is_underway(self) -> bool:
        """Somebody may still gain or lose by it: the bank has not decided, or what it took is not shared out."""
        return self.lost is None and self.stage not in HARMLESS

    @property
    def blocks_refunds(self) -> bool:
        """An inquiry does not: giving the money back is one way to answer it."""
        return self.stage is ChargebackStage.OPEN

    @property
    def is_to_be_shared_out(self) -> bool:
        """Lost, the money gone, and nobody has borne it yet."""
        return self.stage in DECIDED_AGAINST and self.lost is None and self.withdrawn > 0

    def lease(self, *, now: datetime, until: datetime) -> None:
        """Raises PaymentBusy while somebody else's lease stands."""
        if self.locked_until is not None and now < self.locked_until:
            raise PaymentBusy("This chargeback is being worked on; try again in a moment.")
        self.locked_until = until

    def follow(
        self,
        stage: ChargebackStage,
        *,
        status: str,
        reason: str,
        amount: int,
        evidence_due_at: datetime | None,
        now: datetime,
    ) -> None:
        """What the provider says now, under the lease, which ends."""
        self.locked_until = None
        self.failures = 0
        before, self.stage = self.stage, stage
        self.status, self.reason, self.evidence_due_at = status, reason, evidence_due_at
        self.amount = Money(amount, self.amount.currency)
        if stage in HELD and before is not stage:
            self.events.append(
                ChargebackOpened(
                    occurred_at=now,
                    chargeback_id=self.id,
                    order_id=self.order_id,
                    amount=amount,
                    currency=self.amount.currency,
                    is_inquiry=stage is ChargebackStage.INQUIRY,
                )
            )
        elif stage not in HELD and before is not stage:
            self.decided_at = now
            self.events.append(
                ChargebackDecided(occurred_at=now, chargeback_id=self.id, order_id=self.order_id, stage=stage.value)
            )

    def take_in(self, movements: Sequence[ChargebackMovement]) -> list[ChargebackMovement]:
        """Those that were not known yet, now kept."""
        known = {movement.balance_transaction_id for movement in self.movements}
        new = [movement for movement in movements if movement.balance_transaction_id not in known]
        self.movements.extend(new)
        return new

    def shared_out(self, amount: int) -> None:
        """So much was borne by the sellers and us."""
        self.lost = amount

    def check_again(self, *, now: datetime) -> None:
        """Until it is over and its money is where it belongs."""
        is_over = (self.stage in HARMLESS and self.withdrawn == 0) or self.lost is not None
        waits = not is_over or self.stage is ChargebackStage.APPEAL
        self.next_check_at = now + POLL_CHARGEBACK if waits else None

    def failed_to_reach(self, *, now: datetime) -> None:
        self.locked_until = None
        self.next_check_at = now + backoff(self.failures)
        self.failures += 1

    def require_open(self) -> None:
        """Raises ChargebackDecidedAlready when there is nothing to say to the bank any more."""
        if not self.is_held:
            raise ChargebackDecidedAlready(f"Chargeback {self.id} is {self.stage}: the bank has decided.")

    def prepare_evidence(self, evidence: Mapping[str, str]) -> str:
        """Keep what speaks against it, on top of what was kept before; gives the key to send it with.

        Raises Invalid on a field that the provider does not take, or on text that cannot be kept.
        """
        if unknown := sorted(set(evidence) - EVIDENCE_FIELDS):
            known = ", ".join(sorted(EVIDENCE_FIELDS))
            raise Invalid(
                f"The provider takes no evidence called {', '.join(unknown)}; it takes {known}.",
                errors={name: ["The provider takes no evidence of this name."] for name in unknown},
            )
        checked = {
            name: checked_text(text, field=name, maximum=MAX_EVIDENCE, lines=True) for name, text in evidence.items()
        }
        self.evidence = {**self.evidence, **checked}
        self.evidence_attempt += 1
        return f"du-ev:{self.id}:{self.evidence_attempt}"

    def evidence_submitted(self, *, now: datetime) -> None:
        """All of it has gone to the bank."""
        self.evidence_submitted_at = now
