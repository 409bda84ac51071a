"""Payments: one for each order, following what the provider says.

    creating ──> requires_payment_method <──> requires_action <──> processing
    any of these ──> succeeded | canceled
    canceled ──> succeeded                    (late money; succeeded is final)

A payment is *leased* (``locked_until``) by whoever speaks to the provider about it: the lease is committed first, the
provider is called outside any transaction, and the answer is applied by the one whose lease still stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.errors import Conflict
from marketplace.domain.shared.events import Event
from marketplace.domain.shared.ids import AccountId, OrderId, PaymentId
from marketplace.domain.shared.money import Money
from marketplace.domain.shared.provider import KEY_LIFETIME as KEY_LIFETIME
from marketplace.domain.shared.provider import ProviderAlarm as ProviderAlarm
from marketplace.domain.shared.provider import backoff as backoff

START_GRACE = timedelta(seconds=15)
"""The request that placed the order starts its payment; after this long without an answer a worker does."""
POLL_EVERY = timedelta(minutes=5)
"""How often an open payment is read without an event, since events can be lost."""
POLL_AFTER_ATTEMPT = timedelta(minutes=1)

# What a thief must not learn from the shop: the provider asks to show these as a plain decline.
_FRAUD_DECLINES = frozenset(
    [
        "fraudulent",
        "lost_card",
        "merchant_blacklist",
        "pickup_card",
        "restricted_card",
        "security_violation",
        "stolen_card",
    ]
)


class PaymentStatus(StrEnum):
    CREATING = "creating"
    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"

    @property
    def is_open(self) -> bool:
        """Whether the provider may still move it."""
        return self not in (PaymentStatus.SUCCEEDED, PaymentStatus.CANCELED)


class CancelWish(StrEnum):
    """Who wants the payment cancelled at the provider."""

    NOBODY = ""
    BUYER = "buyer"
    WINDOW = "window"


class PaymentBusy(Conflict):
    """Somebody else is speaking to the provider about this payment right now."""

    code = "payment_in_progress"


class OrderNotPayable(Conflict):
    code = "order_not_payable"


class AlreadyPaid(Conflict):
    code = "already_paid"


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentQuarantined(Event):
    """The provider reports money that does not fit the order. An operator has to look."""

    payment_id: int
    order_id: int
    reason: str


def neutral_decline(code: str) -> str:
    """The decline code that a buyer may see: suspicions of fraud look like any other refusal."""
    return "generic_decline" if code in _FRAUD_DECLINES else code


@dataclass(kw_only=True, slots=True)
class Payment(Aggregate):
    """The money side of one order. ``intent_id`` and ``charge_id`` are the provider's names, None until known.

    ``customer_id`` is the provider's name of the buyer in whose name it is created, None for nobody's.
    """

    id: PaymentId
    order_id: OrderId
    buyer_id: AccountId
    amount: Money
    provider: str
    created_at: datetime
    due_at: datetime
    status: PaymentStatus = PaymentStatus.CREATING
    customer_id: str | None = None
    create_attempt: int = 1
    intent_id: str | None = None
    charge_id: str | None = None
    balance_transaction_id: str | None = None
    confirm_attempts: int = 0
    cancel_refusals: int = 0
    last_decline_code: str = ""
    cancel_wanted: CancelWish = CancelWish.NOBODY
    cancel_wanted_by: AccountId | None = None
    quarantine: str = ""
    failures: int = 0
    next_check_at: datetime | None = None
    locked_until: datetime | None = None
    succeeded_at: datetime | None = None

    @classmethod
    def open(
        cls,
        *,
        id: PaymentId,
        order_id: OrderId,
        buyer_id: AccountId,
        amount: Money,
        provider: str,
        due_at: datetime,
        now: datetime,
        customer_id: str | None = None,
    ) -> Self:
        """A payment that the provider has not heard of yet; ``due_at`` ends the window to pay in."""
        return cls(
            id=id,
            order_id=order_id,
            buyer_id=buyer_id,
            amount=amount,
            provider=provider,
            created_at=now,
            due_at=due_at,
            customer_id=customer_id,
            next_check_at=now + START_GRACE,
        )

    @property
    def create_key(self) -> str:
        return f"pi:{self.order_id}:{self.create_attempt}"

    @property
    def name_buyer_key(self) -> str:
        return f"pi-customer:{self.order_id}:{self.confirm_attempts}"

    @property
    def confirm_key(self) -> str:
        return f"pi-confirm:{self.order_id}:{self.confirm_attempts}"

    @property
    def cancel_key(self) -> str:
        # A refusal is remembered under its key, so the next try needs another one.
        return f"pi-cancel:{self.order_id}:{self.cancel_refusals + 1}"

    @property
    def is_open(self) -> bool:
        """Whether the provider may still move it."""
        return self.status.is_open

    @property
    def is_settled(self) -> bool:
        """Succeeded, with its fee known: nothing more is expected."""
        return self.status is PaymentStatus.SUCCEEDED and self.balance_transaction_id is not None

    def key_is_remembered(self, now: datetime) -> bool:
        """Whether creating again with the same key surely gives the same payment."""
        return now < self.created_at + KEY_LIFETIME

    def has_lapsed(self, now: datetime) -> bool:
        return now >= self.due_at

    def is_leased(self, now: datetime) -> bool:
        return self.locked_until is not None and now < self.locked_until

    def lease(self, *, now: datetime, until: datetime) -> None:
        """Raises PaymentBusy while somebody else's lease stands."""
        if self.is_leased(now):
            raise PaymentBusy("This payment is being worked on; try again in a moment.")
        self.locked_until = until

    def let_buyer_go(self) -> None:
        """The provider does not know the buyer any more, and has made nothing: it is asked in nobody's name, under
        another key."""
        self.customer_id = None
        self.next_attempt()

    def next_attempt(self) -> None:
        """A look-up has shown that the provider has nothing, and it answers the key with an error: it gets another."""
        self.create_attempt += 1

    def begin_attempt(self) -> None:
        """Count an attempt to pay, before it is sent. Raises OrderNotPayable once the payment is to be cancelled."""
        if not self.is_open or self.quarantine:
            raise OrderNotPayable(f"The payment is {self.status}; it cannot be paid any more.")
        if self.cancel_wanted:
            raise OrderNotPayable("The payment is being cancelled; place a new order.")
        self.confirm_attempts += 1

    def want_cancel(self, wish: CancelWish, *, by: AccountId | None = None) -> None:
        """The first to ask names the reason."""
        if not self.cancel_wanted:
            self.cancel_wanted = wish
            self.cancel_wanted_by = by

    def attempt_ended(self, status: PaymentStatus, *, decline_code: str, now: datetime) -> None:
        """The provider answered an attempt. What came of it arrives as an event, or by reading it again soon.

        A success that no event has told of yet is shown as ``processing``.
        """
        self.locked_until = None
        if self.is_open:
            self.status = PaymentStatus.PROCESSING if status is PaymentStatus.SUCCEEDED else status
            self.last_decline_code = decline_code
            self._check_after(POLL_AFTER_ATTEMPT, now=now)

    def let_go(self, *, now: datetime) -> None:
        """Nothing came of the lease: whatever the state is, it is read again soon."""
        self.locked_until = None
        if self.is_open:
            self._check_after(POLL_AFTER_ATTEMPT, now=now)

    def started(self, intent_id: str) -> None:
        """The provider knows the payment by this name."""
        self.intent_id = self.intent_id or intent_id
        if self.status is PaymentStatus.CREATING:
            self.status = PaymentStatus.REQUIRES_PAYMENT_METHOD

    def observe(self, status: PaymentStatus, *, decline_code: str, now: datetime, cancel_refused: bool = False) -> None:
        """Still open at the provider, which may have refused to cancel it. What has ended does not open again."""
        self.locked_until = None
        self.cancel_refusals += cancel_refused
        self.failures = 0
        self._check_after(POLL_EVERY, now=now)
        if self.is_open:
            self.status = status
            self.last_decline_code = decline_code

    def succeed(self, charge_id: str, *, now: datetime) -> None:
        """The money is there."""
        self.status = PaymentStatus.SUCCEEDED
        self.charge_id = charge_id
        self.succeeded_at = now
        self.last_decline_code = ""
        self.failures = 0
        self.locked_until = None
        self.next_check_at = now + POLL_EVERY

    def settled(self, balance_transaction_id: str | None, *, now: datetime) -> None:
        """All that success means has been done. The movement on our balance, with its fee, may be known later."""
        self.locked_until = None
        self.balance_transaction_id = self.balance_transaction_id or balance_transaction_id
        self.next_check_at = None if self.is_settled else now + POLL_EVERY

    def cannot_be_made(self) -> None:
        """The provider refuses to have it at all: the order ends with its window."""
        self.locked_until = None
        self.next_check_at = self.due_at

    def cancel(self, *, decline_code: str) -> None:
        """Cancelled at the provider for good, or it never had it."""
        self.locked_until = None
        # Even when it was cancelled before: a provider that was silent since then has made it due again.
        self.next_check_at = None
        self.failures = 0
        if self.is_open:
            self.status = PaymentStatus.CANCELED
            self.last_decline_code = decline_code

    def put_in_quarantine(self, reason: str, *, now: datetime) -> None:
        """The provider's money does not fit: nothing moves until an operator has decided."""
        self.locked_until = None
        self.next_check_at = None
        if not self.quarantine:
            self.quarantine = reason
            self.events.append(
                PaymentQuarantined(occurred_at=now, payment_id=self.id, order_id=self.order_id, reason=reason)
            )

    def failed_to_reach(self, *, now: datetime) -> None:
        """The provider gave no usable answer: a worker tries again, later each time."""
        self.locked_until = None
        self.next_check_at = now + backoff(self.failures)
        self.failures += 1

    def _check_after(self, pause: timedelta, *, now: datetime) -> None:
        moment = now + (backoff(self.cancel_refusals) if self.cancel_wanted else pause)
        self.next_check_at = min(moment, self.due_at) if now < self.due_at else moment
